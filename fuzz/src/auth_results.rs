//! Authentication-Results: both readers agree, and what is written reads the same.

use mailproof::auth_results::{
    AuthenticationResults, Border, Keyword, Method, MethodResult, Property, PropertyType,
    ResultWord,
};

/// Any octets as a field: no panic, and the tolerant reader agrees with the grammar.
pub fn parse(data: &[u8]) {
    let strict = AuthenticationResults::parse(data);
    let tolerant = AuthenticationResults::read(data);
    let border = Border::new("mx.example".parse().expect("a name")).with_subdomains();
    let removals = border.strip_plan([(&b"Authentication-Results"[..], data)]);
    match strict {
        Ok(field) => {
            let reading = tolerant.expect("what is valid can be read");
            assert_eq!(reading.results(), field.results);
            assert!(reading.tolerated().is_empty());
            rewritten(field);
        }
        // Nobody knows whose field that is.
        Err(_) => assert!(tolerant.is_ok() || removals.len() == 1),
    }
}

/// A field made of the data's own pieces: nothing breaks out, and everything reads the same.
pub fn round_trip(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut pieces = text.split('\u{1}').map(str::to_owned);
    let mut next = || pieces.next().unwrap_or_default();
    let Ok(authserv_id) = next().parse() else {
        return;
    };
    let mut field = AuthenticationResults::new(authserv_id);
    let keyword = |text: &str| Keyword::new(text).or_else(|| Keyword::new("x-other"));
    for _ in 0..4 {
        let (Some(method), Some(word)) = (keyword(&next()), keyword(&next())) else {
            return;
        };
        let mut result = MethodResult::new(Method::from(method), ResultWord::from(word))
            .with_comment(next())
            .with_reason(next());
        for _ in 0..2 {
            let (Some(ptype), Some(name)) = (keyword(&next()), keyword(&next())) else {
                return;
            };
            let property = Property::new(PropertyType::from(ptype), name, next());
            result = result.with_property(property);
        }
        field.results.push(result);
    }
    rewritten(field);
}

/// Writes the field and reads it again.
fn rewritten(mut field: AuthenticationResults) {
    let written = field.to_field();
    let body = written
        .strip_prefix("Authentication-Results:")
        .expect("the name");
    for (number, line) in written.split("\r\n").enumerate() {
        assert!(line.len() <= 998 || body.len() > 60_000);
        assert!(!line.chars().any(|c| c.is_control() && c != '\t'));
        assert!(number == 0 || line.starts_with('\t'));
    }
    assert!(!written.contains("=?"));
    let Ok(read) = AuthenticationResults::parse(body.as_bytes()) else {
        // Quoting may have made it longer than any field that is read.
        assert!(body.len() > 65_536, "{written}");
        return;
    };
    // Control characters are dropped, and so is what fits on no line.
    let clean = |text: &mut String| text.retain(|c| !c.is_control());
    let fits = |text: &str| text.len() < 300;
    let mut all_fit = true;
    for result in &mut field.results {
        for text in result.comment.iter_mut().chain(&mut result.reason) {
            clean(text);
            all_fit &= fits(text);
        }
        for property in &mut result.properties {
            clean(&mut property.value);
            all_fit &= fits(&property.value);
        }
    }
    if all_fit {
        assert_eq!(read, field);
    }
}
