//! Elements that extensions define (RFC 9990 5).

/// An element of an extension, with all it contains: XML that can stand anywhere, since each of its
/// elements names its own namespace.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Extension {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) xml: String,
}

impl Extension {
    /// The namespace, which is the URI of the extension's definition; empty where the reporter did
    /// not name it.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name, without prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The element as XML.
    #[must_use]
    pub fn as_xml(&self) -> &str {
        &self.xml
    }
}
