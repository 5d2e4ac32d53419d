//! Trying whether a signature fits a header that was changed back.

use crate::dkim::header::without_signature;
use crate::dkim::key_check::{self, KeyUse, signed_octets};
use crate::dkim::{Canonicalization, Cause, Keys, Signature, Verification};
use crate::dns::Name;
use crate::limits::DkimLimits;
use crate::message::{Field, Head};

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
    pub(super) fn of(field: &Field<'_>, position: Option<usize>) -> Self {
        Self {
            name: field.name().to_vec(),
            gap: field.gap().to_vec(),
            value: field.value().to_vec(),
            position,
        }
    }
}

/// A signature, what it was made over, and its key.
pub(super) struct Probe<'p> {
    signature: &'p Signature,
    /// The fields in the order of `h=`; missing ones are left out of the hash.
    pub(super) pieces: Vec<Piece>,
    pub(super) own: Piece,
    keys: Keys,
    key_name: Name,
    limits: DkimLimits,
    tries: usize,
    octets: usize,
}

impl<'p> Probe<'p> {
    pub(super) fn new(
        signature: &'p Signature,
        own: &Field<'_>,
        verification: &Verification,
        head: &Head<'_>,
        keys: Keys,
        key_name: Name,
    ) -> Self {
        let pieces = verification.signed_fields().map(|signed| {
            let field = signed.position.and_then(|at| head.fields().get(at));
            match field {
                Some(field) => Piece::of(field, signed.position),
                None => Piece {
                    name: signed.name.as_bytes().to_vec(),
                    gap: Vec::new(),
                    value: Vec::new(),
                    position: None,
                },
            }
        });
        Self {
            signature,
            pieces: pieces.collect(),
            own: Piece::of(own, None),
            keys,
            key_name,
            limits: DkimLimits::default(),
            tries: TRIES,
            octets: OCTETS,
        }
    }

    pub(super) fn is_simple(&self) -> bool {
        self.signature.header_canonicalization() == Canonicalization::Simple
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
        let canonicalization = self.signature.header_canonicalization();
        let mut data = Vec::new();
        for piece in pieces.iter().filter(|piece| piece.position.is_some()) {
            canonicalization.write_header_field(&piece.name, &piece.gap, &piece.value, &mut data);
            data.extend_from_slice(b"\r\n");
        }
        let value = without_signature(&own.value);
        canonicalization.write_header_field(&own.name, &own.gap, &value, &mut data);
        if self.tries == 0 || self.octets < data.len() {
            return false;
        }
        self.tries -= 1;
        self.octets -= data.len();
        let signed = signed_octets(self.signature.algorithm(), data);
        let key_use = KeyUse {
            algorithm: self.signature.algorithm(),
            identity_below: self.signature.identity().domain() != self.signature.signing_domain(),
            signed: &signed,
            signature: self.signature.octets(),
        };
        key_check::check(&self.keys, &self.key_name, &key_use, &self.limits).cause == Cause::Passed
    }
}

/// At about 30 microseconds for RSA with 2048 bits, 50 milliseconds in all.
pub(super) const TRIES: usize = 1_500;

/// What is hashed in all; headers are some kilobytes.
const OCTETS: usize = 33_554_432;
