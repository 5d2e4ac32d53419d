//! Put into the tree under test: which mutant is switched on.

use std::sync::LazyLock;

static NUMBER: LazyLock<usize> = LazyLock::new(|| {
    let number = std::env::var("MAILPROOF_MUTANT").ok();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
});

pub(crate) fn is(number: usize) -> bool {
    *NUMBER == number
}
