//! Reading an aggregate report row by row, against a parser that builds the whole document first and
//! is then asked for the same facts.
//!
//! Prints milliseconds and the ratio; ours has to be no slower than [`MAXIMUM_RATIO`] allows.

mod harness;

use std::hint::black_box;
use std::net::IpAddr;
use std::time::Duration;

use mailproof::report::Limits;
use mailproof::report::aggregate::Reader;

const ROWS: usize = 5_000;

/// The document is a good parser's and borrows its text; what counts is not to be slower while
/// memory stays the same.
const MAXIMUM_RATIO: f64 = 1.5;

fn report() -> String {
    let rows: String = (0..ROWS)
        .map(|number| {
            format!(
                "  <record>\n    <row>\n      <source_ip>192.0.{}.{}</source_ip>\n      \
                 <count>{}</count>\n      <policy_evaluated>\n        \
                 <disposition>none</disposition>\n        <dkim>pass</dkim>\n        \
                 <spf>fail</spf>\n      </policy_evaluated>\n    </row>\n    <identifiers>\n      \
                 <header_from>example.com</header_from>\n      \
                 <envelope_from>bounce.example.net</envelope_from>\n    </identifiers>\n    \
                 <auth_results>\n      <dkim>\n        <domain>example.com</domain>\n        \
                 <selector>s2026</selector>\n        <result>pass</result>\n      </dkim>\n      \
                 <spf>\n        <domain>bounce.example.net</domain>\n        \
                 <result>pass</result>\n      </spf>\n    </auth_results>\n  </record>\n",
                number / 256,
                number % 256,
                number + 1
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?>\n<feedback>\n  <report_metadata><org_name>Example</org_name>\
         </report_metadata>\n  <policy_published><domain>example.com</domain><p>none</p>\
         </policy_published>\n{rows}</feedback>\n"
    )
}

/// What both have to find.
type Facts = (u64, usize, usize);

fn by_rows(report: &str) -> Facts {
    let reader = Reader::new(report.as_bytes(), &Limits::default()).unwrap();
    let mut facts = (0, 0, 0);
    for row in reader {
        let row = row.unwrap();
        facts.0 += row.count;
        facts.1 += usize::from(row.source_ip.known().is_some_and(IpAddr::is_ipv4));
        facts.2 += row
            .dkim_results
            .iter()
            .map(|one| one.domain.len())
            .sum::<usize>();
        black_box(row);
    }
    facts
}

/// A row as somebody would keep it who reads reports with a document.
struct Row {
    source_ip: IpAddr,
    count: u64,
    /// Disposition, alignment and identifiers.
    texts: Vec<String>,
    dkim: Vec<[String; 3]>,
    spf: Vec<[String; 2]>,
}

fn by_document(report: &str) -> Facts {
    let document = roxmltree::Document::parse(report).unwrap();
    let mut facts = (0, 0, 0);
    let records = document.root_element().children();
    for record in records.filter(|node| node.has_tag_name("record")) {
        let row = document_row(record);
        facts.0 += row.count;
        facts.1 += usize::from(row.source_ip.is_ipv4());
        facts.2 += row
            .dkim
            .iter()
            .map(|[domain, ..]| domain.len())
            .sum::<usize>();
        black_box((&row.texts, &row.spf));
        black_box(row);
    }
    facts
}

fn document_row(record: roxmltree::Node<'_, '_>) -> Row {
    let child = |node: roxmltree::Node<'_, '_>, name: &str| {
        let found = node.children().find(|child| child.has_tag_name(name));
        found
            .and_then(|child| child.text())
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let element = |name: &str| {
        record
            .descendants()
            .find(|node| node.has_tag_name(name))
            .unwrap()
    };
    let (row, evaluated) = (element("row"), element("policy_evaluated"));
    let (identifiers, results) = (element("identifiers"), element("auth_results"));
    let of = |name: &'static str| {
        results
            .children()
            .filter(move |node| node.has_tag_name(name))
    };
    Row {
        source_ip: child(row, "source_ip").parse().unwrap(),
        count: child(row, "count").parse().unwrap(),
        texts: vec![
            child(evaluated, "disposition"),
            child(evaluated, "dkim"),
            child(evaluated, "spf"),
            child(identifiers, "header_from"),
            child(identifiers, "envelope_from"),
        ],
        dkim: of("dkim")
            .map(|node| ["domain", "selector", "result"].map(|name| child(node, name)))
            .collect(),
        spf: of("spf")
            .map(|node| ["domain", "result"].map(|name| child(node, name)))
            .collect(),
    }
}

fn main() {
    let report = report();
    let sum = u64::try_from(ROWS * (ROWS + 1) / 2).unwrap();
    assert_eq!(by_rows(&report), (sum, ROWS, ROWS * 11));
    assert_eq!(by_document(&report), by_rows(&report));
    if !harness::is_bench() {
        return;
    }
    let rows = || {
        black_box(by_rows(black_box(&report)));
    };
    let document = || {
        black_box(by_document(black_box(&report)));
    };
    let times = harness::race(Duration::from_secs(3), &[&rows, &document]);
    let [ours, theirs] = times.as_slice() else {
        panic!("two candidates");
    };
    let megabytes = report.len() as f64 / 1e6;
    println!("{ROWS} rows, {megabytes:.1} MB");
    for (name, times) in [("row by row", ours), ("document", theirs)] {
        let (best, median) = (times.best() / 1e6, times.median() / 1e6);
        println!(
            "{name:12} best {best:6.2} ms, median {median:6.2} ms, {:4.0} MB/s",
            megabytes * 1e3 / best
        );
    }
    let ratio = ours.ratio(theirs);
    println!("ratio        {ratio:6.2} (at most {MAXIMUM_RATIO})");
    assert!(ratio <= MAXIMUM_RATIO, "too slow");
}
