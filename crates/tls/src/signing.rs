//! Keys ready to sign.

use crate::CertificateError;
use model::Certificate;
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate with its key parsed.
pub(crate) fn certified(certificate: &Certificate) -> Result<CertifiedKey, CertificateError> {
    let key = PrivateKeyDer::try_from(certificate.key.open().as_slice()).map_err(|error| CertificateError::Key(error.to_owned()))?;
    let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|error| CertificateError::Key(error.to_string()))?;
    let chain = certificate.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let leaf = certificate.chain.first().ok_or(CertificateError::NoCertificate)?;
    // Not by the library's own comparison: that one takes no certificate of version 1, which is what `openssl x509 -req` makes.
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|error| CertificateError::Certificate(error.to_string()))?;
    match key.public_key() {
        Some(public) if public.as_ref() != leaf.public_key().raw => Err(CertificateError::KeyMismatch),
        _ => Ok(CertifiedKey::new(chain, key)),
    }
}

/// Parsed keys, kept as long as their certificate is in use. Found by the certificate's address: equal ones are parsed once each.
#[derive(Default)]
pub(crate) struct Keys(Mutex<HashMap<usize, Kept>>);

struct Kept {
    /// Keeps the address from meaning another certificate, and tells when it is in use no more.
    certificate: Weak<Certificate>,
    /// `None`: it is not usable.
    key: Option<Arc<CertifiedKey>>,
}

impl Keys {
    pub(crate) fn get(&self, certificate: &Arc<Certificate>) -> Option<Arc<CertifiedKey>> {
        let address = Arc::as_ptr(certificate).addr();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(it) = kept.get(&address) {
            return it.key.clone();
        }
        if kept.len() == kept.capacity() {
            kept.retain(|_, it| it.certificate.strong_count() > 0);
        }
        let key = certified(certificate).ok().map(Arc::new);
        kept.insert(address, Kept { certificate: Arc::downgrade(certificate), key: key.clone() });
        key
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
