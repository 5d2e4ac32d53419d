//! What a receiver may decide for itself.

use std::time::Duration;

/// How signatures are judged where the RFCs leave it to the receiver.
///
/// ```
/// use mailproof::dkim::Settings;
///
/// let mut settings = Settings::default();
/// settings.refuse_length = true;
/// settings.forbidden_unsigned.push("Subject".into());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Lets a signature with `l=` pass whatever follows the signed part, so that anybody may append to
    /// the body (§8.2). Default: no; it passes only if it covers the whole canonical body.
    pub allow_partial_body: bool,
    /// Accepts `rsa-sha1`, which RFC 8301 3.1 forbids; for looking at old mail only. Default: no.
    pub allow_sha1: bool,
    /// How much clocks may differ when `x=` and `t=` are held against the time. Default: 5 minutes.
    pub clock_skew: Duration,
    /// Takes a signature by a key with `t=y` for as good as any other; the result word is the same
    /// either way. Default: no, it authenticates nothing, for DMARC as if it were not there. §3.6.1:
    /// ‘Verifiers MUST NOT treat messages from Signers in testing mode differently from unsigned
    /// email’.
    pub count_testing_keys: bool,
    /// Fields of which a signature must cover every instance that is present (§8.15 on fields that
    /// are added). Default: none.
    pub forbidden_unsigned: Vec<String>,
    /// Octets in one key record. An 8192-bit RSA key takes 1,400.
    pub max_key_record_octets: usize,
    /// Key records tried when several stand at one name. RFC 6376 3.6.2.2 leaves the result
    /// undefined; publishing two happens during rotation.
    pub max_key_records: usize,
    /// The largest RSA modulus, in bits: what the crypto library verifies, at about 0.4 ms each.
    pub max_rsa_bits: usize,
    /// DKIM-Signature fields read, usable or not; further ones are reported as not evaluated. Real
    /// mail has up to a dozen; the author's own must not be pushed out by what a list added.
    pub max_signature_fields: usize,
    /// Octets in one signature field. An RSA-8192 signature takes 1,400; the rest is for `h=`, `z=`.
    pub max_signature_octets: usize,
    /// Signatures evaluated on one message; further ones are reported as not evaluated. RFC 6376
    /// 8.4 suggests a bound; peers use 5 to 50.
    pub max_signatures: usize,
    /// Names in `h=`. Header selection is linear, this bounds memory.
    pub max_signed_fields: usize,
    /// Octets of canonical header fields kept for all signatures of a message together: what a
    /// header block of 1 MiB needs for ten signatures over all of it.
    pub max_signed_octets: usize,
    /// How old `t=` may be, against replay; `None` for any age. Default: any.
    pub maximum_age: Option<Duration>,
    /// The smallest RSA modulus, in bits. RFC 8301 3.2: ‘Verifiers MUST NOT consider signatures
    /// using RSA keys of less than 1024 bits as valid signatures.’ Less than that changes nothing.
    pub min_rsa_bits: usize,
    /// Refuses a `t=` in the future (§3.5: ‘Implementations MAY ignore signatures that have a
    /// timestamp in the future’). Default: no, since a wrong clock does not unsign a message.
    pub refuse_future: bool,
    /// Refuses every signature with `l=`, even one that covers the whole body. Default: no.
    pub refuse_length: bool,
    /// Fields that `h=` must name beside From. Default: none.
    pub required_fields: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_partial_body: false,
            allow_sha1: false,
            clock_skew: Duration::from_secs(300),
            count_testing_keys: false,
            forbidden_unsigned: Vec::new(),
            max_key_record_octets: 8_192,
            max_key_records: 3,
            max_rsa_bits: 8_192,
            max_signature_fields: 100,
            max_signature_octets: 65_536,
            max_signatures: 10,
            max_signed_fields: 1_000,
            max_signed_octets: 10_485_760,
            maximum_age: None,
            min_rsa_bits: 1_024,
            refuse_future: false,
            refuse_length: false,
            required_fields: Vec::new(),
        }
    }
}
