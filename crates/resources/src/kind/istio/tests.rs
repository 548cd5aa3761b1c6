use super::*;
use serde_json::json;

#[test]
fn times_as_istio_writes_them() {
    for (text, expect) in [
        ("2s", Some(Duration::from_secs(2))),
        ("0.5s", Some(Duration::from_millis(500))),
        ("1h30m", Some(Duration::from_secs(5400))),
        ("100ms", Some(Duration::from_millis(100))),
        ("0s", Some(Duration::ZERO)),
        ("", None),
        ("2", None),
        ("s", None),
        ("-1s", None),
        ("1e300h", None),
        ("99999999999h", None),
    ] {
        assert_eq!(parse_duration(text), expect, "{text}");
    }
}

#[test]
fn a_host_names_a_service_of_its_namespace_or_in_full() {
    let of = |text| ServiceHost::new(text, &"demo".into()).service("cluster.local").map(ToString::to_string);
    for (text, expect) in [
        ("httpbin", Some("demo/httpbin")),
        ("HttpBin.Other.svc.cluster.local", Some("other/httpbin")),
        ("httpbin.other.svc.elsewhere", None),
        ("httpbin.other", None),
        ("*.other.svc.cluster.local", None),
        ("*", None),
        ("", None),
    ] {
        assert_eq!(of(text).as_deref(), expect, "{text}");
    }
}

#[test]
fn who_sees_what_is_exported() {
    let read = |value| ExportTo::read(&At::root(&value), &mut Vec::new());
    for (words, own, from, expect) in [
        (json!({}), "a", "b", Some(Visibility::Public)),
        (json!({"exportTo": []}), "a", "b", Some(Visibility::Public)),
        (json!({"exportTo": ["*"]}), "a", "b", Some(Visibility::Public)),
        (json!({"exportTo": ["."]}), "a", "b", None),
        (json!({"exportTo": ["."]}), "a", "a", Some(Visibility::Private)),
        (json!({"exportTo": ["b"]}), "a", "b", Some(Visibility::Named)),
        (json!({"exportTo": ["~"]}), "a", "a", None),
        (json!({"exportTo": 7}), "a", "a", None),
        (json!({"exportTo": [7]}), "a", "a", None),
    ] {
        assert_eq!(read(words.clone()).sees(own, from), expect, "{words} {own} {from}");
    }
}

#[test]
fn a_pattern_that_cannot_be_used_narrows_to_what_it_begins_with() {
    let read = |value| {
        let mut problems = Vec::new();
        let read = StringMatch::read(&At::root(&value), &mut problems);
        (read, closes(&problems))
    };
    assert_eq!(read(json!({"regex": "/a.*"})), (StringMatch::Regex("/a.*".into()), false));
    assert_eq!(read(json!({"regex": "/admin(?=x)"})), (StringMatch::Prefix("/admin".into()), true));
    assert_eq!(read(json!({"regex": "*"})), (StringMatch::Present, false));
    assert_eq!(read(json!({})), (StringMatch::Present, false));
    assert_eq!(read(json!({"exact": 7})), (StringMatch::Present, true));
    assert_eq!(read(json!({"exact": "a", "prefix": "b"})), (StringMatch::Present, true));
}
