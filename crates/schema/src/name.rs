//! The syntax of names, labels, keys and ports: each function returns what is wrong with the text, in Kubernetes' words.

use std::sync::LazyLock;

use regex::Regex;

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new(&format!("^(?:{})$", $text)).expect("a constant pattern"));
    };
}

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const LABEL_1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const WILDCARD: &str = r"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const QUALIFIED: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE: &str = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const CONFIG_KEY: &str = "[-._a-zA-Z0-9]+";
const HTTP_PATH: &str = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+";

pattern!(LABEL_IS, LABEL);
pattern!(SUBDOMAIN_IS, SUBDOMAIN);
pattern!(LABEL_1035_IS, LABEL_1035);
pattern!(WILDCARD_IS, WILDCARD);
pattern!(QUALIFIED_IS, QUALIFIED);
pattern!(LABEL_VALUE_IS, LABEL_VALUE);
pattern!(CONFIG_KEY_IS, CONFIG_KEY);
pattern!(HTTP_PATH_IS, HTTP_PATH);

pub(crate) fn dns_label(text: &str) -> Vec<String> {
    let mut wrong = too_long(text, 63);
    if !LABEL_IS.is_match(text) {
        wrong.push(if SUBDOMAIN_IS.is_match(text) {
            "must not contain dots".to_owned()
        } else {
            let rule = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an \
                        alphanumeric character";
            by_pattern(rule, LABEL, &["my-name", "123-abc"])
        });
    }
    wrong
}

pub(crate) fn dns_subdomain(text: &str) -> Vec<String> {
    let mut wrong = too_long(text, 253);
    if !SUBDOMAIN_IS.is_match(text) {
        let rule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end \
                    with an alphanumeric character";
        wrong.push(by_pattern(rule, SUBDOMAIN, &["example.com"]));
    }
    wrong
}

pub(crate) fn dns_1035_label(text: &str) -> Vec<String> {
    let mut wrong = too_long(text, 63);
    if !LABEL_1035_IS.is_match(text) {
        let rule = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end \
                    with an alphanumeric character";
        wrong.push(by_pattern(rule, LABEL_1035, &["my-name", "abc-123"]));
    }
    wrong
}

/// `*.` and a subdomain.
pub(crate) fn wildcard(text: &str) -> Vec<String> {
    let mut wrong = too_long(text, 253);
    if !WILDCARD_IS.is_match(text) {
        let rule = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case \
                    alphanumeric characters, '-' or '.' and end with an alphanumeric character";
        wrong.push(by_pattern(rule, WILDCARD, &["*.example.com"]));
    }
    wrong
}

/// A label key: `name` or `prefix/name`. Annotation keys and finalizers too.
pub fn qualified(text: &str) -> Vec<String> {
    let rule = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    let shape = || by_pattern(rule, QUALIFIED, &["MyName", "my.name", "123-abc"]);
    let parts: Vec<&str> = text.split('/').collect();
    let mut wrong = Vec::new();
    let name = match parts[..] {
        [name] => name,
        ["", name] => {
            wrong.push("prefix part must be non-empty".to_owned());
            name
        }
        [prefix, name] => {
            wrong.extend(dns_subdomain(prefix).into_iter().map(|one| format!("prefix part {one}")));
            name
        }
        _ => {
            return vec![format!(
                "a valid label key {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                shape()
            )];
        }
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else {
        wrong.extend(too_many(name, 63, "bytes").into_iter().map(|one| format!("name part {one}")));
    }
    if !QUALIFIED_IS.is_match(name) {
        wrong.push(format!("name part {}", shape()));
    }
    wrong
}

/// A label value.
pub fn label_value(text: &str) -> Vec<String> {
    let mut wrong = too_many(text, 63, "bytes");
    if !LABEL_VALUE_IS.is_match(text) {
        let rule = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with \
                    an alphanumeric character";
        wrong.push(by_pattern(rule, LABEL_VALUE, &["MyValue", "my_value", "12345"]));
    }
    wrong
}

/// A name that may stand between two slashes of a URL; all that RBAC asks.
pub(crate) fn path_segment(text: &str) -> Vec<String> {
    match text {
        "." | ".." => vec![format!("may not be '{text}'")],
        _ => ["/", "%"].iter().filter(|one| text.contains(**one)).map(|one| format!("may not contain '{one}'")).collect(),
    }
}

/// A key of a ConfigMap or Secret.
pub(crate) fn config_key(text: &str) -> Vec<String> {
    let mut wrong = too_long(text, 253);
    if !CONFIG_KEY_IS.is_match(text) {
        let rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        wrong.push(by_pattern(rule, CONFIG_KEY, &["key.name", "KEY_NAME", "key-name"]));
    }
    if text == "." || text == ".." {
        wrong.push(format!("must not be '{text}'"));
    } else if text.starts_with("..") {
        wrong.push("must not start with '..'".to_owned());
    }
    wrong
}

/// An IANA service name: what a port may be called.
pub(crate) fn port_name(text: &str) -> Vec<String> {
    let mut wrong = too_long(text, 15);
    let mut unless = |fine: bool, why: &str| {
        if !fine {
            wrong.push(why.to_owned());
        }
    };
    let allowed = |byte: u8| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
    unless(!text.is_empty() && text.bytes().all(allowed), "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    unless(text.bytes().any(|byte| byte.is_ascii_lowercase()), "must contain at least one letter (a-z)");
    unless(!text.contains("--"), "must not contain consecutive hyphens");
    unless(!text.starts_with('-') && !text.ends_with('-'), "must not begin or end with a hyphen");
    wrong
}

pub(crate) fn port_number(port: i64) -> Vec<String> {
    in_range(port, 1, 65535)
}

pub(crate) fn in_range(value: i64, least: i64, most: i64) -> Vec<String> {
    if (least..=most).contains(&value) { Vec::new() } else { vec![format!("must be between {least} and {most}, inclusive")] }
}

/// The part of a controller's name behind the domain.
pub(crate) fn http_path(text: &str) -> Vec<String> {
    if HTTP_PATH_IS.is_match(text) { Vec::new() } else { vec![by_pattern("Invalid path", HTTP_PATH, &[])] }
}

/// Kubernetes counts bytes everywhere, and calls them characters except in labels.
fn too_long(text: &str, most: usize) -> Vec<String> {
    too_many(text, most, "characters")
}

fn too_many(text: &str, most: usize, unit: &str) -> Vec<String> {
    if text.len() > most { vec![format!("must be no more than {most} {unit}")] } else { Vec::new() }
}

fn by_pattern(rule: &str, pattern: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{rule} (regex used for validation is '{pattern}')");
    }
    // Kubernetes joins them with `,  or`, two spaces and all; people search for that line.
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{pattern}')", examples.join(" or "))
}
