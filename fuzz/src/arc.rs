//! ARC: sets out of any header block, and chains that were sealed and then changed.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use mailproof::arc::{self, ArcResult, Cause, Payload, Sealer, Settings, Validation};
use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, KeyRecord, SignError};
use mailproof::dns::{Zone, block_on};
use mailproof::{Domain, Message};

static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::ed25519(&[7; 32]).expect("a key of 32 octets"));

static ZONE: LazyLock<Zone> = LazyLock::new(|| {
    let mut zone = Zone::new();
    let record = KeyRecord::new(KEY.verifying_key()).to_string();
    zone.add_txt("s._domainkey.sealer.example", record)
        .expect("a name");
    zone
});

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn validate(message: &Message<'_>) -> Validation {
    let settings = Settings::default();
    let collected = arc::Collected::read(message.head(), now(), &settings);
    assert!(collected.key_names().len() <= 100);
    let keys = block_on(dkim::Keys::fetch(&*ZONE, &collected.key_names()));
    let mut hasher = collected.body_hasher();
    hasher.update(message.body());
    collected.validate(&keys, &hasher.finish(), &settings)
}

/// Any header block: sets are read in order, texts stay on one line, causes fit their results.
pub fn set(data: &[u8]) {
    let message = Message::parse(data);
    let validation = validate(&message);
    let instances: Vec<u8> = validation.sets().iter().map(|set| set.instance()).collect();
    assert!(instances.windows(2).all(|pair| pair[0] < pair[1]));
    for set in validation.sets() {
        let texts = [set.selector(), set.signature_selector(), set.results_text()];
        assert!(
            !texts
                .into_iter()
                .flatten()
                .any(|text| text.contains(char::is_control))
        );
        let _ = set.remote_ip();
        if let Some(domain) = set.domain() {
            let _ = set.reports_dmarc_pass(domain);
        }
    }
    assert_eq!(validation.cause().result(), validation.result());
    assert!(!validation.report_comment().contains(char::is_control));
    assert!(!validation.to_string().contains(['\r', '\n', '\0']));
    if validation.result() == ArcResult::Pass {
        let newest = instances.last().copied().unwrap_or(0);
        assert_eq!(instances, (1..=newest).collect::<Vec<u8>>());
        assert!(
            validation
                .oldest_pass()
                .is_some_and(|oldest| oldest <= newest)
        );
    }
    if *validation.cause() == Cause::NotSealed {
        assert!(validation.sets().is_empty());
    }
}

/// Results, an octet 0xff, and a message: whatever can be sealed validates, and does not any more
/// where the results were changed.
pub fn validate_sealed(data: &[u8]) {
    let mut parts = data.splitn(2, |octet| *octet == 0xff);
    let results = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    // A message without an empty line would take the seals for its body.
    let octets = [parts.next().unwrap_or_default(), b"\r\n\r\n"].concat();
    let Ok(payload) = results.parse::<Payload>() else {
        return;
    };
    let domain: Domain = "sealer.example".parse().expect("a domain");
    let sealer = Sealer::new(KEY.clone(), domain, "s").expect("a sealer");
    let message = Message::parse(&octets);
    if octets.starts_with(b" ") || octets.starts_with(b"\t") {
        return;
    }
    let incoming = validate(&message);
    let sealed = match sealer.seal(&message, &payload, &incoming, now()) {
        Ok(sealed) => sealed,
        Err(SignError::ChainFailed | SignError::ChainFull | SignError::TooManyFields { .. }) => {
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let mail = [sealed.header().as_bytes(), &octets].concat();
    let validation = validate(&Message::parse(&mail));
    match incoming.result() {
        ArcResult::None | ArcResult::Pass => {
            assert_eq!(validation.result(), ArcResult::Pass, "{validation}");
        }
        ArcResult::Fail => assert_eq!(validation.result(), ArcResult::Fail),
    }
    let changed = [sealed.header().trim_end().as_bytes(), b"x\r\n", &octets].concat();
    assert_eq!(
        validate(&Message::parse(&changed)).result(),
        ArcResult::Fail
    );
}
