//! Hashing a body in one pass for any number of signatures.

use super::body::BodyCanonicalizer;
use super::body_facts::{BodyFacts, Facts};
use super::canonicalize::Canonicalization;
use super::hazards::Hazards;
use crate::crypto::{Digest, HashAlgorithm, Hasher};

/// What a signature wants of the body: which hash, of which canonical form, of how much of it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct BodyHashRequest {
    algorithm: HashAlgorithm,
    canonicalization: Canonicalization,
    /// How many octets of the canonical form (`l=`); `None` for all.
    length: Option<u64>,
}

impl BodyHashRequest {
    /// A hash of the whole body.
    pub(crate) fn new(algorithm: HashAlgorithm, canonicalization: Canonicalization) -> Self {
        Self {
            algorithm,
            canonicalization,
            length: None,
        }
    }

    /// A hash of the first `length` octets of the canonical body.
    pub(crate) fn with_length(mut self, length: Option<u64>) -> Self {
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
/// use mailproof::dkim::{BodyHasher, Canonicalization};
///
/// let mut hasher = BodyHasher::new()
///     .with_hash(HashAlgorithm::Sha256, Canonicalization::Simple, None)
///     .with_hazards();
/// hasher.update(b"Hel");
/// hasher.update(b"lo\n");
/// let hashes = hasher.finish();
/// let digest = hashes.digest(HashAlgorithm::Sha256, Canonicalization::Simple, None);
/// assert_eq!(digest, Some(HashAlgorithm::Sha256.digest(b"Hello\n\r\n").as_slice()));
/// assert_eq!(hashes.total(Canonicalization::Simple), Some(8));
/// assert_eq!(hashes.hazards().map(|hazards| hazards.bare_lf), Some(true));
/// ```
#[derive(Clone, Debug, Default)]
pub struct BodyHasher {
    forms: Vec<Form>,
    facts: Option<Facts>,
}

impl BodyHasher {
    /// A hasher that is not asked for anything yet. Usually one is had from what needs the hashes, as
    /// by [`Collected::body_hasher`](super::Collected::body_hasher).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A hasher for these requests; equal ones are computed once.
    pub(crate) fn of(requests: impl IntoIterator<Item = BodyHashRequest>) -> Self {
        let mut hasher = Self {
            forms: Vec::with_capacity(1),
            facts: None,
        };
        for request in requests {
            hasher.add(request);
        }
        hasher
    }

    fn add(&mut self, request: BodyHashRequest) {
        let mut forms = self.forms.iter_mut();
        match forms.find(|form| form.canonicalization == request.canonicalization) {
            Some(form) => form.add(request),
            None => self.forms.push(Form::new(request)),
        }
    }

    /// Computes, before the body begins, one hash more: of a canonical form, or of its first `length`
    /// octets (`l=`). What is asked for twice is computed once.
    #[must_use]
    pub fn with_hash(
        mut self,
        algorithm: HashAlgorithm,
        canonicalization: Canonicalization,
        length: Option<u64>,
    ) -> Self {
        self.add(BodyHashRequest::new(algorithm, canonicalization).with_length(length));
        self
    }

    /// A new hasher for what either is asked for, so that one pass over the body serves both, as DKIM
    /// and ARC. What they have taken of a body is forgotten.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let forms = self.forms.iter().chain(&other.forms);
        let mut hasher = Self::of(forms.flat_map(Form::requests));
        hasher.facts = self.facts.or(other.facts).map(|_| Facts::default());
        hasher
    }

    /// Notices on the way what is unusual about the body. No verdict needs that, and it takes about a
    /// quarter of the time of hashing.
    #[must_use]
    pub fn with_hazards(mut self) -> Self {
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
    /// may stop; the [hazards](BodyHashes::hazards) then tell of the octets fed.
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

    fn requests(&self) -> impl Iterator<Item = BodyHashRequest> {
        let hashes = self.gather.hashes.iter().flatten();
        hashes.flat_map(|hash| {
            let request = BodyHashRequest::new(hash.algorithm, self.canonicalization);
            hash.lengths()
                .map(move |length| request.with_length(length))
        })
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

    fn lengths(&self) -> impl Iterator<Item = Option<u64>> {
        let reached = self.reached.iter().map(|(length, _)| *length);
        let lengths = reached.chain(self.ahead.iter().copied()).map(Some);
        lengths.chain(self.whole.then_some(None))
    }

    /// One octet beyond `l=` tells that it does not cover the body.
    fn needs_more(&self, seen: u64) -> bool {
        let reached = self.reached.last().map(|(length, _)| *length);
        let longest = self.ahead.first().copied().or(reached);
        self.whole || longest.is_some_and(|longest| longest >= seen)
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
pub(crate) struct BodyHash {
    request: BodyHashRequest,
    pub(crate) digest: Digest,
    /// Octets hashed: the length asked for, or less if the canonical body is shorter.
    pub(crate) hashed: u64,
    /// Octets of the canonical body, as far as it was fed.
    pub(crate) total: u64,
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
    pub(crate) fn get(&self, request: &BodyHashRequest) -> Option<&BodyHash> {
        self.hashes.iter().find(|hash| hash.request == *request)
    }

    /// A digest, if the hasher was asked for it: of the canonical body, or of its first `length` octets
    /// (of all of them, if there are fewer).
    #[must_use]
    pub fn digest(
        &self,
        algorithm: HashAlgorithm,
        canonicalization: Canonicalization,
        length: Option<u64>,
    ) -> Option<&[u8]> {
        let request = BodyHashRequest::new(algorithm, canonicalization).with_length(length);
        self.get(&request).map(|hash| hash.digest.as_ref())
    }

    /// Octets of a canonical body, as far as it was fed, if the hasher was asked for a hash of it.
    #[must_use]
    pub fn total(&self, canonicalization: Canonicalization) -> Option<u64> {
        let mut hashes = self.hashes.iter();
        let of_form = hashes.find(|hash| hash.request.canonicalization == canonicalization);
        of_form.map(|hash| hash.total)
    }

    /// What about the body will break signatures, if the hasher was
    /// [asked](BodyHasher::with_hazards) to notice it.
    #[must_use]
    pub fn hazards(&self) -> Option<Hazards> {
        let facts = self.facts.as_ref()?;
        Some(Hazards::default().with_body(Some(facts)))
    }

    pub(super) fn facts(&self) -> Option<&BodyFacts> {
        self.facts.as_ref()
    }
}

/// How much is scanned and hashed at a time: it stays in the fastest cache between the two.
const BLOCK: usize = 16_384;

/// The buffer that short pieces are gathered in.
const GATHER: usize = 1_024;

/// The octets that the hashes take at once. Parts of that cost them more than a copy.
const HASHED: usize = 64;

/// Pieces of this length are not worth copying, wherever they end.
const LONG_PIECE: usize = 1_024;

#[cfg(test)]
mod tests;
