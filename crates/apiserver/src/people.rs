//! People: Users, what is kept of their passwords, and whom a token stands for.
//!
//! ```text
//! POST /login ─► guard ─► User, password-NAME ─► argon2id (crate login) ─► ticket, signed ─► session token
//! users/NAME/password ─► new hash, new epoch            users/NAME/token ─► ticket, signed ─► personal token
//! bearer ─► ticket ─► User of that uid, not suspended, of that epoch ─► Identity
//!        └► OIDC ─► User whose identity it is, or a user without one ─► Identity
//! ```
//!
//! What may be done is [`crate::rbac`]'s word; roles of people are objects that others make.
//!
//! **Invariant:** a token is good only as long as its User is there with the same uid, is not suspended, and has the same epoch. Without a
//! password object there is no epoch, and no token.
//! **Invariant:** a password object counts only for the User that owns it: one who comes later under the same name starts without.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use login::{Guard, Hashing, Issuer, Ticket, names};
use store::Store;

use crate::access::{AUTHENTICATED, Identity};
use crate::follow::Followed;

mod change;
pub(crate) mod first;
mod index;
pub(crate) mod kept;
pub(crate) mod login_endpoint;
pub(crate) mod logins;
mod rules;
mod tokens;

pub(crate) use change::change;
pub(crate) use index::{Password, User};
pub(crate) use rules::guard;
pub(crate) use tokens::{EXTRA_KIND, grant};

use index::{Passwords, Users};

pub(crate) const GROUP: &str = "paifang.dev";
pub(crate) const VERSION: &str = "v1alpha1";
pub(crate) const KIND: &str = "User";
pub(crate) const PLURAL: &str = "users";
/// What belongs to the system and nobody else may read.
pub(crate) const NAMESPACE: &str = "paifang-system";
/// The words of the subresources.
pub(crate) const PASSWORD: &str = "password";
pub(crate) const TOKEN: &str = "token";

const USERS: &str = "paifang.dev/users/";
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// All that is known of people.
pub(crate) struct People {
    users: Followed<Users>,
    passwords: Followed<Passwords>,
    pub(crate) hashing: Hashing,
    pub(crate) issuer: Option<Issuer>,
    guard: Mutex<Guard>,
}

/// Whether a kind is the one of people, however it is served.
pub(crate) fn is_user(group: &str, plural: &str) -> bool {
    group == GROUP && plural == PLURAL
}

// === impl People ===

impl People {
    pub(crate) fn new(store: Store, issuer: Option<Issuer>) -> Self {
        Self {
            users: Followed::new(store.clone(), USERS),
            passwords: Followed::new(store, kept::PREFIX),
            hashing: Hashing::new(login::hashing::Limits::default()),
            issuer,
            guard: Mutex::default(),
        }
    }

    pub(crate) fn user(&self, name: &str) -> Option<Arc<User>> {
        self.users.read(|users| users.get(name))
    }

    /// The password object of a user, if it is theirs.
    pub(crate) fn password(&self, user: &User) -> Option<Arc<Password>> {
        self.passwords.read(|passwords| passwords.get(&user.name)).filter(|password| password.owner == user.uid)
    }

    /// Counts a try to log in.
    pub(crate) fn attempt(&self, account: &str, from: std::net::IpAddr) -> Result<login::guard::Attempt, login::guard::Wait> {
        self.with_guard(|guard, now| guard.attempt(now, account, from))
    }

    pub(crate) fn with_guard<T>(&self, act: impl FnOnce(&mut Guard, Instant) -> T) -> T {
        act(&mut self.guard.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }

    /// Whom a ticket stands for now.
    ///
    /// # Errors
    /// Why it stands for nobody.
    pub(crate) fn bearer(&self, ticket: &Ticket) -> Result<Identity, &'static str> {
        let user = self.user(&ticket.user).filter(|user| user.uid == ticket.uid).ok_or("its User is gone")?;
        user.usable()?;
        let password = self.password(&user).ok_or("its User has no password object")?;
        if password.epoch != ticket.epoch {
            return Err("the password has changed since");
        }
        let mut identity = user.identity(Vec::new());
        identity.extra.insert(CREDENTIAL.into(), vec![format!("JTI={}", ticket.id)]);
        identity.extra.insert(EXTRA_KIND.into(), vec![ticket.kind.as_str().to_owned()]);
        Ok(identity)
    }

    /// Who somebody is whom the issuer knows: the User who says so, or a user without one.
    ///
    /// # Errors
    /// Why they are nobody.
    pub(crate) fn resolve(&self, person: &login::Person) -> Result<Identity, &'static str> {
        let (of_identity, of_name) = self.users.read(|users| (users.of_identity(&person.user), users.get(&person.user)));
        let mut identity = match of_identity.as_slice() {
            [user] => {
                user.usable()?;
                user.identity(person.groups.clone())
            }
            [] if of_name.is_some() => return Err("a User of that name does not say that it is this person"),
            [] if names::is_reserved(&person.user) => return Err("its user name is one of the system's"),
            [] => Identity::new(&person.user, person.groups.iter().cloned().chain([AUTHENTICATED.to_owned()]).collect()),
            _ => return Err("several Users say that they are this person"),
        };
        if let Some(id) = &person.id {
            identity.extra.insert(CREDENTIAL.into(), vec![format!("JTI={id}")]);
        }
        Ok(identity)
    }

    /// Users other than `name` who say that they are `identity`.
    pub(crate) fn others_of(&self, identity: &str, name: &str) -> bool {
        self.users.read(|users| users.of_identity(identity)).iter().any(|user| user.name != name)
    }
}

// === impl User ===

impl User {
    /// # Errors
    /// Why nobody can be this user now.
    pub(crate) fn usable(&self) -> Result<(), &'static str> {
        if names::is_reserved(&self.name) {
            return Err("its user name is one of the system's");
        }
        if self.going {
            return Err("its User is going");
        }
        if self.suspended { Err("its User is suspended") } else { Ok(()) }
    }

    fn identity(&self, groups: Vec<String>) -> Identity {
        let mut identity = Identity::new(&self.name, groups.into_iter().chain([AUTHENTICATED.to_owned()]).collect());
        identity.uid.clone_from(&self.uid);
        identity
    }
}
