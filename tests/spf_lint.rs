//! Warnings about records, and surveys of all that they refer to.

use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::spf::{Cause, Limit, Record, Settings, Survey, SyntaxRule, Warning};

fn warnings(record: &str) -> Vec<String> {
    let record = Record::parse(record.as_bytes()).unwrap();
    record.lint().iter().map(Warning::to_string).collect()
}

#[test]
fn one_record() {
    for (record, expected) in [
        ("v=spf1 mx -all", &[][..]),
        ("v=spf1 redirect=a.example", &[]),
        ("v=spf1 mx ra=postmaster rp=10 rr=e -all", &[]),
        (
            "v=spf1 +all",
            &["`+all` lets everybody send for the domain"],
        ),
        (
            "v=spf1 ip4:1.2.3.4/0 -all",
            &["`ip4:1.2.3.4/0` lets everybody send for the domain"],
        ),
        ("v=spf1 -ip6:::/0 ~all", &[]),
        (
            "v=spf1 ip4:192.0.2.77/24 -all",
            &["`ip4:192.0.2.77/24` has bits beyond its length; it means 192.0.2.0"],
        ),
        (
            "v=spf1 mx",
            &["the record ends in neither `all` nor `redirect`: add ~all or -all"],
        ),
        (
            "v=spf1 redirect=a.example -all",
            &["`redirect=a.example` is ignored because the record has an `all`"],
        ),
        (
            "v=spf1 -all mx redirect=a.example",
            &[
                "`mx` stands behind `all` and is never reached",
                "`redirect=a.example` is ignored because the record has an `all`",
            ],
        ),
        (
            "v=spf1 exists:%{p}.example -all",
            &["`exists:%{p}.example` is slow and unreliable, and should not be published"],
        ),
        (
            "v=spf1 -all rp=10 default=pass",
            &[
                "`rp=10` is ignored without `ra=`",
                "`default=pass` is not known and ignored",
            ],
        ),
    ] {
        assert_eq!(warnings(record), expected, "{record}");
    }
    let long = format!("v=spf1 {} -all", "ip4:192.0.2.1 ".repeat(40));
    assert_eq!(
        warnings(&long),
        ["the record has 572 octets, more than fit into a plain DNS answer"]
    );
}

fn survey_of(zone: &Zone, domain: &str) -> Survey {
    block_on(Survey::of(
        zone,
        &domain.parse().unwrap(),
        &Settings::default(),
    ))
}

#[test]
fn counts_per_term() {
    let mut zone = Zone::new();
    zone.add_txt(
        "example.com",
        "v=spf1 a mx include:a.example exists:%{i}.x.example -ip4:10.0.0.0/8 ip6:2001:db8::/126 \
         redirect=b.example",
    )
    .unwrap()
    .add_address("example.com", [192, 0, 2, 1].into())
    .unwrap()
    .add_mx("example.com", 10, "m1.example")
    .unwrap()
    .add_mx("example.com", 20, "gone.example")
    .unwrap()
    .add_address("m1.example", [192, 0, 2, 2].into())
    .unwrap()
    .add_address("m1.example", "2001:db8::2".parse().unwrap())
    .unwrap()
    .add_txt("a.example", "v=spf1 include:c.example a:gone.example ?all")
    .unwrap()
    .add_txt("b.example", "v=spf1 a:m1.example/24 ~all")
    .unwrap()
    .add_txt("c.example", "v=spf1 ip4:198.51.100.0/30 -all")
    .unwrap();
    let survey = survey_of(&zone, "example.com");
    let costs: Vec<(&str, usize, usize, u128)> = survey
        .terms
        .iter()
        .map(|(term, cost)| (&**term, cost.lookups, cost.void_lookups, cost.ip4_addresses))
        .collect();
    assert_eq!(
        costs,
        [
            ("a", 1, 0, 1),
            ("mx", 1, 1, 1),
            ("include:a.example", 3, 1, 4),
            ("exists:%{i}.x.example", 1, 0, 0),
            ("-ip4:10.0.0.0/8", 0, 0, 0),
            ("ip6:2001:db8::/126", 0, 0, 0),
            ("redirect=b.example", 2, 0, 256),
        ]
    );
    assert_eq!(survey.total.lookups, 8);
    assert_eq!(survey.total.ip6_addresses, 4 + 1 + 1);
    assert_eq!(survey.errors, []);
    let [(domain, warning)] = survey.warnings.as_slice() else {
        panic!("{survey:#?}");
    };
    assert_eq!(
        (domain.as_str(), warning.to_string().as_str()),
        (
            "example.com",
            "a check takes 8 look-ups of the 10 that are allowed"
        )
    );
}

#[test]
fn what_is_wrong_below() {
    let mut zone = Zone::new();
    zone.add_txt(
        "example.com",
        "v=spf1 include:none.example include:broken.example include:bad.example \
         include:loop.example mx:many.example -all",
    )
    .unwrap()
    .fail("broken.example", LookupError::ServFail)
    .unwrap()
    .add_txt("bad.example", "v=spf1 ipv4:192.0.2.1 -all")
    .unwrap()
    .add_txt("loop.example", "v=spf1 include:example.com +all")
    .unwrap();
    for index in 0..11 {
        zone.add_mx("many.example", 10, &format!("m{index}.example"))
            .unwrap();
    }
    let survey = survey_of(&zone, "example.com");
    let [
        Cause::TargetWithoutRecord { target, .. },
        Cause::Dns { name, .. },
        Cause::Syntax { error, place },
        Cause::Limit {
            limit: Limit::MxNames { .. },
            ..
        },
    ] = survey.errors.as_slice()
    else {
        panic!("{:#?}", survey.errors);
    };
    let [(_, Warning::AllPass { .. }), (domain, Warning::Loop { .. })] = survey.warnings.as_slice()
    else {
        panic!("{:#?}", survey.warnings);
    };
    assert_eq!(target.as_str(), "none.example");
    assert_eq!(name.as_str(), "broken.example");
    assert_eq!(error.rule(), SyntaxRule::UnknownMechanism);
    assert_eq!(place.path().len(), 1);
    assert_eq!(domain.as_str(), "loop.example");
}

#[test]
fn limits_and_their_end() {
    let mut zone = Zone::new();
    let includes: Vec<String> = (0..11)
        .map(|index| format!("include:i{index}.example"))
        .collect();
    zone.add_txt("example.com", format!("v=spf1 {} -all", includes.join(" ")))
        .unwrap();
    for index in 0..11 {
        let record = format!(
            "v=spf1 {} {}",
            "a:x.example mx:x.example ".repeat(6),
            includes.join(" ")
        );
        zone.add_txt(&format!("i{index}.example"), record).unwrap();
    }
    let survey = survey_of(&zone, "example.com");
    assert!(!survey.is_complete);
    assert!(survey.total.lookups > 10);
    let has = |wanted: fn(&Warning) -> bool| {
        let mut warnings = survey.warnings.iter();
        warnings.any(|(_, warning)| wanted(warning))
    };
    assert!(has(|warning| matches!(
        warning,
        Warning::OverLookupLimit { .. }
    )));
    assert!(has(|warning| matches!(
        warning,
        Warning::OverVoidLimit { .. }
    )));
    assert!(has(|warning| matches!(warning, Warning::Loop { .. })));
    assert!(survey.errors.len() + survey.warnings.len() <= 1_002);

    let nothing = survey_of(&zone, "none.example");
    assert_eq!(
        nothing.errors,
        [Cause::NoSuchDomain {
            domain: "none.example".parse().unwrap()
        }]
    );
}

/// A record can be doubtful in more places than anybody reads of.
#[test]
fn a_survey_tells_so_much_and_no_more() {
    // Each network has bits beyond its length; the record is long, and ends in no `all`.
    for (networks, told, is_complete) in [(990, 992, true), (998, 1_000, true), (999, 1_000, false)]
    {
        let mut zone = Zone::new();
        let networks: String = (0..networks)
            .map(|n| format!(" ip4:10.{}.{}.1/24", n / 250, n % 250))
            .collect();
        zone.add_txt("example.com", format!("v=spf1{networks}"))
            .unwrap();
        let domain = "example.com".parse().unwrap();
        let survey = block_on(Survey::of(&zone, &domain, &Settings::default()));
        assert_eq!(survey.errors.len() + survey.warnings.len(), told);
        assert_eq!(survey.is_complete, is_complete);
    }
}
