//! Hashing a body in one pass for any number of signatures.

use super::body::BodyCanonicalizer;
use super::body_facts::{BodyFacts, Facts};
use super::canonicalize::Canonicalization;
use crate::crypto::{Digest, HashAlgorithm, Hasher};

/// What a signature wants of the body: which hash, of which canonical form, of how much of it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct BodyHashRequest {
    /// The hash.
    pub algorithm: HashAlgorithm,
    /// The canonical form.
    pub canonicalization: Canonicalization,
    /// How many octets of the canonical form (`l=`); `None` for all.
    pub length: Option<u64>,
}

impl BodyHashRequest {
    /// A hash of the whole body.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm, canonicalization: Canonicalization) -> Self {
        Self {
            algorithm,
            canonicalization,
            length: None,
        }
    }

    /// A hash of the first `length` octets of the canonical body.
    #[must_use]
    pub fn with_length(mut self, length: Option<u64>) -> Self {
        self.length = length;
        self
    }
}

/// Takes a body in chunks of any size and computes every body hash asked for, in one pass.
///
/// Its memory does not depend on the body. The same digests come out however the body is cut.
///
/// ```
/// use mailproof::crypto::HashAlgorithm;
/// use mailproof::dkim::{BodyHashRequest, BodyHasher, Canonicalization};
///
/// let request = BodyHashRequest::new(HashAlgorithm::Sha256, Canonicalization::Simple);
/// let mut hasher = BodyHasher::new([request]).with_facts();
/// hasher.update(b"Hel");
/// hasher.update(b"lo\n");
/// let hashes = hasher.finish();
/// assert_eq!(hashes.get(&request).map(|hash| hash.total), Some(8));
/// assert_eq!(hashes.facts().map(|facts| facts.bare_lf), Some(1));
/// ```
#[derive(Clone, Debug)]
pub struct BodyHasher {
    forms: Vec<Form>,
    facts: Option<Facts>,
}

impl BodyHasher {
    /// A hasher for these requests; equal ones are computed once.
    #[must_use]
    pub fn new(requests: impl IntoIterator<Item = BodyHashRequest>) -> Self {
        let mut forms: Vec<Form> = Vec::with_capacity(1);
        for request in requests {
            let known = forms
                .iter_mut()
                .find(|form| form.canonicalization == request.canonicalization);
            match known {
                Some(form) => form.add(request),
                None => forms.push(Form::new(request)),
            }
        }
        Self { forms, facts: None }
    }

    /// Notices on the way what is unusual about the body. No verdict needs that, and it takes about a
    /// quarter of the time of hashing.
    #[must_use]
    pub fn with_facts(mut self) -> Self {
        self.facts = Some(Facts::default());
        self
    }

    /// Takes the next chunk of the body: CRLF as line ends, transparency dots removed.
    pub fn update(&mut self, chunk: &[u8]) {
        for block in chunk.chunks(BLOCK) {
            if let Some(facts) = &mut self.facts {
                facts.update(block);
            }
            for form in &mut self.forms {
                form.update(block);
            }
        }
    }

    /// Whether more of the body can change anything that was asked for. Once this is false, feeding
    /// may stop; the [facts](BodyFacts) then tell of the octets fed.
    #[must_use]
    pub fn needs_more(&self) -> bool {
        self.forms.iter().any(Form::needs_more)
    }

    /// Ends the body.
    #[must_use]
    pub fn finish(self) -> BodyHashes {
        let mut hashes = Vec::with_capacity(1);
        for form in self.forms {
            form.finish(&mut hashes);
        }
        BodyHashes {
            hashes,
            facts: self.facts.map(Facts::finish),
        }
    }
}

/// One canonical form of the body and the hashes of it.
#[derive(Clone, Debug)]
struct Form {
    canonicalization: Canonicalization,
    canonicalizer: BodyCanonicalizer,
    gather: Gather,
}

impl Form {
    fn new(request: BodyHashRequest) -> Self {
        let mut form = Self {
            canonicalization: request.canonicalization,
            canonicalizer: BodyCanonicalizer::new(request.canonicalization),
            gather: Gather {
                buffer: Vec::with_capacity(GATHER),
                total: 0,
                hashes: [None, None],
            },
        };
        form.add(request);
        form
    }

    fn add(&mut self, request: BodyHashRequest) {
        let [sha1, sha256] = &mut self.gather.hashes;
        let hash = match request.algorithm {
            HashAlgorithm::Sha1 => sha1,
            HashAlgorithm::Sha256 => sha256,
        };
        hash.get_or_insert_with(|| Running::new(request.algorithm))
            .add(request.length);
    }

    fn needs_more(&self) -> bool {
        let seen = self.gather.seen();
        let mut hashes = self.gather.hashes.iter().flatten();
        hashes.any(|hash| hash.needs_more(seen))
    }

    fn update(&mut self, block: &[u8]) {
        self.canonicalizer
            .update(block, |piece| self.gather.push(piece));
    }

    fn finish(self, hashes: &mut Vec<BodyHash>) {
        let mut gather = self.gather;
        self.canonicalizer.finish(|piece| gather.push(piece));
        gather.flush();
        let total = gather.total;
        let canonicalization = self.canonicalization;
        for hash in gather.hashes.into_iter().flatten() {
            hashes.extend(hash.finish(canonicalization, total));
        }
    }
}

/// Collects short pieces, so that the hash gets long ones: it is a quarter to a third slower when
/// it is fed line by line.
#[derive(Clone, Debug)]
struct Gather {
    buffer: Vec<u8>,
    /// Canonical octets handed on.
    total: u64,
    /// SHA-1 and SHA-256.
    hashes: [Option<Running>; 2],
}

impl Gather {
    fn push(&mut self, piece: &[u8]) {
        let whole = self.buffer.len().is_multiple_of(HASHED) && piece.len().is_multiple_of(HASHED);
        if whole || piece.len() >= LONG_PIECE {
            self.flush();
            self.hash(piece);
            return;
        }
        let room = GATHER.saturating_sub(self.buffer.len());
        let rest = match piece.split_at_checked(room) {
            Some((start, rest)) => {
                self.buffer.extend_from_slice(start);
                self.flush();
                rest
            }
            None => piece,
        };
        self.buffer.extend_from_slice(rest);
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            let mut buffer = std::mem::take(&mut self.buffer);
            self.hash(&buffer);
            buffer.clear();
            self.buffer = buffer;
        }
    }

    fn hash(&mut self, piece: &[u8]) {
        let length = octets(piece);
        self.total = self.total.saturating_add(length);
        for hash in self.hashes.iter_mut().flatten() {
            hash.update(piece);
        }
    }

    fn seen(&self) -> u64 {
        self.total.saturating_add(octets(&self.buffer))
    }
}

/// One hash of one canonical form. Each `l=` is a point on its way, where a copy of it is ended, so
/// that no number of lengths makes it run more than once.
#[derive(Clone, Debug)]
struct Running {
    algorithm: HashAlgorithm,
    hasher: Hasher,
    hashed: u64,
    /// Whether the whole body is asked for.
    whole: bool,
    /// The lengths ahead, the next one last.
    ahead: Vec<u64>,
    /// What came of the others.
    reached: Vec<(u64, Digest)>,
}

impl Running {
    fn new(algorithm: HashAlgorithm) -> Self {
        Self {
            algorithm,
            hasher: Hasher::new(algorithm),
            hashed: 0,
            whole: false,
            ahead: Vec::new(),
            reached: Vec::new(),
        }
    }

    fn add(&mut self, length: Option<u64>) {
        match length {
            None => self.whole = true,
            Some(length) => {
                let place = self.ahead.binary_search_by(|known| length.cmp(known));
                if let Err(place) = place {
                    self.ahead.insert(place, length);
                }
            }
        }
    }

    /// One octet beyond `l=` tells that it does not cover the body.
    fn needs_more(&self, seen: u64) -> bool {
        let longest = self.reached.last().map(|(length, _)| *length);
        self.whole || self.ahead.first().copied().or(longest) >= Some(seen)
    }

    fn update(&mut self, mut piece: &[u8]) {
        while let Some(length) = self.ahead.last().copied()
            && let Ok(missing) = usize::try_from(length.saturating_sub(self.hashed))
            && let Some((part, rest)) = piece.split_at_checked(missing)
        {
            self.take(part);
            self.reached.push((length, self.hasher.clone().finish()));
            self.ahead.pop();
            piece = rest;
        }
        if self.whole || !self.ahead.is_empty() {
            self.take(piece);
        }
    }

    fn take(&mut self, piece: &[u8]) {
        self.hasher.update(piece);
        self.hashed = self.hashed.saturating_add(octets(piece));
    }

    /// The digest at each length, and that of all there is for those beyond its end.
    fn finish(
        self,
        canonicalization: Canonicalization,
        total: u64,
    ) -> impl Iterator<Item = BodyHash> {
        let request = BodyHashRequest::new(self.algorithm, canonicalization);
        let end = self.hasher.finish();
        let reached = self.reached.into_iter();
        let reached = reached.map(|(length, digest)| (Some(length), digest));
        let ahead = self.ahead.into_iter().map(Some);
        let whole = self.whole.then_some(None);
        let others = ahead.chain(whole).map(move |length| (length, end));
        reached.chain(others).map(move |(length, digest)| BodyHash {
            request: request.with_length(length),
            digest,
            hashed: length.map_or(total, |length| length.min(total)),
            total,
        })
    }
}

pub(super) fn octets(piece: &[u8]) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}

/// One body hash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct BodyHash {
    /// What was asked for.
    pub request: BodyHashRequest,
    pub(crate) digest: Digest,
    /// Octets hashed: the length asked for, or less if the canonical body is shorter.
    pub hashed: u64,
    /// Octets of the canonical body, as far as it was fed.
    pub total: u64,
}

impl BodyHash {
    /// The digest.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        self.digest.as_ref()
    }
}

/// The body hashes of a message.
#[derive(Clone, Debug, Default)]
pub struct BodyHashes {
    hashes: Vec<BodyHash>,
    facts: Option<BodyFacts>,
}

impl BodyHashes {
    /// Of a message whose body is not at hand, as where a bounce returns the header only: no signature
    /// can pass, and none is said to fail for its body.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// The hash that was asked for with this request.
    #[must_use]
    pub fn get(&self, request: &BodyHashRequest) -> Option<&BodyHash> {
        self.hashes.iter().find(|hash| hash.request == *request)
    }

    /// What else was seen, if the hasher was [asked](BodyHasher::with_facts) for it.
    #[must_use]
    pub fn facts(&self) -> Option<&BodyFacts> {
        self.facts.as_ref()
    }
}

/// How much is scanned and hashed at a time: it stays in the fastest cache between the two.
const BLOCK: usize = 16_384;

/// The buffer that short pieces are gathered in.
const GATHER: usize = 2_048;

/// The octets that the hashes take at once. Parts of that cost them more than a copy.
const HASHED: usize = 64;

/// Pieces of this length are not worth copying, wherever they end.
const LONG_PIECE: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    fn request(canonicalization: Canonicalization) -> BodyHashRequest {
        BodyHashRequest::new(HashAlgorithm::Sha256, canonicalization)
    }

    fn hashes(requests: &[BodyHashRequest], chunks: &[&[u8]]) -> BodyHashes {
        let mut hasher = BodyHasher::new(requests.iter().copied());
        for chunk in chunks {
            hasher.update(chunk);
        }
        hasher.finish()
    }

    #[test]
    fn empty_bodies() {
        for (algorithm, canonicalization, expected) in [
            (
                HashAlgorithm::Sha256,
                Canonicalization::Simple,
                "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=",
            ),
            (
                HashAlgorithm::Sha256,
                Canonicalization::Relaxed,
                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            ),
            (
                HashAlgorithm::Sha1,
                Canonicalization::Simple,
                "uoq1oCgLlTqpdDX/iUbLy7J1Wic=",
            ),
            (
                HashAlgorithm::Sha1,
                Canonicalization::Relaxed,
                "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            ),
        ] {
            let request = BodyHashRequest::new(algorithm, canonicalization);
            for body in [&b""[..], b"\r\n", b"\r\n\r\n"] {
                let hashes = hashes(&[request], &[body]);
                let hash = hashes.get(&request).unwrap();
                assert_eq!(text::base64_encode(hash.digest.as_ref()), expected);
            }
        }
    }

    #[test]
    fn one_pass_serves_different_lengths() {
        let body = b"one \r\ntwo\r\n\r\n";
        let whole = request(Canonicalization::Relaxed);
        let requests = [
            whole,
            whole.with_length(Some(3)),
            whole.with_length(Some(10)),
            whole.with_length(Some(99)),
            whole.with_length(Some(0)),
        ];
        for at in 0..body.len() {
            let (first, second) = body.split_at(at);
            let hashes = hashes(&requests, &[first, second]);
            for (request, expected) in requests.iter().zip([
                &b"one\r\ntwo\r\n"[..],
                b"one",
                b"one\r\ntwo\r\n",
                b"one\r\ntwo\r\n",
                b"",
            ]) {
                let hash = hashes.get(request).unwrap();
                assert_eq!(hash.digest(), HashAlgorithm::Sha256.digest(expected));
                assert_eq!(hash.hashed, octets(expected));
                assert_eq!(hash.total, 10);
            }
        }
    }

    #[test]
    fn says_when_it_has_seen_enough() {
        assert!(!BodyHasher::new([]).needs_more());
        let whole = request(Canonicalization::Simple);
        let mut hasher = BodyHasher::new([whole.with_length(Some(3))]);
        hasher.update(b"abc");
        assert!(hasher.needs_more());
        hasher.update(b"d");
        assert!(!hasher.needs_more());
        let mut hasher = BodyHasher::new([whole.with_length(Some(3)), whole]);
        hasher.update(b"abcdef");
        assert!(hasher.needs_more());
    }
}
