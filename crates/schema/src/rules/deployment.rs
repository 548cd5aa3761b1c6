//! Deployment.

use serde_json::Value;

use super::metadata::{check_annotations, check_labels};
use super::{given, immutable, list, number, pod, say, text};
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

pub(super) fn check(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let (path, spec) = (Path::new("spec"), new.get("spec").unwrap_or(&Value::Null));
    at_least_zero(spec, "replicas", &path, found);
    check_template(spec, &path, found);
    check_strategy(spec.get("strategy").unwrap_or(&Value::Null), &path.child("strategy"), found);
    at_least_zero(spec, "minReadySeconds", &path, found);
    at_least_zero(spec, "revisionHistoryLimit", &path, found);
    at_least_zero(spec, "progressDeadlineSeconds", &path, found);
    let deadline = number(spec, "progressDeadlineSeconds");
    if given(spec, "progressDeadlineSeconds").is_some() && deadline <= number(spec, "minReadySeconds") {
        found.push(path.child("progressDeadlineSeconds").invalid(deadline, "must be greater than minReadySeconds"));
    }
    if let Some(old) = old {
        immutable(found, &path.child("selector"), spec.get("selector"), old.get("spec").and_then(|spec| spec.get("selector")));
        check_status(new.get("status").unwrap_or(&Value::Null), found);
    }
}

fn at_least_zero(value: &Value, name: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    if number(value, name) < 0 {
        found.push(path.child(name).invalid(number(value, name), "must be greater than or equal to 0"));
    }
}

/// The template must make Pods that the selector finds.
fn check_template(spec: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let (at, before) = (path.child("selector"), found.len());
    let selector = given(spec, "selector");
    match selector {
        None => found.push(at.required("")),
        Some(selector) => {
            check_selector(selector, &at, found);
            if found.len() > before {
                found.push(at.invalid(selector.clone(), "invalid label selector"));
                return;
            }
            if is_empty(selector) {
                found.push(at.invalid(selector.clone(), "empty selector is invalid for deployment"));
            }
        }
    }
    let (template, template_at) = (spec.get("template").unwrap_or(&Value::Null), path.child("template"));
    let labels = template.pointer("/metadata/labels");
    if !selector.is_some_and(|selector| selects(selector, labels)) {
        let meta = template_at.child("metadata");
        let shown = labels.cloned().unwrap_or_default();
        found.push(meta.child("labels").invalid(shown, "`selector` does not match template `labels`"));
    }
    // Kubernetes leaves `metadata` out of these places.
    let meta = template.get("metadata").unwrap_or(&Value::Null);
    check_labels(labels, &template_at.child("labels"), found);
    check_annotations(meta, &template_at.child("annotations"), found);
    let (pod, pod_at) = (template.get("spec").unwrap_or(&Value::Null), template_at.child("spec"));
    pod::check_spec(pod, &pod_at, found);
    let policy = text(pod, "restartPolicy");
    if policy != "Always" {
        found.push(pod_at.child("restartPolicy").not_supported(policy, &["Always"]));
    }
    if given(pod, "activeDeadlineSeconds").is_some() {
        let detail = "activeDeadlineSeconds in ReplicaSet is not Supported";
        found.push(pod_at.child("activeDeadlineSeconds").forbidden(detail));
    }
}

fn is_empty(selector: &Value) -> bool {
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    labels.is_none_or(|labels| labels.is_empty()) && list(selector, "matchExpressions").is_empty()
}

fn check_selector(selector: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    check_labels(selector.get("matchLabels"), &path.child("matchLabels"), found);
    let at = path.child("matchExpressions");
    for (index, expression) in list(selector, "matchExpressions").iter().enumerate() {
        let at = at.index(index);
        let (values, none) = (at.child("values"), list(expression, "values").is_empty());
        match text(expression, "operator") {
            "In" | "NotIn" if none => found.push(values.required("must be specified when `operator` is 'In' or 'NotIn'")),
            "Exists" | "DoesNotExist" if !none => {
                found.push(values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => found.push(at.child("operator").invalid(other, "not a valid selector operator")),
        }
        let key = text(expression, "key");
        say(found, &at.child("key"), key, name::qualified(key));
        for (index, value) in list(expression, "values").iter().filter_map(Value::as_str).enumerate() {
            say(found, &values.index(index), value, name::label_value(value));
        }
    }
}

fn selects(selector: &Value, labels: Option<&Value>) -> bool {
    let label = |key: &str| labels.and_then(|labels| labels.get(key)?.as_str());
    let wanted = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let mut equal = wanted.map(|(key, value)| label(key) == value.as_str());
    let holds = |expression: &Value| {
        let is = label(text(expression, "key"));
        let listed = is.is_some_and(|is| list(expression, "values").iter().any(|value| value == is));
        match text(expression, "operator") {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => is.is_some(),
            _ => is.is_none(),
        }
    };
    equal.all(|equal| equal) && list(selector, "matchExpressions").iter().all(holds)
}

fn check_strategy(strategy: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let at = path.child("rollingUpdate");
    let rolling = given(strategy, "rollingUpdate");
    match (text(strategy, "type"), rolling) {
        ("Recreate", Some(_)) => found.push(at.forbidden("may not be specified when strategy `type` is 'Recreate'")),
        ("Recreate", None) => {}
        ("RollingUpdate", Some(rolling)) => {
            let most = |name: &str| given(rolling, name).cloned().unwrap_or_default();
            let (unavailable, surge) = (most("maxUnavailable"), most("maxSurge"));
            check_share(&unavailable, &at.child("maxUnavailable"), found);
            check_share(&surge, &at.child("maxSurge"), found);
            if share(&unavailable) == Some(0) && share(&surge) == Some(0) {
                found.push(at.child("maxUnavailable").invalid(unavailable, "may not be 0 when `maxSurge` is 0"));
            } else if unavailable.is_string() && share(&unavailable).is_some_and(|share| share > 100) {
                found.push(at.child("maxUnavailable").invalid(unavailable, "must not be greater than 100%"));
            }
        }
        ("RollingUpdate", None) => found.push(at.required("this should be defaulted and never be nil")),
        (other, _) => {
            // Kubernetes shows its internal type, which has no JSON names.
            let shown = serde_json::json!({ "Type": other, "RollingUpdate": rolling });
            found.push(path.not_supported(shown, &["Recreate", "RollingUpdate"]));
        }
    }
}

/// A count, or percents.
fn share(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.strip_suffix('%').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok(),
        Value::Null => Some(0),
        other => other.as_i64(),
    }
}

fn check_share(value: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    match value {
        Value::String(_) if share(value).is_none() => {
            let detail = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for \
                          validation is '[0-9]+%')";
            found.push(path.invalid(value.clone(), detail));
        }
        Value::Number(_) if share(value).is_some_and(|share| share < 0) => {
            found.push(path.invalid(value.clone(), "must be greater than or equal to 0"));
        }
        _ => {}
    }
}

fn check_status(status: &Value, found: &mut Vec<Violation>) {
    let path = Path::new("status");
    let counts = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"];
    for name in counts {
        at_least_zero(status, name, &path, found);
    }
    let most = number(status, "replicas");
    for name in &counts[1..4] {
        if number(status, name) > most {
            found.push(path.child(name).invalid(number(status, name), "cannot be greater than status.replicas"));
        }
    }
    let available = number(status, "availableReplicas");
    if available > number(status, "readyReplicas") {
        found.push(path.child("availableReplicas").invalid(available, "cannot be greater than readyReplicas"));
    }
}
