//! A second version that gets part of a path's requests.

use crate::annotation::{Doc, Family, OnError, Reader, field};
use crate::pattern;
use model::{Anchor, Case, Pattern, Text, ValueMatch};
use resources::{Cause, Problem};

/// Which requests go to the Ingress's services instead of those of the primary with the same host, path and path type.
///
/// Header before cookie before weight.
#[derive(Clone, Debug)]
pub(crate) struct Canary {
    pub(crate) header: Option<ByHeader>,
    pub(crate) cookie: Option<Text>,
    pub(crate) weight: u32,
    pub(crate) total: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct ByHeader {
    /// Lower case.
    pub(crate) name: Text,
    pub(crate) rule: HeaderRule,
}

#[derive(Clone, Debug)]
pub(crate) enum HeaderRule {
    /// `always` and `never`.
    Words,
    /// These go to the canary; others fall through.
    Matches(ValueMatch),
    /// Its pattern is unusable: with the header, the primary, as ingress-nginx does.
    Primary,
}

const RULES: [&str; 6] =
    ["canary-by-header", "canary-by-header-value", "canary-by-header-pattern", "canary-by-cookie", "canary-weight", "canary-weight-total"];

impl Family for Canary {
    const KEYS: &'static [Doc] = &[
        Doc {
            key: "canary",
            value: "boolean",
            default: "false",
            meaning: "The Ingress adds no paths of its own: its services become the second version of the paths that another Ingress has with \
                      the same host, path and path type. One canary for each path; the older wins. While the primary has no ready endpoint, \
                      all get 503; while the canary has none, the primary serves all.",
        },
        Doc {
            key: "canary-by-header",
            value: "header name",
            default: "",
            meaning: "Requests with this header go to the canary on `always`, to the primary on `never`; others go on to the next rule.",
        },
        Doc {
            key: "canary-by-header-value",
            value: "text",
            default: "",
            meaning: "With it, exactly this value of the header means the canary, and `always` and `never` mean nothing.",
        },
        Doc {
            key: "canary-by-header-pattern",
            value: "regular expression",
            default: "",
            meaning: "The same with a pattern that is found anywhere in the value, case as written. Not looked at beside `canary-by-header-value`.",
        },
        Doc {
            key: "canary-by-cookie",
            value: "cookie name",
            default: "",
            meaning: "A cookie with `always` means the canary, with `never` the primary; others go on to the weight.",
        },
        Doc {
            key: "canary-weight",
            value: "number",
            default: "0",
            meaning: "This many of `canary-weight-total` requests go to the canary, by chance.",
        },
        Doc { key: "canary-weight-total", value: "number", default: "100", meaning: "Values below 100 count as 100." },
    ];
    const ON_ERROR: OnError = OnError::Default;

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let enabled = from.flag("canary").unwrap_or(false);
        let set: Vec<&str> = RULES.into_iter().filter(|key| from.text(key).is_some()).collect();
        if !enabled {
            if let Some(key) = set.first() {
                let message = "without `canary: \"true\"` this does nothing, and the Ingress is served like any other";
                from.problem(Problem::warning(field(key), Cause::CanaryNotEnabled, message).hint("Add the annotation `canary: \"true\"`"));
            }
            return None;
        }
        let total = from.number("canary-weight-total").unwrap_or(100).max(100);
        let weight = from.number("canary-weight").unwrap_or(0).min(total);
        Some(Self { header: by_header(from), cookie: cookie(from), weight, total })
    }
}

fn by_header(from: &mut Reader<'_>) -> Option<ByHeader> {
    let name = from.text("canary-by-header");
    let (value, pattern) = (from.text("canary-by-header-value"), from.text("canary-by-header-pattern"));
    let Some(name) = name else {
        let without = if value.is_some() { "canary-by-header-value" } else { "canary-by-header-pattern" };
        if value.or(pattern).is_some() {
            let message = "without `canary-by-header` this does nothing";
            from.problem(
                Problem::warning(field(without), Cause::AnnotationIgnored, message).hint("Add `canary-by-header` with the header's name"),
            );
        }
        return None;
    };
    if !is_token(name) {
        from.reject("canary-by-header", "is no header name", "Write a name such as `x-canary`");
        return None;
    }
    let rule = match (value, pattern) {
        (Some(value), _) => HeaderRule::Matches(ValueMatch::Exact(value.into())),
        (None, Some(text)) => by_pattern(from, text),
        (None, None) => HeaderRule::Words,
    };
    Some(ByHeader { name: name.to_ascii_lowercase().into(), rule })
}

fn by_pattern(from: &mut Reader<'_>, text: &str) -> HeaderRule {
    const KEY: &str = "canary-by-header-pattern";
    match pattern::judge(text) {
        Ok(judged) => {
            from.backtracking(KEY, judged.engine);
            let (text, engine) = (text.into(), judged.engine);
            HeaderRule::Matches(ValueMatch::Regex(Pattern { text, case: Case::Sensitive, anchor: Anchor::None, engine }))
        }
        Err(why) => {
            let message = format!("this regular expression is not usable ({why}), so requests with the header go to the primary");
            from.problem(
                Problem::error(field(KEY), Cause::InvalidRegex, message).hint("For one exact value, use `canary-by-header-value`"),
            );
            HeaderRule::Primary
        }
    }
}

fn cookie(from: &mut Reader<'_>) -> Option<Text> {
    let name = from.text("canary-by-cookie")?;
    if !is_token(name) {
        from.reject("canary-by-cookie", "is no cookie name", "Write a name such as `tester`");
        return None;
    }
    Some(name.into())
}

/// RFC 9110, 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
