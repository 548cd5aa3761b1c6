//! Who asks: a client certificate of our own authority, or a bearer token ([`crate::bearer`]); and in whose place.
//!
//! Who has neither is refused before anything is looked at. What they may do is [`crate::rbac`]'s word.
//!
//! **Invariant:** the program's own identity comes from its certificate alone. No token and no impersonation gives it, so nobody else
//! writes what is read-only.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::api::Api;
use crate::bearer::{self, Bearer, Credential};
use crate::failure::Failure;
use crate::impersonation::{self, Wanted};
use crate::token;

/// The user that this program's own controllers are.
pub(crate) const KEEPER: &str = "paifang";
pub(crate) const MASTERS: &str = "system:masters";
pub(crate) const AUTHENTICATED: &str = "system:authenticated";
pub(crate) const UNAUTHENTICATED: &str = "system:unauthenticated";
pub(crate) const ANONYMOUS: &str = "system:anonymous";
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";
const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";

/// Who sent a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub user: String,
    /// Empty for certificates.
    pub uid: String,
    pub groups: Vec<String>,
    pub extra: BTreeMap<String, Vec<String>>,
    keeper: bool,
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: Option<Identity>,
}

/// Who counts as the sender, and who it really is when that is somebody else.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) user: Identity,
    pub(crate) behind: Option<Identity>,
}

// === impl Identity ===

impl Identity {
    pub(crate) fn new(user: impl Into<String>, groups: Vec<String>) -> Self {
        Self { user: user.into(), groups, ..Self::default() }
    }

    /// The subject of a certificate that TLS has verified.
    pub(crate) fn of_certificate(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let subject = certificate.subject();
        let user = subject.iter_common_name().next()?.as_str().ok()?.to_owned();
        if user.is_empty() {
            return None;
        }
        let organizations = subject.iter_organization().filter_map(|one| one.as_str().ok());
        let groups: Vec<String> = organizations.map(str::to_owned).chain([AUTHENTICATED.to_owned()]).collect();
        let keeper = user == KEEPER && groups.iter().any(|group| group == MASTERS);
        Some(Self { keeper, ..Self::new(user, groups) })
    }

    pub(crate) fn of_service_account(namespace: &str, name: &str) -> Self {
        let groups = service_account_groups(namespace).into_iter().chain([AUTHENTICATED.to_owned()]).collect();
        Self::new(service_account(namespace, name), groups)
    }

    /// Whether it is this program itself.
    pub fn is_keeper(&self) -> bool {
        self.keeper
    }

    /// Whether it may do everything, whatever the roles say.
    pub fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }
}

/// The name that a ServiceAccount has as a user.
pub(crate) fn service_account(namespace: &str, name: &str) -> String {
    format!("{SERVICE_ACCOUNT}{namespace}:{name}")
}

/// Namespace and name, of the name that a ServiceAccount has as a user.
pub(crate) fn as_service_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let plain = |text: &str| !text.is_empty() && text.bytes().all(letter);
    (plain(namespace) && plain(name)).then_some((namespace, name))
}

pub(crate) fn service_account_groups(namespace: &str) -> [String; 2] {
    [SERVICE_ACCOUNTS.to_owned(), format!("{SERVICE_ACCOUNTS}:{namespace}")]
}

/// Finds out who sent a request, and by what.
///
/// # Errors
/// `Unauthorized` for who cannot say.
pub(crate) async fn authenticate(api: &Api, headers: &HeaderMap, peer: &Peer) -> Result<(Identity, Credential), Failure> {
    if let Some(user) = &peer.certificate {
        return Ok((user.clone(), Credential::Certificate));
    }
    let token = bearer(headers).ok_or_else(Failure::unauthorized)?;
    match bearer::verify(api, token, &[token::AUDIENCE.to_owned()]).await {
        Ok(Bearer { user, credential, .. }) => Ok((user, credential)),
        Err(reason) => {
            tracing::debug!(peer = %peer.address, reason, "a bearer token was refused");
            Err(Failure::unauthorized())
        }
    }
}

/// In whose place `user` asks, if in somebody's.
///
/// # Errors
/// `Forbidden` for who may not be whom they want to be.
pub(crate) fn stand_in(api: &Api, headers: &HeaderMap, user: &Identity) -> Result<Option<Wanted>, Failure> {
    let Some(wanted) = impersonation::wanted(headers)? else { return Ok(None) };
    impersonation::check(api, user, &wanted)?;
    Ok(Some(wanted))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
