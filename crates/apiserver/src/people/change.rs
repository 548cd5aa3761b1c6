//! `users/NAME/password`: somebody chooses another password, or is given one.
//!
//! The body is `{"newPassword": "…"}`; oneself adds `"currentPassword"`, others may add `"mustChange": true`, so that the first login chooses
//! another. Sessions and personal tokens from before end.
//!
//! **Invariant:** who asks for oneself is who has that name, whatever a role says. Without the current password a stolen session is not worth
//! the account.

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::login_endpoint::{Secret, new_hash, refusal, seconds};
use super::{User, kept};
use crate::access::Peer;
use crate::api::{Api, Ask};
use crate::body::Parsed;
use crate::failure::Failure;
use crate::reply::Reply;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    new_password: Secret,
    current_password: Option<Secret>,
    #[serde(default)]
    must_change: bool,
}

/// Changes the password of the user that the path names.
pub(crate) async fn change(api: &Api, ask: &Ask, body: Parsed, peer: &Peer) -> Result<Reply, Failure> {
    let asked: Asked = serde_json::from_value(body.value).map_err(|_| {
        Failure::bad_request(r#"the body must be {"newPassword": "…"}, with "currentPassword" for oneself, and "mustChange" for others"#)
    })?;
    let name = &ask.target.name;
    let user = api.people.user(name).ok_or_else(|| Failure::not_found(&ask.kind, name))?;
    let own = ask.user.user == *name;
    // Whoever changes it while this one is looked at has the first word.
    let epoch = api.people.password(&user).map(|kept| kept.epoch.clone());
    if own {
        check_current(api, &user, asked.current_password, peer).await?;
    }
    let hash = new_hash(api, &user, asked.new_password, "newPassword").await?;
    if !ask.dry_run {
        kept::put(api, &user, &kept::New { hash: Some(hash), must_change: asked.must_change && !own }, epoch.as_deref()).await?;
    }
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": { "name": name, "group": super::GROUP, "kind": super::PLURAL, "uid": user.uid },
    });
    Ok(ask.format.reply(StatusCode::CREATED, &status))
}

async fn check_current(api: &Api, user: &User, current: Option<Secret>, peer: &Peer) -> Result<(), Failure> {
    let current = current.ok_or_else(|| Failure::bad_request("whoever changes their own password gives the currentPassword, too"))?;
    let attempt = api.people.attempt(&user.name, peer.address.ip()).map_err(|wait| Failure::too_many_tries(seconds(wait.0)))?;
    let hash = api.people.password(user).and_then(|kept| kept.hash.clone());
    match api.people.hashing.verify(current.seal(), hash).await {
        Ok(true) => {
            api.people.with_guard(|guard, now| guard.succeeded(now, attempt));
            Ok(())
        }
        Ok(false) => Err(Failure::wrong_password(&user.name)),
        Err(error) => {
            api.people.with_guard(|guard, _| guard.not_tried(attempt));
            Err(refusal(error))
        }
    }
}
