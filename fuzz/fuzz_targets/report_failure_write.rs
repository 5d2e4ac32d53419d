#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mailproof_fuzz::failure::write(data));
