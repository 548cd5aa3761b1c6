//! Bearer tokens of every kind, and whether who showed one may go on.
//!
//! ```text
//! token ─► signed here? ─► issuer: ServiceAccounts │ their Secrets │ logins ─► Identity
//!       └► names the OIDC issuer? ─► its keys ─► Identity
//! ```
//!
//! **Invariant:** what a token is says its issuer, which is signed: one kind never passes for another.

use login::{Person, Ticket, ticket};
use serde_json::Value;

use crate::access::Identity;
use crate::api::Api;
use crate::clock;
use crate::failure::Failure;
use crate::impersonation::{self, Wanted};
use crate::rbac::Attempt;
use crate::token;

/// What somebody showed. It is asked again while a watch goes on.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// A certificate that TLS verified: good as long as the connection.
    Certificate,
    /// The claims of a token of a ServiceAccount.
    Account(Box<Value>),
    /// The token of a Secret, and its claims.
    Secret(String, Box<Value>),
    Ticket(Box<Ticket>),
    Person(Box<Person>),
}

/// Whose token it is.
#[derive(Debug)]
pub(crate) struct Bearer {
    pub(crate) user: Identity,
    pub(crate) credential: Credential,
    /// Those of the audiences asked for that it is for.
    pub(crate) audiences: Vec<String>,
}

/// Why a request was let in.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    credential: Credential,
    /// Who showed it.
    shown_by: Identity,
    /// In whose place they ask.
    wanted: Option<Wanted>,
    /// Who asks.
    user: Identity,
    attempt: Attempt,
}

/// Finds out whose token it is, if it is for one of `audiences`.
///
/// # Errors
/// Why it is nobody's, in words for the log. No client hears them: they would say which guess was near.
pub(crate) async fn verify(api: &Api, token: &str, audiences: &[String]) -> Result<Bearer, String> {
    if let Some(claims) = api.signer.verify(token) {
        return own(api, token, claims, audiences).map_err(str::to_owned);
    }
    let issuer = api.people.issuer.as_ref().filter(|issuer| issuer.is_named_by(token)).ok_or("not signed by this API")?;
    for_this_api(audiences)?;
    let person = issuer.verify(token).await.map_err(|refusal| refusal.to_string())?;
    let user = api.people.resolve(&person)?;
    Ok(Bearer { user, credential: Credential::Person(Box::new(person)), audiences: vec![token::AUDIENCE.to_owned()] })
}

fn own(api: &Api, token: &str, claims: Value, audiences: &[String]) -> Result<Bearer, &'static str> {
    let bearer = |user, credential, audiences| Bearer { user, credential, audiences };
    let this = || vec![token::AUDIENCE.to_owned()];
    match claims["iss"].as_str() {
        Some(token::AUDIENCE) => {
            let meant = token::meant(&claims, audiences)?;
            Ok(bearer(token::subject(api, &claims)?, Credential::Account(Box::new(claims)), meant))
        }
        Some(token::lasting::ISSUER) => {
            for_this_api(audiences)?;
            Ok(bearer(token::lasting::subject(api, token, &claims)?, Credential::Secret(token.to_owned(), Box::new(claims)), this()))
        }
        Some(ticket::ISSUER) => {
            for_this_api(audiences)?;
            let ticket = Ticket::read(&claims, now())?;
            Ok(bearer(api.people.bearer(&ticket)?, Credential::Ticket(Box::new(ticket)), this()))
        }
        _ => Err("of another issuer"),
    }
}

/// Tokens that say nothing of audiences of Kubernetes are for this API.
fn for_this_api(audiences: &[String]) -> Result<(), &'static str> {
    if audiences.iter().any(|audience| audience == token::AUDIENCE) { Ok(()) } else { Err("for another audience") }
}

fn now() -> i64 {
    clock::seconds()
}

// === impl Credential ===

impl Credential {
    /// Whether it still stands for `user`.
    fn stands(&self, api: &Api, user: &Identity) -> bool {
        let found = match self {
            Self::Certificate => return true,
            Self::Account(claims) => token::meant(claims, &[token::AUDIENCE.to_owned()]).and_then(|_| token::subject(api, claims)),
            Self::Secret(token, claims) => token::lasting::subject(api, token, claims),
            Self::Ticket(ticket) if ticket.expires <= now() => Err("expired"),
            Self::Ticket(ticket) => api.people.bearer(ticket),
            Self::Person(person) if person.expires <= now() => Err("expired"),
            Self::Person(person) => api.people.resolve(person),
        };
        found.is_ok_and(|found| found == *user)
    }
}

// === impl Standing ===

impl Standing {
    pub(crate) fn new(credential: Credential, shown_by: Identity, wanted: Option<Wanted>, user: Identity, attempt: Attempt) -> Self {
        Self { credential, shown_by, wanted, user, attempt }
    }

    pub(crate) fn user(&self) -> &Identity {
        &self.user
    }

    pub(crate) fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Lets the same request in once more, or not.
    ///
    /// # Errors
    /// As the request would be answered now.
    pub(crate) fn check(&self, api: &Api) -> Result<(), Failure> {
        if !self.credential.stands(api, &self.shown_by) {
            return Err(Failure::unauthorized());
        }
        if let Some(wanted) = &self.wanted {
            impersonation::check(api, &self.shown_by, wanted)?;
        }
        api.allow(&self.user, &self.attempt)
    }
}
