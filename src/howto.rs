//! How to use the crate where mail is handled: one page for each place. The code on them is compiled
//! and run with the tests.

#[doc = include_str!("howto/forwarder.md")]
pub mod forwarder {}

#[doc = include_str!("howto/from_mail_auth.md")]
pub mod from_mail_auth {}

#[doc = include_str!("howto/from_opendkim.md")]
pub mod from_opendkim {}

#[doc = include_str!("howto/limits.md")]
pub mod limits {}

#[doc = include_str!("howto/milter.md")]
pub mod milter {}

#[doc = include_str!("howto/smtp_server.md")]
pub mod smtp_server {}

#[doc = include_str!("howto/test_suite.md")]
pub mod test_suite {}
