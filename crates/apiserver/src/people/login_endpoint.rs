//! `POST /login`: a name and a password become a session token. The one endpoint that answers who has none yet.
//!
//! | answer | when |
//! |---|---|
//! | 200 `{token, expirationTimestamp}` | the password is right; with `newPassword` it is that one from then on |
//! | 401 | the name or the password is wrong, the user is suspended or has no password: one answer for all, after the same time |
//! | 403 `PasswordChangeRequired` | right, and only good for choosing another with `newPassword` |
//! | 422 | `newPassword` cannot be a password |
//! | 429, 503, with `Retry-After` | too many tries for this account or from this place; too many logins at once |

use std::sync::Arc;

use http::{Method, StatusCode};
use hyper::body::{Body, Bytes};
use login::hashing::HashingError;
use login::password;
use login::ticket::{Kind, SESSION};
use model::Sealed;
use serde::Deserialize;
use serde_json::json;

use super::{GROUP, PLURAL, User, kept, tokens};
use crate::access::{ANONYMOUS, Asker, Identity, Peer, UNAUTHENTICATED};
use crate::api::Api;
use crate::body;
use crate::failure::{Cause, Failure};
use crate::rbac::Attempt;
use crate::reply::Reply;

pub(crate) const PATH: &str = "/login";
const LARGEST: usize = 8 << 10;
const MEDIA: &str = "application/json";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) username: String,
    pub(super) password: Secret,
    pub(super) new_password: Option<Secret>,
}

/// A text of a body that no error and no log shows.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(String);

/// Answers a login. `agent` is what the client calls itself.
pub(crate) async fn answer<B>(api: &Api, head: &http::request::Parts, body: B, peer: &Peer, agent: &str) -> Reply
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let asked = match read(head, body).await {
        Ok(asked) => asked,
        Err(failure) => return Reply::failure(&failure),
    };
    let attempt = match attempt(api, &asked.username, peer) {
        Ok(attempt) => attempt,
        Err(failure) => return Reply::failure(&failure),
    };
    let told = told(api, asked, attempt, peer, agent).await;
    told.and_then(|(user, epoch)| session(api, &user, &epoch)).unwrap_or_else(|failure| Reply::failure(&failure))
}

/// Counts a try. One that is refused is not told in the audit log: whoever floods this would flush what is told there.
pub(super) fn attempt(api: &Api, account: &str, peer: &Peer) -> Result<login::guard::Attempt, Failure> {
    api.people.attempt(account, peer.address.ip()).map_err(|wait| Failure::too_many_tries(seconds(wait.0)))
}

/// Logs in, and says so in the audit log. Gives the user, and the epoch of the password.
pub(super) async fn told(
    api: &Api,
    asked: Asked,
    attempt: login::guard::Attempt,
    peer: &Peer,
    agent: &str,
) -> Result<(Arc<User>, String), Failure> {
    let entry =
        api.audit().and_then(|log| log.entry(&nobody(), peer, &Attempt::on("login", GROUP, PLURAL, "", &asked.username), agent, false));
    let done = log_in(api, asked, attempt).await;
    if let Some(entry) = entry {
        entry.answered(done.as_ref().map_or_else(|failure| failure.code, |_| StatusCode::OK).as_u16(), None);
    }
    done
}

async fn read<B>(head: &http::request::Parts, body: B) -> Result<Asked, Failure>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if head.method != Method::POST {
        return Err(Failure::method_not_allowed());
    }
    // A form of a foreign page can be sent by any browser; this type cannot.
    if body::media_type(&head.headers) != MEDIA {
        return Err(Failure::unsupported_media(MEDIA));
    }
    let bytes = body::read_within(body, LARGEST).await?;
    serde_json::from_slice(&bytes).map_err(|_| {
        Failure::bad_request(r#"the body must be {"username": "…", "password": "…"}, with "newPassword" where another is chosen"#)
    })
}

async fn log_in(api: &Api, asked: Asked, attempt: login::guard::Attempt) -> Result<(Arc<User>, String), Failure> {
    let user = api.people.user(&asked.username);
    let kept = user.as_ref().and_then(|user| api.people.password(user));
    let hash = kept.as_ref().and_then(|kept| kept.hash.clone());
    let right = match api.people.hashing.verify(asked.password.seal(), hash).await {
        Ok(right) => right,
        Err(error) => {
            api.people.with_guard(|guard, _| guard.not_tried(attempt));
            return Err(refusal(error));
        }
    };
    let (Some(user), Some(kept)) = (user.filter(|user| right && user.usable().is_ok()), kept) else {
        return Err(Failure::login_refused());
    };
    api.people.with_guard(|guard, now| guard.succeeded(now, attempt));
    let Some(new) = asked.new_password else {
        if kept.must_change {
            return Err(Failure::password_change_required(&user.name));
        }
        return Ok((user, kept.epoch.clone()));
    };
    let hash = new_hash(api, &user, new, "newPassword").await?;
    kept::put(api, &user, &kept::New { hash: Some(hash), must_change: false }, Some(&kept.epoch)).await?;
    let now = api.people.password(&user).ok_or_else(Failure::login_refused)?;
    Ok((user, now.epoch.clone()))
}

/// The hash of what somebody chose, if it may be a password.
pub(super) async fn new_hash(api: &Api, user: &Arc<User>, new: Secret, field: &str) -> Result<Sealed<String>, Failure> {
    password::check(&user.name, &new.0).map_err(|unfit| {
        let cause = Cause::new("FieldValueInvalid", field, format!("Invalid value: {unfit}"));
        Failure::invalid_review(GROUP, "Password", cause)
    })?;
    api.people.hashing.hash(new.seal()).await.map_err(refusal)
}

fn session(api: &Api, user: &User, epoch: &str) -> Result<Reply, Failure> {
    let (token, expires) = tokens::sign(api, Kind::Session, user, epoch, SESSION)?;
    Ok(Reply::json_with(StatusCode::OK, &json!({ "token": token, "expirationTimestamp": expires })))
}

pub(super) fn refusal(error: HashingError) -> Failure {
    match error {
        HashingError::Busy => Failure::busy(),
        HashingError::Failed(reason) => Failure::internal(reason),
    }
}

fn nobody() -> Asker {
    Asker { user: Identity::new(ANONYMOUS, vec![UNAUTHENTICATED.to_owned()]), behind: None }
}

pub(super) fn seconds(wait: std::time::Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

// === impl Secret ===

impl Secret {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    pub(super) fn seal(self) -> Sealed<String> {
        Sealed::new(self.0)
    }
}
