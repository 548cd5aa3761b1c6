//! Pod, and the Pods that a template makes.
//!
//! It is *not* all that Kubernetes asks of a Pod: nothing here ever runs one, so what only a node would act on (security contexts,
//! amounts of resources, affinity) is checked for its shape alone.

mod container;
mod volume;

use std::collections::HashSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::metadata::check_labels;
use super::{given, list, number, say, text};
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

const MOST_SECONDS: i64 = i32::MAX as i64;

pub(super) fn check(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let (path, spec) = (Path::new("spec"), new.get("spec").unwrap_or(&Value::Null));
    check_spec(spec, &path, found);
    if let Some(old) = old.and_then(|old| old.get("spec"))
        && found.is_empty()
    {
        check_update(spec, old, &path, found);
    }
}

/// The `spec` of a Pod.
pub(super) fn check_spec(spec: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let volumes = volume::check(list(spec, "volumes"), &path.child("volumes"), found);
    check_containers(spec, &volumes, path, found);
    choice(spec, "restartPolicy", &["Always", "OnFailure", "Never"], path, found);
    choice(spec, "dnsPolicy", &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], path, found);
    check_labels(spec.get("nodeSelector"), &path.child("nodeSelector"), found);
    let named = |field: &str, rule: fn(&str) -> Vec<String>, found: &mut Vec<Violation>| match text(spec, field) {
        "" => {}
        value => say(found, &path.child(field), value, rule(value)),
    };
    named("serviceAccountName", name::dns_subdomain, found);
    named("nodeName", name::dns_subdomain, found);
    if given(spec, "activeDeadlineSeconds").is_some() {
        let seconds = number(spec, "activeDeadlineSeconds");
        say(found, &path.child("activeDeadlineSeconds"), seconds, name::in_range(seconds, 1, MOST_SECONDS));
    }
    named("hostname", name::dns_label, found);
    named("subdomain", name::dns_label, found);
    check_tolerations(spec, &path.child("tolerations"), found);
    check_aliases(spec, &path.child("hostAliases"), found);
}

fn check_containers(spec: &Value, volumes: &HashSet<&str>, path: &Path<'_>, found: &mut Vec<Violation>) {
    let mut names = HashSet::new();
    let at = path.child("containers");
    if list(spec, "containers").is_empty() {
        found.push(at.required(""));
    }
    for field in ["containers", "initContainers"] {
        let at = path.child(field);
        for (index, one) in list(spec, field).iter().enumerate() {
            container::check(one, volumes, &at.index(index), found);
            let name = text(one, "name");
            if !name.is_empty() && !names.insert(name) {
                let at = at.index(index);
                found.push(at.child("name").duplicate(name));
            }
        }
    }
}

/// A word out of a few.
fn choice(value: &Value, field: &str, known: &[&str], path: &Path<'_>, found: &mut Vec<Violation>) {
    match text(value, field) {
        "" => found.push(path.child(field).required("")),
        word if known.contains(&word) => {}
        other => found.push(path.child(field).not_supported(other, known)),
    }
}

fn check_tolerations(spec: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    for (index, one) in list(spec, "tolerations").iter().enumerate() {
        let at = path.index(index);
        let (key, operator, value, effect) = (text(one, "key"), text(one, "operator"), text(one, "value"), text(one, "effect"));
        let operator_at = at.child("operator");
        if !key.is_empty() {
            say(found, &at.child("key"), key, name::qualified(key));
        } else if operator != "Exists" {
            let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            found.push(operator_at.invalid(operator, detail));
        }
        match operator {
            "" | "Equal" => say(found, &operator_at, value, name::label_value(value)),
            "Exists" if !value.is_empty() => found.push(operator_at.invalid(value, "value must be empty when `operator` is 'Exists'")),
            "Exists" => {}
            other => found.push(operator_at.not_supported(other, &["Equal", "Exists"])),
        }
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        if !effect.is_empty() && !effects.contains(&effect) {
            found.push(at.child("effect").not_supported(effect, &effects));
        }
    }
}

fn check_aliases(spec: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    for (index, alias) in list(spec, "hostAliases").iter().enumerate() {
        let at = path.index(index);
        let address = text(alias, "ip");
        if address.parse::<IpAddr>().is_err() {
            found.push(at.child("ip").invalid(address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
        }
        let names = at.child("hostnames");
        for (index, host) in list(alias, "hostnames").iter().filter_map(Value::as_str).enumerate() {
            say(found, &names.index(index), host, name::dns_subdomain(host));
        }
    }
}

/// Of a Pod that is there, next to nothing may change.
fn check_update(new: &Value, old: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    for field in ["containers", "initContainers"] {
        if list(new, field).len() != list(old, field).len() {
            found.push(path.child(field).forbidden("pod updates may not add or remove containers"));
            return;
        }
    }
    let kept = |tolerations: &[Value]| list(old, "tolerations").iter().all(|one| tolerations.contains(one));
    let mut fixed = new.clone();
    for field in ["containers", "initContainers"] {
        let images = list(old, field).iter().map(|one| one.get("image").cloned().unwrap_or_default());
        let containers = fixed.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten();
        containers.zip(images).for_each(|(container, image)| container["image"] = image);
    }
    for field in ["activeDeadlineSeconds", "tolerations"] {
        if field == "tolerations" && !kept(list(new, "tolerations")) {
            continue;
        }
        if let Some(fields) = fixed.as_object_mut() {
            fields.remove(field);
            fields.extend(old.get(field).map(|value| (field.to_owned(), value.clone())));
        }
    }
    if number(old, "terminationGracePeriodSeconds") < 0 && number(new, "terminationGracePeriodSeconds") == 1 {
        fixed["terminationGracePeriodSeconds"] = json!(number(old, "terminationGracePeriodSeconds"));
    }
    if fixed != *old {
        let detail = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
                      `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
                      `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        found.push(path.forbidden(detail));
    }
}
