//! `v1` Secret, as far as it holds a certificate.

use super::meta::{Meta, Name};
use crate::at::At;
use crate::certificate::{self, CertificateFault};
use crate::problem::{Cause, Problem};
use model::{Certificate, Text};
use serde_json::Value;
use std::sync::Arc;

/// A Secret; of its data only the certificate is kept, already understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub meta: Meta,
    /// For example `kubernetes.io/tls`.
    pub kind: Text,
    /// `tls.crt` and `tls.key`, or why they are no certificate.
    pub certificate: Result<Arc<Certificate>, CertificateFault>,
    /// When the leaf stops being good, in seconds since 1970.
    pub expires: Option<i64>,
    pub problems: Vec<Problem>,
}

// === impl Secret ===

impl Secret {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let kind = root.text("type", &mut problems).unwrap_or_else(|| "Opaque".into());
        let text = |map: &str, key: &str| root.value.get(map)?.get(key)?.as_str();
        let data = |key| match text("stringData", key) {
            Some(text) => Some(Ok(text.as_bytes().to_vec())),
            None => text("data", key).map(|text| certificate::base64(text).ok_or(CertificateFault::NotBase64(key))),
        };
        let read = certificate::read(&format!("Secret {}", meta.name), data("tls.crt"), data("tls.key"));
        let (certificate, expires) = match read {
            Ok((certificate, expires)) => (Ok(Arc::new(certificate)), Some(expires)),
            Err(fault) => (Err(fault), None),
        };
        if let (Err(fault), "kubernetes.io/tls") = (&certificate, kind.as_str()) {
            let problem = Problem::error(format!("data[{}]", fault.key()), Cause::BadCertificate, format!("{fault}"));
            problems.push(problem.hint("Make it with `kubectl create secret tls NAME --cert=FILE --key=FILE`"));
        }
        Self { meta, kind, certificate, expires, problems }
    }
}
