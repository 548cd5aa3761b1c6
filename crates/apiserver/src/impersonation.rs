//! Asking in somebody else's place: `kubectl --as`.

use std::collections::BTreeMap;

use http::HeaderMap;

use crate::access::{ANONYMOUS, AUTHENTICATED, Identity, UNAUTHENTICATED, as_service_account, service_account_groups};
use crate::api::Api;
use crate::failure::Failure;
use crate::rbac::Attempt;
use crate::rbac::attempt::On;
use crate::request::percent_decode;

const USER: &str = "impersonate-user";
const GROUP: &str = "impersonate-group";
const UID: &str = "impersonate-uid";
const EXTRA: &str = "impersonate-extra-";
/// Every header of this beginning asks for impersonation; one that is not known must not be passed over.
const ANY: &str = "impersonate-";
const API_GROUP: &str = "authentication.k8s.io";

/// Whom a request wants to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    user: String,
    uid: String,
    groups: Vec<String>,
    extra: BTreeMap<String, Vec<String>>,
}

/// Whom a request wants to be, if somebody else.
///
/// # Errors
/// `BadRequest` for headers that do not say whom.
pub(crate) fn wanted(headers: &HeaderMap) -> Result<Option<Wanted>, Failure> {
    let mut wanted = Wanted::default();
    let mut any = false;
    for (name, value) in headers {
        let name = name.as_str();
        if !name.starts_with(ANY) {
            continue;
        }
        any = true;
        let value = value.to_str().map_err(|_| Failure::bad_request(format!("the header {name} is not text")))?.to_owned();
        match name {
            USER if wanted.user.is_empty() => wanted.user = value,
            UID if wanted.uid.is_empty() => wanted.uid = value,
            USER | UID => return Err(Failure::bad_request(format!("the header {name} comes twice"))),
            GROUP => wanted.groups.push(value),
            other => {
                let key = other.strip_prefix(EXTRA).and_then(percent_decode).filter(|key| !key.is_empty());
                let key = key.ok_or_else(|| Failure::bad_request(format!("the header {name} is not known")))?;
                wanted.extra.entry(key).or_default().push(value);
            }
        }
    }
    if any && wanted.user.is_empty() {
        return Err(Failure::bad_request("groups, a uid or extra values cannot be impersonated without a user (Impersonate-User)"));
    }
    Ok(any.then_some(wanted))
}

/// Refuses who may not be all that they want to be.
pub(crate) fn check(api: &Api, user: &Identity, wanted: &Wanted) -> Result<(), Failure> {
    for attempt in wanted.attempts() {
        let decision = api.rights.check(user, &attempt);
        if !decision.allowed {
            return Err(Failure::refused(&user.user, &attempt, &decision.reason));
        }
    }
    Ok(())
}

// === impl Wanted ===

impl Wanted {
    fn attempts(&self) -> Vec<Attempt> {
        let on = |group: &str, resource: &str, namespace: &str, name: &str| Attempt::on("impersonate", group, resource, namespace, name);
        let mut attempts = vec![match as_service_account(&self.user) {
            Some((namespace, name)) => on("", "serviceaccounts", namespace, name),
            None => on("", "users", "", &self.user),
        }];
        attempts.extend(self.groups.iter().map(|group| on("", "groups", "", group)));
        if !self.uid.is_empty() {
            attempts.push(on(API_GROUP, "uids", "", &self.uid));
        }
        for (key, values) in &self.extra {
            for value in values {
                let mut attempt = on(API_GROUP, "userextras", "", value);
                if let On::Resource { subresource, .. } = &mut attempt.on {
                    subresource.clone_from(key);
                }
                attempts.push(attempt);
            }
        }
        attempts
    }

    pub(crate) fn become_user(self) -> Identity {
        let Self { user, uid, mut groups, extra } = self;
        if let Some((namespace, _)) = as_service_account(&user)
            && groups.is_empty()
        {
            groups.extend(service_account_groups(namespace));
        }
        let said = |group: &str| groups.iter().any(|one| one == group);
        if user == ANONYMOUS {
            if !said(UNAUTHENTICATED) {
                groups.push(UNAUTHENTICATED.into());
            }
        } else if !said(AUTHENTICATED) && !said(UNAUTHENTICATED) {
            groups.push(AUTHENTICATED.into());
        }
        let mut identity = Identity::new(user, groups);
        (identity.uid, identity.extra) = (uid, extra);
        identity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, value.parse().expect("a value"));
        }
        map
    }

    #[test]
    fn groups_are_those_of_a_login_unless_said_otherwise() {
        let groups =
            |lines: &[(&'static str, &'static str)]| wanted(&headers(lines)).expect("understood").expect("somebody").become_user().groups;
        assert_eq!(groups(&[(USER, "a")]), [AUTHENTICATED]);
        assert_eq!(groups(&[(USER, "a"), (GROUP, "x"), (GROUP, "y")]), ["x", "y", AUTHENTICATED]);
        assert_eq!(groups(&[(USER, "a"), (GROUP, UNAUTHENTICATED)]), [UNAUTHENTICATED]);
        assert_eq!(groups(&[(USER, ANONYMOUS)]), [UNAUTHENTICATED]);
        assert_eq!(
            groups(&[(USER, "system:serviceaccount:shop:robot")]),
            ["system:serviceaccounts", "system:serviceaccounts:shop", AUTHENTICATED]
        );
    }

    #[test]
    fn nobody_becomes_the_keeper() {
        let headers = headers(&[(USER, crate::access::KEEPER), (GROUP, crate::access::MASTERS)]);
        let user = wanted(&headers).expect("understood").expect("somebody").become_user();
        assert!(user.is_master() && !user.is_keeper());
    }

    #[test]
    fn every_part_must_be_allowed() {
        let headers = headers(&[(USER, "a"), (GROUP, "x"), (UID, "u"), ("impersonate-extra-example.io%2Fscope", "all")]);
        let said: Vec<String> =
            wanted(&headers).expect("understood").expect("somebody").attempts().iter().map(|one| one.refusal("me")).collect();
        let place = "at the cluster scope";
        assert_eq!(
            said,
            [
                format!(r#"User "me" cannot impersonate resource "users" in API group "" {place}"#),
                format!(r#"User "me" cannot impersonate resource "groups" in API group "" {place}"#),
                format!(r#"User "me" cannot impersonate resource "uids" in API group "authentication.k8s.io" {place}"#),
                format!(
                    r#"User "me" cannot impersonate resource "userextras/example.io/scope" in API group "authentication.k8s.io" {place}"#
                ),
            ]
        );
    }

    #[test]
    fn headers_that_do_not_say_whom_are_refused() {
        for lines in [
            &[(GROUP, "x")][..],
            &[(USER, "")],
            &[(UID, "u")],
            &[(USER, "a"), (USER, "b")],
            &[(USER, "a"), ("impersonate-everything", "yes")],
            &[(USER, "a"), ("impersonate-extra-%zz", "yes")],
        ] {
            assert!(wanted(&headers(lines)).is_err(), "{lines:?}");
        }
        assert_eq!(wanted(&HeaderMap::new()).expect("understood"), None);
    }
}
