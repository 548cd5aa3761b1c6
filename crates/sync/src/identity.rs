//! Who is who on the link: an authority of control's own, a name for control, and short-lived certificates for gateways.
//!
//! A gateway's certificate has one name, `paifang://gateway/NAMESPACE/NAME`, and is good for clients alone: nobody can be control with it. What
//! is sent in a request for one counts for nothing but its key.

use model::{GatewayId, Sealed};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use x509_parser::extensions::GeneralName;

/// The name control has on the link, whatever address leads to it.
pub const SERVER_NAME: &str = "control.paifang.internal";
/// Whom a ServiceAccount's token must be for.
pub const AUDIENCE: &str = "paifang-gateway";
/// Before the path of a gateway's name.
const SCHEME: &str = "paifang://gateway/";
const ALPN: &[u8] = b"paifang-link";

const YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Of control's own certificate; a new one is made at half of it.
const SERVER: Duration = Duration::from_secs(7 * 86_400);
/// Of a gateway's certificate.
const CLIENT: Duration = Duration::from_secs(3_600);
/// Clocks may be behind.
const BACKDATED: Duration = Duration::from_secs(300);

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("a certificate cannot be used: {0}")]
    Use(#[from] rustls::Error),
    #[error("a certificate cannot be read: {0}")]
    Read(String),
}

/// Signs certificates, for control and for gateways.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub gateway: GatewayId,
    /// When it must have proved it anew.
    pub until: SystemTime,
}

// === impl Authority ===

impl Authority {
    /// A new one's certificate and key, in PEM, good for ten years.
    pub fn generate(now: SystemTime) -> Result<(String, Sealed<String>), IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name = called("paifang gateways");
        (params.not_before, params.not_after) = ((now - BACKDATED).into(), (now + YEARS).into());
        let certificate = params.self_signed(&key)?;
        Ok((certificate.pem(), Sealed::new(key.serialize_pem())))
    }

    pub fn read(certificate: &str, key: &Sealed<String>) -> Result<Self, IdentityError> {
        let key = KeyPair::from_pem(key.open())?;
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|error| IdentityError::Read(error.to_string()))?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { issuer, certificate })
    }

    /// A gateway's certificate for the key of this request: the chain, and for how long it is good.
    pub fn issue(&self, gateway: &GatewayId, request: &[u8], now: SystemTime) -> Result<(Vec<Vec<u8>>, Duration), IdentityError> {
        let request = CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(request))?;
        let mut params = CertificateParams::default();
        params.distinguished_name = called("paifang gateway");
        params.subject_alt_names = vec![SanType::URI(Ia5String::try_from(format!("{SCHEME}{gateway}"))?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        (params.not_before, params.not_after) = ((now - BACKDATED).into(), (now + CLIENT).into());
        let certificate = params.signed_by(&request.public_key, &self.issuer)?;
        Ok((vec![certificate.der().to_vec()], CLIENT))
    }

    /// What control serves with: clients may come without a certificate, to ask for one.
    pub fn server(self: &Arc<Self>) -> Result<Arc<ServerConfig>, IdentityError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(|error| IdentityError::Read(error.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(Own { authority: self.clone(), made: Mutex::new(None) }));
        config.alpn_protocols = vec![ALPN.to_vec()];
        // A session that is resumed would not show that its certificate is still good.
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    fn own(&self, now: SystemTime) -> Result<CertifiedKey, IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(vec![SERVER_NAME.to_owned()])?;
        params.distinguished_name = called("paifang control");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        (params.not_before, params.not_after) = ((now - BACKDATED).into(), (now + SERVER).into());
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(CertifiedKey::from_der(vec![certificate.der().clone()], key, &aws_lc_rs::default_provider())?)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(<sealed>)")
    }
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

/// Control's own certificate, made anew long before it ends.
#[derive(Debug)]
struct Own {
    authority: Arc<Authority>,
    made: Mutex<Option<(SystemTime, Arc<CertifiedKey>)>>,
}

impl ResolvesServerCert for Own {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        // A clock that was set back makes a new one, too.
        if let Some((_, key)) = made.as_ref().filter(|(since, _)| now.duration_since(*since).is_ok_and(|it| it < SERVER / 2)) {
            return Some(key.clone());
        }
        let key = Arc::new(self.authority.own(now).inspect_err(|error| tracing::error!(%error, "control cannot show who it is")).ok()?);
        *made = Some((now, key.clone()));
        Some(key)
    }
}

// === impl Identity ===

impl Identity {
    /// From a certificate that the handshake has found good.
    pub fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
        let names = parsed.subject_alternative_name().ok()??;
        let [GeneralName::URI(name)] = names.value.general_names.as_slice() else { return None };
        let gateway = GatewayId::new(name.strip_prefix(SCHEME)?);
        let seconds = u64::try_from(parsed.validity().not_after.timestamp()).ok()?;
        Some(Self { gateway, until: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) })
    }
}

// === a gateway's end ===

/// A key of this process, and a request for a certificate of it.
pub(crate) struct Key {
    pub key: Sealed<Vec<u8>>,
    pub request: Vec<u8>,
}

impl Key {
    pub fn generate() -> Result<Self, IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let request = CertificateParams::default().serialize_request(&key)?;
        Ok(Self { key: Sealed::new(key.serialize_der()), request: request.der().to_vec() })
    }
}

/// A chain, leaf first, and its key: DER.
pub(crate) type Shown<'a> = (&'a [Vec<u8>], &'a Sealed<Vec<u8>>);

/// What a gateway connects with: `authorities` in PEM; without a certificate it can ask for one.
pub(crate) fn client(authorities: &[u8], certificate: Option<Shown<'_>>) -> Result<ClientConfig, IdentityError> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(authorities) {
        roots.add(authority.map_err(|error| IdentityError::Read(error.to_string()))?)?;
    }
    if roots.is_empty() {
        return Err(IdentityError::Read("there is no authority in the file".into()));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots);
    let mut config = match certificate {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = chain.iter().map(|it| CertificateDer::from(it.clone())).collect();
            builder.with_client_auth_cert(chain, PrivatePkcs8KeyDer::from(key.open().clone()).into())?
        }
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}
