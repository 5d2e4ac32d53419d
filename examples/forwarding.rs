//! Shows what receivers will make of a message once somebody has forwarded it: before it is sent.
//!
//! Without arguments it sends the message of a field report through a list server in five ways, and
//! prints one table. `--json` prints the same as JSON.

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, Canonicalization, Signer};
use mailproof::dns::{Zone, block_on};
use mailproof::forwarding::{Hop, Station};
use mailproof::srs::Rewriter;
use mailproof::verifier::Settings;
use mailproof::{Message, Session};

const HELP: &str = "\
Simulates forwarding: a message from userA@firma-a.tld to a list at firma-b.tld, which sends it on.

usage: forwarding [--json] [--help]

Each line of the table is one host that receives the message: what SPF, DKIM and DMARC give there,
what it does, and the finding that explains it best.
";

/// 2023-05-16T09:00:00Z
const NOW: Duration = Duration::from_secs(1_684_227_600);

const MESSAGE: &str = "From: \"UserA\" <userA@firma-a.tld>\r
To: \"Mailinglist\" <Mailinglist@firma-b.tld>\r
Subject: Angebot\r
Date: Tue, 16 May 2023 08:59:31 +0000\r
Message-ID: <20230516085931.1@mx.firma-a.tld>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=\"utf-8\"\r
\r
Hallo zusammen,\r
\r
anbei das Angebot.\r
";

const ZONE: &str = "\
firma-a.tld.                TXT \"v=spf1 ip4:192.0.2.10 -all\"
_dmarc.firma-a.tld.         TXT \"v=DMARC1; p=reject\"
firma-b.tld.                TXT \"v=spf1 include:spf.protection.outlook.com -all\"
spf.protection.outlook.com. TXT \"v=spf1 ip4:104.47.0.0/17 ip4:52.96.0.0/12 -all\"
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => false,
        ["--json"] => true,
        ["--help"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("forwarding: unknown arguments (--help tells more)");
            return ExitCode::from(2);
        }
    };
    match run(json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("forwarding: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(json: bool) -> Result<(), Box<dyn Error>> {
    let author = signer(1, "firma-a.tld", "s1")?;
    let tenant = signer(2, "firmab.onmicrosoft.com", "selector2")?;
    let mut zone = Zone::from_text(ZONE.as_bytes())?;
    for signer in [&author, &tenant] {
        zone.add_txt(&signer.key_name().to_string(), signer.record())?;
    }
    let mut rows = Vec::new();
    for WhatIf {
        name,
        author_signs,
        change,
    } in what_ifs()
    {
        let plain = Hop::new(
            "firma-b.tld",
            [104, 47, 11, 20].into(),
            "mail-b.outbound.protection.outlook.com".parse()?,
        );
        let list = plain
            .clone()
            .exchange_srs("Verteilername", "firma-b.tld".parse()?)
            .signer(tenant.clone());
        let hop = change(plain, list)?;
        let stations = send(&zone, author_signs.then_some(&author), hop)?;
        rows.extend(stations.iter().map(|station| row(name, station)));
    }
    if json {
        let rows: Vec<_> = rows.iter().map(|row| serde_json::json!({
            "what_if": row[0], "from": row[1], "spf": row[2], "dkim": row[3], "dmarc": row[4],
            "action": row[5], "finding": row[6],
        })).collect();
        println!("{:#}", serde_json::Value::from(rows));
    } else {
        print_table(&rows);
    }
    Ok(())
}

struct WhatIf {
    name: &'static str,
    author_signs: bool,
    /// The hop, made of a plain forwarder or of a list at Exchange Online.
    change: fn(Hop, Hop) -> Result<Hop, Box<dyn Error>>,
}

fn what_ifs() -> [WhatIf; 6] {
    [
        WhatIf {
            name: "author does not sign",
            author_signs: false,
            change: |_, list| Ok(list),
        },
        WhatIf {
            name: "author signs",
            author_signs: true,
            change: |_, list| Ok(list),
        },
        WhatIf {
            name: "and a footer is added",
            author_signs: true,
            change: |_, list| Ok(list.footer("-- \nVerteiler von Firma B")),
        },
        WhatIf {
            name: "and the Subject is tagged",
            author_signs: true,
            change: |_, list| Ok(list.subject_prefix("[Verteiler]")),
        },
        WhatIf {
            name: "plain forward, unsigned",
            author_signs: false,
            change: |plain, _| Ok(plain),
        },
        WhatIf {
            name: "list writes From, SRS",
            author_signs: false,
            change: |_, list| {
                let domain: mailproof::Domain = "firma-b.tld".parse()?;
                let rewriter = Rewriter::new(domain.clone(), "a secret of firma-b")?;
                Ok(list.srs(rewriter).from("verteiler", domain))
            },
        },
    ]
}

fn send(zone: &Zone, author: Option<&Signer>, hop: Hop) -> Result<Vec<Station>, Box<dyn Error>> {
    let now = SystemTime::UNIX_EPOCH + NOW;
    let mut octets = MESSAGE.as_bytes().to_vec();
    if let Some(author) = author {
        let signed =
            dkim::Signer::sign(std::slice::from_ref(author), &Message::parse(&octets), now)?;
        octets = [signed.header().as_bytes(), &octets].concat();
    }
    let session = Session::new(
        [192, 0, 2, 10].into(),
        "mx.firma-a.tld",
        "userA@firma-a.tld",
    );
    let message = Message::parse(&octets);
    let (route, settings) = ([hop], Settings::default());
    let stations = Station::simulate(zone, &session, &message, &route, &settings, now);
    Ok(block_on(stations)?)
}

/// Keys of an example may be known to everybody.
fn signer(seed: u8, domain: &str, selector: &str) -> Result<Signer, Box<dyn Error>> {
    let key = SigningKey::ed25519(&[seed; 32])?;
    let signer = Signer::new(key, domain.parse()?, selector)?;
    Ok(signer.canonicalization(Canonicalization::Relaxed, Canonicalization::Relaxed))
}

fn row(name: &str, station: &Station) -> [String; 7] {
    let verdict = &station.verdict;
    let dkim: Vec<&str> = verdict
        .dkim()
        .iter()
        .map(|one| one.result().as_str())
        .collect();
    let finding = station.findings.first();
    [
        name.to_owned(),
        station.from.clone().unwrap_or_else(|| "firma-a.tld".into()),
        verdict.spf().authoritative().result().to_string(),
        if dkim.is_empty() {
            "none".into()
        } else {
            dkim.join("+")
        },
        verdict.dmarc().result().to_string(),
        verdict.action().to_string(),
        finding.map_or("-".into(), |finding| finding.sentence().to_owned()),
    ]
}

fn print_table(rows: &[[String; 7]]) {
    let title = [
        "what if",
        "from",
        "spf",
        "dkim",
        "dmarc",
        "action",
        "first finding",
    ];
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default();
        widest.max(title.get(column).map_or(0, |title| title.len()))
    };
    let widths: Vec<usize> = (0..6).map(width).collect();
    print_row(&title.map(str::to_owned), &widths);
    println!("{}", "-".repeat(widths.iter().sum::<usize>() + 12 + 60));
    for row in rows {
        print_row(row, &widths);
    }
}

/// The finding is set in lines of its own column.
fn print_row(row: &[String; 7], widths: &[usize]) {
    let [cells @ .., finding] = row;
    let mut start = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        start.push_str(&format!("{cell:<width$}  "));
    }
    let indent = " ".repeat(start.chars().count());
    let mut line = start;
    let mut length = 0;
    for word in finding.split_whitespace() {
        if length != 0 && length + word.chars().count() > 60 {
            println!("{}", line.trim_end());
            line = indent.clone();
            length = 0;
        }
        line.push_str(word);
        line.push(' ');
        length += word.chars().count() + 1;
    }
    println!("{}", line.trim_end());
}
