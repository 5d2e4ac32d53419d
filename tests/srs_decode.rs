//! Reading rewritten senders without their secret.

use std::time::{Duration, UNIX_EPOCH};

use mailproof::srs::{Claimed, Form};

fn read(address: &str) -> (Form, String, String) {
    let claimed = Claimed::decode(address).expect(address);
    let original = claimed.original().map(ToString::to_string);
    (
        claimed.form(),
        original.unwrap_or_default(),
        claimed.forwarder().to_string(),
    )
}

#[test]
fn reads_every_form() {
    for (address, form, original, forwarder) in [
        (
            "SRS0=E4us=G3=example.com=alice@fwd.example",
            Form::Srs0,
            "alice@example.com",
            "fwd.example",
        ),
        (
            "<srs0=e4us=g3=example.com=alice@FWD.example>",
            Form::Srs0,
            "alice@example.com",
            "fwd.example",
        ),
        (
            "SRS0+E4us=G3=example.com=alice@fwd.example",
            Form::Srs0,
            "alice@example.com",
            "fwd.example",
        ),
        (
            "SRS0-E4us=G3=example.com=alice@fwd.example",
            Form::Srs0,
            "alice@example.com",
            "fwd.example",
        ),
        (
            "SRS0=uo6U=G3=sub.example.org=user+tag=x@fwd.example",
            Form::Srs0,
            "user+tag=x@sub.example.org",
            "fwd.example",
        ),
        (
            "SRS0=boDF=G3=example.com=prvs=0123abcd=alice@fwd.example",
            Form::Srs0,
            "prvs=0123abcd=alice@example.com",
            "fwd.example",
        ),
        (
            "prvs=0123abcd=SRS0=E4us=G3=example.com=alice@fwd.example",
            Form::Srs0,
            "alice@example.com",
            "fwd.example",
        ),
        (
            "SRS0=Bjw6=G3=[192.0.2.1]=postmaster@fwd.example",
            Form::Srs0,
            "",
            "fwd.example",
        ),
        (
            "SRS0=t/Rg=G3=example.com=\"a b\"@fwd.example",
            Form::Srs0,
            "\"a b\"@example.com",
            "fwd.example",
        ),
        (
            "\"SRS0=3df4=g3=example.com=a b\"@fwd.example",
            Form::Exim,
            "\"a b\"@example.com",
            "fwd.example",
        ),
        (
            "SRS0=4492=g3=example.com=alice@fwd.example",
            Form::Exim,
            "alice@example.com",
            "fwd.example",
        ),
        (
            "SRS0=0dac=g3=fwd.example=SRS0=E4us=G3=example.com=alice@second.example",
            Form::Exim,
            "alice@example.com",
            "second.example",
        ),
        (
            "SRS0=+TMU=G3=1=VGHPH9PTQL6M4DU4VMQOVLUNAD3SUMNJ@fwd.example",
            Form::Database,
            "",
            "fwd.example",
        ),
        (
            "SRS1=SPGD=fwd.example==E4us=G3=example.com=alice@second.example",
            Form::Srs1,
            "alice@example.com",
            "second.example",
        ),
        (
            "srs1+1-al=fwd.example=+e4us=g3=example.com=alice@second.example",
            Form::Srs1,
            "alice@example.com",
            "second.example",
        ),
        (
            "SRS1=ydSI=first.example==short@second.example",
            Form::Srs1,
            "",
            "second.example",
        ),
        (
            "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld",
            Form::Exchange,
            "userA@firma-a.tld",
            "firma-b.tld",
        ),
        (
            "verteilername+srs=y1owp=bf=firma-a.tld=usera@firma-b.tld",
            Form::Exchange,
            "usera@firma-a.tld",
            "firma-b.tld",
        ),
        (
            "bounces+SRS=DmMzc=V3@tenant.onmicrosoft.com",
            Form::ExchangeOpaque,
            "",
            "tenant.onmicrosoft.com",
        ),
        (
            "SRS0=ms39=2W=contoso.com=bounces+SRS=44ldt=IX@fwd.example",
            Form::Srs0,
            "",
            "fwd.example",
        ),
        (
            "SRS0=aaaa=G3=contoso.com=j+SRS=44ldt=IX=fabrikam.com=bob@fwd.example",
            Form::Srs0,
            "bob@fabrikam.com",
            "fwd.example",
        ),
    ] {
        let expected = (form, original.to_owned(), forwarder.to_owned());
        assert_eq!(read(address), expected, "{address}");
    }
}

#[test]
fn the_parts() {
    let srs1 = Claimed::decode("SRS1=SPGD=fwd.example==E4us=G3=example.com=alice@second.example");
    let srs1 = srs1.unwrap();
    assert_eq!(srs1.first_forwarder().unwrap().as_str(), "fwd.example");
    assert_eq!(
        srs1.previous().unwrap(),
        "SRS0=E4us=G3=example.com=alice@fwd.example"
    );
    assert_eq!(srs1.previous_domain().unwrap().as_str(), "fwd.example");
    assert_eq!(srs1.stamp().as_deref(), Some("G3"));
    let made = UNIX_EPOCH + Duration::from_secs(1_699_920_000);
    let later = made + Duration::from_secs(3 * 86_400);
    assert_eq!(srs1.age(later), Some(3));
    assert_eq!(srs1.days(later).next(), Some(made));
    let exchange = Claimed::decode("john.work+SRS=44ldt=IX=fabrikam.com=bob@contoso.com").unwrap();
    assert_eq!(exchange.mailbox(), Some("john.work"));
    assert_eq!(exchange.original(), Some("bob@fabrikam.com"));
}

#[test]
fn leaves_others_alone() {
    for address in [
        "",
        "@",
        "alice",
        "alice@example.com",
        "alice+srs@example.com",
        "SRS0@example.com",
        "SRS0foo@example.com",
        "srs0=short@example.com",
        "SRS0=E4us=G33=example.com=alice@fwd.example",
        "SRS0=E4us=G3=exa mple=alice@fwd.example",
        "SRS0==G3=example.com=alice@fwd.example",
        "SRS0=E4us=G3=example.com=@fwd.example",
        "SRS2=E4us=G3=example.com=alice@fwd.example",
        "xSRS0=E4us=G3=example.com=alice@fwd.example",
        "SRS0=E4us=G3=example.com=a\u{7}lice@fwd.example",
        "SRS0=E4us=G3=example.com=alice@[192.0.2.1]",
        "SRS0=E4us=G3=example.com=alice@",
        "srs1=7g4y=6ppn=3g=brokersunion.org=a.maldini@fwd.example",
        "+SRS=44ldt=IX=fabrikam.com=bob@contoso.com",
        "john+SRS=44ldt@contoso.com",
        "john+SRS=44ldt=IXX=fabrikam.com=bob@contoso.com",
        "john+SRS=44ldt=IX=fabrikam.com@contoso.com",
    ] {
        assert_eq!(Claimed::decode(address), None, "{address}");
    }
    assert_eq!(
        Claimed::decode(b"SRS0=E4us=G3=example.com=\xff@fwd.example"),
        None
    );
    let deep = "SRS0=a=AA=b.c=".repeat(200_000) + "x@y.example";
    assert_eq!(Claimed::decode(deep), None);
    let nested = "SRS0=a=AA=b.c=".repeat(70) + "x@y.example";
    assert_eq!(read(&nested).1, "x@b.c");
}

#[test]
fn forms_by_name() {
    let names = [
        (Form::Database, "database"),
        (Form::Exchange, "exchange"),
        (Form::ExchangeOpaque, "exchange-opaque"),
        (Form::Exim, "exim"),
        (Form::Srs0, "srs0"),
        (Form::Srs1, "srs1"),
    ];
    for (form, name) in names {
        assert_eq!(form.to_string(), name);
    }
}
