//! Sends mail through Postfix with the milter of `examples/milter` and holds what comes out against
//! what the library alone says about the same messages and the same DNS data. `.ci/postfix-run`
//! starts Postfix and the milters, and says in the environment where everything is.

mod load;
mod mix;
mod scenarios;
mod server;
mod smtp;

use std::sync::Arc;
use std::time::Duration;

use mailproof::{Action, Message};

use mix::{Mail, on_one_line};
use server::{NameServer, Places};
use smtp::{Client, Delivered, Reply};

const AUTHSERV_ID: &str = "mx.firma-c.tld";

/// What went wrong, each on a line of its own.
#[derive(Default)]
pub struct Wrong(Vec<String>);

impl Wrong {
    pub fn expect(&mut self, right: bool, what: impl FnOnce() -> String) {
        if !right {
            self.0.push(what());
        }
    }
}

#[tokio::main]
async fn main() {
    let places = Places::from_environment();
    let delivered = Delivered::default();
    delivered.listen(places.sink()).await.unwrap();
    let mut wrong = Wrong::default();
    let mut name_server = NameServer::new(&places);
    run_scenarios(&places, &mut name_server, &delivered, &mut wrong).await;

    let count = |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (messages, timed) = (count("RUN_MESSAGES", 10_000), count("RUN_TIMED", 1_000));
    let records = mix::records(messages + timed);
    let (text, zone) = (mix::zone_text(&records), mix::zone(&records));
    let mails = Arc::new(mix::mails(&zone, "m", 0..messages));
    let timed = mix::mails(&zone, "t", messages..messages + timed);
    name_server.start(&text, "load").await;
    load::run(&places, &mut name_server, &delivered, &mails, &mut wrong).await;
    load::time(&places, &delivered, &timed, &mut wrong).await;
    name_server.stop().await;

    for line in wrong.0.iter().take(20) {
        println!("WRONG {line}");
    }
    println!("{} wrong", wrong.0.len());
    std::process::exit(i32::from(!wrong.0.is_empty()));
}

async fn run_scenarios(
    places: &Places,
    name_server: &mut NameServer<'_>,
    delivered: &Delivered,
    wrong: &mut Wrong,
) {
    let before = delivered.count();
    let mut sent = Vec::new();
    for scenario in &scenarios::ALL {
        name_server
            .start(&scenario.zone_text(), scenario.name)
            .await;
        let mail = scenario.mail();
        let mut client = Client::connect(places.milter()).await.unwrap();
        client.become_client(&mail.ip, &mail.helo).await.unwrap();
        let recipient = format!("{}@firma-c.tld", mail.name);
        let sending = client.send(&mail.mail_from, &recipient, &mail.octets);
        let (reply, _) = sending.await.unwrap();
        sent.push((mail, reply));
    }
    let accepted = sent
        .iter()
        .filter(|(_, reply)| *reply == Reply::Accepted)
        .count();
    let held = release(places).await;
    delivered
        .wait(before + accepted, Duration::from_secs(60))
        .await;
    let quarantined = sent
        .iter()
        .filter(|(mail, _)| mail.expected.action == Action::Quarantine);
    let quarantined = quarantined.count();
    wrong.expect(held == quarantined, || {
        format!("{held} held instead of {quarantined}")
    });
    for (mail, reply) in &sent {
        check(mail, reply, true, delivered, wrong);
    }
    println!(
        "scenarios: {} sent, {accepted} accepted ({held} of them held), {} rejected",
        sent.len(),
        sent.len() - accepted
    );
}

/// Counts what is held, and lets it go.
pub async fn release(places: &Places) -> usize {
    // What was accepted may be on its way into the queue.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let held = places.held();
    if held > 0 {
        places.postfix("postsuper", &["-H", "ALL"]).await;
        places.postfix("postqueue", &["-f"]).await;
    }
    held
}

/// A message ended as the library alone says, exactly once. `exact` is off for those that were
/// judged without the DNS: these may know less, but must come to the same end.
pub fn check(mail: &Mail, reply: &Reply, exact: bool, delivered: &Delivered, wrong: &mut Wrong) {
    let Mail { name, expected, .. } = mail;
    let copies = delivered.of(name);
    match (expected.action, reply) {
        (Action::Reject, Reply::Refused(text)) => {
            wrong.expect(Some(text) == expected.reply.as_ref() || !exact, || {
                format!("{name}: {text} instead of {:?}", expected.reply)
            });
            wrong.expect(copies.is_empty(), || {
                format!("{name}: refused and delivered")
            });
            return;
        }
        (Action::Deliver | Action::Quarantine, Reply::Accepted) => {}
        (action, reply) => {
            wrong
                .0
                .push(format!("{name}: {reply:?} instead of {action}"));
            return;
        }
    }
    let [copy] = &copies[..] else {
        wrong
            .0
            .push(format!("{name}: delivered {} times", copies.len()));
        return;
    };
    let (copy, original) = (Message::parse(copy), Message::parse(&mail.octets));
    wrong.expect(copy.body() == original.body(), || {
        format!("{name}: body changed")
    });
    let ours = results(&copy, AUTHSERV_ID);
    let right = match exact {
        true => ours == [expected.results.as_str()],
        false => ours.len() == 1 && ours[0].contains(&format!("dmarc={}", expected.dmarc)),
    };
    wrong.expect(right, || {
        format!("{name}: {ours:#?} instead of {}", expected.results)
    });
}

/// The Authentication-Results fields under one name, each on one line.
pub fn results(message: &Message<'_>, authserv_id: &str) -> Vec<String> {
    let fields = message.head().named(b"Authentication-Results");
    fields
        .map(|field| String::from_utf8_lossy(field.value()).into_owned())
        .filter(|value| value.trim_start().starts_with(authserv_id))
        .map(|value| on_one_line(&format!("Authentication-Results:{value}")))
        .collect()
}
