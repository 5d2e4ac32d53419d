//! What reading a report may cost.

/// Bounds on reading reports of DMARC and of failures. RFC 9990 sets none; all are far above what
/// reporters send.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
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

impl Default for Limits {
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
