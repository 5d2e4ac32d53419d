//! Reading the fields that the world sends.

use super::segment::{Content, Item, Segment, Segments, shown};
use super::{AuthenticationResults, AuthservId, Method, MethodResult, ParseError, parse};
use crate::text;

impl AuthenticationResults {
    /// Reads the value of an Authentication-Results or ARC-Authentication-Results field, as tolerantly
    /// as can be without reading anything into it.
    ///
    /// A field by the grammar is read by the grammar. Of any other, what cannot be read is left out, and
    /// [`Reading::tolerated`] lists what was wrong: Microsoft's fields without authserv-id and with
    /// `action=none`, values that should be quoted, empty results, and so on. A quoted string or comment
    /// that does not end takes everything behind it along.
    ///
    /// ```
    /// use mailproof::auth_results::{AuthenticationResults, Method, ResultWord, Tolerated};
    ///
    /// let value = b"spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.com;\r\n \
    ///     dmarc=pass action=none header.from=example.com;compauth=pass reason=100";
    /// let reading = AuthenticationResults::read(value)?;
    /// assert_eq!(reading.authserv_id(), None);
    /// let dmarc = reading.of(&Method::Dmarc).next().unwrap();
    /// assert_eq!(dmarc.result, ResultWord::Pass);
    /// assert_eq!(dmarc.properties[0].value, "example.com");
    /// assert_eq!(
    ///     reading.tolerated(),
    ///     [Tolerated::NoAuthservId, Tolerated::NotAProperty("action=none".into())]
    /// );
    /// # Ok::<(), mailproof::auth_results::ParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ParseError`] for what is not even text: control characters, line breaks that are not folding,
    /// more than 64 KiB, or nothing at all.
    pub fn read(value: &[u8]) -> Result<Reading, ParseError> {
        parse::check_octets(value)?;
        let strict = match parse::payload(value) {
            Ok(field) => {
                return Ok(Reading {
                    authserv_id: Some(field.authserv_id),
                    version: field.version,
                    results: field.results,
                    ..Reading::default()
                });
            }
            Err(error) => error,
        };
        let mut reading = Reading::default();
        let mut segments = Segments::of(value).peekable();
        if segments.peek().is_none_or(|first| first.is_blank()) {
            return Err(strict);
        }
        // RFC 8617 4.1.1: ‘arc-info = instance [CFWS] ";" authres-payload’.
        if let Some(instance) = segments.peek().and_then(Segment::instance) {
            reading.instance = Some(instance);
            segments.next();
        }
        reading.read_authserv_id(&mut segments);
        for segment in segments {
            reading.unfinished |= segment.broken;
            reading.read_segment(&segment);
        }
        if reading.results.is_empty() && reading.tolerated.is_empty() && reading.instance.is_none()
        {
            reading.tolerate(Tolerated::NoResults);
        }
        Ok(reading)
    }

    /// Reads the results of trusted upstreams: at most `most` fields, counted from the top of the
    /// header, as long as each is by one of `trusted`.
    ///
    /// Every server puts its field above those that it found. So what a trusted server wrote stands on
    /// top; below the first field by anybody else, even a trusted name may be forged. `most` is how many
    /// fields the trusted servers add between them: a sender can put as many below as it likes.
    ///
    /// ```
    /// use mailproof::auth_results::AuthenticationResults;
    ///
    /// let values = [
    ///     &b"mx.example.com; spf=fail"[..],
    ///     b"mx.example.com; spf=pass smtp.mailfrom=bank.example",
    /// ];
    /// let trusted = ["mx.example.com".parse()?];
    /// let readings = AuthenticationResults::read_trusted(values, &trusted, 1);
    /// assert_eq!(readings.len(), 1);
    /// assert_eq!(readings[0].results()[0].result.as_str(), "fail");
    /// # Ok::<(), mailproof::auth_results::ParseError>(())
    /// ```
    pub fn read_trusted<'a>(
        values: impl IntoIterator<Item = &'a [u8]>,
        trusted: &[AuthservId],
        most: usize,
    ) -> Vec<Reading> {
        let is_trusted = |reading: &Reading| {
            reading.version == 1
                && reading
                    .authserv_id()
                    .is_some_and(|id| trusted.iter().any(|trusted| trusted.is_same(id)))
        };
        values
            .into_iter()
            .take(most)
            .map_while(|value| Self::read(value).ok().filter(is_trusted))
            .collect()
    }
}

/// What a field says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    authserv_id: Option<AuthservId>,
    instance: Option<u32>,
    version: u32,
    results: Vec<MethodResult>,
    tolerated: Vec<Tolerated>,
    unfinished: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            authserv_id: None,
            instance: None,
            version: 1,
            results: Vec::new(),
            tolerated: Vec::new(),
            unfinished: false,
        }
    }
}

impl Reading {
    /// Who says so; `None` where the field does not say.
    #[must_use]
    pub fn authserv_id(&self) -> Option<&AuthservId> {
        self.authserv_id.as_ref()
    }

    /// The instance of an ARC-Authentication-Results field (RFC 8617 4.1.1).
    #[must_use]
    pub fn instance(&self) -> Option<u32> {
        self.instance
    }

    /// The version of the syntax; a reader that knows 1 must not rely on results in another.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The results, in the order of the field.
    #[must_use]
    pub fn results(&self) -> &[MethodResult] {
        &self.results
    }

    /// The results of one method.
    pub fn of<'a>(&'a self, method: &'a Method) -> impl Iterator<Item = &'a MethodResult> {
        self.results
            .iter()
            .filter(move |result| result.method == *method)
    }

    /// Where the field departs from the grammar, in the order of the field.
    #[must_use]
    pub fn tolerated(&self) -> &[Tolerated] {
        &self.tolerated
    }

    /// Whether the field ends inside a quoted string or comment: what is put behind it would be more of
    /// that.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    fn tolerate(&mut self, tolerated: Tolerated) {
        if self.tolerated.len() < MAX_RESULTS {
            self.tolerated.push(tolerated);
        } else if self.tolerated.last() != Some(&Tolerated::TooMany) {
            // What is not listed may be of any kind.
            self.tolerated.push(Tolerated::TooMany);
        }
    }

    fn read_authserv_id<'a>(
        &mut self,
        segments: &mut std::iter::Peekable<impl Iterator<Item = Segment<'a>>>,
    ) {
        let Some(segment) = segments.peek() else {
            return self.tolerate(Tolerated::NoAuthservId);
        };
        let Some((word, quoted, version)) = segment.authserv_id() else {
            // Microsoft begins with the first result.
            return self.tolerate(Tolerated::NoAuthservId);
        };
        let valid = word.parse().ok();
        if !quoted && !word.bytes().all(text::is_token) {
            self.tolerate(Tolerated::AuthservId(shown(word.as_bytes())));
        }
        if valid.is_none() {
            self.tolerate(Tolerated::NoAuthservId);
        }
        self.authserv_id = valid;
        self.version = version.unwrap_or(1);
        segments.next();
    }

    fn read_segment(&mut self, segment: &Segment<'_>) {
        if segment.is_blank() {
            return self.tolerate(Tolerated::EmptyResult);
        }
        if segment.is_none() {
            return;
        }
        if self.results.len() >= MAX_RESULTS {
            return self.tolerate(Tolerated::TooMany);
        }
        if let Some((result, rest)) = segment.result() {
            self.results.push(result);
            return self.read_properties(rest);
        }
        // Microsoft puts semicolons between properties too.
        if !self.results.is_empty() && !segment.broken && parse::property(segment.trimmed()).is_ok()
        {
            self.tolerate(Tolerated::Separated(shown(segment.octets)));
            return self.read_properties(segment.trimmed());
        }
        self.tolerate(Tolerated::Dropped(shown(segment.octets)));
    }

    /// Reads what follows a result, into the last one.
    fn read_properties(&mut self, mut rest: &[u8]) {
        while let Some(item) = Item::take(&mut rest) {
            if let Some(tolerated) = item.tolerated {
                self.tolerate(tolerated);
            }
            let Some(result) = self.results.last_mut() else {
                return;
            };
            match item.content {
                Some(Content::Property(property)) => result.properties.push(property),
                Some(Content::Reason(reason)) => {
                    result.reason.get_or_insert(reason);
                }
                None => {}
            }
        }
    }
}

/// Where a field departs from the grammar.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Tolerated {
    /// An authserv-id that should stand in quotes.
    AuthservId(String),
    /// A result that could not be read, or stands in or behind a quoted string or comment that does
    /// not end. It was left out.
    Dropped(String),
    /// A semicolon without a result, at the end for instance.
    EmptyResult,
    /// Octets that are not UTF-8, replaced by U+FFFD.
    Encoding,
    /// The field does not say who wrote it.
    NoAuthservId,
    /// Neither a result nor `none`.
    NoResults,
    /// Something like a property without type, as `action=none`. It was left out.
    NotAProperty(String),
    /// A property behind a semicolon, taken to belong to the result before it.
    Separated(String),
    /// More results than are read, or more departures than are listed.
    TooMany,
    /// A value that should stand in quotes.
    Unquoted(String),
}

/// Results read from one field, and departures listed. OpenDMARC once overflowed at 16; a field with
/// this many comes from somebody who is trying that.
const MAX_RESULTS: usize = 100;
