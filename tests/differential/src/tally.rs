//! What is counted: inputs, agreements, and disagreements by their cause.

use std::collections::BTreeMap;

/// Whose difference it is.
#[derive(Clone, Copy)]
pub enum Kind {
    /// The peer departs from what the RFC says.
    Peer,
    /// The RFC leaves it open, or lets the receiver choose; where we have a setting for it, the
    /// peer's result is ours under that setting.
    Setting,
}

/// A reason why two implementations differ over an input: whether it is this one is told by the input
/// and both results.
pub struct Cause<C> {
    pub name: &'static str,
    pub kind: Kind,
    /// What the RFC says, with its section.
    pub reason: &'static str,
    pub explains: fn(&C) -> bool,
}

/// One peer, held against us in one protocol.
pub struct Comparison {
    peer: String,
    inputs: usize,
    agree: BTreeMap<String, usize>,
    causes: BTreeMap<&'static str, (usize, Kind, &'static str)>,
    unexplained: usize,
}

/// How many disagreements without a cause are printed in full.
const SHOWN: usize = 10;

impl Comparison {
    pub fn new(peer: &str) -> Self {
        Self {
            peer: peer.to_owned(),
            inputs: 0,
            agree: BTreeMap::new(),
            causes: BTreeMap::new(),
            unexplained: 0,
        }
    }

    /// Counts one input. `describe` is called for what no cause explains.
    pub fn count<C>(
        &mut self,
        case: &C,
        ours: &str,
        theirs: &str,
        causes: &[Cause<C>],
        describe: impl Fn(&C) -> String,
    ) {
        self.inputs += 1;
        if ours == theirs {
            *self.agree.entry(ours.to_owned()).or_default() += 1;
        } else if let Some(cause) = causes.iter().find(|cause| (cause.explains)(case)) {
            let count = self.causes.entry(cause.name);
            count.or_insert((0, cause.kind, cause.reason)).0 += 1;
        } else {
            self.unexplained += 1;
            if self.unexplained <= SHOWN {
                println!(
                    "{}: we say {ours}, it says {theirs}: {}",
                    self.peer,
                    describe(case)
                );
            }
        }
    }

    /// Prints the peer's rows of the table; whether all disagreements are explained.
    pub fn print(&self) -> bool {
        let agree: usize = self.agree.values().sum();
        println!(
            "{:<28} {:>7} inputs {agree:>7} agree",
            self.peer, self.inputs
        );
        let words: Vec<String> = self
            .agree
            .iter()
            .map(|(word, n)| format!("{word} {n}"))
            .collect();
        if words.len() <= 8 {
            println!("    agreed: {}", words.join(", "));
        }
        for (name, (count, kind, reason)) in &self.causes {
            let kind = match kind {
                Kind::Peer => "peer",
                Kind::Setting => "setting",
            };
            println!("{count:>8}  {kind:<7}  {name}: {reason}");
        }
        if self.unexplained > 0 {
            println!("{:>8}  UNEXPLAINED", self.unexplained);
        }
        self.inputs > 0 && self.unexplained == 0
    }
}
