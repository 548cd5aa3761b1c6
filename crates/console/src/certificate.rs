//! What a Secret's certificate says about itself, without its key.
//!
//! Who may get the Secret may ask; and who may write the project's Ingresses and see that the Secret is there by using it: they learn what
//! any client of the route would see in a handshake.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use model::Sealed;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::app::{App, Visit};
use crate::reply::{self, Refusal, Reply};
use crate::rights::Deed;
use crate::session::Session;
use crate::sign_in::Waiting;

const LARGEST: usize = 64 << 10;
const HOSTS: usize = 100;

/// Secrets, as this program itself reads them: a port.
pub trait Secrets: Send + Sync {
    /// Certificate chain and key of a Secret for TLS, in PEM; `None`: there is no such Secret.
    fn certificate(&self, namespace: String, name: String) -> Waiting<'_, Result<Option<Pem>, String>>;
}

/// What a Secret for TLS has.
#[derive(Clone, Debug, Default)]
pub struct Pem {
    pub chain: Vec<u8>,
    pub key: Option<Sealed<Vec<u8>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    namespace: String,
    name: String,
    #[serde(default)]
    hosts: Vec<String>,
}

/// `POST /console/certificate`.
pub(crate) async fn answer(app: &App, visit: Visit<'_>, session: &Session) -> Result<Reply, Refusal> {
    let body = visit.body(LARGEST).await?;
    let asked: Asked = serde_json::from_slice(&body)
        .map_err(|_| Refusal::bad("BadRequest", r#"The body must be {"namespace", "name", "hosts": […]}."#))?;
    if asked.hosts.len() > HOSTS || !is_name(&asked.namespace) || !is_name(&asked.name) {
        return Err(Refusal::bad("BadRequest", "A namespace, a Secret and at most 100 hosts are named."));
    }
    let pem = read(app, session, &asked).await?;
    Ok(reply::json(StatusCode::OK, &said(pem.as_ref(), &asked.hosts)))
}

/// Whether it can be the name of an object, and so a segment of a path.
pub(crate) fn is_name(text: &str) -> bool {
    let letter = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || matches!(octet, b'-' | b'.');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(letter) && !text.starts_with('.')
}

async fn read(app: &App, session: &Session, asked: &Asked) -> Result<Option<Pem>, Refusal> {
    let account = &session.account;
    let secret = Deed::new("get", "", "secrets", &asked.namespace, &asked.name);
    if app.rights.allow(&app.relay, account, &secret).await? {
        let path = format!("/api/v1/namespaces/{}/secrets/{}", asked.namespace, asked.name);
        return match app.relay.ask(account, http::Method::GET, &path, None).await? {
            (200, secret) => Ok(Some(Pem::of(&secret))),
            (404, _) => Ok(None),
            _ => Err(Refusal::unreachable()),
        };
    }
    // Who makes routes uses the project's Secrets without reading them.
    let using = Deed::new("create", "networking.k8s.io", "ingresses", &asked.namespace, "");
    let Some(secrets) = &app.secrets else { return Err(Refusal::forbidden("You may not get this Secret.")) };
    if !app.rights.allow(&app.relay, account, &using).await? {
        return Err(Refusal::forbidden("You may neither get this Secret nor use it in a route."));
    }
    let read = secrets.certificate(asked.namespace.clone(), asked.name.clone()).await;
    read.map_err(|error| {
        tracing::warn!(error, "a Secret cannot be read for the console");
        Refusal::unreachable()
    })
}

fn said(pem: Option<&Pem>, hosts: &[String]) -> Value {
    let problem = |text: String| json!({ "names": [], "notBefore": null, "notAfter": null, "matches": {}, "problem": text });
    let Some(pem) = pem else { return problem("There is no such Secret.".into()) };
    let Some(key) = &pem.key else { return problem("The Secret has no tls.key.".into()) };
    let certificate = match tls::parse("", &pem.chain, key.open()) {
        Ok(certificate) => certificate,
        Err(error) => return problem(format!("{error}.")),
    };
    let facts = match tls::facts(&certificate) {
        Ok(facts) => facts,
        Err(error) => return problem(format!("{error}.")),
    };
    let time = |at: SystemTime| {
        let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        i64::try_from(seconds).ok().and_then(|it| jiff::Timestamp::from_second(it).ok()).map(|it| it.to_string())
    };
    let matches: Map<String, Value> =
        hosts.iter().map(|host| (host.clone(), facts.names.iter().any(|name| covers(name, host)).into())).collect();
    let now = SystemTime::now();
    let mut said =
        json!({ "names": facts.names, "notBefore": time(facts.not_before), "notAfter": time(facts.not_after), "matches": matches });
    if facts.not_after < now {
        said["problem"] = "The certificate has expired.".into();
    } else if facts.not_before > now {
        said["problem"] = "The certificate is not valid yet.".into();
    }
    said
}

/// Whether a name of a certificate is good for a host; for a wildcard host the same wildcard.
fn covers(name: &str, host: &str) -> bool {
    let (name, host) = (name.to_ascii_lowercase(), host.trim_end_matches('.').to_ascii_lowercase());
    if name == host {
        return true;
    }
    let Some(parent) = name.strip_prefix("*.") else { return false };
    !host.starts_with("*.") && host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent)
}

// === impl Pem ===

impl Pem {
    /// Of a Secret as the API shows it.
    pub fn of(secret: &Value) -> Self {
        let octets = |key: &str| STANDARD.decode(secret["data"][key].as_str()?).ok();
        Self { chain: octets("tls.crt").unwrap_or_default(), key: octets("tls.key").map(Sealed::new) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_hosts() {
        for (name, host, expect) in [
            ("shop.example", "shop.example", true),
            ("SHOP.example", "shop.Example.", true),
            ("*.example", "shop.example", true),
            ("*.example", "a.shop.example", false),
            ("*.example", "example", false),
            ("*.example", "*.example", true),
            ("*.shop.example", "*.example", false),
            ("shop.example", "other.example", false),
            ("*.example", ".example", false),
        ] {
            assert_eq!(covers(name, host), expect, "{name} {host}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_key() {
        let of = |pem: Option<&Pem>| said(pem, &["shop.example".into()])["problem"].as_str().unwrap_or("").to_owned();
        assert_eq!(of(None), "There is no such Secret.");
        let pem = Pem { chain: b"x".to_vec(), key: None };
        assert_eq!(of(Some(&pem)), "The Secret has no tls.key.");
        let pem = Pem { chain: Vec::new(), key: Some(Sealed::new(b"-----BEGIN secret".to_vec())) };
        assert!(!of(Some(&pem)).is_empty() && !of(Some(&pem)).contains("BEGIN"));
    }
}
