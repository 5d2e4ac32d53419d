//! DMARC: reading a record, and judging from records. Prints median nanoseconds and allocations.

mod harness;

use mailproof::dmarc::{self, PublicSuffixList, Record, Settings};
use mailproof::dns::{Zone, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::Author;
use mailproof::{Address, Domain};

fn measure<T>(name: &str, run: impl FnMut() -> T) {
    let (time, allocations) = harness::measure(run);
    println!("{name}: {time:.0} ns, {allocations} allocations");
}

fn domain(text: &str) -> Domain {
    text.parse().expect("a domain")
}

fn main() {
    let text = b"v=DMARC1; p=reject; sp=quarantine; adkim=s; aspf=r; \
        rua=mailto:dmarc@example.com,mailto:d@example.net; ruf=mailto:f@example.com; fo=1";
    measure("record, short", || Record::parse(b"v=DMARC1; p=reject"));
    measure("record, 8 tags", || Record::parse(text));

    // The work grows with the tags and no faster.
    for count in [10, 20, 40, 80] {
        let tags: String = (0..count).map(|n| format!("; tag{n}=value{n}")).collect();
        let text = format!("v=DMARC1; p=reject{tags}");
        measure(&format!("record, {count} unknown tags"), || {
            Record::parse(text.as_bytes())
        });
    }

    let mut zone = Zone::new();
    let name = "_dmarc.example.com";
    zone.add_txt(name, "v=DMARC1; p=reject").expect("a name");
    let author = Author::One(Address::new("joe", domain("example.com")).expect("an address"));
    let settings = Settings::default();
    let pass = |method, name: &str| {
        AuthenticatedIdentifier::trust_result_obtained_elsewhere(domain(name), method, Status::Pass)
    };
    let identifiers = [
        pass(Method::Spf, "bounce.example.com"),
        pass(Method::Dkim, "example.com"),
    ];
    let first = block_on(dmarc::Discovery::of_author(&zone, &author, &settings));
    measure("evaluate, nothing authenticated", || {
        first.evaluate(&author, &[], &settings)
    });
    let second = first
        .clone()
        .with_identifiers(&zone, &identifiers, &settings);
    let second = block_on(second);
    measure("evaluate, SPF relaxed and DKIM strict", || {
        second.evaluate(&author, &identifiers, &settings)
    });
    measure("discover, own record", || {
        block_on(dmarc::Discovery::of_author(&zone, &author, &settings))
    });
    let list: String = (0..10_000)
        .map(|n| format!("suffix{n}.example\n"))
        .collect();
    let list = PublicSuffixList::parse(list.as_bytes()).expect("it has rules");
    let deep = domain("a.b.c.suffix77.example");
    measure("public suffix list, organizational domain", || {
        list.organizational_domain(&deep)
    });
}
