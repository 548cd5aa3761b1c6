//! The reference page of the annotations, from what the families themselves say.

use crate::annotation::{Doc, Family, Fate, PREFIX, TABLE};
use crate::family::refused::Refused;
use crate::host::ORDER;
use crate::settings::FAMILIES;
use std::fmt::Write;

/// Every annotation: what it means, and which are not supported yet, refused or no more.
pub fn reference_markdown() -> String {
    let mut page = String::from("# Annotations of an Ingress\n\n");
    // Writing to a string does not fail.
    let _ = writeln!(page, "All begin with `{PREFIX}`. Values are strings: numbers and booleans are written in quotes.\n");
    page.push_str("## Supported\n\n");
    rows(&mut page, &FAMILIES);
    page.push_str("\nA value that is not understood is named in an event, and the annotation counts as missing.\n");
    page.push_str(
        "\n## Refused by design\n\nEach is named in an event, with what to use instead. What protects its paths closes them.\n\n",
    );
    rows(&mut page, &[Refused::KEYS]);
    let _ = writeln!(page, "\nFilters of a route run in this order: {}.", ORDER.map(|step| format!("{step:?}")).join(", "));
    section(&mut page, "Not supported yet, and guarding: the paths answer 503", |fate| matches!(fate, Fate::Guards));
    section(&mut page, "Not supported yet: named in an event, the paths are served without it", |fate| matches!(fate, Fate::Later));
    page.push_str("\n## Not annotations of ingress-nginx (any more): named in an event, nothing else happens\n\n");
    for (key, fate) in TABLE {
        if let Fate::Removed(since) = fate {
            let _ = writeln!(page, "* `{key}` ({since})");
        }
    }
    page.push_str(&crate::config::reference());
    page
}

fn rows(page: &mut String, families: &[&[Doc]]) {
    page.push_str("| annotation | value | default | meaning |\n|---|---|---|---|\n");
    for doc in families.iter().copied().flatten() {
        let default = if doc.default.is_empty() { "none" } else { doc.default };
        let _ = writeln!(page, "| `{}` | {} | {default} | {} |", doc.key, doc.value, doc.meaning);
    }
}

fn section(page: &mut String, title: &str, of: impl Fn(Fate) -> bool) {
    let _ = writeln!(page, "\n## {title}\n");
    let keys: Vec<String> = TABLE.iter().filter(|(_, fate)| of(*fate)).map(|(key, _)| format!("`{key}`")).collect();
    let _ = writeln!(page, "{}", keys.join(", "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_annotation_is_on_the_page_once() {
        let page = reference_markdown();
        for (key, _) in TABLE {
            let lines = page.lines().filter(|line| line.starts_with(&format!("| `{key}` |")) || line.starts_with(&format!("* `{key}` ")));
            let listed = page.lines().filter(|line| line.split(", ").any(|it| it == format!("`{key}`")));
            assert_eq!(lines.count() + listed.count(), 1, "{key}");
        }
    }
}
