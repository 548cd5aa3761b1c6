use super::*;

#[test]
fn which_engine() {
    for (text, expect) in [
        ("/foo", Ok((Engine::Linear, 0))),
        ("/foo(/|$)(.*)", Ok((Engine::Linear, 2))),
        ("/v[0-9]+/(?:a|b)", Ok((Engine::Linear, 0))),
        (r"/(?!admin)(.*)", Ok((Engine::Backtracking, 1))),
        (r"/(\w+)/\1", Ok((Engine::Backtracking, 1))),
        ("/foo(bar", Err("unclosed group at character 5")),
        ("/[z-a]", Err("invalid character class range, the start must be <= the end at character 3")),
        ("/a{5000}{5000}", Err("compiled, it is larger than 64 KiB")),
    ] {
        let judged = judge(text).map(|it| (it.engine, it.groups));
        assert_eq!(judged.as_ref().map_err(String::as_str), expect.as_ref().map_err(|it| *it), "{text}");
    }
}

#[test]
fn what_a_pattern_begins_with() {
    for (text, expect) in [
        ("/foo", "/foo"),
        ("/foo(/|$)(.*)", "/foo"),
        ("/foo?", "/fo"),
        ("/foo.bar", "/foo"),
        ("/a|/b", ""),
        ("/broken(", "/broken"),
        ("/(a|b)c", "/"),
        ("(", ""),
    ] {
        assert_eq!(literal_prefix(text), expect, "{text}");
    }
}

#[test]
fn paths_as_requests_have_them() {
    for (text, expect) in [
        ("/foo", "/foo"),
        ("/%7euser", "/~user"),
        ("/a%2fb", "/a%2Fb"),
        ("/a b", "/a%20b"),
        ("/caf\u{e9}", "/caf%C3%A9"),
        ("/100%", "/100%"),
        ("/a\"b", "/a%22b"),
    ] {
        assert_eq!(&*canonical(text), expect, "{text}");
    }
}

#[test]
fn common_patterns_are_judged_as_the_compiler_does() {
    for (end, groups) in ENDS {
        assert_eq!(linear(&format!("/svc-1.x{end}")), Ok(groups), "{end}");
    }
    assert_eq!(common("/a+(.*)"), None);
}
