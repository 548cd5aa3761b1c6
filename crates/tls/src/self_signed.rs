//! A certificate for when nobody brought one.

use model::{Certificate, Sealed, Text};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256};
use std::time::{Duration, SystemTime};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Clocks of clients may be behind.
const BACKDATED: Duration = Duration::from_secs(86_400);

/// Why none could be made.
#[derive(Debug, thiserror::Error)]
#[error("a self-signed certificate cannot be made: {0}")]
pub struct SelfSignedError(#[from] rcgen::Error);

/// A certificate for these names, ECDSA P-256, good from a day before `now` until a year after it. Its origin is `self-signed`.
pub fn self_signed(names: &[&str], now: SystemTime) -> Result<Certificate, SelfSignedError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, "Paifang self-signed");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = (now - BACKDATED).into();
    params.not_after = (now + YEAR).into();
    let certificate = params.self_signed(&key)?;
    Ok(Certificate {
        origin: "self-signed".into(),
        chain: vec![certificate.der().to_vec()],
        key: Sealed::new(key.serialize_der()),
        names: names.iter().map(|name| Text::from(*name)).collect(),
    })
}
