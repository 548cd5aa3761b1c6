use super::*;
use std::collections::BTreeSet;

fn config(pairs: &[(&str, &str)]) -> BTreeMap<Text, Text> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

#[test]
fn what_is_said_holds_and_what_is_not_understood_keeps_the_default() {
    let usual = Defaults::default();
    let of = |key: &str, value: &str| Defaults::read(&config(&[(key, value)]), None);
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
    assert_eq!(Defaults::read(&hsts, None).0.hsts.as_deref(), Some("max-age=60; preload"));
    assert_eq!(of("server-tokens", "true").0.server, ServerHeader::Set("paifang".into()));
}

#[test]
fn what_is_not_followed_is_named_and_a_guard_closes() {
    let reason = |pairs: &[(&str, &str)]| {
        let said = said(&Resources::default(), &asked(GatewayScope::Cluster, pairs));
        let ignored = said.conditions.iter().find(|it| it.kind == "OptionsIgnored")?;
        Some((ignored.reason.to_string(), said.problems.len()))
    };
    let some = |reason: &str, many| Some((reason.to_owned(), many));
    assert_eq!(reason(&[("proxy-body-size", "1m")]), None);
    assert_eq!(reason(&[("worker-processes", "4")]), some("NoEffect", 1));
    assert_eq!(reason(&[("worker-processes", "4"), ("use-gzip", "true")]), some("NotSupportedYet", 2));
    assert_eq!(reason(&[("proxy-body-sise", "4"), ("use-gzip", "true")]), some("UnknownOptions", 2));
    assert_eq!(reason(&[("whitelist-source-range", "10.0.0.0/8"), ("nonsense", "")]), some("Closed", 2));
    let typo = said(&Resources::default(), &asked(GatewayScope::Cluster, &[("proxy-body-sise", "4")]));
    assert_eq!(typo.problems[0].hint.as_deref(), Some("Did you mean `proxy-body-size`?"));
    assert!(Defaults::read(&config(&[("whitelist-source-range", "10.0.0.0/8")]), None).0.closed);
    assert!(!Defaults::default().closed);
}

fn asked(scope: GatewayScope, pairs: &[(&str, &str)]) -> IngressGateway {
    let value = serde_json::json!({ "metadata": { "namespace": "p", "name": "g" } });
    let read = IngressGateway::read(Name::new("p", "g"), &value);
    IngressGateway { scope, config: config(pairs), ..read }
}

/// The ranges that are believed, and the reasons of what is said.
fn believed_from(pairs: &[(&str, &str)]) -> (Vec<String>, Vec<Cause>) {
    let (defaults, problems) = Defaults::read(&config(pairs), None);
    let from = defaults.gateway.forwarded.map(|it| it.from.iter().map(ToString::to_string).collect()).unwrap_or_default();
    (from, problems.iter().map(|it| it.reason).collect())
}

#[test]
fn nobody_is_believed_by_accident() {
    const ON: (&str, &str) = ("use-forwarded-headers", "true");
    let check = |pairs: &[(&str, &str)], from: &[&str], told: &[Cause]| {
        assert_eq!(believed_from(pairs), (from.iter().map(ToString::to_string).collect(), told.to_vec()), "{pairs:?}");
    };
    check(&[], &[], &[]);
    check(&[ON], &[], &[Cause::NoEffect]);
    check(&[ON, ("proxy-real-ip-cidr", " ")], &[], &[Cause::NoEffect]);
    check(&[("proxy-real-ip-cidr", "10.0.0.0/8")], &[], &[Cause::NoEffect]);
    check(&[("use-forwarded-headers", "yes"), ("proxy-real-ip-cidr", "10.0.0.0/8")], &[], &[Cause::InvalidValue, Cause::NoEffect]);
    check(&[ON, ("proxy-real-ip-cidr", "10.0.0.7/8, 192.0.2.1,2001:db8::/32")], &["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"], &[]);
    check(&[ON, ("proxy-real-ip-cidr", "10.0.0.0/8,nonsense")], &["10.0.0.0/8"], &[Cause::InvalidValue]);
    check(&[ON, ("proxy-real-ip-cidr", "10.0.0.0/33")], &[], &[Cause::InvalidValue, Cause::NoEffect]);
    check(&[ON, ("proxy-real-ip-cidr", "0.0.0.0/0")], &["0.0.0.0/0"], &[Cause::ClientsBelieved]);
    let field = |name: &str| {
        let pairs = config(&[ON, ("proxy-real-ip-cidr", "10.0.0.0/8"), ("forwarded-for-header", name)]);
        Defaults::read(&pairs, None).0.gateway.forwarded.map(|it| it.field.to_string())
    };
    assert_eq!(field("CF-Connecting-IP").as_deref(), Some("cf-connecting-ip"));
    for bad in ["x_y", "a b", "Host", "Cookie", "x:y"] {
        assert_eq!(field(bad).as_deref(), Some("x-forwarded-for"), "{bad}");
    }
    let (_, conditions) =
        (0, said(&Resources::default(), &asked(GatewayScope::Cluster, &[ON, ("proxy-real-ip-cidr", "10.0.0.0/8")])).conditions);
    assert_eq!(conditions.len(), 1);
    assert!(conditions[0].kind == "ProxiesTrusted" && conditions[0].message.contains("10.0.0.0/8"), "{conditions:?}");
}

#[test]
fn a_project_names_its_own_services_and_its_lines_name_its_gateway() {
    let service = |scope, name: &str| {
        let (defaults, problems) = Defaults::of(&asked(scope, &[("default-backend-service", name)]));
        (defaults.errors.service.map(|it| it.to_string()), problems.first().map(|it| it.reason))
    };
    let named = |name: &str| (Some(name.to_owned()), None);
    assert_eq!(service(GatewayScope::Project, "p/pages"), named("p/pages"));
    assert_eq!(service(GatewayScope::Project, "pages"), named("p/pages"));
    assert_eq!(service(GatewayScope::Project, "other/pages"), (None, Some(Cause::ScopeNotAllowed)));
    assert_eq!(service(GatewayScope::Cluster, "other/pages"), named("other/pages"));
    for bad in ["pages", "a/b/c", "/b", "a/"] {
        assert_eq!(service(GatewayScope::Cluster, bad), (None, Some(Cause::InvalidValue)), "{bad}");
    }
    let line = |scope| Defaults::of(&asked(scope, &[("log-format-upstream", "$status")])).0.gateway.log.map(|it| it.line);
    assert_eq!(line(GatewayScope::Project), Some(LogLine::Named));
    assert_eq!(line(GatewayScope::Workspace("w".into())), Some(LogLine::Whole));
    assert_eq!(line(GatewayScope::Cluster), Some(LogLine::Whole));
}

#[test]
fn lines_and_statuses() {
    let read = |pairs: &[(&str, &str)]| Defaults::read(&config(pairs), None);
    let (defaults, problems) = read(&[("log-format-upstream", "$status $nonsense"), ("log-format-escape-none", "true")]);
    let log = defaults.gateway.log.expect("a format");
    assert_eq!((log.escape, log.parts.len()), (LogEscape::Hexadecimal, 3));
    let reasons: Vec<Cause> = problems.iter().map(|it| it.reason).collect();
    assert_eq!(reasons, [Cause::AnnotationRefused, Cause::UnknownAnnotation]);
    assert!(problems[1].message.contains("`$nonsense`"), "{}", problems[1].message);
    assert_eq!(
        read(&[("log-format-upstream", "x"), ("log-format-escape-json", "true")]).0.gateway.log.map(|it| it.escape),
        Some(LogEscape::Json)
    );
    let long = "x".repeat(9000);
    assert_eq!((read(&[("log-format-upstream", &long)]).0.gateway.log, read(&[("log-format-upstream", &long)]).1.len()), (None, 1));
    assert_eq!(read(&[("custom-http-errors", "503, 404,503")]).0.errors.statuses, [404, 503]);
    for bad in ["200", "600", "x", "404;503"] {
        let (defaults, problems) = read(&[("custom-http-errors", bad)]);
        assert_eq!((defaults.errors.statuses.len(), problems.len()), (0, 1), "{bad}");
    }
}

#[test]
fn each_option_is_known_once() {
    let all: Vec<&str> = names().collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert!(all.iter().all(|it| fate(it).is_some()));
}
