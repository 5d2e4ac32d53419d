//! Trying whether a signature fits a header that was changed back.

use crate::crypto::{HashAlgorithm, Opened};
use crate::dkim::header::without_signature;
use crate::dkim::key_check::{self, KeyUse, signed_octets};
use crate::dkim::{self, Canonicalization, Cause, Keys, SignatureAlgorithm};
use crate::dns::Name;
use crate::message::Head;

/// A header field as it is, or as it may have been.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Piece {
    pub(super) name: Vec<u8>,
    pub(super) gap: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// Where it stands in the header block; `None` where it is missing.
    pub(super) position: Option<usize>,
}

impl Piece {
    /// The field at a position; a missing one where there is none.
    pub(super) fn at(head: &Head<'_>, name: &str, position: Option<usize>) -> Self {
        match position.and_then(|at| head.fields().get(at)) {
            Some(field) => Self {
                name: field.name().to_vec(),
                gap: field.gap().to_vec(),
                value: field.value().to_vec(),
                position,
            },
            None => Self {
                name: name.as_bytes().to_vec(),
                gap: Vec::new(),
                value: Vec::new(),
                position: None,
            },
        }
    }
}

/// A signature as far as its key is concerned.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) octets: Vec<u8>,
    pub(super) canonicalization: Canonicalization,
    /// Whether `i=` is a subdomain of `d=`.
    pub(super) identity_below: bool,
    pub(super) key_name: Name,
}

/// A signature, what it was made over, and its key.
pub(super) struct Probe<'k> {
    signed: Signed,
    /// The fields in the order in which they are hashed; missing ones are left out of the hash.
    pub(super) pieces: Vec<Piece>,
    pub(super) own: Piece,
    keys: &'k Keys,
    /// What the signature holds, once somebody has asked.
    opened: Opened,
    settings: dkim::Settings,
    tries: usize,
    octets: usize,
}

impl<'k> Probe<'k> {
    pub(super) fn new(signed: Signed, pieces: Vec<Piece>, own: Piece, keys: &'k Keys) -> Self {
        Self {
            opened: Opened::Sealed,
            signed,
            pieces,
            own,
            keys,
            settings: dkim::Settings::default(),
            tries: TRIES,
            octets: OCTETS,
        }
    }

    pub(super) fn is_simple(&self) -> bool {
        self.signed.canonicalization == Canonicalization::Simple
    }

    /// Whether the signature was made with another key, or is not what was made: no change of any
    /// field explains it. Where it was made with this one, all tries to come are cheaper.
    pub(super) fn is_not_by_key(&mut self) -> bool {
        let (name, octets) = (&self.signed.key_name, &self.signed.octets);
        self.opened = key_check::open(self.keys, name, octets, &self.settings);
        self.opened == Opened::NotByThisKey
    }

    /// Whether the signature fits the fields as they are; `None` where its key is of no use.
    pub(super) fn fits_now(&self) -> Option<bool> {
        match self.verify(self.data(&self.pieces, &self.own)) {
            Cause::Passed => Some(true),
            Cause::SignatureMismatch => Some(false),
            _ => None,
        }
    }

    /// Whether the signature fits if the piece at `index` were `piece`.
    pub(super) fn fits_with(&mut self, index: usize, piece: &Piece) -> bool {
        let mut pieces = self.pieces.clone();
        match pieces.get_mut(index) {
            Some(place) if place != piece => *place = piece.clone(),
            _ => return false,
        }
        let own = self.own.clone();
        self.fits(&pieces, &own)
    }

    /// Whether the signature fits these fields. `false` as well when the work is used up.
    pub(super) fn fits(&mut self, pieces: &[Piece], own: &Piece) -> bool {
        let data = self.data(pieces, own);
        if self.tries == 0 || self.octets < data.len() {
            return false;
        }
        self.tries -= 1;
        self.octets -= data.len();
        match &self.opened {
            Opened::Digest(digest) => {
                let hash: HashAlgorithm = self.signed.algorithm.hash();
                hash.digest(&data) == *digest
            }
            Opened::NotByThisKey => false,
            Opened::Sealed => self.verify(data) == Cause::Passed,
        }
    }

    /// What is hashed.
    fn data(&self, pieces: &[Piece], own: &Piece) -> Vec<u8> {
        let canonicalization = self.signed.canonicalization;
        let mut data = Vec::new();
        for piece in pieces.iter().filter(|piece| piece.position.is_some()) {
            canonicalization.write_header_field(&piece.name, &piece.gap, &piece.value, &mut data);
            data.extend_from_slice(b"\r\n");
        }
        let value = without_signature(&own.value);
        canonicalization.write_header_field(&own.name, &own.gap, &value, &mut data);
        data
    }

    fn verify(&self, data: Vec<u8>) -> Cause {
        let signed = signed_octets(self.signed.algorithm, data);
        let key_use = KeyUse {
            algorithm: self.signed.algorithm,
            identity_below: self.signed.identity_below,
            signed: &signed,
            signature: &self.signed.octets,
        };
        key_check::check(self.keys, &self.signed.key_name, &key_use, &self.settings).cause
    }
}

/// At about 30 microseconds for a check with RSA or Ed25519, 50 milliseconds in all.
pub(super) const TRIES: usize = 1_500;

/// What is hashed in all; headers are some kilobytes.
const OCTETS: usize = 33_554_432;
