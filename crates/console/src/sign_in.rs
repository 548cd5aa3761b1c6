//! Signing in and out, and who is signed in.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::StatusCode;
use http::header::SET_COOKIE;
use http::request::Parts;
use model::Sealed;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, Visit};
use crate::cookie::Cookie;
use crate::origin;
use crate::reply::{self, Refusal, Reply};
use crate::session::{Key, Session};
use crate::token::{self, Token};

/// What takes time and is asked of a port.
pub type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The largest login.
const LARGEST: usize = 32 << 10;

/// Where people and their passwords are known: a port, filled by whoever starts the console.
pub trait Accounts: Send + Sync {
    /// How people may sign in, beside at an issuer.
    fn ways(&self) -> Ways;

    /// Logs somebody in, with all that guards against guessing.
    fn by_password(&self, asked: Asked) -> Waiting<'_, Result<Account, Refused>>;

    /// Somebody whom an OIDC issuer knows.
    ///
    /// # Errors
    /// Why they are nobody here, in words for the log.
    fn by_issuer(&self, person: login::Person) -> Result<Account, String>;

    /// Whether who has logged in would be let in again: not once the user is suspended or gone, or has another password.
    fn stands(&self, account: &Account) -> bool;
}

/// How people may sign in, beside at an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    pub passwords: bool,
    /// With a bearer token that the API takes.
    pub tokens: bool,
}

/// A password, and who says that it is theirs.
#[derive(Debug)]
pub struct Asked {
    pub user: String,
    pub password: Sealed<String>,
    /// The one they choose in its place.
    pub new: Option<Sealed<String>>,
    pub from: SocketAddr,
    /// What the browser calls itself.
    pub agent: String,
}

/// Somebody who has logged in.
#[derive(Clone)]
pub struct Account {
    /// As the Kubernetes API knows them.
    pub user: String,
    /// Beside those that everybody has.
    pub groups: Vec<String>,
    /// What the port knows them by.
    pub login: Arc<dyn Any + Send + Sync>,
    /// What they have signed in with, if it is this: then the API is asked with it.
    pub(crate) token: Option<Arc<Token>>,
}

/// Why somebody has not logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The name or the password is wrong, or the user is suspended: one answer for all.
    Wrong,
    /// The password is right, and only good for choosing another.
    ChangeRequired,
    /// The new password cannot be one: why not.
    Weak(String),
    /// Seconds to wait.
    TooMany(u32),
    /// Passwords of others are being checked: seconds to wait.
    Busy(u32),
    /// What the operator reads in the log.
    Failed(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Login {
    Token(ByToken),
    Password(ByPassword),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByToken {
    token: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ByPassword {
    username: String,
    password: Text,
    new_password: Option<Text>,
}

/// A text that no error and no log shows.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text(String);

// === impl Account ===

impl Account {
    pub fn new(user: impl Into<String>, groups: Vec<String>, login: Arc<dyn Any + Send + Sync>) -> Self {
        Self { user: user.into(), groups, login, token: None }
    }

    /// Whether the API still takes what they have signed in with.
    pub(crate) fn is_taken(&self) -> bool {
        self.token.as_ref().is_none_or(|token| !token.is_refused())
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).field("groups", &self.groups).finish_non_exhaustive()
    }
}

// === impl Refused ===

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wrong => Self::new(StatusCode::UNAUTHORIZED, "WrongCredentials", "The user name or the password is wrong."),
            Refused::ChangeRequired => {
                Self::new(StatusCode::FORBIDDEN, "PasswordChangeRequired", "This password is only good for choosing another.")
            }
            Refused::Weak(why) => Self::bad("WeakPassword", why),
            Refused::TooMany(seconds) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyAttempts", "Too many tries to sign in; please wait.").after(seconds)
            }
            Refused::Busy(seconds) => Self::busy("Too many people sign in at once; please try again.").after(seconds),
            Refused::Failed(why) => {
                tracing::error!(why, "nobody can sign in to the console");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Failed", "Signing in does not work; the log of the server says why.")
            }
        }
    }
}

/// `POST /console/login`.
pub(crate) async fn login(app: &App, visit: Visit<'_>) -> Result<Reply, Refusal> {
    let (head, peer) = (visit.head, visit.peer);
    let body = visit.body(LARGEST).await?;
    let asked: Login = serde_json::from_slice(&body).map_err(|_| {
        Refusal::bad(
            "BadRequest",
            r#"The body must be {"username", "password"}, with "newPassword" where another is chosen, or {"token"}."#,
        )
    })?;
    let ways = app.accounts.ways();
    let asked = match asked {
        Login::Token(ByToken { token }) if ways.tokens => {
            let account = token::account(app, peer.ip(), &token.0).await?;
            return enter(app, head, account).await;
        }
        Login::Password(asked) if ways.passwords => asked,
        Login::Token(_) => return Err(Refusal::unavailable("Nobody signs in with a token here.")),
        Login::Password(_) => return Err(Refusal::unavailable("Nobody signs in with a password here.")),
    };
    let asked = Asked {
        user: asked.username,
        password: Sealed::new(asked.password.0),
        new: asked.new_password.map(|new| Sealed::new(new.0)),
        from: peer,
        agent: agent(head).to_owned(),
    };
    let account = app.accounts.by_password(asked).await?;
    enter(app, head, account).await
}

/// Opens a session for somebody who has logged in. The one before, if there is one in this browser, ends.
pub(crate) async fn enter(app: &App, head: &Parts, account: Account) -> Result<Reply, Refusal> {
    let reserved = || login::names::is_reserved(&account.user) || account.groups.iter().any(|it| login::names::is_reserved_group(it));
    // Who shows a token is who the API says: nobody is impersonated.
    if account.token.is_none() && reserved() {
        tracing::warn!(user = account.user, "somebody with a name of the system was not signed in to the console");
        return Err(Refused::Wrong.into());
    }
    if let Some(old) = Cookie::Session.get(app.transport, &head.headers) {
        app.with_sessions(|sessions, _| sessions.end(Key::of(old)));
    }
    let user = user(app, &account).await;
    // Under `up` they have been refused before; a cluster's own API knows nothing of it.
    if !matches!(user["spec"]["suspended"], Value::Null | Value::Bool(false)) {
        return Err(Refused::Wrong.into());
    }
    let display_name = user["spec"]["displayName"].as_str().filter(|name| !name.trim().is_empty()).unwrap_or(&account.user).to_owned();
    let (name, token) = (app.chance()?, app.chance()?);
    let session = Arc::new(Session::new(account, display_name, &token, app.now()));
    let name = crate::session::text(&name);
    app.with_sessions(|sessions, now| sessions.open(Key::of(&name), session.clone(), now));
    let mut reply = reply::json(StatusCode::OK, &shown(app, &session, crate::session::IDLE));
    reply.headers_mut().append(SET_COOKIE, Cookie::Session.set(app.transport, &name));
    Ok(reply)
}

/// `GET /console/session`.
pub(crate) fn session(app: &App, visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let (session, left) = app.signed_in(visit.head)?;
    Ok(reply::json(StatusCode::OK, &shown(app, &session, left)))
}

/// `POST /console/logout`.
pub(crate) fn logout(app: &App, visit: &Visit<'_>) -> Result<Reply, Refusal> {
    if let Some(name) = Cookie::Session.get(app.transport, &visit.head.headers) {
        app.with_sessions(|sessions, _| sessions.end(Key::of(name)));
    }
    let mut reply = reply::nothing();
    reply.headers_mut().append(SET_COOKIE, Cookie::Session.clear(app.transport));
    reply.headers_mut().insert("clear-site-data", http::HeaderValue::from_static("\"cache\""));
    Ok(reply)
}

fn shown(app: &App, session: &Session, left: std::time::Duration) -> Value {
    let expires = jiff::Timestamp::now().checked_add(left).map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    json!({
        "user": session.account.user, "displayName": session.display_name, "csrf": session.token.open(),
        "expires": expires.unwrap_or_default(), "mode": app.mode.as_str(),
        "version": env!("CARGO_PKG_VERSION"), "pool": app.pool,
    })
}

/// The User of that name, if there is one and they may read it.
async fn user(app: &App, account: &Account) -> Value {
    let path = format!("/apis/paifang.dev/v1alpha1/users/{}", account.user);
    match crate::path::check(&path) {
        true => app.relay.read(account, &path).await.unwrap_or_default(),
        false => Value::Null,
    }
}

/// What a browser calls itself.
pub(crate) fn agent(head: &Parts) -> &str {
    head.headers.get(http::header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("")
}

/// Refuses what may not open a session: a page elsewhere that would sign somebody in as another.
pub(crate) fn check(app: &App, head: &Parts) -> Result<(), Refusal> {
    origin::check_origin(head, app.transport)?;
    origin::check_body(&head.headers, true)
}
