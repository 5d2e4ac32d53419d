//! Many messages over many connections: counted, and timed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailproof::{Action, Message};
use tokio::task::JoinSet;

use crate::mix::{KINDS, Mail};
use crate::server::{NameServer, Places};
use crate::smtp::{Client, Delivered, Reply};
use crate::{Wrong, check, release, results};

const CONNECTIONS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(900);
/// How long the name server is away.
const OUTAGE: Duration = Duration::from_secs(5);

/// What all connections share.
struct Work {
    mails: Arc<Vec<Mail>>,
    /// What is to be sent, in runs that one client sends in one session.
    runs: Mutex<VecDeque<Vec<usize>>>,
    /// The last reply to each message, and whether the name server was there.
    replies: Mutex<BTreeMap<usize, (Reply, bool)>>,
    done: AtomicUsize,
    deferred: AtomicUsize,
    outage: AtomicBool,
    /// Everything has been sent.
    over: AtomicBool,
}

impl Work {
    /// Waits until so many messages have been answered for good; not for ever.
    async fn until_done(&self, count: usize) {
        let start = Instant::now();
        while self.done.load(Ordering::Relaxed) < count {
            assert!(start.elapsed() < PATIENCE, "{:?} done", self.done);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Sends everything over 50 connections, as a client does that comes again after a 4xx reply. In the
/// middle the name server goes away.
pub async fn run(
    places: &Places,
    name_server: &mut NameServer<'_>,
    delivered: &Delivered,
    mails: &Arc<Vec<Mail>>,
    wrong: &mut Wrong,
) {
    let before = delivered.count();
    let numbers: Vec<usize> = (0..mails.len()).collect();
    let work = Arc::new(Work {
        mails: Arc::clone(mails),
        runs: Mutex::new(numbers.chunks(10).map(<[usize]>::to_vec).collect()),
        replies: Mutex::default(),
        done: AtomicUsize::new(0),
        deferred: AtomicUsize::new(0),
        outage: AtomicBool::new(false),
        over: AtomicBool::new(false),
    });
    let start = Instant::now();
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        connections.spawn(connection(Arc::clone(&work), places.milter()));
    }
    work.until_done(mails.len() / 2).await;
    work.outage.store(true, Ordering::SeqCst);
    name_server.stop().await;
    tokio::time::sleep(OUTAGE).await;
    name_server.start_again("load").await;
    work.outage.store(false, Ordering::SeqCst);
    work.until_done(mails.len()).await;
    work.over.store(true, Ordering::SeqCst);
    while let Some(connection) = connections.join_next().await {
        connection.unwrap();
    }
    let seconds = start.elapsed().as_secs_f64();
    let replies = std::mem::take(&mut *work.replies.lock().unwrap());
    let deferred = work.deferred.load(Ordering::Relaxed);

    let accepted = replies
        .values()
        .filter(|(reply, _)| *reply == Reply::Accepted)
        .count();
    let exact = replies.values().filter(|(_, exact)| *exact).count();
    let held = release(places).await;
    delivered
        .wait(before + accepted, Duration::from_secs(300))
        .await;
    let came = delivered.count() - before;
    println!(
        "load: {} in over {CONNECTIONS} connections in {seconds:.0}s; {accepted} accepted ({held} \
         of them held), {} rejected; {came} out; {deferred} deferrals while the name server was \
         away, all sent again; {exact} compared word for word, the others, judged without the DNS, \
         by DMARC's result and their end",
        replies.len(),
        replies.len() - accepted
    );
    let quarantined = mails
        .iter()
        .filter(|mail| mail.expected.action == Action::Quarantine);
    let quarantined = quarantined.count();
    wrong.expect(held == quarantined, || {
        format!("{held} held instead of {quarantined}")
    });
    wrong.expect(came == accepted, || {
        format!("{accepted} accepted, {came} delivered")
    });
    wrong.expect(places.queued() == 0, || {
        format!("{} still queued", places.queued())
    });
    wrong.expect(deferred > 0, || "the outage deferred nothing".to_owned());
    for (number, mail) in mails.iter().enumerate() {
        match replies.get(&number) {
            Some((reply, exact)) => check(mail, reply, *exact, delivered, wrong),
            None => wrong.0.push(format!("{}: never answered", mail.name)),
        }
    }
}

async fn connection(work: Arc<Work>, port: u16) {
    let mut client = Client::connect(port).await.unwrap();
    let mut identity = (String::new(), String::new());
    while !work.over.load(Ordering::SeqCst) {
        let run = work.runs.lock().unwrap().pop_front();
        let Some(mut run) = run else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        run.sort_by_key(|number| (&work.mails[*number].ip, &work.mails[*number].helo));
        let mut again = Vec::new();
        for number in run {
            let mail = &work.mails[number];
            if identity != (mail.ip.clone(), mail.helo.clone()) {
                identity = (mail.ip.clone(), mail.helo.clone());
                client.become_client(&mail.ip, &mail.helo).await.unwrap();
            }
            let before = work.outage.load(Ordering::SeqCst);
            let recipient = format!("{}@firma-c.tld", mail.name);
            let sending = client.send(&mail.mail_from, &recipient, &mail.octets);
            let (reply, _) = sending
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", mail.name));
            let exact = !before && !work.outage.load(Ordering::SeqCst);
            if matches!(reply, Reply::Deferred(_)) {
                work.deferred.fetch_add(1, Ordering::Relaxed);
                again.push(number);
                // Each comes again, until it is answered for good.
                continue;
            }
            work.replies.lock().unwrap().insert(number, (reply, exact));
            work.done.fetch_add(1, Ordering::Relaxed);
        }
        if !again.is_empty() {
            tokio::time::sleep(Duration::from_millis(500)).await;
            work.runs.lock().unwrap().push_back(again);
        }
    }
}

/// The same messages without a milter, with ours, and with OpenDKIM and OpenDMARC, one after the
/// other on each connection, so that all have the same machine.
pub async fn time(places: &Places, delivered: &Delivered, mails: &[Mail], wrong: &mut Wrong) {
    let mut ways = vec![("p", places.plain()), ("o", places.milter())];
    if places.others {
        ways.push(("x", places.others()));
    }
    let before = delivered.count();
    let times: Mutex<BTreeMap<&str, Vec<Duration>>> = Mutex::default();
    // The others are not ours to mend.
    let refused: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let sent = AtomicUsize::new(0);
    let next = AtomicUsize::new(0);
    let connection = async || {
        let mut clients = Vec::new();
        for (_, port) in &ways {
            clients.push(Client::connect(*port).await.unwrap());
        }
        while let Some(mail) = mails.get(next.fetch_add(1, Ordering::Relaxed)) {
            for (client, (way, _)) in clients.iter_mut().zip(&ways) {
                // What is refused or held is no measure; the others hold and refuse nothing.
                let comparable = mail.expected.action == Action::Deliver;
                if *way != "x" && !comparable {
                    continue;
                }
                client.become_client(&mail.ip, &mail.helo).await.unwrap();
                let recipient = format!("{way}{}@firma-c.tld", mail.name);
                let sending = client.send(&mail.mail_from, &recipient, &mail.octets);
                let (reply, time) = sending.await.unwrap();
                if *way == "x" && reply != Reply::Accepted {
                    *refused
                        .lock()
                        .unwrap()
                        .entry(format!("{reply:?}"))
                        .or_default() += 1;
                    continue;
                }
                assert_eq!(reply, Reply::Accepted, "{way}{}", mail.name);
                sent.fetch_add(1, Ordering::Relaxed);
                if comparable {
                    times.lock().unwrap().entry(way).or_default().push(time);
                }
            }
        }
    };
    tokio::join!(connection(), connection(), connection(), connection());
    let sent = sent.into_inner();
    delivered
        .wait(before + sent, Duration::from_secs(120))
        .await;
    let came = delivered.count() - before;
    wrong.expect(came == sent, || format!("{sent} sent, {came} delivered"));
    for (way, mut times) in times.into_inner().unwrap() {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
        let name = match way {
            "p" => "without milter",
            "o" => "with ours",
            _ => "with OpenDKIM and OpenDMARC",
        };
        println!(
            "from the end of the message to its answer, {name}: p50 {:.1} ms, p90 {:.1} ms, p99 \
             {:.1} ms ({} messages)",
            at(50),
            at(90),
            at(99),
            times.len()
        );
    }
    for (reply, count) in refused.into_inner().unwrap() {
        println!("with OpenDKIM and OpenDMARC: {reply} ({count} times)");
    }
    if places.others {
        compare(delivered, mails);
    }
    for milter in ["milter", "opendkim", "opendmarc"] {
        memory(places, milter);
    }
}

/// What the others say about each kind of message, where it is not what we say.
fn compare(delivered: &Delivered, mails: &[Mail]) {
    let mut differences: BTreeMap<(usize, String), (usize, String)> = BTreeMap::new();
    let mut same = 0;
    for mail in mails {
        let copies = delivered.of(&format!("x{}", mail.name));
        let fields: Vec<String> = copies
            .iter()
            .flat_map(|copy| results(&Message::parse(copy), "others.test"))
            .collect();
        let theirs = |method: &str| {
            let start = fields
                .iter()
                .find_map(|field| field.split_once(&format!(" {method}=")));
            let word = start.map(|(_, rest)| rest.split([' ', ';']).next().unwrap_or_default());
            word.unwrap_or("none").to_owned()
        };
        let ours = [
            ("dkim", &mail.expected.dkim),
            ("dmarc", &mail.expected.dmarc),
        ];
        for (method, ours) in ours {
            let theirs = theirs(method);
            if theirs == *ours {
                same += 1;
            } else {
                let difference = format!("{method}={ours}, theirs {method}={theirs}");
                let seen = differences.entry((mail.kind, difference));
                let seen = seen.or_insert_with(|| (0, fields.join(" / ")));
                seen.0 += 1;
            }
        }
    }
    println!(
        "OpenDKIM and OpenDMARC: {same} of {} results are ours",
        mails.len() * 2
    );
    for ((kind, difference), (count, example)) in differences {
        println!("  {}: {difference} ({count} times)", KINDS[kind]);
        println!("    {example}");
    }
}

fn memory(places: &Places, name: &str) {
    let pid = std::fs::read_to_string(places.work.join(format!("{name}.pid")));
    let Ok(pid) = pid else { return };
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()));
    for line in status.unwrap_or_default().lines() {
        if line.starts_with("VmHWM") || line.starts_with("VmRSS") {
            println!("{name}: {}", on_words(line));
        }
    }
}

fn on_words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
