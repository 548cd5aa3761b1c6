//! Services of type ExternalName: which addresses their names have, asked again and again off the loop.

use futures::StreamExt;
use model::Text;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Between two looks at a name. The system's resolver does not tell how long an answer is good for; this is the floor of what is usual.
const REFRESH: Duration = Duration::from_secs(5);
/// The longest one look may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Looks at once.
const AT_ONCE: usize = 8;
/// Addresses of one name that are used.
const MOST: usize = 64;
/// Failed looks in a row after which the last addresses are given up: a resolver that is down for a minute closes no route.
const FAILURES: u32 = 12;

/// Looks names up in the background. Dropping it ends that.
pub struct Names {
    wanted: watch::Sender<BTreeSet<Text>>,
    answers: mpsc::Receiver<Answer>,
    task: JoinHandle<()>,
}

/// A name has other addresses than before; none: it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub name: Text,
    pub addresses: Vec<IpAddr>,
}

#[derive(Default)]
struct Entry {
    addresses: Option<Vec<IpAddr>>,
    failures: u32,
}

impl Names {
    pub fn start() -> Self {
        let (wanted, wants) = watch::channel(BTreeSet::new());
        let (send, answers) = mpsc::channel(64);
        Self { wanted, answers, task: tokio::spawn(run(wants, send)) }
    }

    /// These names and no others.
    pub fn want(&self, names: BTreeSet<Text>) {
        self.wanted.send_if_modified(|it| {
            let modified = *it != names;
            *it = names;
            modified
        });
    }

    /// The next change. Cancel safe.
    pub async fn answer(&mut self) -> Option<Answer> {
        self.answers.recv().await
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(mut wants: watch::Receiver<BTreeSet<Text>>, answers: mpsc::Sender<Answer>) {
    let mut entries: BTreeMap<Text, Entry> = BTreeMap::new();
    loop {
        let wanted = wants.borrow_and_update().clone();
        entries.retain(|name, _| wanted.contains(name));
        let mut looks = futures::stream::iter(wanted).map(|name| async { (look_up(&name).await, name) }).buffer_unordered(AT_ONCE);
        while let Some((found, name)) = looks.next().await {
            let entry = entries.entry(name.clone()).or_default();
            if let Some(addresses) = entry.take(found)
                && answers.send(Answer { name, addresses }).await.is_err()
            {
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(REFRESH) => {}
            changed = wants.changed() => if changed.is_err() { return },
        }
    }
}

/// Sorted, so that a resolver that rotates its answers changes nothing.
async fn look_up(name: &str) -> Option<Vec<IpAddr>> {
    let found = tokio::time::timeout(DEADLINE, tokio::net::lookup_host((name, 0))).await.ok()?.ok()?;
    let addresses: BTreeSet<IpAddr> = found.map(|it| it.ip()).collect();
    Some(addresses.into_iter().take(MOST).collect())
}

impl Entry {
    /// What to tell, if there is something new.
    fn take(&mut self, found: Option<Vec<IpAddr>>) -> Option<Vec<IpAddr>> {
        let now = match found {
            Some(addresses) => {
                self.failures = 0;
                addresses
            }
            None => {
                self.failures = self.failures.saturating_add(1);
                if self.addresses.is_some() && self.failures < FAILURES {
                    return None;
                }
                Vec::new()
            }
        };
        let new = self.addresses.as_ref() != Some(&now);
        self.addresses = Some(now.clone());
        new.then_some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_resolver_takes_no_address_away_at_once() {
        let there = vec![IpAddr::from([127, 0, 0, 1])];
        let mut entry = Entry::default();
        assert_eq!(entry.take(Some(there.clone())), Some(there.clone()));
        assert_eq!(entry.take(Some(there.clone())), None);
        for _ in 1..FAILURES {
            assert_eq!(entry.take(None), None);
        }
        assert_eq!(entry.take(None), Some(Vec::new()));
        assert_eq!(entry.take(Some(there.clone())), Some(there));
        assert_eq!(Entry::default().take(None), Some(Vec::new()), "a name that never had one is told at once");
    }

    #[tokio::test]
    async fn a_wanted_name_is_answered() {
        let mut names = Names::start();
        names.want([Text::from("localhost")].into());
        let answer = tokio::time::timeout(Duration::from_secs(20), names.answer()).await.expect("an answer in time").expect("it runs");
        assert!(answer.addresses.iter().any(IpAddr::is_loopback), "{answer:?}");
    }
}
