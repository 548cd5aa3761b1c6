//! Logging in without a request: for who serves people beside this API, in the same process.
//!
//! The rules are those of `POST /login`: the same guard, the same hashes, the same line in the audit log.
//!
//! **Invariant:** whoever logs in by this has no token: what they do afterwards is asked for in their place, and [`Logins::stands`] says for
//! how long.

use std::net::SocketAddr;
use std::sync::Arc;

use model::Sealed;

use super::login_endpoint::{self, Asked, Secret};
use crate::access::{AUTHENTICATED, Identity, Peer};
use crate::api::Api;
use crate::failure::Failure;

/// Where people log in who do not come by the API.
#[derive(Clone)]
pub struct Logins {
    api: Arc<Api>,
}

/// A password, and who says that it is theirs.
#[derive(Debug)]
pub struct Password {
    pub user: String,
    pub password: Sealed<String>,
    /// The one they choose in its place.
    pub new: Option<Sealed<String>>,
    pub from: SocketAddr,
    /// What the client calls itself, for the audit log.
    pub agent: String,
}

/// Somebody who has logged in.
#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    /// Beside the one of all who are logged in.
    pub groups: Vec<String>,
    by: By,
}

#[derive(Clone, Debug)]
enum By {
    Password { uid: String, epoch: String },
    Issuer(Box<login::Person>),
}

/// Why somebody has not logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginRefusal {
    /// The name or the password, or a suspended user: one answer for all.
    Wrong,
    /// The password is right, and only good for choosing another.
    ChangeRequired,
    /// The new password cannot be one: why not.
    Weak(String),
    /// Seconds to wait.
    TooMany(u32),
    /// Passwords of others are being checked: seconds to wait.
    Busy(u32),
    Failed(String),
}

// === impl Logins ===

impl Logins {
    pub(crate) fn new(api: Arc<Api>) -> Self {
        Self { api }
    }

    /// # Errors
    /// Why not.
    pub async fn by_password(&self, asked: Password) -> Result<Login, LoginRefusal> {
        let peer = Peer { address: asked.from, certificate: None };
        let attempt = login_endpoint::attempt(&self.api, &asked.user, &peer).map_err(refusal)?;
        let secret = |text: &Sealed<String>| Secret::new(text.open().clone());
        let request = Asked { username: asked.user, password: secret(&asked.password), new_password: asked.new.as_ref().map(secret) };
        let (user, epoch) = login_endpoint::told(&self.api, request, attempt, &peer, &asked.agent).await.map_err(refusal)?;
        Ok(Login { user: user.name.clone(), groups: Vec::new(), by: By::Password { uid: user.uid.clone(), epoch } })
    }

    /// Somebody whom the issuer knows: by an id token that has been verified.
    ///
    /// # Errors
    /// Why they are nobody here, in words for the log.
    pub fn by_issuer(&self, person: login::Person) -> Result<Login, &'static str> {
        let identity = self.api.people.resolve(&person)?;
        Ok(Login { user: identity.user.clone(), groups: groups(&identity), by: By::Issuer(Box::new(person)) })
    }

    /// Whether somebody who has logged in would be let in again: not if the user is suspended or gone, or the password is another.
    pub fn stands(&self, login: &Login) -> bool {
        let people = &self.api.people;
        match &login.by {
            By::Password { uid, epoch } => people
                .user(&login.user)
                .filter(|user| user.uid == *uid && user.usable().is_ok())
                .and_then(|user| people.password(&user))
                .is_some_and(|password| password.epoch == *epoch),
            By::Issuer(person) => {
                people.resolve(person).is_ok_and(|identity| identity.user == login.user && groups(&identity) == login.groups)
            }
        }
    }
}

fn groups(identity: &Identity) -> Vec<String> {
    identity.groups.iter().filter(|group| *group != AUTHENTICATED).cloned().collect()
}

fn refusal(failure: Failure) -> LoginRefusal {
    match failure.code.as_u16() {
        401 => LoginRefusal::Wrong,
        403 => LoginRefusal::ChangeRequired,
        422 => LoginRefusal::Weak(failure.message().to_owned()),
        429 => LoginRefusal::TooMany(failure.retry_after_seconds().unwrap_or(1)),
        503 => LoginRefusal::Busy(failure.retry_after_seconds().unwrap_or(1)),
        _ => LoginRefusal::Failed(failure.message().to_owned()),
    }
}
