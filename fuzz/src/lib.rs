//! The fuzz targets as functions, so that corpora can be replayed without a fuzzer.

/// A target: panics if a property does not hold.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: &[(&str, Target)] = &[];
