//! The bounds on the work of one check (§4.6.4), counted.

use super::cause::Limit;
use super::settings::Settings;

/// What a check has spent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Budget {
    /// Terms that cause look-ups.
    pub(super) lookups: usize,
    /// Look-ups without an answer.
    pub(super) void_lookups: usize,
    /// Questions put to the resolver.
    pub(super) queries: usize,
}

impl Budget {
    /// §4.6.4: ‘SPF implementations MUST limit the total number of those terms to 10 during SPF
    /// evaluation’. The eleventh is refused when it is reached.
    pub(super) fn lookup(&mut self, settings: &Settings) -> Result<(), Limit> {
        let most = settings.max_lookup_terms;
        if self.lookups >= most {
            return Err(Limit::LookupTerms { most });
        }
        self.lookups += 1;
        Ok(())
    }

    /// §4.6.4: ‘SPF implementations SHOULD limit "void lookups" to two.’
    pub(super) fn void(&mut self, settings: &Settings) -> Result<(), Limit> {
        let most = settings.max_void_lookups;
        self.void_lookups += 1;
        if self.void_lookups > most {
            return Err(Limit::VoidLookups {
                most,
                every_empty_answer: settings.every_empty_answer_is_void,
            });
        }
        Ok(())
    }

    /// Our own bound: whatever the records say, a check ends after so many questions.
    pub(super) fn query(&mut self, settings: &Settings) -> Result<(), Limit> {
        let most = settings.max_queries;
        if self.queries >= most {
            return Err(Limit::Queries { most });
        }
        self.queries += 1;
        Ok(())
    }
}
