//! Paths as regular expressions, for the whole host.

use crate::annotation::{Doc, Family, OnError, Reader};

/// Makes every path of the host, also those of other Ingresses, a regular expression: found at the beginning of the path, letters in any
/// case, the longest path text first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UseRegex;

impl Family for UseRegex {
    const KEYS: &'static [Doc] = &[Doc {
        key: "use-regex",
        value: "boolean",
        default: "false",
        meaning: "Every path of the host (also those of other Ingresses, also `Exact` ones) is a regular expression that is found at the \
                  beginning of the path, letters in any case; the longest text is tried first. `rewrite-target` does the same.",
    }];
    const ON_ERROR: OnError = OnError::Default;

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.flag("use-regex")?.then_some(Self)
    }
}
