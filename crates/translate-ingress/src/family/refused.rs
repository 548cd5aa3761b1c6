//! What is refused by design: configuration text of nginx, and its firewall.

use crate::annotation::{Doc, Family, OnError, Reader, field};
use resources::{Cause, Problem};

/// Snippets and ModSecurity are never followed. What of them protects closes the paths, so that protection cannot vanish.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused;

const SNIPPETS: [&str; 5] = ["configuration-snippet", "server-snippet", "stream-snippet", "auth-snippet", "modsecurity-snippet"];
const MODSECURITY: [&str; 3] = ["enable-modsecurity", "enable-owasp-core-rules", "modsecurity-transaction-id"];

/// Directives that keep requests away.
const GUARDS: [&str; 13] = [
    "deny",
    "allow",
    "satisfy",
    "internal",
    "limit_except",
    "valid_referers",
    "ssl_verify_client",
    "ssl_client_certificate",
    "secure_link",
    "secure_link_md5",
    "modsecurity",
    "access_by_lua_block",
    "access_by_lua",
];

/// Directives that annotations say too.
const REPLACEMENTS: [(&str, &str); 12] = [
    ("more_set_headers", "custom-headers"),
    ("add_header", "custom-headers"),
    ("proxy_set_header", "upstream-vhost"),
    ("return", "permanent-redirect"),
    ("rewrite", "rewrite-target"),
    ("deny", "denylist-source-range"),
    ("allow", "allowlist-source-range"),
    ("auth_request", "auth-url"),
    ("auth_basic", "auth-type"),
    ("client_max_body_size", "proxy-body-size"),
    ("proxy_read_timeout", "proxy-read-timeout"),
    ("grpc_read_timeout", "proxy-read-timeout"),
];

impl Family for Refused {
    const KEYS: &'static [Doc] = &[
        Doc { key: "configuration-snippet", value: "nginx directives", default: "", meaning: SNIPPET },
        Doc { key: "server-snippet", value: "nginx directives", default: "", meaning: SNIPPET },
        Doc { key: "stream-snippet", value: "nginx directives", default: "", meaning: SNIPPET },
        Doc { key: "auth-snippet", value: "nginx directives", default: "", meaning: "Refused; the paths answer 503." },
        Doc { key: "modsecurity-snippet", value: "ModSecurity rules", default: "", meaning: "Refused; the paths answer 503." },
        Doc { key: "enable-modsecurity", value: "boolean", default: "false", meaning: "Refused; with `true` the paths answer 503." },
        Doc { key: "enable-owasp-core-rules", value: "boolean", default: "false", meaning: "Refused; with `true` the paths answer 503." },
        Doc { key: "modsecurity-transaction-id", value: "text", default: "", meaning: "Refused." },
    ];
    /// A firewall's switch that cannot be read may mean on.
    const ON_ERROR: OnError = OnError::Deny;

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let mut found = None;
        for key in SNIPPETS {
            if let Some(text) = from.text(key) {
                let closes = matches!(key, "auth-snippet" | "modsecurity-snippet") || guards(text);
                refuse(from, key, closes, replacement(text));
                found = Some(Self);
            }
        }
        for key in MODSECURITY {
            let on = if key == "modsecurity-transaction-id" { from.text(key).map(|_| false) } else { from.flag(key) };
            if let Some(closes) = on {
                refuse(from, key, closes, "Put a web application firewall in front of the gateway or beside the backend".into());
                found = Some(Self);
            }
        }
        found
    }
}

const SNIPPET: &str = "Refused: the gateway runs no nginx configuration. A snippet that keeps requests away (`deny`, `allow`, `auth_…`, \
                       `return 403`, …) closes its paths: they answer 503.";

fn refuse(from: &mut Reader<'_>, key: &'static str, closes: bool, hint: String) {
    let problem = if closes {
        let message = format!("`{key}` is refused: the gateway runs no nginx configuration. It protects its paths, so they answer 503");
        Problem::error(field(key), Cause::AnnotationRefused, message)
    } else {
        let message = format!("`{key}` is refused: the gateway runs no nginx configuration. The paths are served without it");
        Problem::warning(field(key), Cause::AnnotationRefused, message)
    };
    from.problem(problem.hint(hint));
    if closes {
        from.close();
    }
}

/// The directives of a snippet: the words of each, without comments.
fn directives(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let directives = lines.flat_map(|line| line.split([';', '{', '}']));
    directives.map(|it| it.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty())
}

/// Whether a snippet keeps requests away. In doubt it does.
fn guards(text: &str) -> bool {
    directives(text).any(|words| {
        let first = words[0].to_ascii_lowercase();
        let refuses = first == "return" && words.get(1).is_some_and(|status| status.starts_with('4') || status.starts_with('5'));
        refuses || first.starts_with("auth_") || GUARDS.contains(&first.as_str())
    })
}

fn replacement(text: &str) -> String {
    let named = directives(text).find_map(|words| REPLACEMENTS.iter().find(|(directive, _)| *directive == words[0]));
    match named {
        Some((directive, key)) => format!("For `{directive}`, see the annotation `{key}`"),
        None => "See the annotations that say what it does".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_requests_away() {
        for (text, expect) in [
            ("more_set_headers \"X: y\";", false),
            ("proxy_set_header X y;\nadd_header Z w;", false),
            ("deny 10.0.0.0/8;", true),
            ("  allow 10.0.0.0/8; deny all;", true),
            ("# deny all;", false),
            ("if ($http_x = y) { return 403; }", true),
            ("return 301 https://x;", false),
            ("auth_request /auth;", true),
            ("location /x { internal; }", true),
            ("DENY all;", true),
        ] {
            assert_eq!(guards(text), expect, "{text}");
        }
    }
}
