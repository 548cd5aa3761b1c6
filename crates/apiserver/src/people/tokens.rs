//! `users/NAME/token`: a personal token, to stand in a kubeconfig; and how tickets are signed.

use http::StatusCode;
use login::Ticket;
use login::ticket::{Kind, LONGEST, PERSONAL};
use serde_json::{Value, json};

use super::{User, kept};
use crate::api::{Api, Ask};
use crate::bearer::Credential;
use crate::body::Parsed;
use crate::clock;
use crate::failure::{Cause, Failure};
use crate::object::{as_map, empty};
use crate::reply::Reply;
use crate::{names, token};

/// The extra value that says of which kind a token is.
pub(crate) const EXTRA_KIND: &str = "paifang.dev/login";

/// Answers a `TokenRequest` for a person.
pub(crate) async fn grant(api: &Api, ask: &Ask, body: Parsed) -> Result<Reply, Failure> {
    let mut asked = body.value;
    if asked.is_null() {
        asked = empty();
    }
    token::check(&asked)?;
    let spec = as_map(as_map(&mut asked).entry("spec").or_insert_with(empty));
    let invalid =
        |field: &str, message: &str| Failure::invalid_review(token::GROUP, token::KIND, Cause::new("FieldValueInvalid", field, message));
    if spec.get("boundObjectRef").is_some_and(|reference| !reference.is_null()) {
        return Err(invalid("spec.boundObjectRef", "Invalid value: tokens of users are bound to the user alone"));
    }
    let audiences = spec.get("audiences").and_then(Value::as_array).cloned().unwrap_or_default();
    if audiences.iter().any(|audience| audience != token::AUDIENCE) {
        return Err(invalid("spec.audiences", "Invalid value: tokens of users are for this API alone"));
    }
    spec.insert("audiences".into(), json!([token::AUDIENCE]));
    let seconds = spec.get("expirationSeconds").and_then(Value::as_i64).unwrap_or(PERSONAL);
    if seconds > LONGEST {
        return Err(invalid("spec.expirationSeconds", "Invalid value: tokens of users last 365 days at most"));
    }
    let seconds = capped(ask, seconds);
    spec.insert("expirationSeconds".into(), seconds.into());
    let name = &ask.target.name;
    let user = api.people.user(name).ok_or_else(|| Failure::not_found(&ask.kind, name))?;
    user.usable().map_err(|reason| Failure::forbidden(&ask.kind, name, reason))?;
    let (token, expires) = match ask.dry_run {
        true => (String::new(), timestamp(now() + seconds)?),
        false => sign(api, Kind::Personal, &user, &epoch(api, &user).await?, seconds)?,
    };
    let answer = json!({
        "kind": token::KIND, "apiVersion": format!("{}/v1", token::GROUP),
        "metadata": { "name": name, "creationTimestamp": clock::now() },
        "spec": spec, "status": { "token": token, "expirationTimestamp": expires },
    });
    Ok(ask.format.reply(StatusCode::CREATED, &answer))
}

/// Who asks by a personal token gets none that outlasts it: one that leaked would live for ever.
fn capped(ask: &Ask, seconds: i64) -> i64 {
    match ask.standing.credential() {
        Credential::Ticket(ticket) if ticket.kind == Kind::Personal => seconds.min(ticket.expires - now()),
        _ => seconds,
    }
}

/// The epoch of a user; who has no password yet gets one without a hash.
async fn epoch(api: &Api, user: &User) -> Result<String, Failure> {
    if api.people.password(user).is_none() {
        kept::put(api, user, &kept::New { hash: None, must_change: false }, None).await?;
    }
    let kept = api.people.password(user).ok_or_else(|| Failure::password_conflict(&user.name))?;
    Ok(kept.epoch.clone())
}

/// A token for a user and when it ends.
pub(super) fn sign(api: &Api, kind: Kind, user: &User, epoch: &str, seconds: i64) -> Result<(String, String), Failure> {
    let issued = now();
    let ticket = Ticket {
        kind,
        user: user.name.clone(),
        uid: user.uid.clone(),
        epoch: epoch.to_owned(),
        id: names::uid(),
        issued,
        expires: issued + seconds,
    };
    let token = api.signer.sign(&ticket.claims()).map_err(Failure::internal)?;
    Ok((token, timestamp(ticket.expires)?))
}

fn now() -> i64 {
    clock::seconds()
}

fn timestamp(seconds: i64) -> Result<String, Failure> {
    let time = jiff::Timestamp::from_second(seconds).map_err(Failure::internal)?;
    Ok(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
