//! The cache: what it keeps, for how long, and that each question is asked once.

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use mailproof::dns::{Cache, Lookup, LookupError, Mx, Name, Outcome, Resolver, Txt, block_on};

/// Answers after a number of polls, and counts what it was asked.
struct Upstream<F> {
    polls: usize,
    answer: F,
    asked: Mutex<HashMap<Name, usize>>,
}

impl<F: Fn(&Name) -> Result<Outcome<Txt>, LookupError> + Send + Sync> Upstream<F> {
    fn new(polls: usize, answer: F) -> Arc<Self> {
        Arc::new(Self {
            polls,
            answer,
            asked: Mutex::default(),
        })
    }

    fn count(&self, name: &Name) {
        let mut asked = self.asked.lock().expect("no panic under the lock");
        *asked.entry(name.clone()).or_default() += 1;
    }

    fn asked(&self, name: &Name) -> usize {
        let asked = self.asked.lock().expect("no panic under the lock");
        asked.get(name).copied().unwrap_or_default()
    }
}

impl<F: Fn(&Name) -> Result<Outcome<Txt>, LookupError> + Send + Sync> Resolver for Upstream<F> {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        Lookup::new(async move {
            self.count(name);
            let mut polls = self.polls;
            poll_fn(|context| match polls {
                0 => Poll::Ready(()),
                _ => {
                    polls -= 1;
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            })
            .await;
            (self.answer)(name)
        })
    }

    fn a<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv4Addr> {
        Lookup::ready(Ok(
            Outcome::records([Ipv4Addr::LOCALHOST]).with_ttl(Duration::from_secs(9))
        ))
    }

    fn aaaa<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv6Addr> {
        Lookup::ready(Ok(Outcome::no_data()))
    }

    fn mx<'a>(&'a self, _: &'a Name) -> Lookup<'a, Mx> {
        Lookup::ready(Ok(Outcome::no_data()))
    }

    fn ptr<'a>(&'a self, _: &'a Name) -> Lookup<'a, Name> {
        Lookup::ready(Ok(Outcome::no_data()))
    }
}

/// A clock that is set by hand, in seconds.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    fn read(&self) -> impl Fn() -> Duration + Send + Sync + 'static {
        let clock = Arc::clone(&self.0);
        move || Duration::from_secs(clock.load(Ordering::SeqCst))
    }
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn text(ttl: u64) -> Result<Outcome<Txt>, LookupError> {
    Ok(Outcome::records([Txt::new("x")]).with_ttl(Duration::from_secs(ttl)))
}

/// Knows whether it was woken.
#[derive(Default)]
struct Flag(AtomicUsize);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A look-up that is polled by hand, and only after it was woken.
struct Task<'a> {
    lookup: Pin<Box<Lookup<'a, Txt>>>,
    flag: Arc<Flag>,
}

impl<'a> Task<'a> {
    fn new(lookup: Lookup<'a, Txt>) -> Self {
        Self {
            lookup: Box::pin(lookup),
            flag: Arc::new(Flag(AtomicUsize::new(1))),
        }
    }

    fn is_woken(&self) -> bool {
        self.flag.0.load(Ordering::SeqCst) != 0
    }

    fn poll(&mut self) -> Option<Result<Outcome<Txt>, LookupError>> {
        self.flag.0.store(0, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.flag));
        match self.lookup.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }
}

/// Polls tasks that are woken until all have ended; panics if one is never woken.
fn run(mut tasks: Vec<Task<'_>>) -> Vec<Result<Outcome<Txt>, LookupError>> {
    let mut results = Vec::new();
    while !tasks.is_empty() {
        let index = tasks
            .iter()
            .position(Task::is_woken)
            .expect("a task is woken");
        if let Some(result) = tasks[index].poll() {
            results.push(result);
            tasks.swap_remove(index);
        }
    }
    results
}

#[test]
fn one_question_for_each_name_and_ttl_from_eight_threads() {
    let names: Vec<Name> = (0..10_000)
        .map(|n| name(&format!("n{n}.example")))
        .collect();
    let upstream = Upstream::new(2, |name| {
        let octets = name.as_str().as_bytes();
        Ok(Outcome::records([Txt::new(octets)]).with_ttl(Duration::from_secs(300)))
    });
    let clock = Clock::default();
    let cache = Cache::new(Arc::clone(&upstream), clock.read());
    for round in 1..=3 {
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (names, cache) = (&names, &cache);
                scope.spawn(move || {
                    // Some threads go together, some against each other.
                    for step in 0..names.len() {
                        let index = match thread % 4 {
                            0 | 1 => step,
                            2 => names.len() - 1 - step,
                            _ => step * 7919 % names.len(),
                        };
                        let outcome = block_on(cache.txt(&names[index])).expect("an outcome");
                        let expected = names[index].as_str().as_bytes();
                        assert_eq!(outcome.as_slice()[0].as_bytes(), expected);
                    }
                });
            }
        });
        assert!(names.iter().all(|name| upstream.asked(name) == round));
        assert_eq!(cache.entries(), names.len());
        clock.set(300 * u64::try_from(round).expect("a few rounds"));
    }
}

/// Every look-up of the upstream waits at `polls` points. At each of them, some leaders in a row are
/// dropped, and three followers must still get the answer by one question more.
#[test]
fn a_follower_takes_over_at_every_point() {
    let x = name("x.example");
    for polls in 1..5 {
        for (dropped_at, leaders) in (1..=polls).flat_map(|at| [(at, 1), (at, 2), (at, 5)]) {
            let upstream = Upstream::new(polls, |_| text(60));
            let cache = Cache::new(Arc::clone(&upstream), Clock::default().read());
            let mut tasks: Vec<_> = (0..leaders + 3).map(|_| Task::new(cache.txt(&x))).collect();
            for leader in 1..=leaders {
                for _ in 0..dropped_at {
                    assert!(tasks[0].poll().is_none());
                }
                for follower in &mut tasks[1..] {
                    assert!(follower.poll().is_none());
                }
                assert_eq!(upstream.asked(&x), leader);
                drop(tasks.remove(0));
            }
            assert_eq!(run(tasks), vec![text(60); 3]);
            assert_eq!(upstream.asked(&x), leaders + 1);
        }
    }
}

#[test]
fn dropped_followers_are_not_waited_for() {
    let x = name("x.example");
    let upstream = Upstream::new(3, |_| text(60));
    let cache = Cache::new(Arc::clone(&upstream), Clock::default().read());
    let mut tasks: Vec<_> = (0..6).map(|_| Task::new(cache.txt(&x))).collect();
    for task in &mut tasks {
        assert!(task.poll().is_none());
    }
    // Followers leave, then the leader, then the one that could have taken over.
    drop(tasks.split_off(4));
    drop(tasks.remove(0));
    assert!(tasks[0].is_woken());
    drop(tasks.remove(0));
    assert_eq!(run(tasks), vec![text(60); 2]);
    assert_eq!(upstream.asked(&x), 2);
    // All leave: the next one begins anew.
    let y = name("y.example");
    let mut tasks: Vec<_> = (0..3).map(|_| Task::new(cache.txt(&y))).collect();
    for task in &mut tasks {
        assert!(task.poll().is_none());
    }
    drop(tasks);
    assert_eq!(block_on(cache.txt(&y)), text(60));
    assert_eq!(upstream.asked(&y), 2);
}

#[test]
fn look_ups_made_early_use_the_answer_that_came_since() {
    let x = name("x.example");
    let upstream = Upstream::new(0, |_| text(60));
    let cache = Cache::new(Arc::clone(&upstream), Clock::default().read());
    let (early, late) = (cache.txt(&x), cache.txt(&x));
    assert_eq!(block_on(late), text(60));
    assert_eq!(block_on(early), text(60));
    assert_eq!(upstream.asked(&x), 1);
}

#[test]
fn answers_expire_by_the_clock() {
    let seconds = Duration::from_secs;
    let no_ttl = Ok(Outcome::records([Txt::new("no TTL")]));
    let no_data = Ok(Outcome::no_data().with_ttl(seconds(5)));
    let no_name = Ok(Outcome::no_such_name().with_ttl(seconds(100_000)));
    asked_at(text(10), &[(0, 1), (9, 1), (10, 2), (19, 2), (21, 3)]);
    asked_at(text(0), &[(0, 1), (0, 2)]);
    asked_at(text(1_000_000), &[(0, 1), (86_399, 1), (86_400, 2)]);
    asked_at(no_ttl, &[(0, 1), (59, 1), (60, 2)]);
    asked_at(no_data, &[(0, 1), (4, 1), (5, 2)]);
    asked_at(no_name, &[(0, 1), (3_599, 1), (3_600, 2)]);
    asked_at(Ok(Outcome::no_such_name()), &[(0, 1), (0, 2)]);
    asked_at(Err(LookupError::ServFail), &[(0, 1), (0, 2)]);
}

/// Asks at each time, in seconds, and holds how often the upstream was asked by then.
fn asked_at(result: Result<Outcome<Txt>, LookupError>, steps: &[(u64, usize)]) {
    let x = name("x.example");
    let answer = result.clone();
    let upstream = Upstream::new(0, move |_| answer.clone());
    let clock = Clock::default();
    let cache = Cache::new(Arc::clone(&upstream), clock.read());
    let said = |outcome: &Outcome<Txt>| (outcome.as_slice().to_vec(), outcome.is_no_such_name());
    let expected = result.as_ref().map(said);
    for (now, asked) in steps {
        clock.set(*now);
        let got = block_on(cache.txt(&x));
        assert_eq!(got.as_ref().map(said), expected);
        assert_eq!(upstream.asked(&x), *asked, "{result:?} at {now}");
    }
}

#[test]
fn the_ttl_runs_down() {
    let x = name("x.example");
    let clock = Clock::default();
    let upstream = Upstream::new(0, |_| text(300).map(|outcome| outcome.with_authentic(true)));
    let cache = Cache::new(upstream, clock.read());
    for now in [0, 1, 299] {
        clock.set(now);
        let outcome = block_on(cache.txt(&x)).expect("an outcome");
        assert_eq!(outcome.ttl(), Some(Duration::from_secs(300 - now)));
        assert!(outcome.is_authentic());
    }
}

#[test]
fn an_error_is_for_those_who_waited() {
    let x = name("x.example");
    let upstream = Upstream::new(1, |_| Err(LookupError::Timeout));
    let cache = Cache::new(Arc::clone(&upstream), Clock::default().read());
    let mut tasks: Vec<_> = (0..5).map(|_| Task::new(cache.txt(&x))).collect();
    for task in &mut tasks {
        assert!(task.poll().is_none());
    }
    let results = run(tasks);
    assert_eq!(results, vec![Err(LookupError::Timeout); 5]);
    assert_eq!((upstream.asked(&x), cache.entries()), (1, 0));
    assert_eq!(block_on(cache.txt(&x)), Err(LookupError::Timeout));
    assert_eq!(upstream.asked(&x), 2);
}

#[test]
fn types_are_kept_apart() {
    let x = name("x.example");
    let upstream = Upstream::new(0, |_| text(60));
    let cache = Cache::new(upstream, Clock::default().read());
    for _ in 0..2 {
        assert_eq!(block_on(cache.txt(&x)), text(60));
        assert_eq!(
            block_on(cache.a(&x)).expect("an outcome").as_slice(),
            [Ipv4Addr::LOCALHOST]
        );
        assert!(
            block_on(cache.aaaa(&x))
                .expect("an outcome")
                .as_slice()
                .is_empty()
        );
    }
    assert_eq!(cache.entries(), 2);
    cache.clear();
    assert_eq!((cache.entries(), cache.bytes()), (0, 0));
    assert_eq!(block_on(cache.txt(&x)), text(60));
}

#[test]
fn bounds_hold_at_every_moment() {
    for (entries, bytes) in [
        (0, 1 << 20),
        (1, 1 << 20),
        (100, 1 << 20),
        (5_000, 1 << 20),
        (5_000, 0),
    ] {
        let upstream = Upstream::new(0, |name| {
            let size = name.as_str().bytes().map(usize::from).sum::<usize>() * 37 % 5_000;
            let record = Txt::new(vec![b'x'; size]);
            Ok(Outcome::records([record]).with_ttl(Duration::from_secs(60)))
        });
        let cache = Cache::new(upstream, Clock::default().read())
            .max_entries(entries)
            .max_bytes(bytes);
        let mut most = 0;
        for number in 0..5_000 {
            let x = name(&format!("n{number}.example"));
            assert!(block_on(cache.txt(&x)).is_ok());
            assert!(cache.entries() <= entries && cache.bytes() <= bytes);
            most = most.max(cache.entries());
        }
        // The room is used as well.
        assert!(
            most >= entries.min(bytes / 6_000).min(100),
            "{most} of {entries}"
        );
    }
}

#[test]
fn what_is_asked_for_outlives_what_is_not() {
    let upstream = Upstream::new(0, |_| text(3_600));
    let cache = Cache::new(Arc::clone(&upstream), Clock::default().read()).max_entries(100);
    let often = name("often.example");
    for number in 0..10_000 {
        assert!(block_on(cache.txt(&name(&format!("n{number}.example")))).is_ok());
        if number % 10 == 0 {
            assert!(block_on(cache.txt(&often)).is_ok());
        }
    }
    assert_eq!(upstream.asked(&often), 1);
}

/// An answer of 64 KiB can have thousands of records, each with room for what is read from it. Where it is
/// too large to be kept, all others stay.
#[test]
fn what_does_not_fit_drives_nothing_out() {
    let upstream = Upstream::new(0, |name| match name.as_str() {
        "large.example" => {
            Ok(Outcome::records(vec![Txt::new("v="); 4_000]).with_ttl(Duration::from_secs(60)))
        }
        _ => text(60),
    });
    let cache = Cache::new(upstream, Clock::default().read()).max_bytes(256 << 10);
    for number in 0..100 {
        assert!(block_on(cache.txt(&name(&format!("n{number}.example")))).is_ok());
    }
    let large = block_on(cache.txt(&name("large.example"))).unwrap();
    assert_eq!(large.as_slice().len(), 4_000);
    assert_eq!(cache.entries(), 100);
}

/// Threads that give up at any point, among threads that wait: nobody is forgotten.
#[test]
fn giving_up_on_many_threads_strands_nobody() {
    let names: Vec<Name> = (0..500).map(|n| name(&format!("n{n}.example"))).collect();
    let upstream = Upstream::new(3, |_| text(60));
    let cache = Cache::new(Arc::clone(&upstream), Clock::default().read());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (names, cache) = (&names, &cache);
            scope.spawn(move || {
                for (step, name) in names.iter().enumerate() {
                    for polls in 0..(step + thread) % 5 {
                        let mut task = Task::new(cache.txt(name));
                        for _ in 0..polls {
                            if task.poll().is_some() {
                                break;
                            }
                        }
                    }
                    assert_eq!(block_on(cache.txt(name)), text(60));
                }
            });
        }
    });
    assert_eq!(cache.entries(), names.len());
}
