//! Client certificates of X.509 version 1, which the library's path building does not take, and which `openssl x509 -req` makes where
//! nobody names extensions: much of what is in use inside companies.
//!
//! Such a certificate has no extensions, so it is nobody's authority and has no alternative names. It is good if one of the authorities
//! signed it itself.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved};
use rustls_pki_types::{SubjectPublicKeyInfoDer, UnixTime};
use x509_parser::oid_registry::{OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA};
use x509_parser::prelude::{
    ASN1Time, AlgorithmIdentifier, CertificateRevocationList, FromDer, SubjectPublicKeyInfo, X509Certificate, X509Version,
};

/// Who may have signed, and what they have taken back. DER.
#[derive(Debug)]
pub(crate) struct Authorities {
    certificates: Vec<Vec<u8>>,
    revoked: Vec<Vec<u8>>,
}

pub(crate) fn is(certificate: &X509Certificate<'_>) -> bool {
    certificate.version() == X509Version::V1
}

impl Authorities {
    pub(crate) fn new(certificates: Vec<Vec<u8>>, revoked: Vec<Vec<u8>>) -> Self {
        Self { certificates, revoked }
    }

    pub(crate) fn verify(&self, leaf: &X509Certificate<'_>, now: UnixTime) -> Result<(), CertificateError> {
        if !leaf.extensions().is_empty() || leaf.signature_algorithm != leaf.tbs_certificate.signature {
            return Err(CertificateError::BadEncoding);
        }
        let certificates = self.certificates.iter().filter_map(|der| X509Certificate::from_der(der).ok());
        let mut issuers = certificates.map(|(_, it)| it).filter(|it| it.subject().as_raw() == leaf.issuer().as_raw()).peekable();
        if issuers.peek().is_none() {
            return Err(CertificateError::UnknownIssuer);
        }
        let signed =
            |issuer: &X509Certificate<'_>| strong(&leaf.signature_algorithm) && leaf.verify_signature(Some(issuer.public_key())).is_ok();
        let issuer = issuers.find(signed).ok_or(CertificateError::BadSignature)?;
        let now = ASN1Time::from_timestamp(i64::try_from(now.as_secs()).unwrap_or(i64::MAX)).map_err(|_| CertificateError::Expired)?;
        if now < leaf.validity().not_before {
            return Err(CertificateError::NotValidYet);
        }
        if now > leaf.validity().not_after {
            return Err(CertificateError::Expired);
        }
        self.not_revoked(leaf, issuer.public_key(), now)
    }

    fn not_revoked(&self, leaf: &X509Certificate<'_>, issuer: &SubjectPublicKeyInfo<'_>, now: ASN1Time) -> Result<(), CertificateError> {
        if self.revoked.is_empty() {
            return Ok(());
        }
        let lists = self.revoked.iter().filter_map(|der| CertificateRevocationList::from_der(der).ok());
        let mut theirs = lists.map(|(_, list)| list).filter(|list| {
            list.issuer().as_raw() == leaf.issuer().as_raw()
                && strong(&list.signature_algorithm)
                && list.signature_algorithm == list.tbs_cert_list.signature
                && list.verify_signature(issuer).is_ok()
        });
        let list = theirs.next().ok_or(CertificateError::UnknownRevocationStatus)?;
        let revoked =
            |list: &CertificateRevocationList<'_>| list.iter_revoked_certificates().any(|it| *it.serial() == leaf.tbs_certificate.serial);
        if revoked(&list) || theirs.any(|list| revoked(&list)) {
            return Err(CertificateError::Revoked);
        }
        if list.next_update().is_some_and(|next| now > next) {
            return Err(CertificateError::ExpiredRevocationList);
        }
        Ok(())
    }
}

/// SHA-1 is broken for signatures; the parser would still take it.
fn strong(algorithm: &AlgorithmIdentifier<'_>) -> bool {
    algorithm.algorithm != OID_PKCS1_SHA1WITHRSA && algorithm.algorithm != OID_SHA1_WITH_RSA
}

pub(crate) fn signed_in_tls13(
    message: &[u8],
    certificate: &X509Certificate<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let key = SubjectPublicKeyInfoDer::from(certificate.public_key().raw);
    verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
}

/// As the library does for others: every algorithm that the scheme may mean is tried with the certificate's kind of key.
pub(crate) fn signed_in_tls12(
    message: &[u8],
    certificate: &X509Certificate<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let candidates = algorithms.mapping.iter().find(|(scheme, _)| *scheme == signature.scheme).map(|(_, candidates)| *candidates);
    let candidates = candidates.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    let key = certificate.public_key();
    let good = candidates.iter().any(|algorithm| {
        of_kind(key, algorithm.public_key_alg_id().as_ref())
            && algorithm.verify_signature(&key.subject_public_key.data, message, signature.signature()).is_ok()
    });
    if good { Ok(HandshakeSignatureValid::assertion()) } else { Err(Error::InvalidCertificate(CertificateError::BadSignature)) }
}

/// Whether an algorithm's identifier (DER without its outermost header) names this kind of key.
fn of_kind(key: &SubjectPublicKeyInfo<'_>, identifier: &[u8]) -> bool {
    contents(key.raw).and_then(contents) == Some(identifier)
}

/// What a DER element holds.
fn contents(der: &[u8]) -> Option<&[u8]> {
    let (length, rest) = match der {
        [_, length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        [_, 0x81, length, rest @ ..] => (usize::from(*length), rest),
        [_, 0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    rest.get(..length)
}
