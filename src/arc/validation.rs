//! What came of a chain.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use super::cause::Cause;
use super::set::Set;
use super::words::ArcResult;
use crate::auth_results::{Method, MethodResult, Property};
use crate::text;

/// The result of a chain, why, and its sets.
///
/// Prints as one sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Validation {
    result: ArcResult,
    cause: Cause,
    oldest_pass: Option<u8>,
    sets: Vec<Set>,
}

impl Validation {
    pub(super) fn new(cause: Cause, oldest_pass: Option<u8>, sets: Vec<Set>) -> Self {
        Self {
            result: cause.result(),
            cause,
            oldest_pass,
            sets,
        }
    }

    /// The Chain Validation Status.
    #[must_use]
    pub fn result(&self) -> ArcResult {
        self.result
    }

    /// Why.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The oldest set whose message signature still verifies, so that nothing it covers was changed
    /// since; 0 if all do (§5.2, step 5). `None` where not even the newest does, or where the older
    /// ones are [not checked](super::Settings::check_older).
    #[must_use]
    pub fn oldest_pass(&self) -> Option<u8> {
        self.oldest_pass
    }

    /// The sets in the order in which they were added, the first sealer's first. Where the chain is
    /// not valid, this is what somebody wrote.
    #[must_use]
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The first trusted hop: the oldest set such that its sealer and all after it are trusted. What
    /// it says ([`Set::results`]) is what a trusted party saw when the message reached it.
    ///
    /// Trust must not have a gap: a sealer may change the message at will and keep the chain valid,
    /// so what was found before an untrusted hop says nothing about the message as it is now. `None`
    /// where the chain is not valid or its last sealer is not trusted.
    #[must_use]
    pub fn first_trusted(&self, mut is_trusted: impl FnMut(&Set) -> bool) -> Option<&Set> {
        if self.result != ArcResult::Pass {
            return None;
        }
        let newest_first = self.sets.iter().rev();
        newest_first.take_while(|set| is_trusted(set)).last()
    }

    /// The result for Authentication-Results (§6): with the address of the client, and the oldest
    /// message signature that holds.
    #[must_use]
    pub fn to_method_result(&self, client_ip: Option<IpAddr>) -> MethodResult {
        let mut result = MethodResult::new(Method::Arc, self.result.into());
        match self.result {
            ArcResult::None => return result,
            ArcResult::Fail => result = result.with_reason(self.cause.to_string()),
            ArcResult::Pass => {}
        }
        if let Some(client_ip) = client_ip {
            result = result.with_property(Property::smtp("remote-ip", client_ip.to_string()));
        }
        if let Some(oldest_pass) = self.oldest_pass.filter(|_| self.result == ArcResult::Pass) {
            let oldest_pass = oldest_pass.to_string();
            result = result.with_property(Property::header("oldest-pass", oldest_pass));
        }
        result
    }

    /// The comment for an aggregate report whose disposition the chain has changed (§7.2.2): ‘the
    /// Chain Validation Status, the domain and selector for each AS, and the originating IP address
    /// from the first ARC Set’, the last only where that set has it.
    #[must_use]
    pub fn report_comment(&self) -> String {
        let mut comment = format!("arc={}", self.result);
        for set in self.sets.iter().rev() {
            let instance = set.instance();
            if let (Some(domain), Some(selector)) = (set.domain(), set.selector()) {
                let selector = text::one_line(selector, 255);
                // Writing to a String cannot fail.
                let _ = write!(
                    comment,
                    " as[{instance}].d={domain} as[{instance}].s={selector}"
                );
            }
        }
        if let Some(address) = self.sets.first().and_then(Set::remote_ip) {
            let _ = write!(comment, " remote-ip[1]={address}");
        }
        comment
    }
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arc={}: {}", self.result, self.cause)
    }
}
