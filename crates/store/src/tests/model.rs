//! The store against a map and a list: any operations, with restarts, compaction and watches that come and go.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Put(u8, Guess, u8),
    Delete(u8, Guess),
    /// Several writes at once, from several callers.
    Crowd(Vec<(u8, u8)>),
    Watch,
    Drain(u8),
    Restart,
}

#[derive(Clone, Copy, Debug)]
enum Guess {
    Anything,
    Absent,
    Present,
    Right,
    Wrong,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let guess = prop_oneof![Just(Guess::Anything), Just(Guess::Absent), Just(Guess::Present), Just(Guess::Right), Just(Guess::Wrong)];
    let step = prop_oneof![
        6 => (0..6_u8, guess.clone(), any::<u8>()).prop_map(|(key, guess, value)| Step::Put(key, guess, value)),
        3 => (0..6_u8, guess).prop_map(|(key, guess)| Step::Delete(key, guess)),
        1 => prop::collection::vec((0..6_u8, any::<u8>()), 1..20).prop_map(Step::Crowd),
        1 => Just(Step::Watch),
        2 => any::<u8>().prop_map(Step::Drain),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..60)
}

/// What the store must be.
#[derive(Default)]
struct Model {
    objects: BTreeMap<String, (Revision, Vec<u8>)>,
    /// Every event there ever was: revision, key, bytes.
    events: Vec<(Revision, String, Option<Vec<u8>>)>,
}

impl Model {
    fn revision(&self) -> Revision {
        self.events.last().map_or(1, |(revision, ..)| *revision)
    }

    fn expect(&self, key: &str, guess: Guess) -> Expect {
        let current = self.objects.get(key).map_or(1, |(revision, _)| *revision);
        match guess {
            Guess::Anything => Expect::Anything,
            Guess::Absent => Expect::Absent,
            Guess::Present => Expect::Present,
            Guess::Right => Expect::Revision(current),
            Guess::Wrong => Expect::Revision(current + 1000),
        }
    }

    fn write(&mut self, key: &str, guess: Guess, bytes: Option<Vec<u8>>) -> bool {
        let there = self.objects.contains_key(key);
        let allowed = match guess {
            Guess::Anything => there || bytes.is_some(),
            Guess::Absent => !there && bytes.is_some(),
            Guess::Present | Guess::Right => there,
            Guess::Wrong => false,
        };
        let deletes_nothing = matches!(guess, Guess::Absent) && !there && bytes.is_none();
        if allowed {
            let revision = self.revision() + 1;
            match &bytes {
                Some(bytes) => self.objects.insert(key.into(), (revision, bytes.clone())),
                None => self.objects.remove(key),
            };
            self.events.push((revision, key.into(), bytes));
        }
        allowed || deletes_nothing
    }
}

/// A watch and what it has seen.
struct Watcher {
    watch: Watch,
    seen: Revision,
}

async fn drain(model: &Model, watcher: &mut Watcher) -> bool {
    while watcher.seen < model.revision() {
        match watcher.watch.next().await {
            Ok(events) => {
                for event in events {
                    let at = usize::try_from(event.revision - 2).expect("small");
                    let (revision, key, bytes) = &model.events[at];
                    assert_eq!(event.revision, watcher.seen + 1, "no gap");
                    assert_eq!((event.revision, &*event.key, event.now.as_deref()), (*revision, key.as_str(), bytes.as_deref()));
                    let before = model.events[..at].iter().rev().find(|(_, earlier, _)| earlier == key);
                    let before = before.and_then(|(revision, _, bytes)| Some((*revision, bytes.clone()?)));
                    assert_eq!(event.before.as_ref().map(|object| (object.revision, object.bytes.to_vec())), before);
                    watcher.seen = event.revision;
                }
            }
            Err(WatchError::Compacted { .. }) => {
                assert!(model.revision() - watcher.seen > 20, "only what is far behind is dropped");
                return false;
            }
            Err(error) => panic!("{error}"),
        }
    }
    true
}

fn same(model: &Model, store: &Store) {
    let (revision, objects) = store.list("");
    assert_eq!(revision, model.revision());
    let objects: BTreeMap<_, _> =
        objects.into_iter().map(|(key, object)| (key.to_string(), (object.revision, object.bytes.to_vec()))).collect();
    assert_eq!(objects, model.objects);
}

/// What was there at any revision that is kept.
fn same_in_the_past(model: &Model, store: &Store) {
    let newest = model.revision();
    for revision in newest.saturating_sub(20).max(1)..=newest {
        let mut then = BTreeMap::new();
        for (_, key, bytes) in model.events.iter().take_while(|(at, ..)| *at <= revision) {
            match bytes {
                Some(bytes) => then.insert(key.clone(), bytes.clone()),
                None => then.remove(key),
            };
        }
        let listed = store.list_at("", revision).expect("it is kept");
        let listed: BTreeMap<_, _> = listed.into_iter().map(|(key, object)| (key.to_string(), object.bytes.to_vec())).collect();
        assert_eq!(listed, then, "at {revision}");
    }
}

async fn run(steps: Vec<Step>) {
    let limits = Limits { events: 20, ..Limits::default() };
    let dir = dir();
    let open = || Store::open_with(dir.path(), limits.clone()).expect("opens");
    let (mut store, mut model, mut watchers) = (open(), Model::default(), Vec::<Watcher>::new());
    for step in steps {
        match step {
            Step::Put(key, guess, value) => {
                let key = format!("key{key}");
                let op = Op::put(&*key, model.expect(&key, guess), vec![value; usize::from(value)]);
                let done = store.write(vec![op]).await;
                let allowed = model.write(&key, guess, Some(vec![value; usize::from(value)]));
                assert_eq!(done.is_ok(), allowed, "{done:?}");
            }
            Step::Delete(key, guess) => {
                let key = format!("key{key}");
                let done = store.write(vec![Op::delete(&*key, model.expect(&key, guess))]).await;
                assert_eq!(done.is_ok(), model.write(&key, guess, None), "{done:?}");
            }
            Step::Crowd(writes) => crowd(&store, &mut model, writes).await,
            Step::Watch => {
                let seen = store.revision();
                let watch = store.watch("", seen).expect("the newest is kept");
                watchers.push(Watcher { watch, seen });
            }
            Step::Drain(which) if !watchers.is_empty() => {
                let at = usize::from(which) % watchers.len();
                if !drain(&model, &mut watchers[at]).await {
                    watchers.remove(at);
                }
            }
            Step::Drain(_) => {}
            Step::Restart => {
                store.close().await;
                store = open();
                let back = |watcher: Watcher| {
                    let watch = store.watch("", watcher.seen).ok()?;
                    Some(Watcher { watch, seen: watcher.seen })
                };
                watchers = watchers.into_iter().filter_map(back).collect();
            }
        }
        same(&model, &store);
    }
    same_in_the_past(&model, &store);
    for mut watcher in watchers {
        drain(&model, &mut watcher).await;
    }
}

/// Writes that race: each gets its own revision, and together they make the newest state.
async fn crowd(store: &Store, model: &mut Model, writes: Vec<(u8, u8)>) {
    let mut tasks = tokio::task::JoinSet::new();
    for (key, value) in writes {
        let store = store.clone();
        tasks.spawn(async move {
            let key = format!("key{key}");
            let op = Op::put(&*key, Expect::Anything, vec![value]);
            (store.write(vec![op]).await.expect("accepted"), key, vec![value])
        });
    }
    let mut done = tasks.join_all().await;
    done.sort();
    for (revision, key, bytes) in done {
        assert_eq!(revision, model.revision() + 1, "revisions have no gaps");
        model.write(&key, Guess::Anything, Some(bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_map_with_a_history(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(run(steps));
    }
}
