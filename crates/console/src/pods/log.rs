//! Access logs of a gateway's pods, as one: in order of their lines' times.
//!
//! Of what a pod writes only lines of its access log are taken, which are of this gateway alone; what it warns of is for the operator.
//!
//! **Invariant:** of each pod at most [`LINES`] lines are read before the first that follows, and a line of at most [`LINE`] octets is held.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{AsyncRead, AsyncReadExt, FutureExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, LogParams};
use observe::{Sieve, Wanted};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;

use super::{Found, Member, Missing, Pods, Untold};
use crate::reply::Refusal;

/// The newest lines of each pod: those are searched.
const LINES: i64 = 200_000;
/// A longer line is passed over.
const LINE: usize = 1 << 20;
/// Read at once.
const CHUNK: usize = 64 << 10;
/// Until a pod's log begins.
const PATIENCE: Duration = Duration::from_secs(10);
/// For all that has been written.
const WHOLE: Duration = Duration::from_secs(30);
/// Before a log that has ended is opened again, and pods are looked for.
const AGAIN: Duration = Duration::from_secs(2);
/// Lines that wait to be handed on.
const WAITING: usize = 1024;
const CONTAINER: &str = "gateway";

/// A pod's log as it comes, and its place among those that are read.
struct Opened {
    body: Box<dyn AsyncRead + Send + Unpin>,
    _place: Option<OwnedSemaphorePermit>,
}

/// A line of a pod: when the node got it, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    at: Option<Timestamp>,
    text: Vec<u8>,
}

/// Lines of one pod, one after the other.
struct Lines {
    pod: String,
    log: Opened,
    /// What has been read and not been taken, and how much of it is known to have no end of a line.
    rest: Vec<u8>,
    looked: usize,
    is_over: bool,
    /// Of the last line.
    last: Option<Timestamp>,
    count: i64,
    next: Option<Line>,
}

/// Lines of all pods, in order of their times.
pub(crate) struct Merged {
    pods: Vec<Lines>,
    sieve: Sieve,
}

/// The log of a gateway.
pub(crate) struct Log {
    pods: Pods,
    found: Found,
    sieve: Sieve,
    since: Option<Timestamp>,
    /// What is not in it.
    missing: Missing,
}

/// How far a log has been read.
pub(crate) struct Read {
    log: Log,
    /// Of each pod, when its last line came.
    until: Vec<(String, Option<Timestamp>)>,
}

/// What comes from now on. It ends with this value.
pub(crate) struct Followed {
    pods: Pods,
    sieve: Sieve,
    lines: mpsc::Receiver<Vec<u8>>,
    sender: mpsc::Sender<Vec<u8>>,
    /// Names of pods that are there.
    there: mpsc::Receiver<String>,
    known: BTreeSet<String>,
    tasks: JoinSet<()>,
}

// === impl Log ===

impl Log {
    pub(crate) fn new(pods: Pods, found: Found, wanted: Wanted) -> Self {
        let since = format!("{}Z", wanted.since).parse().ok();
        let missing = Missing { asked: found.members.len(), left_out: found.left_out, ..Missing::default() };
        Self { pods, found, sieve: Sieve::new(wanted), since, missing }
    }

    /// All that nodes still have of it, as far as it is searched. `tail`: the newest lines of each pod.
    ///
    /// # Errors
    /// Where the console has no right to, or no pod tells.
    pub(crate) async fn all(&mut self, tail: Option<usize>) -> Result<Merged, Refusal> {
        let tail = tail.and_then(|it| i64::try_from(it).ok()).map_or(LINES, |it| it.min(LINES));
        let (from, since) = (&self.pods, self.since);
        let open = |it: &Member| {
            let name = it.name.clone();
            async move { from.open(&name, (Some(tail), since, false)).await }.boxed()
        };
        let asked: Vec<BoxFuture<'_, _>> = self.found.members.iter().map(open).collect();
        let opened = futures::future::join_all(asked).await;
        let mut pods = Vec::new();
        for (member, opened) in self.found.members.iter().zip(opened) {
            match opened {
                Ok(log) => pods.push(Lines::new(&member.name, log)),
                Err(untold) => {
                    let why = untold.why().ok_or_else(|| self.pods.forbidden())?;
                    self.missing.silent.push((member.name.clone(), why));
                }
            }
        }
        match self.missing.silent.first() {
            Some((name, why)) if pods.is_empty() => Err(Refusal::silent(format!("No pod of this gateway shows its log; {name}: {why}."))),
            _ => Ok(Merged { pods, sieve: self.sieve.clone() }),
        }
    }

    /// The last `limit` lines, of at most `octets` together; and where to go on.
    ///
    /// # Errors
    /// As [`Self::all`].
    pub(crate) async fn last(mut self, limit: usize, octets: usize, is_searched: bool) -> Result<(Vec<u8>, Read), Refusal> {
        let mut all = self.all((!is_searched).then_some(limit)).await?;
        let (mut lines, mut size) = (VecDeque::new(), 0);
        let reading = async {
            while let Some(line) = all.next().await {
                size += line.len();
                lines.push_back(line);
                while lines.len() > limit || size > octets && lines.len() > 1 {
                    size -= lines.pop_front().map_or(0, |line: Vec<u8>| line.len());
                }
            }
        };
        tokio::time::timeout(WHOLE, reading).await.map_err(|_| Refusal::late())?;
        let mut said = self.note(all.pods.iter().any(|it| it.count >= LINES));
        said.extend(lines.into_iter().flatten());
        let until = all.pods.into_iter().map(|it| (it.pod, it.last)).collect();
        Ok((said, Read { log: self, until }))
    }

    /// A line that says what is not among the others, where something is not.
    pub(crate) fn note(&self, is_cut: bool) -> Vec<u8> {
        if self.missing.is_nothing() && !is_cut {
            return Vec::new();
        }
        let mut pods = self.missing.json();
        if is_cut {
            pods["searched"] = json!(LINES);
        }
        format!("{}\n", json!({ "pods": pods })).into_bytes()
    }
}

// === impl Pods ===

impl Pods {
    async fn open(&self, pod: &str, (tail, since, follow): (Option<i64>, Option<Timestamp>, bool)) -> Result<Opened, Untold> {
        let full = |_| Untold::Silent("too many logs are read just now".to_owned());
        let place = self.logs.clone().try_acquire_owned().map_err(full)?;
        let wanted = LogParams {
            container: Some(CONTAINER.to_owned()),
            follow,
            tail_lines: tail,
            since_time: since,
            timestamps: true,
            ..LogParams::default()
        };
        let opening = async {
            let body = Api::<Pod>::namespaced(self.client.clone(), &self.namespace).log_stream(pod, &wanted).await?;
            Ok(Opened { body: Box::new(body), _place: Some(place) })
        };
        match tokio::time::timeout(PATIENCE, opening).await {
            Ok(opened) => opened.map_err(|error: kube::Error| error.into()),
            Err(_) => Err(Untold::Silent("its log does not begin in time".to_owned())),
        }
    }
}

// === impl Lines ===

impl Lines {
    fn new(pod: &str, log: Opened) -> Self {
        Self { pod: pod.to_owned(), log, rest: Vec::new(), looked: 0, is_over: false, last: None, count: 0, next: None }
    }

    /// The next line; waiting for it can be broken off, and nothing is lost.
    async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(end) = self.rest[self.looked..].iter().position(|octet| *octet == b'\n') {
                let whole: Vec<u8> = self.rest.drain(..=self.looked + end).collect();
                self.looked = 0;
                self.count += 1;
                let line = Line::of(&whole);
                self.last = line.at.or(self.last);
                return Some(line);
            }
            self.looked = self.rest.len();
            if self.is_over {
                return None;
            }
            if self.rest.len() > LINE {
                // What is left of it is no line of ours.
                (self.rest, self.looked) = (vec![b' '], 1);
            }
            let mut octets = vec![0; CHUNK];
            match self.log.body.read(&mut octets).await {
                Ok(0) | Err(_) => self.is_over = true,
                Ok(read) => self.rest.extend_from_slice(&octets[..read]),
            }
        }
    }

    /// Holds the next line that goes through the sieve.
    async fn fill(&mut self, sieve: &Sieve) {
        while self.next.is_none() {
            let Some(line) = self.next().await else { return };
            self.next = Some(line).filter(|it| sieve.takes(&it.text));
        }
    }
}

// === impl Line ===

impl Line {
    /// With the node's time before it.
    fn of(whole: &[u8]) -> Self {
        let split = whole.iter().position(|octet| *octet == b' ').unwrap_or(0);
        let at = std::str::from_utf8(&whole[..split]).ok().and_then(|it| it.parse().ok());
        let text = if at.is_some() { &whole[split + 1..] } else { whole };
        Self { at, text: text.to_vec() }
    }

    fn time(&self) -> &[u8] {
        time(&self.text)
    }
}

/// When a line was written, as it says itself.
fn time(text: &[u8]) -> &[u8] {
    let rest = text.strip_prefix(b"{\"time\":\"").unwrap_or_default();
    rest.split(|octet| *octet == b'"').next().unwrap_or_default()
}

// === impl Merged ===

impl Merged {
    /// The next line of all; waiting for it can be broken off.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        for pod in &mut self.pods {
            pod.fill(&self.sieve).await;
        }
        let first = self.pods.iter_mut().filter(|it| it.next.is_some()).min_by(|a, b| {
            let time = |it: &Lines| it.next.as_ref().map(|it| it.time().to_vec());
            time(a).cmp(&time(b))
        })?;
        first.next.take().map(|it| it.text)
    }
}

// === impl Read ===

impl Read {
    /// What is written from here on, by pods that will come, too.
    pub(crate) fn follow(self) -> Followed {
        let (sender, lines) = mpsc::channel(WAITING);
        let (tell, there) = mpsc::channel(super::MOST);
        let Log { pods, found, sieve, .. } = self.log;
        let mut tasks = JoinSet::new();
        tasks.spawn(look(pods.clone(), found.service, tell));
        let mut followed = Followed { pods, sieve, lines, sender, there, known: BTreeSet::new(), tasks };
        for (pod, last) in self.until {
            followed.follow(pod, last);
        }
        followed
    }
}

// === impl Followed ===

impl Followed {
    fn follow(&mut self, pod: String, last: Option<Timestamp>) {
        if self.known.insert(pod.clone()) {
            self.tasks.spawn(follow(self.pods.clone(), pod, last, (self.sieve.clone(), self.sender.clone())));
        }
    }

    /// Some lines that have come, in order; waiting for them can be broken off.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        let first = loop {
            tokio::select! {
                biased;
                line = self.lines.recv() => break line?,
                Some(pod) = self.there.recv() => self.follow(pod, None),
            }
        };
        let mut lines = vec![first];
        while let Some(line) = self.lines.try_recv().ok().filter(|_| lines.len() < WAITING) {
            lines.push(line);
        }
        lines.sort_by(|a, b| time(a).cmp(time(b)));
        Some(lines.into_iter().flatten().collect())
    }
}

/// Tells again and again which pods there are.
async fn look(pods: Pods, service: Value, tell: mpsc::Sender<String>) {
    loop {
        tokio::time::sleep(AGAIN).await;
        // What cannot be seen now is seen at the next look.
        for member in pods.members(&service).await.map(|it| it.0).unwrap_or_default() {
            if tell.send(member.name).await.is_err() {
                return;
            }
        }
    }
}

/// Hands on what a pod writes after `last`, until it is gone or nobody listens.
async fn follow(pods: Pods, pod: String, mut last: Option<Timestamp>, (sieve, sender): (Sieve, mpsc::Sender<Vec<u8>>)) {
    loop {
        match pods.open(&pod, (None, last, true)).await {
            Ok(log) => {
                let mut lines = Lines::new(&pod, log);
                while let Some(line) = lines.next().await {
                    // Times are asked for in whole seconds.
                    if line.at.is_some() && line.at <= last {
                        continue;
                    }
                    last = line.at.or(last);
                    if sieve.takes(&line.text) && sender.send(line.text).await.is_err() {
                        return;
                    }
                }
            }
            Err(Untold::Forbidden | Untold::Gone) => return,
            Err(Untold::Silent(why)) => tracing::debug!(pod, why, "a pod's log cannot be followed"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::io::Cursor;

    fn line(second: u32, path: &str) -> String {
        format!("{{\"time\":\"2026-11-21T10:00:{second:02}.000Z\",\"path\":\"{path}\",\"gateway\":\"edge/gw\"}}\n")
    }

    fn stamped(second: u32, path: &str) -> String {
        format!("2026-11-21T10:00:{second:02}.500000000Z {}", line(second, path))
    }

    fn opened(text: &str) -> Opened {
        Opened { body: Box::new(Cursor::new(text.to_owned().into_bytes())), _place: None }
    }

    fn merged(pods: &[String], text: &str) -> Merged {
        let sieve = Sieve::new(Wanted { gateway: "edge/gw".into(), text: text.into(), ..Wanted::default() });
        let pods = pods.iter().map(|it| Lines::new("gw", opened(it))).collect();
        Merged { pods, sieve }
    }

    async fn all(mut merged: Merged) -> String {
        let mut said = String::new();
        while let Some(line) = merged.next().await {
            said += &String::from_utf8(line).expect("text");
        }
        said
    }

    #[tokio::test]
    async fn lines_of_all_pods_come_in_order_of_their_times() {
        let one = [stamped(1, "/a"), "2026-11-21T10:00:02.5Z WARN something\n".to_owned(), stamped(4, "/d")].concat();
        let other = [stamped(2, "/b"), stamped(3, "/c"), stamped(5, "/e")].concat();
        let pods = [one, other, String::new()];
        assert_eq!(all(merged(&pods, "")).await, [line(1, "/a"), line(2, "/b"), line(3, "/c"), line(4, "/d"), line(5, "/e")].concat());
        assert_eq!(all(merged(&pods, "/C")).await, line(3, "/c"));
    }

    #[tokio::test]
    async fn a_line_without_end_is_not_held() {
        let long = format!("2026-11-21T10:00:01Z {}\n{}", "x".repeat(3 * LINE), stamped(2, "/b"));
        let mut merged = merged(&[long, "2026-11-21T10:00:01Z half".to_owned()], "");
        assert_eq!(merged.next().await.map(|it| String::from_utf8(it).expect("text")), Some(line(2, "/b")));
        assert_eq!(merged.next().await, None);
        assert_eq!(merged.pods[0].last.map(|it| it.to_string()).as_deref(), Some("2026-11-21T10:00:02.5Z"));
    }

    #[test]
    fn what_is_not_shown_is_said() {
        let config = kube::Config::new("http://127.0.0.1:9".parse().expect("a URL"));
        let found = Found { id: model::GatewayId::new("edge/gw"), service: Value::Null, everybody: None, members: Vec::new(), left_out: 2 };
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(async { kube::Client::try_from(config).expect("a client") });
        let mut log = Log::new(Pods::new(client, "edge".into()), found, Wanted::default());
        log.missing.silent.push(("gw-1".into(), "it is gone".into()));
        let read = |said: Vec<u8>| serde_json::from_slice::<Value>(&said).expect("a line of JSON");
        let silent = json!([{ "pod": "gw-1", "why": "it is gone" }]);
        assert_eq!(read(log.note(false)), json!({ "pods": { "asked": 0, "silent": silent, "leftOut": 2 } }));
        assert_eq!(read(log.note(true))["pods"]["searched"], 200_000);
        log.missing = Missing::default();
        assert_eq!(log.note(false), b"");
    }
}
