//! Sessions: who is signed in, in this process's memory and nowhere else.
//!
//! It is sans-IO: the clock and the chance are arguments. A restart signs everybody out.
//!
//! **Invariant:** what names a session is known to its browser alone: here is a digest of it.
//! **Invariant:** a session that has ended ends every stream that was opened in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use model::Sealed;
use tokio::sync::{Semaphore, watch};

use crate::sign_in::Account;

/// After so long without a request it is over.
pub(crate) const IDLE: Duration = Duration::from_secs(30 * 60);
/// And after so long whatever happens.
pub(crate) const ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions of everybody, and of one person.
const MOST: usize = 4096;
const OF_ONE: usize = 32;
/// Streams that are open in one session at a time.
pub(crate) const STREAMS: usize = 64;
/// Octets of chance in what names a session, and in its token.
pub(crate) const CHANCE: usize = 32;

/// What names a session: in the cookie as text, here as a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

/// Somebody who is signed in.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) account: Account,
    pub(crate) display_name: String,
    pub(crate) token: Sealed<String>,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) since: Instant,
    /// Turns true at its end.
    over: watch::Sender<bool>,
}

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    open: HashMap<Key, Open>,
}

#[derive(Debug)]
struct Open {
    session: Arc<Session>,
    used: Instant,
}

// === impl Key ===

impl Key {
    pub(crate) fn of(text: &str) -> Self {
        let digest = digest(&SHA256, text.as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(digest.as_ref());
        Self(key)
    }
}

/// Chance as text that may stand in a cookie or a header.
pub(crate) fn text(octets: &[u8]) -> String {
    BASE64.encode(octets)
}

// === impl Session ===

impl Session {
    pub(crate) fn new(account: Account, display_name: String, token: &[u8; CHANCE], now: Instant) -> Self {
        Self {
            account,
            display_name,
            token: Sealed::new(text(token)),
            streams: Arc::new(Semaphore::new(STREAMS)),
            since: now,
            over: watch::channel(false).0,
        }
    }

    /// Returns at its end.
    pub(crate) async fn ended(&self) {
        // An error would mean that it is gone, which it is not while it is borrowed.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    pub(crate) fn is_over(&self) -> bool {
        *self.over.borrow()
    }
}

// === impl Sessions ===

impl Sessions {
    /// Opens one. Who has too many loses the one that was used longest ago; so does everybody together.
    pub(crate) fn open(&mut self, key: Key, session: Arc<Session>, now: Instant) {
        self.end_over(now);
        let user = session.account.user.clone();
        while self.open.values().filter(|open| open.session.account.user == user).count() >= OF_ONE {
            self.end_oldest(|open| open.session.account.user == user);
        }
        while self.open.len() >= MOST {
            self.end_oldest(|_| true);
        }
        self.open.insert(key, Open { session, used: now });
    }

    /// The session that a cookie names; it counts as used.
    pub(crate) fn find(&mut self, key: Key, now: Instant) -> Option<(Arc<Session>, Duration)> {
        let open = self.open.get_mut(&key)?;
        if is_over(open, now) {
            self.end(key);
            return None;
        }
        open.used = now;
        let left = ABSOLUTE.saturating_sub(now.saturating_duration_since(open.session.since)).min(IDLE);
        Some((open.session.clone(), left))
    }

    pub(crate) fn end(&mut self, key: Key) {
        if let Some(open) = self.open.remove(&key) {
            open.session.over.send_replace(true);
        }
    }

    /// Ends what has lasted long enough; gives the others.
    pub(crate) fn sweep(&mut self, now: Instant) -> Vec<(Key, Arc<Session>)> {
        self.end_over(now);
        self.open.iter().map(|(key, open)| (*key, open.session.clone())).collect()
    }

    fn end_over(&mut self, now: Instant) {
        let over: Vec<Key> = self.open.iter().filter(|(_, open)| is_over(open, now)).map(|(key, _)| *key).collect();
        over.into_iter().for_each(|key| self.end(key));
    }

    fn end_oldest(&mut self, of: impl Fn(&Open) -> bool) {
        let oldest = self.open.iter().filter(|(_, open)| of(open)).min_by_key(|(_, open)| open.used).map(|(key, _)| *key);
        if let Some(key) = oldest {
            self.end(key);
        }
    }
}

fn is_over(open: &Open, now: Instant) -> bool {
    now.saturating_duration_since(open.used) >= IDLE || now.saturating_duration_since(open.session.since) >= ABSOLUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn session(user: &str, now: Instant) -> Arc<Session> {
        Arc::new(Session::new(Account::new(user, Vec::new(), Arc::new(())), user.to_owned(), &[1; CHANCE], now))
    }

    #[test]
    fn who_does_nothing_for_half_an_hour_is_signed_out() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let (key, opened) = (Key::of("a"), session("ann", start));
        sessions.open(key, opened.clone(), start);
        for minutes in [29, 58, 87] {
            assert!(sessions.find(key, start + MINUTE * minutes).is_some(), "after {minutes} minutes");
        }
        assert!(!opened.is_over());
        assert!(sessions.find(key, start + MINUTE * 117).is_none());
        assert!(opened.is_over() && sessions.open.is_empty());
    }

    #[test]
    fn nobody_stays_longer_than_twelve_hours() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        sessions.open(Key::of("a"), session("ann", start), start);
        for minutes in (10..720).step_by(10) {
            assert!(sessions.find(Key::of("a"), start + MINUTE * minutes).is_some(), "after {minutes} minutes");
        }
        let (_, left) = sessions.find(Key::of("a"), start + ABSOLUTE - MINUTE).expect("a minute before");
        assert_eq!(left, MINUTE);
        assert!(sessions.find(Key::of("a"), start + ABSOLUTE).is_none());
    }

    #[test]
    fn there_is_an_end_to_sessions() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let first = session("ann", start);
        sessions.open(Key::of("first"), first.clone(), start);
        for n in 1..=OF_ONE {
            let now = start + Duration::from_millis(n as u64);
            sessions.open(Key::of(&format!("ann-{n}")), session("ann", now), now);
        }
        assert!(first.is_over(), "the one that was used longest ago");
        assert_eq!(sessions.open.len(), OF_ONE);
        for n in 0..MOST {
            sessions.open(Key::of(&format!("user-{n}")), session(&format!("user-{n}"), start + MINUTE), start + MINUTE);
        }
        assert_eq!(sessions.open.len(), MOST);
    }

    #[tokio::test]
    async fn an_end_is_heard() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let opened = session("ann", now);
        sessions.open(Key::of("a"), opened.clone(), now);
        let waiting = tokio::spawn({
            let opened = opened.clone();
            async move { opened.ended().await }
        });
        sessions.end(Key::of("a"));
        tokio::time::timeout(MINUTE, waiting).await.expect("it is heard").expect("no panic");
        // Also by who asks too late.
        tokio::time::timeout(MINUTE, opened.ended()).await.expect("it is heard");
        assert!(sessions.find(Key::of("a"), now).is_none());
    }
}
