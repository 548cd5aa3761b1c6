//! The certificates: an authority kept in the data directory, a server certificate made at each start, and the
//! administrator's client certificate inside the kubeconfig.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::StartError;
use crate::access::{KEEPER, MASTERS};

const AUTHORITY: &str = "paifang-ca";
pub(crate) const ADMIN: &str = "paifang-admin";
/// In years.
const AUTHORITY_LIFE: i64 = 10;
const LEAF_LIFE: i64 = 1;

/// Signs the certificates of servers and users.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

// === impl Authority ===

impl Authority {
    /// Reads the authority in `dir`, or makes it.
    pub(crate) fn open(dir: &Path) -> Result<Self, StartError> {
        let failed = |source: io::Error| StartError::Pki { path: dir.to_owned(), reason: source.to_string() };
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
        close(dir).map_err(failed)?;
        let (certificate, key) = (dir.join("ca.crt"), dir.join("ca.key"));
        let pair = match (std::fs::read_to_string(&certificate), std::fs::read_to_string(&key)) {
            (Ok(certificate), Ok(key)) => Pair { certificate, key },
            (Err(a), _) | (_, Err(a)) if a.kind() != io::ErrorKind::NotFound => return Err(failed(a)),
            _ => {
                let pair = new_authority().map_err(|error| StartError::Pki { path: dir.to_owned(), reason: error.to_string() })?;
                // The key first: an authority is there when its certificate is.
                write_private(&key, &pair.key).map_err(failed)?;
                write_private(&certificate, &pair.certificate).map_err(failed)?;
                pair
            }
        };
        let read = KeyPair::from_pem(&pair.key).and_then(|key| Issuer::from_ca_cert_pem(&pair.certificate, key));
        let issuer = read.map_err(|error| StartError::Pki { path: certificate, reason: error.to_string() })?;
        Ok(Self { pem: pair.certificate, issuer })
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    fn sign(&self, mut params: CertificateParams) -> Result<Pair, rcgen::Error> {
        limit(&mut params, LEAF_LIFE);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// For a server that answers on this machine and as `names`.
    pub(crate) fn server(&self, subject: &str, address: IpAddr, names: &[String]) -> Result<Pair, rcgen::Error> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), "kubernetes.default.svc".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, subject);
        let mut addresses: Vec<IpAddr> = vec![[127, 0, 0, 1].into(), "::1".parse().unwrap_or(address), address];
        for name in names {
            match name.parse() {
                Ok(address) => addresses.push(address),
                Err(_) => params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?)),
            }
        }
        addresses.sort_unstable();
        addresses.dedup();
        params.subject_alt_names.extend(addresses.into_iter().map(SanType::IpAddress));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// For a person or a program.
    fn client(&self, user: &str, group: &str) -> Result<Pair, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        if !group.is_empty() {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    pub(crate) fn user(&self, user: &str, group: &str) -> Result<Pair, StartError> {
        self.client(user, group).map_err(|error| StartError::Tls { reason: error.to_string() })
    }

    pub(crate) fn admin(&self) -> Result<Pair, StartError> {
        self.user(ADMIN, MASTERS)
    }

    /// For the controllers of this process.
    pub(crate) fn keeper(&self) -> Result<Pair, StartError> {
        self.user(KEEPER, MASTERS)
    }

    /// Asks clients for a certificate of ours, and lets those without connect.
    pub(crate) fn server_config(&self, address: SocketAddr, names: &[String]) -> Result<ServerConfig, StartError> {
        let failed = |error: &dyn std::fmt::Display| StartError::Tls { reason: error.to_string() };
        let pair = self.server("paifang-apiserver", address.ip(), names).map_err(|error| failed(&error))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.pem.as_bytes()) {
            let certificate = certificate.map_err(|error| failed(&error))?;
            roots.add(certificate).map_err(|error| failed(&error))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(|error| failed(&error))?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pair.certificate.as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).map_err(|error| failed(&error))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.map_err(|error| failed(&error))?, key)
            .map_err(|error| failed(&error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn new_authority() -> Result<Pair, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    limit(&mut params, AUTHORITY_LIFE);
    let key = KeyPair::generate()?;
    Ok(Pair { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
}

/// Sets the days on which a certificate begins and ends: yesterday, for clocks that differ, and some years from now.
fn limit(params: &mut CertificateParams, years: i64) {
    let today = jiff::Zoned::now().date();
    let yesterday = today.yesterday().unwrap_or(today);
    let last = today.checked_add(jiff::Span::new().years(years)).unwrap_or(today);
    let [from, until] =
        [yesterday, last].map(|date| rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs()));
    params.not_before = from;
    params.not_after = until;
}

/// The file that `kubectl` reads, for the user that `pair` is of.
pub(crate) fn kubeconfig(server: &str, authority: &Authority, user: &str, pair: &Pair) -> String {
    let data = |pem: &str| STANDARD.encode(pem);
    // As JSON, which is YAML: a name may have any characters.
    let user = serde_json::Value::from(user);
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: paifang\n  cluster:\n    server: {server}\n    \
         certificate-authority-data: {}\nusers:\n- name: {user}\n  user:\n    client-certificate-data: {}\n    \
         client-key-data: {}\ncontexts:\n- name: paifang\n  context:\n    cluster: paifang\n    user: {user}\n\
         current-context: paifang\n",
        data(&authority.pem),
        data(&pair.certificate),
        data(&pair.key),
    )
}

/// Takes the keys in a folder from everybody but their owner: a copy or a careless `chmod` may have opened them.
fn close(dir: &Path) -> io::Result<()> {
    std::fs::set_permissions(dir, Permissions::from_mode(0o700))?;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::set_permissions(entry.path(), Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let new: PathBuf = path.with_extension("new");
    // What an earlier start left there may be open to others, or lead elsewhere.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn keys_are_their_owners_whatever_they_were_before() {
        let dir = tempfile::tempdir().expect("a directory");
        let pki = dir.path().join("pki");
        Authority::open(&pki).expect("made");
        let (key, left) = (pki.join("ca.key"), pki.join("ca.new"));
        std::fs::set_permissions(&pki, Permissions::from_mode(0o755)).expect("set");
        std::fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("set");
        Authority::open(&pki).expect("read");
        assert_eq!((mode(&pki), mode(&key)), (0o700, 0o600));
        // What was left behind under the name of a new file gives it neither its mode nor its place.
        std::fs::write(&left, "old").expect("written");
        std::fs::set_permissions(&left, Permissions::from_mode(0o666)).expect("set");
        write_private(&key, "new").expect("written");
        assert_eq!(mode(&key), 0o600);
        let elsewhere = dir.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, &left).expect("linked");
        write_private(&key, "newer").expect("written");
        assert!(!elsewhere.exists());
        assert_eq!(std::fs::read_to_string(&key).expect("read"), "newer");
    }
}
