//! The reference page, from what translation goes by.

use crate::conditions::CONDITIONS;
use crate::features::FEATURES;
use crate::filter::ORDER;
use std::fmt::Write;

/// What is followed, in which order, and what is said about it.
pub fn reference_markdown() -> String {
    let mut page = String::from("# Gateway API\n\n");
    page.push_str(
        "Gateway, HTTPRoute, TLSRoute, TCPRoute and ReferenceGrant of v1.6. A first Gateway is in [the guide](../guide/gateway-api.md).\n",
    );
    page.push_str("\n## Which route answers\n\n");
    page.push_str(
        "A host belongs to the most specific listener of its port that covers it; no other listener is asked, also where no route of it \
         matches. Within a listener the most specific host that a route is written for comes first. Then:\n\n",
    );
    for line in [
        "the path: exact, then regular expressions, then prefixes; each the longer first",
        "a method",
        "more headers",
        "more query parameters",
        "the older route, then namespace and name, then the place in the route",
    ] {
        let _ = writeln!(page, "1. {line}");
    }
    page.push_str("\nRegular expressions mean the whole path or value; a prefix means whole segments.\n\n## Filters\n\n");
    let _ = writeln!(page, "However they are written, they run in this order: {}.", ORDER.map(|step| format!("{step:?}")).join(", "));
    page.push_str("A rule with a filter that cannot be had answers 500.\n");
    page.push_str("\n## Conditions\n\n");
    page.push_str("| of a | condition | reason | when |\n|---|---|---|---|\n");
    for (of, condition, when) in CONDITIONS {
        let (condition, reason) = condition.split_once(' ').unwrap_or((condition, ""));
        let _ = writeln!(page, "| {of} | `{condition}` | `{reason}` | {when} |");
    }
    page.push_str("\n## Features\n\nIn the words of the conformance suite; a class's `supportedFeatures` has them too.\n\n");
    for feature in FEATURES {
        let _ = writeln!(page, "* {feature}");
    }
    page
}
