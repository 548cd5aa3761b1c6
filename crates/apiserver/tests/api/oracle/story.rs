//! Requests in their order and what was answered, as text.
//!
//! ```text
//! # whatever a reader should know
//! POST /api/v1/namespaces/odd/configmaps
//! as: ann                        in whose place, `as-group:` of which groups; any other lower-case name is a header
//! body: {"metadata":{"name":"a"}}
//! repeat: y 100                  the body's `$$` is so many of that letter
//! await: 200                     asked again until that is the code
//! save: uid /metadata/uid        `${uid}` in what follows
//! show: /data /metadata/labels   of an answer that is a success
//! ! why this API answers otherwise, followed by how
//! < 400 BadRequest …
//! > 422 Invalid …                what the real one answered
//! ```
//!
//! What differs from run to run is written `UID`, `TIME`, `RV`. Messages and details are compared to the letter.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};
use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;

use super::wire::Wire;
use crate::client::{self, PATIENCE};

pub type Saved = BTreeMap<String, String>;

#[derive(Debug, Default)]
pub struct Story {
    /// What made the answers.
    pub made: String,
    head: Vec<String>,
    pub steps: Vec<Step>,
    tail: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Step {
    /// The line it begins in.
    pub at: usize,
    comments: Vec<String>,
    method: String,
    path: String,
    fields: Vec<(String, String)>,
    /// Why this API may answer otherwise.
    pub why: Option<String>,
    pub ours: Option<Answer>,
    pub theirs: Answer,
}

/// What is compared: the code and the reason, then a line for each thing that was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    lines: Vec<String>,
}

pub const MADE: &str = "# Answers of ";

// === impl Story ===

impl Story {
    pub fn parse(text: &str) -> Self {
        let mut story = Self::default();
        let mut lines = text.lines().enumerate().peekable();
        let (made, rest): (Vec<_>, Vec<_>) = std::iter::from_fn(|| lines.next_if(|(_, line)| !line.is_empty()))
            .map(|(_, line)| line.to_owned())
            .partition(|line| line.starts_with(MADE));
        story.made = made.first().map(|line| line[MADE.len()..].to_owned()).unwrap_or_default();
        story.head = rest;
        let mut comments = Vec::new();
        let mut open = false;
        for (at, line) in lines {
            let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
            match (first, story.steps.last_mut().filter(|_| open)) {
                ("", _) => {
                    open = false;
                    if !comments.is_empty() && comments.last().is_some_and(|line: &String| !line.is_empty()) {
                        comments.push(String::new());
                    }
                }
                ("#", _) => comments.push(line.to_owned()),
                (">", Some(step)) => step.theirs.lines.push(rest.to_owned()),
                ("<", Some(step)) => step.ours.get_or_insert_default().lines.push(rest.to_owned()),
                ("!", Some(step)) => step.why = Some(rest.to_owned()),
                (name, Some(step)) if name.ends_with(':') => step.fields.push((name.trim_end_matches(':').into(), rest.into())),
                (method, _) => {
                    assert!(Method::from_bytes(method.as_bytes()).is_ok() && rest.starts_with('/'), "line {}: {line}", at + 1);
                    let comments = std::mem::take(&mut comments);
                    story.steps.push(Step { at: at + 1, comments, method: method.into(), path: rest.into(), ..Step::default() });
                    open = true;
                }
            }
        }
        story.tail = comments;
        story
    }
}

impl Story {
    /// Whether the head says what a reason for another answer means.
    pub fn explains(&self, why: &str) -> bool {
        self.head.iter().any(|line| line.strip_prefix("#   ").is_some_and(|line| line.split(' ').next() == Some(why)))
    }
}

impl Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        writeln!(f, "{MADE}{}", self.made)?;
        for step in &self.steps {
            writeln!(f)?;
            step.comments.iter().try_for_each(|line| writeln!(f, "{line}"))?;
            writeln!(f, "{} {}", step.method, step.path)?;
            step.fields.iter().try_for_each(|(name, value)| writeln!(f, "{name}: {value}"))?;
            if let Some(why) = &step.why {
                writeln!(f, "! {why}")?;
                step.ours.iter().flat_map(|ours| &ours.lines).try_for_each(|line| writeln!(f, "< {line}"))?;
            }
            step.theirs.lines.iter().try_for_each(|line| writeln!(f, "> {line}"))?;
        }
        self.tail.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

// === impl Step ===

impl Step {
    pub fn line(&self) -> String {
        let said = self.fields.iter().map(|(name, value)| format!(" {name}: {}", short(value)));
        format!("{} {}{}", self.method, self.path, said.collect::<String>())
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub async fn ask(&self, wire: &mut Wire, saved: &mut Saved) -> Answer {
        let awaited = self.field("await");
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = wire.ask(self.request(saved)).await;
            if awaited.is_some_and(|code| code != answer.status.as_str()) {
                assert!(Instant::now() < until, "{}: still {} {:?}", self.line(), answer.status, answer.bytes);
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            if let Some(save) = self.field("save") {
                let (name, pointer) = save.split_once(' ').expect("a name and a place");
                let value = answer.ok().pointer(pointer).cloned().unwrap_or_default();
                saved.insert(format!("${{{name}}}"), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
            return self.told(&answer, saved);
        }
    }

    fn request(&self, saved: &Saved) -> http::Request<http_body_util::Full<bytes::Bytes>> {
        let fill = |text: &str| saved.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        let mut body = fill(self.field("body").unwrap_or(""));
        if let Some((letter, count)) = self.field("repeat").and_then(|repeat| repeat.split_once(' ')) {
            body = body.replace("$$", &letter.repeat(count.parse().expect("a number")));
        }
        let patch = "application/merge-patch+json";
        let usual = if body.is_empty() || self.field("content-type").is_some() {
            ""
        } else if self.method == "PATCH" {
            patch
        } else {
            "application/json"
        };
        let method = Method::from_bytes(self.method.as_bytes()).expect("a method");
        let mut request = client::request(method, &fill(&self.path), usual, &body.replace("\\n", "\n"));
        for (name, value) in &self.fields {
            let name = match name.as_str() {
                "body" | "repeat" | "await" | "save" | "show" => continue,
                "as" => "impersonate-user",
                "as-group" => "impersonate-group",
                other => other,
            };
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header");
            request.headers_mut().append(name, HeaderValue::from_str(&fill(value)).expect("a value"));
        }
        request
    }

    fn told(&self, answer: &client::Answer, saved: &Saved) -> Answer {
        let code = answer.status.as_u16();
        let value = serde_json::from_slice::<Value>(&answer.bytes).ok();
        let mut lines = Vec::new();
        match &value {
            Some(status) if status["kind"] == "Status" => {
                lines.push(format!("{code} {}", status["reason"].as_str().or(status["status"].as_str()).unwrap_or("")));
                if let Some(message) = status["message"].as_str() {
                    lines.push(format!("message: {}", message.replace('\n', "\\n")));
                }
                if status["details"].is_object() {
                    let mut details = status["details"].clone();
                    // Kubernetes names some causes twice.
                    if let Some(causes) = details.get_mut("causes").and_then(Value::as_array_mut) {
                        causes.dedup();
                    }
                    lines.push(format!("details: {}", sorted(&details)));
                }
            }
            Some(object) => {
                lines.push(format!("{code} {}", object["kind"].as_str().unwrap_or("")));
                for pointer in self.field("show").unwrap_or("").split_whitespace() {
                    let value = object.pointer(pointer).map_or_else(|| "-".to_owned(), sorted);
                    lines.push(format!("{pointer}: {value}"));
                }
            }
            None => {
                lines.push(format!("{code}"));
                let text = String::from_utf8_lossy(&answer.bytes);
                for line in text.lines().filter(|line| !line.is_empty()) {
                    lines.push(watched(line).unwrap_or_else(|| format!("text: {line}")));
                }
            }
        }
        let media = answer.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
        if media != "application/json" {
            lines.push(format!("type: {media}"));
        }
        for warning in answer.headers.get_all("warning").iter().filter_map(|value| value.to_str().ok()) {
            lines.push(format!("warning: {warning}"));
        }
        for header in ["retry-after", "allow", "location"] {
            if let Some(value) = answer.headers.get(header).and_then(|value| value.to_str().ok()) {
                lines.push(format!("{header}: {value}"));
            }
        }
        Answer { lines: lines.iter().map(|line| steady(line, saved)).collect() }
    }
}

/// A line of a watch: its type, and the name or the refusal.
fn watched(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).ok()?;
    let object = &event["object"];
    let about = if object["kind"] == "Status" { &object["message"] } else { &object["metadata"]["name"] };
    Some(format!("event: {} {}", event["type"].as_str()?, about.as_str().unwrap_or("")))
}

// === impl Answer ===

impl Answer {
    pub fn brief(&self) -> String {
        self.lines.join("\n           ")
    }
}

fn short(text: &str) -> &str {
    text.char_indices().nth(120).map_or(text, |(end, _)| &text[..end])
}

/// With the keys in one order, whoever wrote them.
fn sorted(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}

/// Without what differs from run to run.
fn steady(line: &str, saved: &Saved) -> String {
    let mut line = line.to_owned();
    for (name, value) in saved.iter().filter(|(_, value)| value.len() > 2) {
        line = line.replace(value.as_str(), &name[2..name.len() - 1].to_uppercase());
    }
    let mut out = String::new();
    let mut rest = line.as_str();
    while let Some(c) = rest.chars().next() {
        let taken = if out.ends_with(|c: char| c.is_ascii_alphanumeric()) {
            None
        } else if is_like(rest, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
            Some(("UID", 36))
        } else if is_like(rest, "dddd-dd-ddTdd:dd:ddZ") {
            Some(("TIME", 20))
        } else {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let known = ["current: ", "in object meta: ", "resourceVersion\":\"", "in record ("];
            (end > 0 && known.iter().any(|before| out.ends_with(before))).then_some(("RV", end))
        };
        let (word, length) = match taken {
            Some((word, length)) => (word.to_owned(), length),
            None => (c.to_string(), c.len_utf8()),
        };
        let _ = write!(out, "{word}");
        rest = &rest[length..];
    }
    out.truncate(out.trim_end().len());
    out
}

/// Whether a text begins as a pattern says: `x` a hexadecimal digit, `d` a decimal one.
fn is_like(text: &str, pattern: &str) -> bool {
    let fits = |(c, p): (char, char)| match p {
        'x' => c.is_ascii_hexdigit(),
        'd' => c.is_ascii_digit(),
        p => c == p,
    };
    text.chars().zip(pattern.chars()).filter(|pair| fits(*pair)).count() == pattern.len()
}
