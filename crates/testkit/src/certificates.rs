//! Certificates for tests, signed by an authority made on the spot.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, SigningKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Signs certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// Another name of a certificate's owner.
#[derive(Clone, Copy, Debug)]
pub enum Alternative<'a> {
    Dns(&'a str),
    Uri(&'a str),
    Email(&'a str),
    Ip(IpAddr),
}

/// A certificate and its key, in both forms.
#[derive(Debug)]
pub struct Issued {
    pub serial: u64,
    /// The leaf, then the authority.
    pub chain_pem: String,
    pub key_pem: String,
    /// The leaf, then the authority.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

/// The next certificate's number.
static SERIAL: AtomicU64 = AtomicU64::new(1);

// === impl Authority ===

impl Authority {
    /// A new one, with a new key.
    ///
    /// # Panics
    ///
    /// If the system gives no random octets.
    pub fn new() -> Self {
        Self::called("test authority")
    }

    /// As [`Authority::new`], of this name.
    ///
    /// # Panics
    ///
    /// If the system gives no random octets.
    pub fn called(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = named(name);
        let key = KeyPair::generate().expect("random octets");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("the parameters are complete");
        Self { issuer }
    }

    /// What clients must trust.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// As [`Authority::certificate`], for `curl --cacert`.
    pub fn certificate_pem(&self) -> String {
        self.issuer.pem()
    }

    /// For these names: host names, wildcards or IP addresses.
    ///
    /// # Panics
    ///
    /// If a name is not ASCII.
    pub fn issue(&self, names: &[&str]) -> Issued {
        let first = names.first().copied().unwrap_or_default();
        let names = names.iter().map(|name| name.parse().map_or(Alternative::Dns(name), Alternative::Ip));
        self.issue_to(first, &names.collect::<Vec<_>>())
    }

    /// For somebody with these other names.
    ///
    /// # Panics
    ///
    /// If a name is not ASCII.
    pub fn issue_to(&self, common_name: &str, alternatives: &[Alternative<'_>]) -> Issued {
        let (serial, mut params) = params(common_name);
        let text = |text: &str| Ia5String::try_from(text).expect("ASCII");
        let alternative = |it: &Alternative<'_>| match *it {
            Alternative::Dns(name) => SanType::DnsName(text(name)),
            Alternative::Uri(name) => SanType::URI(text(name)),
            Alternative::Email(name) => SanType::Rfc822Name(text(name)),
            Alternative::Ip(address) => SanType::IpAddress(address),
        };
        params.subject_alt_names = alternatives.iter().map(alternative).collect();
        let key = KeyPair::generate().expect("random octets");
        let leaf = params.signed_by(&key, &*self.issuer).expect("the parameters are complete");
        self.issued(serial, leaf.der().clone(), &key)
    }

    /// Of X.509 version 1, as `openssl x509 -req` makes them.
    ///
    /// # Panics
    ///
    /// If the system gives no random octets.
    pub fn issue_version_one(&self, common_name: &str) -> Issued {
        let (serial, params) = params(common_name);
        let key = KeyPair::generate().expect("random octets");
        let leaf = params.signed_by(&key, &*self.issuer).expect("the parameters are complete");
        let (fields, rest) = element(contents(leaf.der()));
        let (algorithm, _) = element(rest);
        // Without [0] version and [3] extensions.
        let (mut rest, mut kept) = (contents(fields), Vec::new());
        while !rest.is_empty() {
            let (field, after) = element(rest);
            if field[0] & 0xc0 == 0 {
                kept.extend_from_slice(field);
            }
            rest = after;
        }
        let tbs = wrapped(0x30, &kept);
        let signature = self.issuer.key().sign(&tbs).expect("a key can sign");
        let whole = [&tbs[..], algorithm, &wrapped(3, &[&[0], &signature[..]].concat())].concat();
        self.issued(serial, CertificateDer::from(wrapped(0x30, &whole)), &key)
    }

    /// A list of what was taken back, DER, from the day before the next list is due.
    ///
    /// # Panics
    ///
    /// If the time is none a list can have.
    pub fn revoke(&self, issued: &[&Issued], next: SystemTime) -> Vec<u8> {
        let yesterday = next - Duration::from_secs(86_400);
        let revoked = |it: &&Issued| RevokedCertParams {
            serial_number: SerialNumber::from(it.serial),
            revocation_time: yesterday.into(),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: yesterday.into(),
            next_update: next.into(),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: issued.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&*self.issuer).expect("the parameters are complete").der().to_vec()
    }

    fn issued(&self, serial: u64, leaf: CertificateDer<'static>, key: &KeyPair) -> Issued {
        Issued {
            serial,
            chain_pem: pem(&leaf) + &self.certificate_pem(),
            key_pem: key.serialize_pem(),
            chain: vec![leaf, self.certificate()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        }
    }
}

fn params(common_name: &str) -> (u64, CertificateParams) {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from(serial));
    params.distinguished_name = named(common_name);
    (serial, params)
}
impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// One DER element, header and all, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (header, length) = measured(der);
    der.split_at(header + length)
}

fn contents(element: &[u8]) -> &[u8] {
    &element[measured(element).0..]
}

/// Octets of an element's header and of what it holds.
fn measured(der: &[u8]) -> (usize, usize) {
    match der[1] {
        0x81 => (3, der[2].into()),
        0x82 => (4, u16::from_be_bytes([der[2], der[3]]).into()),
        length => (2, length.into()),
    }
}

fn wrapped(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).expect("certificates of tests are small");
    match length.to_be_bytes() {
        [0, low @ ..0x80] => [&[tag, low], contents].concat(),
        [0, low] => [&[tag, 0x81, low], contents].concat(),
        [high, low] => [&[tag, 0x82, high, low], contents].concat(),
    }
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
