//! The checks of a session, in their order.

use super::SessionEvaluation;
use crate::address::ReversePath;
use crate::dns::Resolver;
use crate::session::Session;
use crate::spf::cause::Cause;
use crate::spf::evaluation::Evaluation;
use crate::spf::request::Request;
use crate::spf::settings::Settings;
use crate::spf::{Identity, check_host};

/// Checks HELO and MAIL FROM of a session (§2.3, §2.4), HELO first.
///
/// For the null reverse-path the sender is `postmaster` at the HELO name, and one check serves as
/// both. HELO never stands in for any other MAIL FROM: not for one that is malformed, nor for one
/// whose domain has no record.
///
/// The future may be dropped at any point. It has no time limit of its own; §4.6.4 asks for at least
/// 20 seconds.
///
/// ```
/// use mailproof::dns::{block_on, Zone};
/// use mailproof::spf::{check_session, Settings, SpfResult};
/// use mailproof::Session;
///
/// let mut zone = Zone::new();
/// zone.add_txt("example.com", "v=spf1 ip4:192.0.2.0/24 -all")?;
///
/// let session = Session::new([192, 0, 2, 1].into(), "mx.example.com", "user@example.com");
/// let evaluation = block_on(check_session(&zone, &session, &Settings::default()));
/// assert_eq!(evaluation.authoritative().result(), SpfResult::Pass);
/// assert_eq!(
///     evaluation.authoritative().cause().to_string(),
///     "`ip4:192.0.2.0/24` in the record of example.com covers 192.0.2.1"
/// );
/// assert_eq!(evaluation.helo().unwrap().result(), SpfResult::None);
/// # Ok::<(), mailproof::dns::NameError>(())
/// ```
pub async fn check_session(
    resolver: &dyn Resolver,
    session: &Session,
    settings: &Settings,
) -> SessionEvaluation {
    let authoritative = match session.reverse_path() {
        None => unknown(Identity::MailFrom, MAIL_FROM),
        Some(Err(error)) => {
            let text = session.mail_from().unwrap_or_default();
            let text = text.escape_ascii().to_string().into();
            let cause = Cause::MalformedReversePath { text, error };
            Evaluation::unasked(Identity::MailFrom, cause)
        }
        Some(Ok(ReversePath::Null)) => {
            let authoritative = check_helo(resolver, session, settings).await;
            return SessionEvaluation {
                helo: None,
                authoritative,
            };
        }
        Some(Ok(ReversePath::Mailbox(address))) => {
            let helo = beside_mail_from(resolver, session, settings).await;
            let authoritative = match session.client_ip() {
                None => unknown(Identity::MailFrom, CLIENT),
                Some(client_ip) => {
                    let request = Request::of_address(client_ip, session.helo(), &address);
                    check_host(resolver, &request, settings).await
                }
            };
            return SessionEvaluation {
                helo,
                authoritative,
            };
        }
    };
    SessionEvaluation {
        helo: beside_mail_from(resolver, session, settings).await,
        authoritative,
    }
}

async fn beside_mail_from(
    resolver: &dyn Resolver,
    session: &Session,
    settings: &Settings,
) -> Option<Evaluation> {
    if settings.skip_helo {
        return None;
    }
    Some(check_helo(resolver, session, settings).await)
}

async fn check_helo(resolver: &dyn Resolver, session: &Session, settings: &Settings) -> Evaluation {
    let Some(client_ip) = session.client_ip() else {
        return unknown(Identity::Helo, CLIENT);
    };
    let Some(helo) = session.helo() else {
        return unknown(Identity::Helo, HELO);
    };
    check_host(resolver, &Request::helo(client_ip, helo), settings).await
}

fn unknown(identity: Identity, what: &'static str) -> Evaluation {
    Evaluation::unasked(identity, Cause::Unknown(what))
}

const CLIENT: &str = "the client's address";
const HELO: &str = "the argument of HELO";
const MAIL_FROM: &str = "the argument of MAIL FROM";
