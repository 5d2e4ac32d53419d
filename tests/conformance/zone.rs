//! DNS data of the suites that come as JSON: a name to a list of TXT strings, to `{TYPE: [...]}`, or
//! to `{"error": ...}`. Other names do not exist.

use std::net::{IpAddr, Ipv6Addr};

use mailproof::dns::{LookupError, Zone};
use serde_json::Value;

/// The zone that the data describe. Names that the DNS could not hold are left out: nothing can ask
/// for them.
pub fn zone(data: &Value) -> Result<Zone, String> {
    let mut zone = Zone::new();
    for (name, value) in data.as_object().into_iter().flatten() {
        if name.parse::<mailproof::dns::Name>().is_ok() {
            add(&mut zone, name, value).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    Ok(zone)
}

fn add(zone: &mut Zone, name: &str, value: &Value) -> Result<(), String> {
    let Value::Object(types) = value else {
        return records(value)
            .iter()
            .try_for_each(|record| add_record(zone, name, "TXT", record));
    };
    for (record_type, value) in types
        .iter()
        .filter(|(record_type, _)| *record_type != "error")
    {
        for record in records(value) {
            add_record(zone, name, record_type, &record)?;
        }
    }
    let failure = match types.get("error").and_then(Value::as_str) {
        None | Some("NXDOMAIN") => return Ok(()),
        Some("TIMEOUT") => LookupError::Timeout,
        Some("SERVFAIL") => LookupError::ServFail,
        Some(other) => LookupError::Other(other.into()),
    };
    zone.fail(name, failure)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// A single record may stand without its list.
fn records(value: &Value) -> Vec<Value> {
    value
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![value.clone()])
}

fn add_record(zone: &mut Zone, name: &str, record_type: &str, value: &Value) -> Result<(), String> {
    // Character-strings of one record, a preference and a host, or one text.
    let parts: Vec<String> = records(value)
        .iter()
        .map(|part| {
            part.as_str()
                .map_or_else(|| part.to_string(), str::to_owned)
        })
        .collect();
    let text = parts.concat();
    let added = match record_type {
        "TXT" => zone.add_txt(name, &text),
        "A" | "AAAA" => zone.add_address(name, text.parse().map_err(|_| "not an address")?),
        "CNAME" => zone.add_cname(name, &text),
        "MX" => {
            let joined = parts.join(" ");
            let (preference, host) = joined.split_once(' ').unwrap_or(("0", &joined));
            let preference = preference.parse().map_err(|_| "not a preference")?;
            zone.add_mx(name, preference, host)
        }
        "PTR" => zone.add_ptr(
            address(name).ok_or("PTR of a name that is no address")?,
            &text,
        ),
        _ => zone.add_name(name),
    };
    added.map(drop).map_err(|error| error.to_string())
}

/// The address that a name in `in-addr.arpa` or `ip6.arpa` stands for, or that is written plainly.
fn address(name: &str) -> Option<IpAddr> {
    let name = name.trim_end_matches('.');
    if let Some(reverse) = name.strip_suffix(".in-addr.arpa") {
        return reverse
            .split('.')
            .rev()
            .collect::<Vec<_>>()
            .join(".")
            .parse()
            .ok();
    }
    let Some(reverse) = name.strip_suffix(".ip6.arpa") else {
        return name.parse().ok();
    };
    let digits: String = reverse.split('.').rev().collect();
    let bits = u128::from_str_radix(&digits, 16)
        .ok()
        .filter(|_| digits.len() == 32);
    bits.map(|bits| Ipv6Addr::from_bits(bits).into())
}
