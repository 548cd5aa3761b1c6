//! Which client certificates are good.

use crate::server::{Necessity, PROVIDER, PolicyError};
use crate::version_one::{self, Authorities};
use aws_lc_rs::digest::{SHA256, digest};
use model::{ClientTrust, Pin, Text};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use std::net::IpAddr;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Names of more authorities than fit this are not told to clients, who then show what they have. A message's list ends at 64 KiB.
const LARGEST_HINTS: usize = 32 * 1024;

/// Lets in whoever one of the authorities vouches for, unless revoked, and whom names and pins allow.
///
/// Where there are revocation lists, one of the certificate's issuer must be among them, signed by that authority and not overdue: who is
/// revoked must not come in because a list is missing.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    chain: Arc<dyn ClientCertVerifier>,
    /// For certificates that the library's path building does not take.
    authorities: Authorities,
    names: Vec<Text>,
    pins: Vec<Pin>,
}

/// Asks for a certificate and takes any, or none. Who shows one must have its key.
#[derive(Debug)]
pub(crate) struct AnyClient;

// === impl ClientVerifier ===

impl ClientVerifier {
    /// Authorities that cannot be read are passed over while there are others.
    pub(crate) fn new(trust: &ClientTrust, necessity: Necessity) -> Result<Self, PolicyError> {
        let mut roots = RootCertStore::empty();
        let mut readable = Vec::new();
        for authority in &trust.authorities {
            if roots.add(CertificateDer::from(authority.as_slice())).is_ok() {
                readable.push(authority.clone());
            }
        }
        if roots.is_empty() {
            return Err(PolicyError::NoAuthority(trust.origin.clone()));
        }
        let hints: usize = roots.subjects().iter().map(|subject| subject.as_ref().len() + 2).sum();
        let revoked = trust.revoked.iter().map(|list| CertificateRevocationListDer::from(list.clone()));
        let builder = WebPkiClientVerifier::builder_with_provider(roots.into(), PROVIDER.clone());
        let builder = builder.with_crls(revoked).enforce_revocation_expiration();
        let builder = if hints > LARGEST_HINTS { builder.clear_root_hint_subjects() } else { builder };
        let builder = match necessity {
            Necessity::Optional => builder.allow_unauthenticated(),
            Necessity::Required => builder,
        };
        let chain = builder.build().map_err(|_| PolicyError::RevocationList(trust.origin.clone()))?;
        let authorities = Authorities::new(readable, trust.revoked.clone());
        Ok(Self { chain, authorities, names: trust.names.clone(), pins: trust.pins.clone() })
    }

    fn allows(&self, certificate: &X509Certificate<'_>, der: &[u8]) -> bool {
        self.allows_name(certificate) && (self.pins.is_empty() || self.pins.iter().any(|pin| fits(pin, certificate, der)))
    }

    fn allows_name(&self, certificate: &X509Certificate<'_>) -> bool {
        if self.names.is_empty() {
            return true;
        }
        let Ok(Some(alternatives)) = certificate.subject_alternative_name() else { return false };
        let mut alternatives = alternatives.value.general_names.iter();
        alternatives.any(|alternative| self.names.iter().any(|allowed| names(allowed, alternative)))
    }
}

/// Whether an alternative name is what was allowed. DNS names are compared without regard to case (RFC 4343), others octet by octet.
fn names(allowed: &str, alternative: &GeneralName<'_>) -> bool {
    let exactly = |name: &str| matches(allowed, name);
    match alternative {
        GeneralName::DNSName(name) => matches(&allowed.to_ascii_lowercase(), &name.to_ascii_lowercase()),
        GeneralName::URI(name) | GeneralName::RFC822Name(name) => exactly(name),
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*octets).map(IpAddr::from));
            address.is_ok_and(|address| exactly(&address.to_string()))
        }
        _ => false,
    }
}

/// A `*` first or last stands for the rest.
fn matches(allowed: &str, name: &str) -> bool {
    if let Some(suffix) = allowed.strip_prefix('*') {
        return name.ends_with(suffix);
    }
    match allowed.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == allowed,
    }
}

fn fits(pin: &Pin, certificate: &X509Certificate<'_>, der: &[u8]) -> bool {
    match pin {
        Pin::PublicKey(hash) => digest(&SHA256, certificate.public_key().raw).as_ref() == hash,
        Pin::Certificate(hash) => digest(&SHA256, der).as_ref() == hash,
    }
}

fn parsed<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Error> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(Error::InvalidCertificate(CertificateError::BadEncoding)),
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let certificate = parsed(leaf)?;
        if version_one::is(&certificate) {
            self.authorities.verify(&certificate, now).map_err(Error::InvalidCertificate)?;
        } else {
            self.chain.verify_client_cert(leaf, intermediates, now)?;
        }
        if self.allows(&certificate, leaf) {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed_in_tls12(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed_in_tls13(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

// === impl AnyClient ===

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(&self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: UnixTime) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed_in_tls12(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed_in_tls13(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    PROVIDER.signature_verification_algorithms
}

fn signed_in_tls12(message: &[u8], der: &CertificateDer<'_>, signature: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
    let certificate = parsed(der)?;
    if version_one::is(&certificate) {
        return version_one::signed_in_tls12(message, &certificate, signature, &algorithms());
    }
    verify_tls12_signature(message, der, signature, &algorithms())
}

fn signed_in_tls13(message: &[u8], der: &CertificateDer<'_>, signature: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
    let certificate = parsed(der)?;
    if version_one::is(&certificate) {
        return version_one::signed_in_tls13(message, &certificate, signature, &algorithms());
    }
    verify_tls13_signature(message, der, signature, &algorithms())
}

#[cfg(test)]
mod tests;
