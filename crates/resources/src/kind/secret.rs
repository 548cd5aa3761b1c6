//! `v1` Secret, as far as it holds certificates.

use super::meta::{Meta, Name};
use crate::at::At;
use crate::certificate::{self, CertificateFault, Content};
use crate::problem::{Cause, Problem};
use model::{Certificate, Text};
use serde_json::Value;
use std::sync::Arc;

/// A Secret; of its data only certificates are kept, already understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub meta: Meta,
    /// For example `kubernetes.io/tls`.
    pub kind: Text,
    /// `tls.crt` and `tls.key`, or why they are no certificate.
    pub certificate: Result<Arc<Certificate>, CertificateFault>,
    /// When the leaf stops being good, in seconds since 1970.
    pub expires: Option<i64>,
    /// The same as Istio reads it: `cert` and `key` where there are both, else the other two.
    pub istio: Result<Arc<Certificate>, CertificateFault>,
    pub istio_expires: Option<i64>,
    /// Authorities and revoked certificates of clients: `cacert` or `ca.crt`, `crl` or `ca.crl`. `None`: there are none.
    pub authorities: Option<Result<Arc<Authorities>, CertificateFault>>,
    pub problems: Vec<Problem>,
}

/// DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities {
    pub trusted: Vec<Vec<u8>>,
    pub revoked: Vec<Vec<u8>>,
}

const DAY: i64 = 24 * 3600;

/// A certificate that expires within this is worth a word.
const SOON: i64 = 10 * DAY;

// === impl Secret ===

impl Secret {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let kind = root.text("type", &mut problems).unwrap_or_else(|| "Opaque".into());
        let origin = format!("Secret {}", meta.name);
        let pair = |keys: [&'static str; 2]| match certificate::read(&origin, keys, data(value, keys[0]), data(value, keys[1])) {
            Ok((certificate, expires)) => (Ok(Arc::new(certificate)), Some(expires)),
            Err(fault) => (Err(fault), None),
        };
        let (certificate, expires) = pair(certificate::TLS);
        if let (Err(fault), "kubernetes.io/tls") = (&certificate, kind.as_str()) {
            let problem = Problem::error(format!("data[{}]", fault.key()), Cause::BadCertificate, format!("{fault}"));
            problems.push(problem.hint("Make it with `kubectl create secret tls NAME --cert=FILE --key=FILE`"));
        }
        let has = |key| data(value, key).is_some_and(|content| content.is_err() || content.is_ok_and(|octets| !octets.is_empty()));
        let (istio, istio_expires) = if has("cert") && has("key") { pair(["cert", "key"]) } else { (certificate.clone(), expires) };
        let authorities = authorities(value).transpose().map(|read| read.map(Arc::new));
        Self { meta, kind, certificate, expires, istio, istio_expires, authorities, problems }
    }

    /// Says at `field` that a certificate of it has expired or soon will; both times in seconds since 1970.
    pub fn expiry(&self, field: impl Into<Text>, expires: Option<i64>, now: Option<i64>) -> Option<Problem> {
        let left = expires? - now?;
        let when = match left / DAY {
            _ if left > SOON => return None,
            _ if left < 0 => "has expired".to_owned(),
            0 => "expires within a day".to_owned(),
            1 => "expires in 1 day".to_owned(),
            days => format!("expires in {days} days"),
        };
        let message = format!("the certificate in Secret `{}` {when}", self.meta.name);
        let problem = Problem::warning(field, Cause::CertificateExpires, message);
        Some(problem.hint("Renew it: the new one is used as soon as the Secret has it"))
    }
}

fn data(secret: &Value, key: &'static str) -> Content {
    let text = |map: &str| secret.get(map)?.get(key)?.as_str();
    match text("stringData") {
        Some(text) => Some(Ok(text.as_bytes().to_vec())),
        None => text("data").map(|text| certificate::base64(text).ok_or(CertificateFault::NotBase64(key))),
    }
}

/// A revocation list that cannot be read makes the whole unusable: somebody is to be kept out.
fn authorities(secret: &Value) -> Result<Option<Authorities>, CertificateFault> {
    let first = |keys: [&'static str; 2]| keys.into_iter().find_map(|key| Some((key, data(secret, key)?)));
    let Some((key, content)) = first(["cacert", "ca.crt"]) else { return Ok(None) };
    let trusted = certificate::authorities(key, &content?)?;
    let revoked = match first(["crl", "ca.crl"]) {
        Some((key, content)) => certificate::revoked(key, &content?)?,
        None => Vec::new(),
    };
    Ok(Some(Authorities { trusted, revoked }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_ends_soon_is_told() {
        let secret = Secret::read(Name::new("demo", "tls"), &Value::Null);
        for (left, expect) in [
            (SOON + 1, None),
            (SOON, Some("expires in 10 days")),
            (DAY, Some("expires in 1 day")),
            (DAY - 1, Some("expires within a day")),
            (0, Some("expires within a day")),
            (-1, Some("has expired")),
        ] {
            let problem = secret.expiry("spec.tls[0]", Some(1_000_000 + left), Some(1_000_000));
            let expect = expect.map(|when| format!("the certificate in Secret `demo/tls` {when}"));
            assert_eq!(problem.map(|it| it.message.to_string()), expect, "{left}");
        }
        assert_eq!(secret.expiry("", None, Some(0)), None);
        assert_eq!(secret.expiry("", Some(0), None), None);
    }
}
