//! The path the backend sees.

use crate::annotation::{Doc, Family, OnError, Reader};
use model::{TemplatePart, Text};

/// Replaces the whole path; `$1` to `$9` are the groups of the route's path.
///
/// **Invariant:** it is parts, not text: nothing in it can become anything but a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RewriteTarget {
    /// As written; equal to a path, it does nothing there.
    pub(crate) text: Text,
    pub(crate) template: Vec<TemplatePart>,
}

const KEY: &str = "rewrite-target";

impl Family for RewriteTarget {
    const KEYS: &'static [Doc] = &[Doc {
        key: KEY,
        value: "path with `$1` to `$9`",
        default: "",
        meaning: "The whole path becomes this; `$1` is what the first group of the Ingress's path matched. The query stays. Unless it equals \
                  the path, all paths of the host become regular expressions, as with `use-regex`.",
    }];
    const ON_ERROR: OnError = OnError::Default;

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let text = from.text(KEY)?;
        match template(text) {
            Ok(template) => Some(Self { text: text.into(), template }),
            Err((what, hint)) => {
                from.reject(KEY, what, hint);
                None
            }
        }
    }
}

// === impl RewriteTarget ===

impl RewriteTarget {
    /// The highest group it names; 0: none.
    pub(crate) fn groups(&self) -> u8 {
        let groups = self.template.iter().map(|part| match part {
            TemplatePart::Capture(group) => *group,
            TemplatePart::Literal(_) => 0,
        });
        groups.max().unwrap_or(0)
    }
}

/// Splits the text at its groups. The characters are those of ingress-nginx.
fn template(text: &str) -> Result<Vec<TemplatePart>, (&'static str, &'static str)> {
    if !text.starts_with(['/', '$']) {
        return Err(("does not begin with `/`", "Begin it with `/`"));
    }
    let (mut parts, mut literal) = (Vec::new(), String::new());
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        match char {
            '$' => match rest.next().and_then(|digit| digit.to_digit(10)).and_then(|digit| u8::try_from(digit).ok()) {
                Some(group @ 1..=9) => {
                    if !literal.is_empty() {
                        parts.push(TemplatePart::Literal(std::mem::take(&mut literal).into()));
                    }
                    parts.push(TemplatePart::Capture(group));
                }
                _ => return Err(("has a `$` that is no group", "Groups are `$1` to `$9`")),
            },
            '-' | '.' | '_' | '~' | ':' | '/' | 'A'..='Z' | 'a'..='z' | '0'..='9' => literal.push(char),
            _ => return Err(("has a character that is not allowed", "Letters, digits, `-._~:/` and groups `$1` to `$9` are")),
        }
    }
    if !literal.is_empty() {
        parts.push(TemplatePart::Literal(literal.into()));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_parts() {
        let literal = |text: &str| TemplatePart::Literal(text.into());
        for (text, expect) in [
            ("/", Ok(vec![literal("/")])),
            ("/$2", Ok(vec![literal("/"), TemplatePart::Capture(2)])),
            ("$1/x$23", Ok(vec![TemplatePart::Capture(1), literal("/x"), TemplatePart::Capture(2), literal("3")])),
            ("x", Err("does not begin with `/`")),
            ("/$0", Err("has a `$` that is no group")),
            ("/$", Err("has a `$` that is no group")),
            ("/$host", Err("has a `$` that is no group")),
            ("/a?b", Err("has a character that is not allowed")),
            ("/a;return 200", Err("has a character that is not allowed")),
            ("/a\nb", Err("has a character that is not allowed")),
        ] {
            assert_eq!(template(text).map_err(|(what, _)| what), expect, "{text:?}");
        }
    }
}
