//! A certificate chain and its key, from the PEM texts of a Secret.

use aws_lc_rs::signature::{self, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{Certificate, Sealed, Text};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use std::fmt;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

/// Why a Secret holds no certificate that can be shown. Never says anything of the key's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateFault {
    /// The Secret lacks this key.
    Missing(&'static str),
    NotBase64(&'static str),
    /// This key of the Secret holds no PEM certificate.
    NoCertificate(&'static str),
    /// The first certificate in it cannot be read.
    UnreadableCertificate(&'static str),
    /// It holds no PEM private key.
    NoKey(&'static str),
    /// A key that is encrypted, or of a kind nobody speaks.
    UnreadableKey(&'static str),
    /// The key in it does not belong to the certificate.
    KeyMismatch(&'static str),
    /// It holds no PEM revocation list.
    NoRevocationList(&'static str),
}

/// The Secret's keys of a certificate and its key: as Kubernetes has them.
pub(crate) const TLS: [&str; 2] = ["tls.crt", "tls.key"];

/// A key's content, or why there is none; `None`: the Secret lacks it.
pub(crate) type Content = Option<Result<Vec<u8>, CertificateFault>>;

/// The certificate and when its leaf expires, in seconds since 1970.
pub(crate) fn read(
    origin: &str,
    [crt, key_name]: [&'static str; 2],
    certificate: Content,
    key: Content,
) -> Result<(Certificate, i64), CertificateFault> {
    let pem = certificate.ok_or(CertificateFault::Missing(crt))??;
    let key = key.ok_or(CertificateFault::Missing(key_name))??;
    let chain = chain(&pem).ok_or(CertificateFault::NoCertificate(crt))?;
    let leaf = chain.first().ok_or(CertificateFault::NoCertificate(crt))?;
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| CertificateFault::UnreadableCertificate(crt))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| CertificateFault::NoKey(key_name))?;
    let public = public_key(&key).ok_or(CertificateFault::UnreadableKey(key_name))?;
    if public != leaf.public_key().subject_public_key.data.as_ref() {
        return Err(CertificateFault::KeyMismatch(key_name));
    }
    let (names, expires) = (names(&leaf), leaf.validity().not_after.timestamp());
    let key = Sealed::new(key.secret_der().to_vec());
    Ok((Certificate { origin: origin.into(), chain, key, names }, expires))
}

/// The certificates of a PEM text, DER; `None`: one of them is none.
fn chain(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    CertificateDer::pem_slice_iter(pem).map(|it| it.ok().map(|der| der.as_ref().to_vec())).collect()
}

/// A bundle of authorities, all of which can be read.
pub(crate) fn authorities(key: &'static str, pem: &[u8]) -> Result<Vec<Vec<u8>>, CertificateFault> {
    let bundle = chain(pem).filter(|bundle| !bundle.is_empty()).ok_or(CertificateFault::NoCertificate(key))?;
    let readable = bundle.iter().all(|der| X509Certificate::from_der(der).is_ok());
    if readable { Ok(bundle) } else { Err(CertificateFault::UnreadableCertificate(key)) }
}

/// Revocation lists, all of which can be read.
pub(crate) fn revoked(key: &'static str, pem: &[u8]) -> Result<Vec<Vec<u8>>, CertificateFault> {
    let lists = CertificateRevocationListDer::pem_slice_iter(pem).map(|it| it.ok().map(|der| der.as_ref().to_vec()));
    let lists: Option<Vec<Vec<u8>>> = lists.collect();
    let readable = |der: &Vec<u8>| CertificateRevocationList::from_der(der).is_ok();
    lists.filter(|lists| !lists.is_empty() && lists.iter().all(readable)).ok_or(CertificateFault::NoRevocationList(key))
}

/// DNS names and addresses; the common name where there are none, as old certificates have it.
fn names(leaf: &X509Certificate<'_>) -> Vec<Text> {
    let alternative = leaf.subject_alternative_name().ok().flatten();
    let mut names: Vec<Text> = Vec::new();
    for name in alternative.iter().flat_map(|it| &it.value.general_names) {
        match name {
            GeneralName::DNSName(name) => names.push(name.to_ascii_lowercase().into()),
            GeneralName::IPAddress(octets) => names.extend(address(octets)),
            _ => {}
        }
    }
    if names.is_empty() {
        let common = leaf.subject().iter_common_name().filter_map(|it| it.as_str().ok());
        names.extend(common.map(|name| Text::from(name.to_ascii_lowercase())));
    }
    names
}

fn address(octets: &[u8]) -> Option<Text> {
    let v4 = <[u8; 4]>::try_from(octets).map(std::net::IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(octets).map(std::net::IpAddr::from);
    v4.or_else(|_| v6()).ok().map(|ip| ip.to_string().into())
}

/// The public half, as the certificate's `subjectPublicKey` has it.
fn public_key(key: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
    let der = key.secret_der();
    let rsa = || match key {
        PrivateKeyDer::Pkcs1(_) => signature::RsaKeyPair::from_der(der).ok(),
        _ => signature::RsaKeyPair::from_pkcs8(der).ok(),
    };
    let curves = [
        &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
        &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
    ];
    let ecdsa = || curves.into_iter().find_map(|curve| signature::EcdsaKeyPair::from_private_key_der(curve, der).ok());
    let ed25519 = || signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok();
    if !matches!(key, PrivateKeyDer::Pkcs1(_)) {
        if let Some(pair) = ecdsa() {
            return Some(pair.public_key().as_ref().to_vec());
        }
        if let Some(pair) = ed25519() {
            return Some(pair.public_key().as_ref().to_vec());
        }
    }
    rsa().map(|pair| pair.public_key().as_ref().to_vec())
}

/// As `data` of a Secret has it; line breaks are passed over.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

// === impl CertificateFault ===

impl CertificateFault {
    /// The key of the Secret that is at fault.
    pub fn key(self) -> &'static str {
        match self {
            Self::Missing(key)
            | Self::NotBase64(key)
            | Self::NoCertificate(key)
            | Self::UnreadableCertificate(key)
            | Self::NoKey(key)
            | Self::UnreadableKey(key)
            | Self::KeyMismatch(key)
            | Self::NoRevocationList(key) => key,
        }
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(key) => write!(f, "`{key}` is missing"),
            Self::NotBase64(key) => write!(f, "`{key}` is not base64"),
            Self::NoCertificate(key) => write!(f, "`{key}` holds no certificate in PEM form"),
            Self::UnreadableCertificate(key) => write!(f, "a certificate in `{key}` cannot be read"),
            Self::NoKey(key) => write!(f, "`{key}` holds no private key in PEM form"),
            Self::UnreadableKey(key) => {
                write!(f, "the key in `{key}` is encrypted or of an unknown kind (RSA, ECDSA P-256 to P-521 and Ed25519 are known)")
            }
            Self::KeyMismatch(key) => write!(f, "`{key}` does not belong to the first certificate"),
            Self::NoRevocationList(key) => write!(f, "`{key}` holds no revocation list in PEM form"),
        }
    }
}

#[cfg(test)]
mod tests;
