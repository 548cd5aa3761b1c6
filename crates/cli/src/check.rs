//! `paifang check`: what is wrong with manifests, without any server.

use crate::Exit;
use crate::args::{CheckArgs, CheckOutput};
use crate::objects;
use crate::text::{Paint, Style, safe};
use access::words::{conditions, is_bad, name};
use access::{Reach, Served, assumed, options};
use anyhow::{Result, bail};
use model::ObjectRef;
use resources::load::{self, Loaded, Place};
use resources::{Condition, Kind, Problem, Report, Severity};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;

/// One thing wrong, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// `None`: the file as a whole.
    pub object: Option<ObjectRef>,
    pub field: String,
    /// UpperCamelCase, as in events; Kubernetes' own words for what an API server refuses.
    pub reason: String,
    pub message: String,
    pub hint: Option<String>,
    pub place: Option<Place>,
}

/// Runs the command. Exits 1 on any problem, and where there was nothing to check: what wrote it may have failed. Notes are no problems.
pub async fn run(args: &CheckArgs) -> Result<Exit> {
    let (findings, objects) = if args.live { live(args).await? } else { files(args)? };
    let mut out = std::io::stdout().lock();
    match args.output {
        CheckOutput::Json => writeln!(out, "{}", serde_json::to_string_pretty(&findings.iter().map(Finding::json).collect::<Vec<_>>())?)?,
        CheckOutput::Text => {
            let paint = Paint::of(&std::io::stdout());
            for finding in &findings {
                write!(out, "{}", finding.text(paint))?;
            }
        }
    }
    if objects == 0 && findings.is_empty() {
        bail!("there is no object to check");
    }
    eprintln!("{}", summary(&findings, objects));
    let problems = findings.iter().any(|it| it.severity != Severity::Note);
    Ok(if problems { Exit::Failed } else { Exit::Done })
}

/// What is wrong in files, and how many objects they have.
fn files(args: &CheckArgs) -> Result<(Vec<Finding>, usize)> {
    let (mut loaded, mut findings) = (Vec::new(), Vec::new());
    for (name, text) in objects::texts(&args.files)? {
        match load::load(&name, &text) {
            Ok(objects) => loaded.extend(objects),
            Err(errors) => findings.extend(errors.into_iter().map(|it| Finding {
                severity: Severity::Error,
                object: None,
                field: String::new(),
                reason: "Unreadable".into(),
                message: it.message,
                hint: None,
                place: Some(it.place),
            })),
        }
    }
    findings.extend(check(&loaded));
    Ok((findings, loaded.len()))
}

/// What is wrong with the objects of a server, which has judged them by themselves, together.
async fn live(args: &CheckArgs) -> Result<(Vec<Finding>, usize)> {
    let gathered = objects::live(&args.server).await?;
    let served = Served::new(&gathered);
    let problems = served.problems.iter().flat_map(|(object, problems)| problems.iter().map(move |it| (object, it)));
    let mut findings: Vec<Finding> = problems.map(|(object, problem)| Finding::of(object.clone(), problem, None)).collect();
    findings.extend(served.reports.all().iter().flat_map(unsaid));
    Ok((findings, gathered.objects.len()))
}

/// Conditions that are false for a reason that no problem of the object names.
fn unsaid(report: &Report) -> Vec<Finding> {
    let said = |condition: &&Condition| report.problems.iter().any(|it| condition.message.contains(it.message.as_str()));
    let conditions = report.status.iter().flat_map(conditions).filter(|it| is_bad(it) && !said(it));
    let finding = |it: &Condition| Finding {
        severity: Severity::Error,
        object: Some(report.object.clone()),
        field: format!("status.conditions[{}]", it.kind),
        reason: it.reason.to_string(),
        message: it.message.to_string(),
        hint: None,
        place: None,
    };
    conditions.map(finding).collect()
}

/// Everything wrong with these objects: what an API server refuses, then what their events would name.
pub fn check(loaded: &[Loaded]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = loaded.iter().flat_map(refused).collect();
    let unreadable: BTreeSet<ObjectRef> = findings.iter().filter_map(|it| it.object.clone()).collect();
    let mut values: Vec<Value> = loaded.iter().map(|it| it.object.clone()).collect();
    values.extend(assumed(&values));
    for (object, problem) in translate::check(&values, &options(Reach::Files, &values)) {
        // An API server's word for it has been said.
        if problem.refuses() && unreadable.contains(&object) {
            continue;
        }
        let holder = loaded.iter().find(|it| object_ref(&it.object) == object);
        let place = holder.and_then(|it| it.places.of(&problem.field));
        findings.push(Finding::of(object, &problem, place));
    }
    findings
}

/// What Kubernetes' own rules say.
fn refused(loaded: &Loaded) -> Vec<Finding> {
    let mut object = loaded.object.clone();
    let text = |pointer: &str| loaded.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let Some(kind) = schema::known(text("/apiVersion"), text("/kind")) else { return Vec::new() };
    if kind.is_namespaced()
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.entry("namespace").or_insert_with(|| "default".into());
    }
    let unknown = kind.unknown(&object);
    kind.default(&mut object);
    let violations = kind.review(&object, None);
    let finding = |field: &str, reason: &str, message: String| Finding {
        severity: Severity::Error,
        object: Some(object_ref(&object)),
        field: field.to_owned(),
        reason: reason.to_owned(),
        message,
        hint: None,
        place: loaded.places.of(field),
    };
    let unknown = unknown.iter().map(|field| finding(field, "UnknownField", format!("unknown field `{field}`")));
    let violations = violations.iter().map(|it| {
        let (message, incomplete) = (it.message(), it.message().contains("some validation rules were not checked"));
        let field = if it.field.starts_with('<') { meant(&message).unwrap_or_default() } else { it.field.clone() };
        let severity = if incomplete { Severity::Note } else { Severity::Error };
        Finding { severity, ..finding(&field, it.reason(), message) }
    });
    unknown.chain(violations).collect()
}

/// Where Kubernetes says a choice is wrong, it names the place in the message alone: `"spec.http[0]" must validate one and only one schema`.
fn meant(message: &str) -> Option<String> {
    let quoted = message.split('"').filter(|it| it.starts_with("spec") || it.starts_with("metadata"));
    quoted.map(str::to_owned).next()
}

fn object_ref(object: &Value) -> ObjectRef {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let namespaced = schema::known(text("/apiVersion"), text("/kind")).is_none_or(schema::Known::is_namespaced);
    let namespace = match text("/metadata/namespace") {
        _ if !namespaced => "",
        "" => "default",
        namespace => namespace,
    };
    let kind = Kind::of(object).map_or(text("/kind"), |it| it.name());
    ObjectRef { kind: kind.into(), namespace: namespace.into(), name: text("/metadata/name").into() }
}

fn summary(findings: &[Finding], objects: usize) -> String {
    let count = |severity| findings.iter().filter(|it| it.severity == severity).count();
    let counted = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let parts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let parts: Vec<String> = parts.into_iter().filter(|(it, _)| count(*it) > 0).map(|(it, word)| counted(count(it), word)).collect();
    let what = if parts.is_empty() { "no problem".to_owned() } else { parts.join(", ") };
    format!("{what} in {}", counted(objects, "object"))
}

// === impl Finding ===

impl Finding {
    fn of(object: ObjectRef, problem: &Problem, place: Option<Place>) -> Self {
        Self {
            severity: problem.severity,
            object: Some(object),
            field: problem.field.to_string(),
            reason: problem.reason.to_string(),
            message: problem.message.to_string(),
            hint: problem.hint.as_ref().map(ToString::to_string),
            place,
        }
    }

    fn json(&self) -> Value {
        json!({
            "severity": self.severity.to_string(),
            "object": self.object.as_ref().map(|it| json!({ "kind": *it.kind, "namespace": *it.namespace, "name": *it.name })),
            "field": self.field,
            "reason": self.reason,
            "message": self.message,
            "hint": self.hint,
            "file": self.place.as_ref().map(|it| it.file.to_string()),
            "line": self.place.as_ref().map(|it| it.line),
            "column": self.place.as_ref().map(|it| it.column),
        })
    }

    /// Severity and message, the line with a mark under what is meant, the hint.
    pub fn text(&self, paint: Paint) -> String {
        let style = match self.severity {
            Severity::Error => Style::Error,
            Severity::Warning => Style::Warning,
            Severity::Note => Style::Note,
        };
        let mut out = format!("{}: {}\n\n", paint.paint(style, &self.severity.to_string()), paint.paint(Style::Bold, &safe(&self.message)));
        if let Some(place) = &self.place {
            let at = format!("  {place}  ");
            let line = safe(&place.line_text.replace('\t', " "));
            let trimmed = line.trim_start();
            let cut = line.chars().count() - trimmed.chars().count();
            out.push_str(&format!("{at}{trimmed}\n"));
            let before = (place.column - 1).saturating_sub(cut);
            let width = token(trimmed, before);
            let mark = " ".repeat(at.chars().count() + before) + &paint.paint(style, &"^".repeat(width));
            out.push_str(&format!("{mark} {}\n", self.about()));
        } else {
            out.push_str(&format!("  {}\n", self.about()));
        }
        if let Some(hint) = &self.hint {
            out.push_str(&format!("\n{}: {}\n", paint.paint(Style::Note, "hint"), safe(hint)));
        }
        out.push('\n');
        out
    }

    /// Which object and field, and the reason in a word.
    fn about(&self) -> String {
        let object = self.object.as_ref().map(name).unwrap_or_default();
        safe([object.as_str(), self.field.as_str(), &format!("({})", self.reason)].join(" ").replace("  ", " ").trim())
    }
}

/// How many characters of a line the value has that begins after `before` characters.
fn token(line: &str, before: usize) -> usize {
    let rest: String = line.chars().skip(before).collect();
    let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''));
    let length = match quote {
        Some(quote) => rest.chars().skip(1).position(|it| it == quote).map_or(rest.chars().count(), |it| it + 2),
        None => {
            let flow = line.chars().take(before).any(|it| matches!(it, '{' | '['));
            let end =
                rest.find(" #").unwrap_or(rest.len()).min(if flow { rest.find([',', '}', ']']).unwrap_or(rest.len()) } else { rest.len() });
            let key = rest[..end].find(": ").or_else(|| rest[..end].ends_with(':').then(|| end - 1)).unwrap_or(end);
            rest[..key].trim_end().chars().count()
        }
    };
    length.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {paifang.dev/endpoints: '127.0.0.1:8000'}}
spec:
  ports: [{port: 80}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  rules:
  - host: a.test
    http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: web, port: {number: 80}}}
";

    /// `expect`: severity, reason, line.
    fn find(text: &str, expect: &[(Severity, &str, usize)]) {
        let loaded = load::load("in.yaml", text).expect("good YAML");
        let found = check(&loaded);
        let got: Vec<(Severity, &str, usize)> =
            found.iter().map(|it| (it.severity, it.reason.as_str(), it.place.as_ref().map_or(0, |it| it.line))).collect();
        assert_eq!(got, expect, "{found:#?}");
    }

    #[test]
    fn good_objects_have_no_problem() {
        find(GOOD, &[]);
    }

    #[test]
    fn each_problem_has_its_line() {
        find(&GOOD.replace("host: a.test", "host: a_b..test"), &[(Severity::Error, "FieldValueInvalid", 13)]);
        find(&GOOD.replace("name: web, port: {number: 80}", "name: wbe, port: {number: 80}"), &[(Severity::Note, "ServiceNotFound", 18)]);
        find(&GOOD.replace("'127.0.0.1:8000'", "'127.0.0.1'"), &[(Severity::Error, "InvalidEndpoint", 3)]);
        find(
            &GOOD.replace("pathType: Prefix", "pathTyp: Prefix"),
            &[(Severity::Error, "UnknownField", 17), (Severity::Error, "FieldValueRequired", 16)],
        );
    }

    const ISTIO: &str = "\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [a.test]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [a.test]
  gateways: [web]
  http:
  - match:
    - uri: {prefix: /a}
    route:
    - destination: {host: web}
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {paifang.dev/endpoints: '127.0.0.1:8000'}}
spec:
  ports: [{port: 80}]
";

    #[test]
    fn istio_s_objects_are_checked_in_every_version() {
        find(ISTIO, &[]);
        for version in ["v1", "v1beta1", "v1alpha3"] {
            let text = ISTIO.replace("networking.istio.io/v1", &format!("networking.istio.io/{version}"));
            find(&text.replace("{prefix: /a}", "{prefix: /a, exact: /b}"), &[(Severity::Error, "FieldValueInvalid", 18)]);
            find(&text.replace("match:", "mtach:"), &[(Severity::Error, "UnknownField", 17)]);
            find(&text.replace("hosts: [a.test]\n  gateways", "hosts: [b.test]\n  gateways"), &[(Severity::Warning, "NoEffect", 14)]);
        }
    }

    #[test]
    fn gateway_api_s_objects_are_checked_as_their_classes_will_be_there() {
        let text = "\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: paifang
  listeners:
  - {name: http, port: 80, protocol: HTTP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: edge}]
  rules:
  - backendRefs:
    - {name: web, port: 80}
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {paifang.dev/endpoints: '127.0.0.1:8000'}}
spec:
  ports: [{port: 80}]
";
        for version in ["v1", "v1beta1"] {
            let text = text.replace("k8s.io/v1", &format!("k8s.io/{version}"));
            find(&text, &[]);
            find(
                &text.replace("port: 80}\n---\napiVersion: v1", "port: 81}\n---\napiVersion: v1"),
                &[(Severity::Error, "PortNotFound", 16)],
            );
            let unfinished = [(Severity::Error, "FieldValueInvalid", 7), (Severity::Note, "ReferenceNotFound", 13)];
            find(&text.replace("port: 80, protocol: HTTP", "port: 80000, protocol: HTTP"), &unfinished);
        }
    }

    #[test]
    fn the_mark_stands_under_the_value() {
        for (line, before, expect) in [
            ("host: a.test  # x", 6, "a.test"),
            ("metadata: {name: web, x: y}", 17, "web"),
            ("a: \"b c\" # d", 3, "\"b c\""),
            ("rules:", 0, "rules"),
            ("- path: /(", 8, "/("),
        ] {
            assert_eq!(token(line, before), expect.chars().count(), "{line}");
        }
    }

    #[test]
    fn a_finding_reads_well() {
        let loaded = load::load("in.yaml", &GOOD.replace("'127.0.0.1:8000'", "'127.0.0.1'")).expect("good YAML");
        let text = check(&loaded)[0].text(Paint::Plain);
        assert!(text.starts_with("error: `127.0.0.1` is not an address and port\n\n  in.yaml:3  metadata:"), "{text}");
        assert!(
            text.contains("^^^^^^^^^^^ Service default/web metadata.annotations[paifang.dev/endpoints] (InvalidEndpoint)\n\nhint: "),
            "{text}"
        );
    }
}
