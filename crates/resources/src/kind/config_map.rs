//! `v1` ConfigMap, as far as it holds authorities of certificates.

use super::meta::{Meta, Name};
use super::secret::Authorities;
use crate::at::At;
use crate::certificate::{self, CertificateFault};
use crate::problem::Problem;
use serde_json::Value;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigMap {
    pub meta: Meta,
    /// `ca.crt`. `None`: there is none.
    pub authorities: Option<Result<Arc<Authorities>, CertificateFault>>,
    pub problems: Vec<Problem>,
}

const KEY: &str = "ca.crt";

// === impl ConfigMap ===

impl ConfigMap {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let authorities = content(value).map(|content| {
            let trusted = certificate::authorities(KEY, &content?)?;
            Ok(Arc::new(Authorities { trusted, revoked: Vec::new() }))
        });
        Self { meta, authorities, problems }
    }
}

fn content(map: &Value) -> Option<Result<Vec<u8>, CertificateFault>> {
    let text = |field: &str| map.get(field)?.get(KEY)?.as_str();
    match text("data") {
        Some(text) => Some(Ok(text.as_bytes().to_vec())),
        None => text("binaryData").map(|text| certificate::base64(text).ok_or(CertificateFault::NotBase64(KEY))),
    }
}
