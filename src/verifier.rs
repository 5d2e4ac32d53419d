//! The front door: one session and one message in, one [`Verdict`] out.
//!
//! It decides nothing; it runs the rooms below in their order. What does not depend on the DNS is
//! done first ([`Verifier::begin`]), then all questions are asked ([`Lookups`]) while the body is
//! hashed ([`BodyHasher`]), then everything is judged ([`Verifier::finish`]).

mod late;
mod observer;

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use crate::dkim::{BodyHasher, BodyHashes};
use crate::dns::{Name, Observed, Recording, Resolver, Transcript, block_on};
use crate::identifier::{AuthenticatedIdentifier, Method, Status};
use crate::message::{Anomalies, Author, Head, Message};
use crate::session::Session;
use crate::verdict::{Facts, Policy, Relay, Verdict, crowded};
use crate::{arc, dkim, dmarc, spf};

use late::Late;
use observer::Watch;

pub use observer::Observer;

/// All settings of a [`Verifier`]. Start from the default and change single ones.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// How ARC chains are validated.
    pub arc: arc::Settings,
    /// How SPF is checked.
    pub spf: spf::Settings,
    /// How DKIM signatures are verified.
    pub dkim: dkim::Settings,
    /// How DMARC is evaluated.
    pub dmarc: dmarc::Settings,
    /// What follows from the results.
    pub policy: Policy,
}

/// Verifies messages, asking the DNS through a resolver.
///
/// ```
/// use mailproof::dns::{Zone, block_on};
/// use mailproof::{Action, Message, Session, Verifier};
///
/// let mut zone = Zone::new();
/// zone.add_txt("example.com", "v=spf1 ip4:192.0.2.1 -all")?;
/// zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")?;
///
/// let verifier = Verifier::new(zone);
/// let session = Session::new([192, 0, 2, 1].into(), "mail.example.com", "me@example.com");
/// let message = Message::parse(b"From: me@example.com\r\n\r\nHello\r\n");
/// let verdict = block_on(verifier.verify(&session, &message));
/// assert_eq!(verdict.action(), Action::Deliver);
///
/// let forger = Session::new([198, 51, 100, 7].into(), "mail.example.net", "me@example.com");
/// let verdict = block_on(verifier.verify(&forger, &message));
/// assert_eq!(verdict.action(), Action::Reject);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier<R> {
    resolver: R,
    settings: Arc<Settings>,
    now: Option<SystemTime>,
    watch: Watch,
}

impl<R: Resolver> Verifier<R> {
    /// A verifier with the default settings.
    #[must_use]
    pub fn new(resolver: R) -> Self {
        Self::with_settings(resolver, Settings::default())
    }

    /// A verifier with settings of the caller's.
    #[must_use]
    pub fn with_settings(resolver: R, settings: Settings) -> Self {
        Self {
            resolver,
            settings: Arc::new(settings),
            now: None,
            watch: Watch::default(),
        }
    }

    /// The same verifier at a fixed time instead of the system's: for stored messages, for tests,
    /// and where there is no clock.
    #[must_use]
    pub fn at(&self, now: SystemTime) -> Verifier<&R> {
        let settings = Arc::clone(&self.settings);
        Verifier {
            resolver: &self.resolver,
            settings,
            now: Some(now),
            watch: self.watch.clone(),
        }
    }

    /// The same verifier, which tells `observer` what it does.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Observer + 'static) -> Self {
        self.watch = Watch(Some(Arc::new(observer)));
        self
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Verifies a whole message.
    ///
    /// Dropping the future stops the verification and leaves nothing behind.
    pub async fn verify(&self, session: &Session, message: &Message<'_>) -> Verdict {
        self.verify_until(session, message, pending()).await
    }

    /// Verifies a whole message, but waits for the DNS no longer than until `deadline` completes
    /// (any timer will do). Look-ups unfinished by then count as temporary failures; those that
    /// did finish keep their worth. RFC 7208 4.6.4 asks for at least 20 seconds.
    pub async fn verify_until(
        &self,
        session: &Session,
        message: &Message<'_>,
        deadline: impl Future<Output = ()> + Send,
    ) -> Verdict {
        let (lookups, mut body) = self.begin(session, message.head());
        body.update(message.body());
        let answers = lookups.run_until(&self.resolver, deadline).await;
        self.finish(answers, body.finish())
    }

    /// Begins a verification as soon as the header block has arrived. The two values are
    /// independent: drive the look-ups on any executor while the body is fed to the hasher, then
    /// give both results to [`finish`](Self::finish).
    ///
    /// ```
    /// use mailproof::dns::{Zone, block_on};
    /// use mailproof::{Session, Verifier, message::Head};
    ///
    /// let verifier = Verifier::new(Zone::new());
    /// let session = Session::new([192, 0, 2, 1].into(), "mail.example.com", "me@example.com");
    /// let (head, _) = Head::parse(b"From: me@example.com\r\n\r\n");
    /// let (lookups, mut body) = verifier.begin(&session, &head);
    /// // A server would spawn this and go on reading.
    /// let answers = block_on(lookups.run(Zone::new()));
    /// for chunk in [b"Hel", b"lo\r"] {
    ///     body.update(chunk);
    /// }
    /// body.update(b"\n");
    /// let verdict = verifier.finish(answers, body.finish());
    /// assert_eq!(verdict.dmarc().result().as_str(), "none");
    /// ```
    pub fn begin(&self, session: &Session, head: &Head<'_>) -> (Lookups, BodyHasher) {
        let now = self.now.unwrap_or_else(SystemTime::now);
        let author = head.author();
        let collected = dkim::Collected::read(head, author.domain(), now, &self.settings.dkim);
        let chain = arc::Collected::read(head, now, &self.settings.arc);
        // One pass over the body serves the signatures of both.
        let requests = collected.body_hash_requests();
        let requests = requests.chain(chain.body_hash_requests());
        let body = BodyHasher::of(requests);
        let questions = Questions {
            session: session.clone(),
            author,
            anomalies: *head.anomalies(),
            relay: Relay::read(session, head),
            collected,
            chain,
            settings: Arc::clone(&self.settings),
            watch: self.watch.clone(),
        };
        (Lookups(Box::new(questions)), body)
    }

    /// Judges, once the look-ups and the body are done. Nothing is asked any more.
    #[must_use]
    pub fn finish(&self, answers: Answers, body: BodyHashes) -> Verdict {
        let Answers {
            lookups,
            spf,
            keys,
            discovery,
            transcript,
        } = answers;
        let Questions {
            session,
            author,
            anomalies,
            relay,
            collected,
            chain,
            settings,
            watch,
        } = *lookups.0;
        let arc = chain.validate(&keys, &body, &settings.arc);
        let dkim = collected.verify(&keys, &body, &settings.dkim);
        let identifiers: Vec<AuthenticatedIdentifier> = spf
            .authenticated_identifier()
            .into_iter()
            .chain(
                dkim.iter()
                    .filter_map(dkim::Verification::authenticated_identifier),
            )
            .collect();
        let (keys, policies) = (settings.dkim.max_key_records, settings.dmarc.max_records);
        let crowded = crowded(&transcript, keys, policies);
        let dmarc = discovery.evaluate(&author, &identifiers, &settings.dmarc);
        let facts = Facts {
            session,
            author,
            anomalies,
            relay,
            spf,
            dkim,
            arc,
            dmarc,
            transcript,
            crowded,
        };
        let verdict = Verdict::new(facts, &settings.policy);
        watch.judged(&verdict);
        verdict
    }
}

/// The questions of one verification, ready to be asked.
#[derive(Debug)]
#[must_use = "nothing is looked up until this is run"]
pub struct Lookups(Box<Questions>);

/// What is known before anything is asked. It is large and moved often.
#[derive(Debug)]
struct Questions {
    session: Session,
    author: Author,
    anomalies: Anomalies,
    relay: Relay,
    collected: dkim::Collected,
    chain: arc::Collected,
    settings: Arc<Settings>,
    watch: Watch,
}

impl Lookups {
    /// Asks everything, at once where one answer does not depend on another. With a resolver that
    /// is owned or in an `Arc`, the future is `'static` and can be spawned.
    pub async fn run(self, resolver: impl Resolver) -> Answers {
        self.run_until(resolver, pending()).await
    }

    /// Asks everything, but waits no longer than until `deadline` completes, see
    /// [`Verifier::verify_until`].
    pub async fn run_until(
        self,
        resolver: impl Resolver,
        deadline: impl Future<Output = ()> + Send,
    ) -> Answers {
        match self.0.watch.0.clone() {
            None => self.ask(Recording::new(resolver), deadline).await,
            Some(observer) => {
                let clock = Arc::clone(&observer);
                let observed = Observed::new(resolver, move |question, elapsed| {
                    observer.lookup(question, elapsed);
                })
                .possible_clock(move || clock.now());
                self.ask(Recording::new(observed), deadline).await
            }
        }
    }

    async fn ask(
        self,
        recording: Recording<impl Resolver>,
        deadline: impl Future<Output = ()> + Send,
    ) -> Answers {
        let mut deadline = Deadline {
            future: pin!(deadline),
            passed: false,
        };
        let names = self.key_names();
        let FirstRound {
            spf,
            keys,
            discovery,
        } = self.first_round(&recording, &names, &mut deadline).await;
        let candidates = self.candidates(&spf);
        let settings = &self.0.settings.dmarc;
        let discovery = if discovery.suffices(&candidates, settings) {
            discovery
        } else {
            let before = discovery.clone();
            let walk = discovery.with_identifiers(&recording, &candidates, settings);
            let mut walk = Part::new(Box::pin(walk));
            poll_fn(|context| match walk.poll(context) {
                true => Poll::Ready(()),
                false => deadline.poll(context),
            })
            .await;
            let late = || block_on(before.with_identifiers(&Late, &candidates, settings));
            walk.output().unwrap_or_else(late)
        };
        let transcript = recording.into_transcript();
        Answers {
            lookups: self,
            spf,
            keys,
            discovery,
            transcript,
        }
    }

    /// The names of the keys of DKIM and ARC, each once.
    fn key_names(&self) -> Vec<Name> {
        let mut names = self.0.collected.key_names();
        for name in self.0.chain.key_names() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// SPF, the keys and the author's policy: none depends on another.
    async fn first_round(
        &self,
        resolver: &dyn Resolver,
        names: &[Name],
        deadline: &mut Deadline<'_, impl Future<Output = ()> + Send>,
    ) -> FirstRound {
        let settings = &*self.0.settings;
        let spf = spf::check_session(resolver, &self.0.session, &settings.spf);
        let mut spf = Part::new(Box::pin(spf));
        let policy = dmarc::Discovery::of_author(resolver, &self.0.author, &settings.dmarc);
        let mut policy = Part::new(Box::pin(policy));
        let mut keys = Vec::with_capacity(names.len());
        poll_fn(|context| {
            // Each is polled each time: none waits for another to have been asked.
            let spf_done = spf.poll(context);
            let policy_done = policy.poll(context);
            if keys.is_empty() {
                keys.extend(names.iter().map(|name| Part::new(resolver.txt(name))));
            }
            let mut keys_done = true;
            for key in &mut keys {
                keys_done &= key.poll(context);
            }
            if spf_done && policy_done && keys_done {
                return Poll::Ready(());
            }
            deadline.poll(context)
        })
        .await;
        let answers = keys.into_iter().map(Part::output);
        let answers = names.iter().cloned().zip(answers);
        let keys = answers.filter_map(|(name, answer)| Some((name, answer?)));
        let keys = keys.collect();
        // What was not answered in time is what a resolver gives that answers nothing in time.
        let spf = spf
            .output()
            .unwrap_or_else(|| block_on(spf::check_session(&Late, &self.0.session, &settings.spf)));
        let discovery = policy.output().unwrap_or_else(|| {
            let author = &self.0.author;
            block_on(dmarc::Discovery::of_author(&Late, author, &settings.dmarc))
        });
        FirstRound {
            spf,
            keys,
            discovery,
        }
    }

    /// The domains that may turn out to be authenticated: DMARC needs their organizational domains,
    /// and whether their signatures hold is known only when the body has been read.
    fn candidates(&self, spf: &spf::SessionEvaluation) -> Vec<AuthenticatedIdentifier> {
        let signers = self.0.collected.signing_domains();
        spf.authenticated_identifier()
            .into_iter()
            .chain(signers.map(|domain| {
                AuthenticatedIdentifier::new(domain.clone(), Method::Dkim, Status::Temperror)
            }))
            .collect()
    }
}

struct FirstRound {
    spf: spf::SessionEvaluation,
    keys: dkim::Keys,
    discovery: dmarc::Discovery,
}

/// The answers to the questions of one verification.
#[derive(Debug)]
#[must_use = "these are for `Verifier::finish`"]
pub struct Answers {
    lookups: Lookups,
    spf: spf::SessionEvaluation,
    keys: dkim::Keys,
    discovery: dmarc::Discovery,
    transcript: Transcript,
}

/// The caller's time limit; its future is not polled again once it has passed.
struct Deadline<'a, D> {
    future: Pin<&'a mut D>,
    passed: bool,
}

impl<D: Future<Output = ()>> Deadline<'_, D> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.passed = self.passed || self.future.as_mut().poll(context).is_ready();
        if self.passed {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// A future that is driven beside others and keeps its output.
struct Part<F: Future> {
    future: F,
    output: Option<F::Output>,
}

impl<F: Future + Unpin> Part<F> {
    fn new(future: F) -> Self {
        Self {
            future,
            output: None,
        }
    }

    /// Whether the output is there.
    fn poll(&mut self, context: &mut Context<'_>) -> bool {
        if self.output.is_none()
            && let Poll::Ready(output) = Pin::new(&mut self.future).poll(context)
        {
            self.output = Some(output);
        }
        self.output.is_some()
    }

    fn output(self) -> Option<F::Output> {
        self.output
    }
}
