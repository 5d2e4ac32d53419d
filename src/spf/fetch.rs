//! The validated names of the client (§5.5), and explanations (§6.2).

use super::cause::Cause;
use super::evaluation::Explanation;
use super::level::Level;
use super::lookup::{Check, Site, octets, to_a_labels};
use super::macros::{MacroString, Needs, truncate};
use super::request::Request;
use super::settings::Settings;
use super::trace::Event;
use crate::dns::{Name, Resolver};

/// What the target of a term expands to.
pub(super) enum Target {
    Name(Name),
    /// The term matches nothing: RFC 8616 4.
    LocalPartNotAscii,
    /// §4.8 leaves open what a name means that the DNS cannot hold: it cannot exist, so nothing
    /// matches. Others make it a permerror.
    Unusable,
}

impl Check<'_> {
    /// Expands a target for the DNS; without a domain-spec it is the current domain (§4.8).
    pub(super) async fn target(
        &mut self,
        site: &Site<'_>,
        spec: Option<&MacroString<'_>>,
    ) -> Result<Target, Box<Cause>> {
        let Some(spec) = spec else {
            return Ok(Target::Name(site.level.domain.clone()));
        };
        let text = *spec;
        if text.is_literal() {
            return Ok(to_target(text.octets()));
        }
        let needs = text.needs();
        self.depends_on_sender |= needs.sender;
        // RFC 8616 4: ‘If the local part contains non-ASCII characters, terms that include %{s} or
        // %{l} do not match anything’.
        if needs.local_part && !self.request.local_part().is_ascii() {
            return Ok(Target::LocalPartNotAscii);
        }
        if needs.validated_name {
            // §4.6.4: the %{p} macro is counted like the "ptr" mechanism.
            self.budget
                .lookup(self.settings)
                .map_err(|limit| site.exceeds(limit))?;
        }
        match self.expand(site, text, needs).await? {
            Some(expansion) => Ok(to_target(&expansion)),
            None => Ok(Target::Unusable),
        }
    }

    /// Expands a text, `%{p}` included; `None` where it grows too long.
    pub(super) async fn expand(
        &mut self,
        site: &Site<'_>,
        text: MacroString<'_>,
        needs: Needs,
    ) -> Result<Option<Vec<u8>>, Box<Cause>> {
        let validated_name = if needs.validated_name {
            // Boxed, like all that few checks come to: a future is as large as its largest part.
            Box::pin(self.validated_name(site)).await?
        } else {
            None
        };
        let domain = octets(&site.level.domain);
        let sender_domain = to_a_labels(self.request.sender_domain());
        let validated_name = validated_name.as_ref().map(octets);
        let expansion = text
            .expand_with(&self.values(&domain, &sender_domain, validated_name.as_deref()))
            .ok();
        self.recorder.push(|| Event::Expanded {
            text: text.as_str().into(),
            expansion: expansion
                .as_deref()
                .unwrap_or_default()
                .escape_ascii()
                .to_string()
                .into(),
        });
        Ok(expansion)
    }

    /// The names that the client's address points to. §4.6.4: beyond the limit ‘all records other than
    /// the first 10 MUST be ignored’. §5.5: ‘If a DNS error occurs while doing the PTR RR lookup, then
    /// this mechanism fails to match’.
    async fn names(&mut self, site: &Site<'_>) -> Result<Option<Vec<Name>>, Box<Cause>> {
        if self.settings.skip_ptr {
            return Ok(None);
        }
        let Ok(outcome) = self.ptr(site).await? else {
            return Ok(None);
        };
        let most = self.settings.max_ptr_names;
        let names: Vec<Name> = outcome.as_slice().iter().take(most).cloned().collect();
        Ok(Some(names))
    }

    /// §5.5: a name is validated if the client's address is among its addresses. ‘If a DNS error
    /// occurs while doing an A RR lookup, then that domain name is skipped’. The names are the
    /// client's, not the domain's, so they are not counted as void either.
    async fn is_validated(&mut self, site: &Site<'_>, name: &Name) -> Result<bool, Box<Cause>> {
        let found = self.addresses(site, name, (None, None)).await?;
        Ok(found.is_ok_and(|found| found.matched.is_some()))
    }

    /// §5.5: the first validated name that is the target or lies below it.
    pub(super) async fn validated_below(
        &mut self,
        site: &Site<'_>,
        target: &Name,
    ) -> Result<Option<Name>, Box<Cause>> {
        let names = match self.names(site).await? {
            Some(names) if names.is_empty() => {
                self.void(site).await?;
                return Ok(None);
            }
            names => names.unwrap_or_default(),
        };
        // The comparison is free, the validation costs a query: so it comes second (erratum 5227).
        for name in names {
            if name.is_within(target) && self.is_validated(site, &name).await? {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// §7.3: ‘If the <domain> is present in the list of validated domains, it SHOULD be used.
    /// Otherwise, if a subdomain of the <domain> is present, it SHOULD be used. Otherwise, any name
    /// from the list can be used.’
    async fn validated_name(&mut self, site: &Site<'_>) -> Result<Option<Name>, Box<Cause>> {
        let mut names = self.names(site).await?.unwrap_or_default();
        let domain = &site.level.domain;
        names.sort_by_key(|name| (name != domain, !name.is_within(domain)));
        for name in names {
            if self.is_validated(site, &name).await? {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Fetches the explanation of a fail. §6.2: on any problem ‘proceed as if no "exp" modifier was
    /// given’; so a limit or a failure here changes no result.
    pub(super) async fn explain(&mut self, site: &Site<'_>, spec: &MacroString<'_>) {
        if self.settings.skip_explanation {
            return;
        }
        // The text of a fail may differ for each sender, but the result may not.
        let (ttl, depends_on_sender) = (self.ttl, self.depends_on_sender);
        if let Ok(text) = self.explanation_text(site, spec).await {
            self.explanation = text.map(|text| Explanation {
                domain: site.level.domain.clone(),
                text,
            });
        }
        (self.ttl, self.depends_on_sender) = (ttl, depends_on_sender);
    }

    async fn explanation_text(
        &mut self,
        site: &Site<'_>,
        spec: &MacroString<'_>,
    ) -> Result<Option<Box<str>>, Box<Cause>> {
        let text = *spec;
        let needs = text.needs();
        if needs.local_part && !self.request.local_part().is_ascii() {
            return Ok(None);
        }
        let Some(expansion) = self.expand(site, text, needs).await? else {
            return Ok(None);
        };
        let Target::Name(name) = to_target(&expansion) else {
            return Ok(None);
        };
        let outcome = self.txt(site, &name).await?;
        let [txt] = outcome.as_slice() else {
            return Ok(None);
        };
        let Ok(text) = MacroString::parse_explanation(txt.as_bytes()) else {
            return Ok(None);
        };
        let Some(expansion) = self.expand(site, text, text.needs()).await? else {
            return Ok(None);
        };
        Ok(sanitize(&expansion))
    }
}

/// §6.2: ‘the explanation string MUST be limited to [US-ASCII]’. The macros can bring in what is not, as
/// strangers choose HELO and the local part; such a text is none. Control characters become spaces.
fn sanitize(text: &[u8]) -> Option<Box<str>> {
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.is_ascii())?;
    Some(crate::text::one_line(text, Explanation::MAX_LENGTH).into())
}

fn to_target(expansion: &[u8]) -> Target {
    match Name::from_octets(truncate(expansion)) {
        Ok(name) => Target::Name(name),
        Err(_) => Target::Unusable,
    }
}

impl MacroString<'_> {
    /// Expands the macros (§7), as for a term in the record of the request's domain. Only the macro
    /// `p` asks the DNS.
    ///
    /// `None` where the domain of the request is no domain, where the expansion would exceed 8 KiB,
    /// or where the limits of `settings` do not allow the questions.
    ///
    /// ```
    /// use mailproof::dns::{block_on, Zone};
    /// use mailproof::spf::{MacroString, Request, Settings};
    ///
    /// let request = Request::mail_from(
    ///     [192, 0, 2, 3].into(), "mx.example.org", "strong-bad@email.example.com");
    /// let text = MacroString::parse_term(b"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}")?;
    /// let expansion = block_on(text.expand(&Zone::new(), &request, &Settings::default()));
    /// assert_eq!(expansion.unwrap(), b"3.2.0.192.in-addr.strong.lp._spf.example.com");
    /// # Ok::<(), mailproof::spf::SyntaxError>(())
    /// ```
    pub async fn expand(
        self,
        resolver: &dyn Resolver,
        request: &Request<'_>,
        settings: &Settings,
    ) -> Option<Vec<u8>> {
        let domain = Name::from_octets(request.domain()).ok()?;
        let site = &Site {
            parents: &[],
            level: &Level::new(domain, false),
            term: None,
        };
        Check::new(resolver, request, settings)
            .expand(site, self, self.needs())
            .await
            .ok()?
    }
}
