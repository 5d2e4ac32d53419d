//! The list of codes and its page.

use super::*;
use std::collections::BTreeSet;

#[test]
fn codes_are_unique_and_kebab_case() {
    let mut seen = BTreeSet::new();
    for code in Code::all() {
        let text = code.as_str();
        assert!(seen.insert(text), "{text} stands twice");
        assert!(
            text.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{text}"
        );
        assert!(
            !code.rfc().is_empty() && code.template().ends_with(['.', '}']),
            "{text}"
        );
        assert!(
            code.remedy_templates().next().is_some(),
            "{text} has no remedy"
        );
    }
}

/// The page of the documentation is made from the list; after a change of the list, this writes it
/// anew where `MAILPROOF_WRITE_CODES` is set.
#[test]
fn page_lists_the_codes() {
    let page = page();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/diagnosis/codes.md");
    if std::env::var_os("MAILPROOF_WRITE_CODES").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(
        include_str!("codes.md") == page || std::env::var_os("MAILPROOF_WRITE_CODES").is_some(),
        "codes.md and the list differ: run this test with MAILPROOF_WRITE_CODES=1"
    );
}

fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    for code in Code::all() {
        let evidence: BTreeSet<&str> = names(code.template())
            .chain(code.remedy_templates().flat_map(|(_, how)| names(how)))
            .collect();
        let evidence: Vec<String> = evidence.iter().map(|name| format!("`{name}`")).collect();
        let remedies: Vec<String> = code
            .remedy_templates()
            .map(|(who, how)| format!("{who}: {}", prose(how)))
            .collect();
        page.push_str(&format!(
            "| `{code}` | {} | {} | {} | {} |\n",
            prose(code.template()),
            evidence.join(", "),
            remedies.join("<br>"),
            code.rfc()
        ));
    }
    page
}

fn prose(template: &str) -> String {
    template.replace(['{', '}'], "*").replace('|', "\\|")
}

fn names(template: &str) -> impl Iterator<Item = &str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
}

const INTRODUCTION: &str = "\
Why a verdict is what it is, who can change that, and how.

[`Verdict::diagnosis`](crate::verdict::Verdict::diagnosis) explains a verdict from the facts it keeps;
`Verdict::forensics` adds what only the message itself can tell. Nothing is asked of the DNS for it, and
nothing is computed unless it is called for. Each [`Finding`] has a code that does not change, a
sentence for a postmaster, the [`Evidence`] behind it, and what each party can do. The most
decisive findings come first.

# Codes

Words in *italics* are evidence of that name.

| code | cause | evidence | remedy | RFC |
|---|---|---|---|---|
";
