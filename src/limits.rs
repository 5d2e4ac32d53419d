//! Every bound on work and memory that a stranger's input could otherwise drive, with its source.
//!
//! A limit that is hit shows in the verdict; none is ever silently applied. Those that a receiver may
//! want to change are in the settings of each protocol; start from the default and change single ones:
//!
//! ```
//! let mut settings = mailproof::verifier::Settings::default();
//! settings.dkim.limits.signatures = 5;
//! settings.spf.limits.void_lookups = 4;
//! settings.arc.max_sets = 20;
//! ```
//!
//! The others are fixed: [`Head::MAX_FIELDS`](crate::message::Head::MAX_FIELDS),
//! [`Author::MAX_MAILBOXES`](crate::message::Author::MAX_MAILBOXES) and
//! [`Author::MAX_OCTETS`](crate::message::Author::MAX_OCTETS).
//!
//! # What one message can cost
//!
//! With the limits as they are by default, and whatever the message and the DNS are made of:
//!
//! | work | at most |
//! |---|---|
//! | questions to the DNS | 451: 150 each for SPF of HELO and MAIL FROM, 10 keys of DKIM, 100 of ARC, 9 for the author's policy, 4 walks of 8 |
//! | signatures checked | 480: 10 of DKIM with 3 keys each, 50 seals, and 50 ARC signatures in up to 2 forms, likewise; 0.2 s where all keys have 8192 bits |
//! | passes over the body | 2 canonical forms, each hashed once (twice with `allow_sha1`), for any number of signatures and `l=` |
//! | octets kept | 0.6 MB of header fields, 10 MiB of canonical header fields for DKIM and as many for ARC, one copy of the ARC fields, and what the DNS answered: 64 KiB a question is the most that it can |
//!
//! Beyond that the work grows with the size of the message in a straight line, and the memory not at
//! all: the body is not kept, and behind [`MAX_FIELDS`](crate::message::Head::MAX_FIELDS) header
//! fields everything is body.

/// Bounds on DKIM work.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DkimLimits {
    /// DKIM-Signature fields read, usable or not; further ones are reported as not evaluated. Real
    /// mail has up to a dozen; the author's own must not be pushed out by what a list added.
    pub signature_fields: usize,
    /// Octets in one signature field. An RSA-8192 signature takes 1,400; the rest is for `h=`, `z=`.
    pub signature_octets: usize,
    /// Signatures evaluated on one message; further ones are reported as not evaluated. RFC 6376
    /// 8.4 suggests a bound; peers use 5 to 50.
    pub signatures: usize,
    /// Octets of canonical header fields kept for all signatures of a message together: what a
    /// header block of 1 MiB needs for ten signatures over all of it.
    pub signed_octets: usize,
    /// Names in `h=`. Header selection is linear, this bounds memory.
    pub signed_fields: usize,
    /// Key records tried when several stand at one name. RFC 6376 3.6.2.2 leaves the result
    /// undefined; publishing two happens during rotation.
    pub key_records: usize,
    /// Octets in one key record. An 8192-bit RSA key takes 1,400.
    pub key_record_octets: usize,
    /// The largest RSA modulus, in bits: what the crypto library verifies, at about 0.4 ms each.
    pub rsa_bits_max: usize,
    /// The smallest RSA modulus, in bits. RFC 8301 3.2: ‘Verifiers MUST NOT consider signatures
    /// using RSA keys of less than 1024 bits as valid signatures.’ Less than that changes nothing.
    pub rsa_bits_min: usize,
}

impl Default for DkimLimits {
    fn default() -> Self {
        Self {
            signature_fields: 100,
            signature_octets: 65_536,
            signatures: 10,
            signed_octets: 10_485_760,
            signed_fields: 1_000,
            key_records: 3,
            key_record_octets: 8_192,
            rsa_bits_max: 8_192,
            rsa_bits_min: 1_024,
        }
    }
}

/// Bounds on DMARC work.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DmarcLimits {
    /// Author domains evaluated where a message has several and the strictest policy shall decide
    /// (RFC 9989 11.5).
    pub author_domains: usize,
    /// Authenticated domains whose organizational domain is looked up. The domains are the
    /// sender's to choose, and each costs up to [`walk_queries`](Self::walk_queries) queries.
    pub walks: usize,
    /// Queries in one DNS tree walk. RFC 9989 4.10 arrives at 8.
    pub walk_queries: usize,
    /// TXT records looked at where one name has many.
    pub records: usize,
}

impl Default for DmarcLimits {
    fn default() -> Self {
        Self {
            author_domains: 4,
            walks: 4,
            walk_queries: 8,
            records: 100,
        }
    }
}

/// Bounds on reading reports of DMARC and of failures. RFC 9990 sets none; all are far above what
/// reporters send.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReportLimits {
    /// Octets of a file or message as it came. Mail servers accept 10 to 50 MiB.
    pub compressed_octets: u64,
    /// Octets of XML. A row takes about 700.
    pub octets: u64,
    /// Octets of XML that one octet may decompress to, once more than a mebibyte was written.
    /// Reports have 10 to 50; deflate can do 1,032.
    pub ratio: u64,
    /// MIME parts looked at, where a report is searched in a message. Reports have five at most.
    pub parts: usize,
    /// How deep parts may lie in parts. Each level is one more pass over the message.
    pub part_depth: usize,
    /// Entries of a zip archive that are looked at. Reports have one.
    pub zip_entries: usize,
    /// Rows of a report.
    pub rows: u64,
    /// How deep elements may lie in elements. The schemas need six; the rest is for extensions.
    pub depth: usize,
    /// Octets of one text, tag or comment.
    pub text_octets: usize,
    /// Rows that an accumulator keeps in memory, at about a kilobyte each. Whoever can send mail can
    /// cause any number of them.
    pub kept_rows: usize,
    /// Octets that one row, or all that stands before the first, may keep. A hundred signatures
    /// (RFC 9990 3.1.3) with their explanations stay below.
    pub row_octets: usize,
}

impl Default for ReportLimits {
    fn default() -> Self {
        Self {
            compressed_octets: 33_554_432,
            octets: 1_073_741_824,
            ratio: 200,
            parts: 100,
            part_depth: 8,
            zip_entries: 10,
            rows: 1_000_000,
            depth: 20,
            text_octets: 65_536,
            kept_rows: 1_000_000,
            row_octets: 262_144,
        }
    }
}

/// Bounds on SPF work (RFC 7208 4.6.4), each per check.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SpfLimits {
    /// Terms that cause DNS queries: include, a, mx, ptr, exists, redirect.
    pub lookup_terms: usize,
    /// Names in one MX answer; more are a permerror.
    pub mx_names: usize,
    /// Names of one PTR answer that are looked at; more are ignored.
    pub ptr_names: usize,
    /// Look-ups that find nothing: ‘a default of two is RECOMMENDED’.
    pub void_lookups: usize,
    /// Address records looked at per name; where none of them is the client's and there are more,
    /// a permerror. The RFC sets no bound; no host that sends mail has this many.
    pub addresses: usize,
    /// Octets of one SPF record. RFC 7208 3.4 asks for 450; 64 KiB is what TCP can carry.
    pub record_octets: usize,
    /// TXT records at one name; more are a permerror. Real names have 59 and more.
    pub txt_records: usize,
    /// All queries of one check. 10 terms of 10 names each, both reverse and forward, stay below.
    pub queries: usize,
}

impl Default for SpfLimits {
    fn default() -> Self {
        Self {
            lookup_terms: 10,
            mx_names: 10,
            ptr_names: 10,
            void_lookups: 2,
            addresses: 100,
            record_octets: 65_535,
            txt_records: 500,
            queries: 150,
        }
    }
}
