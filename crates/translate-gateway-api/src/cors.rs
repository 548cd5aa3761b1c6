//! The CORS filter.

use crate::findings::Findings;
use model::{Anchor, Case, Cors, Engine, Pattern, Text, UnmatchedPreflight, ValueMatch};
use resources::gateway_api::CorsFilter;
use resources::{Cause, pattern};
use std::time::Duration;

/// `None`: an origin cannot be understood, and nothing else may stand in for it.
pub(crate) fn cors(filter: &CorsFilter, at: &str, findings: &mut Findings) -> Option<Cors> {
    let origins: Vec<Option<ValueMatch>> = filter.origins.iter().map(|it| origin(it)).collect();
    for (index, text) in filter.origins.iter().enumerate().filter(|(index, _)| origins[*index].is_none()) {
        let message = format!("`{text}` is no origin, so the requests get 500");
        let hint = "Write `*`, or scheme and host such as `https://app.example.com` or `https://*.example.com`";
        findings.invalid(format!("{at}.allowOrigins[{index}]"), Cause::InvalidValue, message, hint);
    }
    let names = filter.methods.iter().chain(&filter.headers).chain(&filter.expose);
    let token = |name: &Text| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if let Some(name) = names.into_iter().find(|name| !token(name)) {
        findings.invalid(at, Cause::InvalidValue, format!("`{name}` is no name of a header or method, so the requests get 500"), "");
        return None;
    }
    Some(Cors {
        origins: origins.into_iter().collect::<Option<_>>()?,
        methods: filter.methods.clone(),
        headers: filter.headers.clone(),
        expose: filter.expose.clone(),
        credentials: filter.credentials,
        max_age: Some(Duration::from_secs(filter.max_age.into())),
        preflight: 204,
        unmatched: UnmatchedPreflight::Answer,
    })
}

/// `*`, scheme and host, or a host whose first label is `*`: any labels, one or more.
fn origin(text: &str) -> Option<ValueMatch> {
    if text == "*" {
        return Some(ValueMatch::Present);
    }
    let (scheme, host) = text.split_once("://").filter(|(scheme, host)| !scheme.is_empty() && !host.is_empty())?;
    let good = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]_+".contains(&byte));
    let rest = host.strip_prefix('*').unwrap_or(host);
    if !good(scheme) || !good(rest) {
        return None;
    }
    let text: Text = match rest.len() == host.len() {
        // Browsers send scheme and host in lower case.
        true => return Some(ValueMatch::Exact(text.to_ascii_lowercase().into())),
        false => format!("{}://[^/]+{}", pattern::quoted(scheme), pattern::quoted(rest)).into(),
    };
    Some(ValueMatch::Regex(Pattern { text, case: Case::Insensitive, anchor: Anchor::Whole, engine: Engine::Linear }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        assert_eq!(origin("*"), Some(ValueMatch::Present));
        assert_eq!(origin("https://App.test:8443"), Some(ValueMatch::Exact("https://app.test:8443".into())));
        for (text, pattern) in [("https://*.app.test", r"https://[^/]+\.app\.test"), ("http://*", "http://[^/]+")] {
            assert!(matches!(origin(text), Some(ValueMatch::Regex(it)) if it.text == pattern), "{text}");
        }
        for text in ["", "app.test", "https://", "https://a.*.test", "https://a/b", "https://a\r\nx: y"] {
            assert_eq!(origin(text), None, "{text}");
        }
    }
}
