use super::*;
use std::collections::BTreeSet;

fn config(pairs: &[(&str, &str)]) -> BTreeMap<Text, Text> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

#[test]
fn what_is_said_holds_and_what_is_not_understood_keeps_the_default() {
    let usual = Defaults::default();
    let of = |key: &str, value: &str| Defaults::read(&config(&[(key, value)]));
    for (value, expect) in [("50m", Some(50 << 20)), ("0", None), ("8k", Some(8192)), ("1G", Some(1 << 30)), ("7", Some(7))] {
        assert_eq!(of("proxy-body-size", value), (Defaults { body_limit: expect, ..usual.clone() }, vec![]), "{value}");
    }
    for (key, value) in [
        ("proxy-body-size", "1mb"),
        ("proxy-body-size", "99999999999999g"),
        ("hsts", "yes"),
        ("ssl-redirect", "off"),
        ("proxy-read-timeout", "0"),
    ] {
        let (read, problems) = of(key, value);
        assert_eq!((read, problems.len()), (usual.clone(), 1), "{key}: {value}");
        assert_eq!(problems[0].reason, Cause::InvalidValue);
    }
    assert_eq!(of("proxy-read-timeout", "600").0.timeouts.read, Duration::from_secs(600));
    assert_eq!(usual.hsts.as_deref(), Some("max-age=31536000; includeSubDomains"));
    assert_eq!(of("hsts", "false").0.hsts, None);
    let hsts = config(&[("hsts-max-age", "60"), ("hsts-include-subdomains", "false"), ("hsts-preload", "true")]);
    assert_eq!(Defaults::read(&hsts).0.hsts.as_deref(), Some("max-age=60; preload"));
    assert_eq!(of("server-tokens", "true").0.server, ServerHeader::Set("paifang".into()));
}

#[test]
fn what_is_not_followed_is_named_and_a_guard_closes() {
    let reason = |pairs: &[(&str, &str)]| ignored_options(&config(pairs)).map(|it| (it.reason, it.problems.len()));
    assert_eq!(reason(&[("proxy-body-size", "1m")]), None);
    assert_eq!(reason(&[("worker-processes", "4")]), Some(("NoEffect", 1)));
    assert_eq!(reason(&[("worker-processes", "4"), ("use-gzip", "true")]), Some(("NotSupportedYet", 2)));
    assert_eq!(reason(&[("proxy-body-sise", "4"), ("use-gzip", "true")]), Some(("UnknownOptions", 2)));
    assert_eq!(reason(&[("whitelist-source-range", "10.0.0.0/8"), ("nonsense", "")]), Some(("Closed", 2)));
    let typo = ignored_options(&config(&[("proxy-body-sise", "4")])).expect("it is said");
    assert_eq!(typo.problems[0].hint.as_deref(), Some("Did you mean `proxy-body-size`?"));
    assert!(Defaults::read(&config(&[("whitelist-source-range", "10.0.0.0/8")])).0.closed);
    assert!(!Defaults::default().closed);
}

#[test]
fn each_option_is_known_once() {
    let all: Vec<&str> = names().collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert!(all.iter().all(|it| fate(it).is_some()));
}
