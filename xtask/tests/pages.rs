//! What the pages name exists: files in ARCHITECTURE.md and CONTRIBUTING.md, links on every page.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace's root")
}

fn read(page: &Path) -> String {
    std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// All words in backticks, outside fences.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|it| it.split('`').skip(1).step_by(2)).collect()
}

/// Whether it is written as a file or a folder is.
fn is_path(word: &str) -> bool {
    let plain = word.bytes().all(|it| it.is_ascii_alphanumeric() || b"/._-*".contains(&it));
    plain && !word.starts_with('/') && (word.contains('/') || [".rs", ".md", ".json", ".toml"].iter().any(|it| word.ends_with(it)))
}

/// Names that do not exist. A crate's folder may be named without `crates/`, and a file without its folder after one that had it.
fn missing(text: &str, exists: impl Fn(&Path) -> bool) -> Vec<&str> {
    let (mut folder, mut missing) = (PathBuf::new(), Vec::new());
    for word in quoted(text).into_iter().filter(|it| is_path(it)) {
        let places = [PathBuf::from(word), Path::new("crates").join(word), folder.join(word)];
        match places.iter().find(|it| exists(it)) {
            Some(found) if word.contains('/') => found.parent().unwrap_or(Path::new("")).clone_into(&mut folder),
            Some(_) => {}
            None => missing.push(word),
        }
    }
    missing
}

#[test]
fn files_that_the_pages_name_exist() {
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = read(&root().join(page));
        assert!(quoted(&text).into_iter().filter(|it| is_path(it)).count() > 5, "{page} names files");
        let missing = missing(&text, |it| root().join(it).exists());
        assert!(missing.is_empty(), "{page} names what does not exist: {}", missing.join(", "));
    }
}

#[test]
fn a_file_that_does_not_exist_is_found() {
    let text = "`crates/a/src/one.rs` and `two.rs`, `a/src/`, `gone.rs`; `kubectl apply`, `/livez`\n```\n`fenced.rs`\n```\n`b/three.rs`";
    let there = ["crates/a/src/one.rs", "crates/a/src/two.rs", "crates/a/src/"];
    assert_eq!(missing(text, |it| there.iter().any(|there| it == Path::new(there))), ["gone.rs", "b/three.rs"]);
}

/// Every page a reader may meet.
fn pages() -> Vec<PathBuf> {
    let folders = ["", "docs/decisions", "docs/guide", "docs/guide/zh", "docs/reference", "bench", "conformance"];
    let entries = folders.iter().flat_map(|it| std::fs::read_dir(root().join(it)).into_iter().flatten());
    entries.filter_map(|it| it.ok().map(|it| it.path())).filter(|it| it.extension().is_some_and(|it| it == "md")).collect()
}

#[test]
fn links_lead_somewhere() {
    let pages = pages();
    assert!(pages.len() > 15, "{pages:?}");
    for page in pages {
        let text = read(&page);
        let prose: String = text.split("```").step_by(2).collect();
        for target in prose.split("](").skip(1).filter_map(|it| it.split([')', '#']).next()) {
            let elsewhere = target.is_empty() || target.contains("://");
            let to = page.parent().expect("a page lies in a folder").join(target);
            assert!(elsewhere || to.exists(), "{} links to {target}, which does not exist", page.display());
        }
    }
}

#[test]
fn metrics_that_the_guides_name_exist() {
    let reference = read(&root().join("docs/reference/metrics.md"));
    let guides = ["docs/guide/operate.md", "docs/guide/zh/operate.md"].map(|it| read(&root().join(it)));
    let named: Vec<&str> = guides.iter().flat_map(|it| quoted(it)).filter_map(|it| it.split('{').next()).collect();
    let named: Vec<&str> = named.into_iter().filter(|it| it.strip_prefix("paifang_").is_some_and(|it| !it.is_empty())).collect();
    assert!(named.len() >= 12, "{named:?}");
    for metric in named {
        assert!(reference.contains(&format!("`{metric}`")), "`{metric}` is not in docs/reference/metrics.md");
    }
}
