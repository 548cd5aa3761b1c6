use super::*;
use crate::family::refused::Refused;
use crate::settings::{Access, FAMILIES, Settings};
use std::collections::BTreeSet;

fn read(annotations: &[(&str, &str)]) -> (Settings, Vec<Problem>) {
    let annotations = annotations.iter().map(|(key, value)| (format!("{PREFIX}{key}").into(), (*value).into())).collect();
    Settings::read(&annotations)
}

fn check(key: &str, value: &str, expect: Option<(Cause, &str)>, access: Access) {
    let (settings, problems) = read(&[(key, value)]);
    let told = problems.first().map(|problem| (problem.reason, problem.to_string()));
    match (&told, expect) {
        (None, None) => {}
        (Some((reason, text)), Some((cause, part))) => assert!(*reason == cause && text.contains(part), "{key}: {text} ({reason})"),
        _ => panic!("{key}: {told:?}, expected {expect:?}"),
    }
    assert_eq!(settings.access, access, "{key}");
}

#[test]
fn nothing_is_passed_over() {
    use Access::{Closed, Open};
    check("use-regex", "true", None, Open);
    check("use-regx", "true", Some((Cause::UnknownAnnotation, "Did you mean `nginx.ingress.kubernetes.io/use-regex`?")), Open);
    check("use-regex", "yes", Some((Cause::InvalidValue, "`yes` is neither true nor false")), Open);
    check("proxy-body-size", "8m", Some((Cause::NotSupportedYet, "`8m` is not followed")), Open);
    check("limit-rps", "5", Some((Cause::NotSupportedYet, "not supported yet")), Open);
    check("secure-backends", "true", Some((Cause::AnnotationRemoved, "removed before 1.0")), Open);
    check("auth-url", "http://x", Some((Cause::GuardNotSupportedYet, "they answer 503")), Closed);
    check("whitelist-source-range", "", Some((Cause::GuardNotSupportedYet, "they answer 503")), Closed);
    check("server-snippet", "deny all;", Some((Cause::AnnotationRefused, "denylist-source-range")), Closed);
    check("configuration-snippet", "more_set_headers \"X: y\";", Some((Cause::AnnotationRefused, "custom-headers")), Open);
    check("enable-modsecurity", "true", Some((Cause::AnnotationRefused, "")), Closed);
    check("enable-modsecurity", "false", Some((Cause::AnnotationRefused, "")), Open);
    check("enable-modsecurity", "maybe", Some((Cause::InvalidValue, "so its paths are closed")), Closed);
    check("backend-protocol", "http", None, Open);
    check("backend-protocol", "HTTPS", Some((Cause::NotSupportedYet, "plain HTTP would be the wrong protocol")), Closed);
    check("backend-protocol", "SPDY", Some((Cause::InvalidValue, "is no protocol")), Open);
    check("upstream-vhost", "$host", Some((Cause::InvalidValue, "variable")), Open);
    check("upstream-vhost", "a\r\nx: y", Some((Cause::InvalidValue, "is no host")), Open);
    check("canary-weight", "20", Some((Cause::CanaryNotEnabled, "Add the annotation `canary: \"true\"`")), Open);
}

#[test]
fn a_canary_reads_its_rules() {
    let (settings, problems) = read(&[("canary", "true"), ("canary-weight", "20%"), ("canary-weight-total", "50")]);
    let canary = settings.canary.expect("a canary");
    assert_eq!((canary.weight, canary.total), (0, 100));
    assert_eq!(problems.len(), 1);
    let (settings, problems) = read(&[("canary", "true"), ("canary-by-header", "X-A"), ("canary-by-header-pattern", "(")]);
    assert!(settings.canary.is_some());
    assert_eq!(problems[0].reason, Cause::InvalidRegex);
    let (_, problems) = read(&[("canary", "true"), ("canary-by-header-value", "x")]);
    assert_eq!(problems[0].reason, Cause::AnnotationIgnored);
}

#[test]
fn the_table_and_the_families_agree() {
    let annotations = BTreeMap::new();
    let mut reader = Reader::new(&annotations);
    Settings::families(&mut reader);
    let supported: BTreeSet<&str> = TABLE.iter().filter(|row| row.1 == Fate::Supported).map(|row| row.0).collect();
    let documented: BTreeSet<&str> = FAMILIES.into_iter().chain([Refused::KEYS]).flatten().map(|doc| doc.key).collect();
    assert_eq!(reader.asked(), supported);
    assert_eq!(documented, supported);
    assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0), "each row once, in order");
}
