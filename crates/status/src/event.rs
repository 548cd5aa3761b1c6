//! Events: each problem said once, not at every look.

use crate::{Kind, Target, Wish};
use serde_json::{Value, json};
use siphasher::sip::SipHasher13;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::hash::{Hash, Hasher};

/// The longest message an event may have.
const MESSAGE_LIMIT: usize = 1024;
/// Problems of one object that get an event of their own.
const PER_OBJECT: usize = 16;

/// One thing to say about an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Said {
    /// Field path; empty: the object as a whole.
    pub field: String,
    pub severity: Severity,
    /// UpperCamelCase, for example `ServiceNotFound`.
    pub reason: String,
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Normal,
    Warning,
}

/// Who says it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// For example `paifang.dev/ingress-controller`.
    pub controller: String,
    /// For example the host's name.
    pub instance: String,
}

/// Remembers what was said, so that it is not said again.
///
/// In the first round after a start, what has an event already is not repeated.
/// A problem that was mended and comes back is counted up.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Namespaces and names of our events that existed at the start; empty after the first round.
    known: BTreeSet<(String, String)>,
    /// Per object, the events of the problems it has now.
    active: HashMap<Target, BTreeSet<String>>,
    /// After the first round, an event that exists is of a problem that was mended since.
    caught_up: bool,
}

// === impl Said ===

/// Field, message and hint in one line.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, ". {hint}"))
    }
}

// === impl Ledger ===

impl Ledger {
    /// An event that exists, of any reporter.
    pub fn remember(&mut self, event: &Value, identity: &Identity) {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if text("/reportingComponent") == identity.controller {
            self.known.insert((text("/metadata/namespace").to_owned(), text("/metadata/name").to_owned()));
        }
    }

    /// Every object has been stated at least once.
    pub fn caught_up(&mut self) {
        self.caught_up = true;
        // From here on only what is wrong now is remembered.
        self.known = BTreeSet::new();
    }

    /// All that there is to say about an object now. Returns what must be written: for each problem that is new.
    pub fn state(&mut self, about: &Target, uid: &str, said: &BTreeSet<Said>, identity: &Identity, now: &str) -> Vec<(Target, Wish)> {
        let namespace = if about.namespace.is_empty() { "default" } else { &about.namespace };
        let named: BTreeMap<String, Said> = limited(said).into_iter().map(|it| (name(about, uid, &it), it)).collect();
        let before = self.active.remove(about).unwrap_or_default();
        let mut wishes = Vec::new();
        for (name, said) in &named {
            let said_before = !self.caught_up && !self.known.insert((namespace.to_owned(), name.clone()));
            if before.contains(name) || said_before {
                continue;
            }
            let event = event(about, uid, namespace, name, said, identity, now);
            wishes.push((Target::new(Kind::Event, namespace, name.clone()), Wish::Event(event)));
        }
        if !named.is_empty() {
            self.active.insert(about.clone(), named.into_keys().collect());
        }
        wishes
    }

    /// The object is gone.
    pub fn forget(&mut self, about: &Target) {
        let namespace = if about.namespace.is_empty() { "default" } else { &about.namespace };
        for name in self.active.remove(about).unwrap_or_default() {
            self.known.remove(&(namespace.to_owned(), name));
        }
    }
}

/// So that one object with a thousand problems does not fill the store.
fn limited(said: &BTreeSet<Said>) -> Vec<Said> {
    let mut kept: Vec<Said> = said.iter().take(PER_OBJECT).cloned().collect();
    if said.len() > PER_OBJECT {
        let message = format!("{} more problems are not listed here; `paifang check` names them all", said.len() - PER_OBJECT);
        kept.push(Said { field: String::new(), severity: Severity::Warning, reason: "MoreProblems".into(), message, hint: None });
    }
    kept
}

/// The same problem of the same object has the same name, so it is one event however often it is found.
fn name(about: &Target, uid: &str, said: &Said) -> String {
    let mut hasher = SipHasher13::new();
    (uid, said).hash(&mut hasher);
    let mut stem = about.name.clone();
    stem.truncate(220); // object names are ASCII
    format!("{}.{:016x}", stem.trim_end_matches(['.', '-']), hasher.finish())
}

/// A core/v1 Event, which is what `kubectl describe` looks for.
fn event(about: &Target, uid: &str, namespace: &str, name: &str, said: &Said, identity: &Identity, now: &str) -> Value {
    let severity = match said.severity {
        Severity::Normal => "Normal",
        Severity::Warning => "Warning",
    };
    let mut object = json!({ "apiVersion": about.kind.api_version(), "kind": about.kind.word(), "name": about.name, "uid": uid });
    if !about.namespace.is_empty() {
        object["namespace"] = about.namespace.clone().into();
    }
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": { "name": name, "namespace": namespace, "labels": { "app.kubernetes.io/managed-by": "paifang" } },
        "involvedObject": object,
        "type": severity,
        "reason": said.reason,
        "message": shortened(&said.to_string(), MESSAGE_LIMIT),
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": { "component": "paifang" },
        "reportingComponent": identity.controller,
        "reportingInstance": identity.instance,
    })
}

/// A message of at most so many octets.
pub(crate) fn shortened(message: &str, limit: usize) -> String {
    if message.len() <= limit {
        return message.to_owned();
    }
    let end = (0..=limit.saturating_sub('…'.len_utf8())).rev().find(|it| message.is_char_boundary(*it)).unwrap_or(0);
    format!("{}…", &message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity { controller: "paifang.dev/ingress-controller".into(), instance: "here".into() }
    }

    fn said(message: &str) -> Said {
        Said { field: "spec".into(), severity: Severity::Warning, reason: "ServiceNotFound".into(), message: message.into(), hint: None }
    }

    fn about() -> Target {
        Target::new(Kind::Ingress, "demo-project", "demo")
    }

    fn state(ledger: &mut Ledger, messages: &[&str]) -> Vec<(Target, Wish)> {
        let said: BTreeSet<Said> = messages.iter().map(|it| said(it)).collect();
        ledger.state(&about(), "u", &said, &identity(), "2026-01-01T00:00:00Z")
    }

    #[test]
    fn a_problem_is_said_once_and_again_only_when_it_comes_back() {
        let mut ledger = Ledger::default();
        assert_eq!(state(&mut ledger, &["a", "b"]).len(), 2);
        ledger.caught_up();
        assert_eq!(state(&mut ledger, &["b", "a"]).len(), 0);
        assert_eq!(state(&mut ledger, &["b"]).len(), 0);
        assert_eq!(state(&mut ledger, &["a", "b"]).len(), 1);
        assert_eq!(state(&mut ledger, &[]).len(), 0);
    }

    #[test]
    fn a_restart_says_nothing_again() {
        let written: Vec<Value> = state(&mut Ledger::default(), &["a"])
            .into_iter()
            .map(|(_, wish)| match wish {
                Wish::Event(event) => event,
                other => panic!("{other:?}"),
            })
            .collect();
        let mut restarted = Ledger::default();
        written.iter().for_each(|it| restarted.remember(it, &identity()));
        assert_eq!(state(&mut restarted, &["a"]).len(), 0);
        restarted.caught_up();
        assert_eq!(state(&mut restarted, &[]).len(), 0);
        assert_eq!(state(&mut restarted, &["a"]).len(), 1, "mended and broken again");
    }

    #[test]
    fn what_was_mended_is_not_remembered_for_ever() {
        let mut ledger = Ledger::default();
        state(&mut ledger, &["before"]);
        ledger.caught_up();
        for n in 0..100 {
            state(&mut ledger, &[&n.to_string()]);
        }
        state(&mut ledger, &[]);
        assert_eq!((ledger.known.len(), ledger.active.len()), (0, 0));
    }

    #[test]
    fn a_thousand_problems_make_few_events_and_long_messages_end() {
        let many: Vec<String> = (0..1000).map(|it| it.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(state(&mut Ledger::default(), &many).len(), PER_OBJECT + 1);
        assert_eq!(shortened(&"牌".repeat(1000), MESSAGE_LIMIT).chars().last(), Some('…'));
        assert!(shortened(&"牌".repeat(1000), MESSAGE_LIMIT).len() <= MESSAGE_LIMIT);
    }
}
