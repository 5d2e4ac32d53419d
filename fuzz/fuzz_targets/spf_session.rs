#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailproof_fuzz::spf::spf_session(data));
