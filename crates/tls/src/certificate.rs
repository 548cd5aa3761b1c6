//! Reading certificates and keys.

use crate::signing;
use model::{Certificate, Sealed, Text};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Longest chain, leaf included.
const LONGEST_CHAIN: usize = 16;

/// Why a certificate and key cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("there is no certificate in it")]
    NoCertificate,
    #[error("there is no private key in it")]
    NoKey,
    #[error("the certificate is not readable: {0}")]
    Certificate(String),
    #[error("the private key is not readable: {0}")]
    Key(String),
    #[error("the chain has more than {LONGEST_CHAIN} certificates")]
    TooLong,
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
}

/// What a certificate says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// DNS names and addresses; the common name where there are none.
    pub names: Vec<Text>,
    pub issuer: String,
    pub not_before: SystemTime,
    pub not_after: SystemTime,
}

/// Reads a chain (leaf first) and its key from PEM, and checks that they belong together.
///
/// An expired certificate is read all the same: nothing here knows the time, and clients of a gateway are better served by an expired
/// certificate than by a stranger's. [`Facts::not_after`] says when.
pub fn parse(origin: impl Into<Text>, chain: &[u8], key: &[u8]) -> Result<Certificate, CertificateError> {
    let chain: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(chain)
        .map(|der| der.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| CertificateError::Certificate(error.to_string()))?;
    let key = match PrivateKeyDer::from_pem_slice(key) {
        Ok(key) => Sealed::new(key.secret_der().to_vec()),
        Err(pem::Error::NoItemsFound) => return Err(CertificateError::NoKey),
        Err(error) => return Err(CertificateError::Key(error.to_string())),
    };
    let names = match chain.as_slice() {
        [] => return Err(CertificateError::NoCertificate),
        [_, rest @ ..] if rest.len() >= LONGEST_CHAIN => return Err(CertificateError::TooLong),
        [leaf, ..] => read(leaf)?.names,
    };
    let certificate = Certificate { origin: origin.into(), chain, key, names };
    signing::certified(&certificate)?;
    Ok(certificate)
}

/// What the leaf says.
pub fn facts(certificate: &Certificate) -> Result<Facts, CertificateError> {
    read(certificate.chain.first().ok_or(CertificateError::NoCertificate)?)
}

fn read(der: &[u8]) -> Result<Facts, CertificateError> {
    let unreadable = |error: String| CertificateError::Certificate(error);
    let (_, leaf) = X509Certificate::from_der(der).map_err(|error| unreadable(error.to_string()))?;
    let alternatives = leaf.subject_alternative_name().map_err(|error| unreadable(error.to_string()))?;
    let mut names: Vec<Text> = alternatives.iter().flat_map(|it| &it.value.general_names).filter_map(name).collect();
    if names.is_empty() {
        names.extend(leaf.subject().iter_common_name().filter_map(|it| it.as_str().ok()).map(Text::from));
    }
    let validity = leaf.validity();
    let moment = |seconds: i64| UNIX_EPOCH + Duration::from_secs(seconds.max(0).unsigned_abs());
    Ok(Facts {
        names,
        issuer: leaf.issuer().to_string(),
        not_before: moment(validity.not_before.timestamp()),
        not_after: moment(validity.not_after.timestamp()),
    })
}

fn name(name: &GeneralName) -> Option<Text> {
    match name {
        GeneralName::DNSName(name) => Some((*name).into()),
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(|octets| IpAddr::from(Ipv4Addr::from(octets)));
            let v6 = || <[u8; 16]>::try_from(*octets).map(|octets| IpAddr::from(Ipv6Addr::from(octets)));
            v4.or_else(|_| v6()).ok().map(|address| address.to_string().into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::self_signed;

    fn pem(names: &[&str]) -> (String, String) {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()).expect("names");
        (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
    }

    #[test]
    fn a_chain_and_its_key_are_read_with_the_names() {
        let (chain, key) = pem(&["a.test", "*.b.test", "127.0.0.1", "::1"]);
        let read = parse("Secret demo/tls", chain.as_bytes(), key.as_bytes()).expect("they fit");
        assert_eq!(read.names, ["a.test", "*.b.test", "127.0.0.1", "::1"].map(Text::from));
        assert_eq!(read.origin, "Secret demo/tls");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (chain, key) = pem(&["a.test"]);
        let (_, other) = pem(&["a.test"]);
        let broken = chain.replacen("MII", "AAA", 1);
        for (chain, key, expect) in [
            (&*chain, &*other, CertificateError::KeyMismatch),
            ("", &*key, CertificateError::NoCertificate),
            (&*key, &*key, CertificateError::NoCertificate),
            (&*chain, "", CertificateError::NoKey),
            (&*chain, &*chain, CertificateError::NoKey),
        ] {
            assert_eq!(parse("test", chain.as_bytes(), key.as_bytes()), Err(expect));
        }
        let unreadable = parse("test", broken.as_bytes(), key.as_bytes());
        assert!(matches!(unreadable, Err(CertificateError::Certificate(_))), "{unreadable:?}");
    }

    #[test]
    fn facts_say_how_long_it_is_good_for() {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let certificate = self_signed(&["a.test"], now).expect("a certificate");
        let facts = facts(&certificate).expect("it is readable");
        assert!(facts.not_before < now && facts.not_after > now + Duration::from_secs(364 * 86_400), "{facts:?}");
        assert!(facts.not_after < now + Duration::from_secs(366 * 86_400), "{facts:?}");
    }
}
