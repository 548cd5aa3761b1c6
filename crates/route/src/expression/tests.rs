use super::*;
use proptest::prelude::*;
use regex_automata::{Anchored, Input, meta};

fn pattern(text: &str, case: Case, anchor: Anchor, engine: Engine) -> Pattern {
    Pattern { text: text.into(), case, anchor, engine }
}

/// What `$1` and `$2` are, where it matches.
fn two(text: &str, anchor: Anchor, path: &str) -> Option<(String, String)> {
    let expression = Expression::compile(&pattern(text, Case::Insensitive, anchor, Engine::Linear)).expect(text);
    let mut groups = Groups::default();
    let found = expression.captures(path.as_bytes(), &mut groups);
    assert_eq!(expression.is_match(path.as_bytes()), found);
    (found == Found::Yes).then(|| (groups.get(1, path).to_owned(), groups.get(2, path).to_owned()))
}

#[test]
fn ingress_paths_match_and_capture() {
    let check = |text, anchor, path, expect: Option<(&str, &str)>| {
        assert_eq!(two(text, anchor, path), expect.map(|(a, b)| (a.to_owned(), b.to_owned())), "{text} on {path}");
    };
    check("/shop(/|$)(.*)", Anchor::Start, "/shop/cart/1", Some(("/", "cart/1")));
    check("/shop(/|$)(.*)", Anchor::Start, "/shop", Some(("", "")));
    check("/shop(/|$)(.*)", Anchor::Start, "/SHOP/", Some(("/", "")));
    check("/shop(/|$)(.*)", Anchor::Start, "/shopping", None);
    check("/shop(/|$)(.*)", Anchor::Start, "/x/shop/", None);
    check("/shop(/|$)(.*)", Anchor::None, "/x/shop/y", Some(("/", "y")));
    check("/shop", Anchor::Start, "/shopping", Some(("", "")));
    check("/shop", Anchor::Whole, "/shopping", None);
    check("^/a/([^/]+)/b(.*)$", Anchor::None, "/a/x/bc", Some(("x", "c")));
    check("/v1.0/(.*)", Anchor::Start, "/v1x0/y", Some(("y", "")));
    check(r"/v1\.0/(.*)", Anchor::Start, "/v1x0/y", None);
    check("/a(/.*)?$", Anchor::Start, "/a", Some(("", "")));
    check("/a(/.*)?$", Anchor::Start, "/a/b", Some(("/b", "")));
    check("/a(/.*)?$", Anchor::Start, "/ab", None);
    check("/(a|b)/(.*)", Anchor::Start, "/b/c", Some(("b", "c")));
    check("/([0-9]+)/(x?)", Anchor::Start, "/12/", Some(("12", "")));
}

#[test]
fn common_forms_need_no_engine() {
    let forms = ["/shop(/|$)(.*)", "/shop/(.*)", "/shop(.*)", "/shop/?(.*)", "/shop", "^/shop$", "/shop(/.*)?", "/a/([^/]+)/b(/|$)(.*)"];
    for text in forms.into_iter().chain([r"/v1\.0/(.*)", "/()(.*)", "/", "(/shop)(/|$)(.*)"]) {
        for anchor in [Anchor::Start, Anchor::None] {
            let expression = Expression::compile(&pattern(text, Case::Insensitive, anchor, Engine::Linear)).expect(text);
            assert!(expression.needs_no_engine() || text.contains(".*)?") && anchor == Anchor::None, "{text}");
        }
    }
}

#[test]
fn what_does_not_compile_is_said_where() {
    let check = |text: &str, engine, expect: &str| {
        let error = Expression::compile(&pattern(text, Case::Insensitive, Anchor::Start, engine)).expect_err(text).to_string();
        assert!(error.contains(expect), "{text}: {error}");
    };
    check("/a(b", Engine::Linear, "unclosed group (at character 3)");
    check("/a(?=b)", Engine::Linear, "look-around");
    check(r"/(a)\1", Engine::Linear, "backreferences");
    check(&"a".repeat(5000), Engine::Linear, "longer than");
    check("(a{1000}){1000}", Engine::Linear, "larger than 64 KiB");
    check(&"(".repeat(200), Engine::Linear, "");
    check(r"\p{Greek}", Engine::Linear, "");
    check("/a(b", Engine::Backtracking, "");
}

#[test]
fn look_around_works_and_is_bounded() {
    let compile = |text, anchor| Expression::compile(&pattern(text, Case::Insensitive, anchor, Engine::Backtracking)).expect(text);
    let not_admin = compile("/(?!admin)(.*)", Anchor::Start);
    assert_eq!(not_admin.is_match(b"/Admin/x"), Found::No);
    let mut groups = Groups::default();
    assert_eq!(not_admin.captures(b"/user/x", &mut groups), Found::Yes);
    assert_eq!(groups.get(1, "/user/x"), "user/x");
    assert_eq!(compile("a(?!c)", Anchor::Whole).is_match(b"ab"), Found::No);
    let twice = compile(r"/(.)\1", Anchor::Start);
    assert_eq!((twice.is_match(b"/xx"), twice.is_match(b"/xy")), (Found::Yes, Found::No));
    let evil = compile(r"^(a|aa)+(?!b)$\1", Anchor::None);
    assert_eq!(evil.is_match("a".repeat(200).as_bytes()), Found::OverBudget);
    assert_eq!(not_admin.is_match(["/", &"a".repeat(3000)].concat().as_bytes()), Found::OverBudget);
}

#[test]
fn known_bombs_stay_linear() {
    for text in ["(a*)*$", "(a|a)*$", "(a|aa)+$", "(.*)*x", "([a-zA-Z]+)*$", "(.*a){12}x", "/a.*b.*c.*d$"] {
        let expression = Expression::compile(&pattern(text, Case::Insensitive, Anchor::None, Engine::Linear)).expect(text);
        let text = ["a".repeat(16_000), "!".to_owned()].concat();
        // A quadratic search would take minutes here.
        assert_ne!(expression.is_match(text.as_bytes()), Found::OverBudget);
    }
}

#[test]
fn literal_beginnings_are_found() {
    for (text, anchor, expect) in [
        ("/Shop(/|$)", Anchor::Start, "/shop"),
        ("/shop[0-9]", Anchor::Start, "/shop"),
        ("(/a)(b|c)", Anchor::Start, "/a"),
        ("/shop", Anchor::None, ""),
        ("^/shop[0-9]", Anchor::None, "/shop"),
        ("/a|/b", Anchor::Start, "/"),
        ("a?b", Anchor::Start, ""),
    ] {
        let expression = Expression::compile(&pattern(text, Case::Insensitive, anchor, Engine::Linear)).expect(text);
        let prefix = String::from_utf8(expression.prefix()).expect("ASCII");
        assert!(prefix == expect || text == "/a|/b" && prefix.is_empty(), "{text}: {prefix}");
    }
}

/// Finds with the expression and with the engine, to the last group.
fn compare<'p>(text: &str, case: Case, anchor: Anchor, paths: impl Iterator<Item = &'p str>) {
    let Ok(expression) = Expression::compile(&pattern(text, case, anchor, Engine::Linear)) else { return };
    let whole = if anchor == Anchor::Whole { format!("(?:{text})$") } else { text.to_owned() };
    let engine = meta::Builder::new().build_from_hir(&engine::parse(&whole, case).expect("it compiled")).expect("it compiled");
    let anchored = if anchor == Anchor::None { Anchored::No } else { Anchored::Yes };
    for path in paths {
        let mut slots = vec![None; 2 * engine.group_info().group_len(regex_automata::PatternID::ZERO)];
        let expect = engine.search_slots(&Input::new(path).anchored(anchored), &mut slots).is_some();
        let mut groups = Groups::default();
        let found = expression.captures(path.as_bytes(), &mut groups);
        assert_eq!(found == Found::Yes, expect, "{text} {anchor:?} on {path:?}");
        assert_eq!(expression.is_match(path.as_bytes()), found, "{text} {anchor:?} on {path:?}");
        if expect {
            assert_eq!(&groups.0, &slots, "groups of {text} on {path:?}");
            let prefix = expression.prefix();
            assert!(path.to_ascii_lowercase().as_bytes().starts_with(&prefix), "{text} begins {prefix:?}");
        }
    }
}

/// Every text of up to `longest` characters.
fn texts(characters: &[&str], longest: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut from = 0;
    for _ in 0..longest {
        let next: Vec<String> = texts[from..].iter().flat_map(|text| characters.iter().map(move |more| format!("{text}{more}"))).collect();
        from = texts.len();
        texts.extend(next);
    }
    texts
}

#[test]
fn trails_of_up_to_three_steps_find_what_the_engine_finds() {
    let steps = ["/a", "(/|$)", "(.*)", ".+", "/?", "([^/]+)", "(/.*)?", "$"];
    let paths = texts(&["/", "a"], 4);
    for text in texts(&steps, 3) {
        compare(&text, Case::Sensitive, Anchor::Start, paths.iter().map(String::as_str));
    }
}

/// Patterns put together from pieces that are, and are nearly, those of trails.
fn patterns() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "/a",
        "a",
        "b",
        "/",
        "(/|$)",
        "($|/)",
        "(.*)",
        ".*",
        ".+",
        "(.+)",
        "/?",
        "[^/]+",
        "([^/]+)",
        "[^/]*",
        "(/.*)?",
        "(/a)?",
        "(/([^/]+))?",
        "$",
        "^",
        "(a)",
        "(a(b)?)?",
        "(.*)?",
        "(/?)",
        "(/|$)?",
        ".",
        "a?",
        "a*",
        "(a|b)",
        "(/b(/|$))?",
        ".*?",
        "[ab]",
    ]);
    prop::collection::vec(pieces, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// The engine is the judge of what a trail finds, to the last group.
    #[test]
    fn trails_find_what_the_engine_finds(
        text in patterns(),
        paths in prop::collection::vec("[/abAB\n]{0,8}", 1..8),
        anchor in prop::sample::select(vec![Anchor::None, Anchor::Start, Anchor::Whole]),
        case in prop::sample::select(vec![Case::Sensitive, Case::Insensitive]),
    ) {
        compare(&text, case, anchor, paths.iter().map(String::as_str));
    }

    #[test]
    fn no_pattern_panics(text in ".{0,40}", path in ".{0,40}") {
        for engine in [Engine::Linear, Engine::Backtracking] {
            if let Ok(expression) = Expression::compile(&pattern(&text, Case::Insensitive, Anchor::Start, engine)) {
                expression.is_match(path.as_bytes());
            }
        }
    }
}
