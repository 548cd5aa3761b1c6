//! The model to the wire and back.
//!
//! Each type's two directions stand side by side, and both name every field: a field that the model gains does not compile until it is
//! carried. What belongs to several hosts (certificates, whom to trust) goes once, and is named by its digest.
//!
//! **Invariant:** what is not understood closes; it is never left out.

mod closed;
mod filter;
mod gateway;
mod host;
mod options;
mod route;

pub use closed::closed_host;
pub use gateway::{
    certificate, endpoints, gateway, read_address, read_certificate, read_endpoints, read_gateway, read_trust, settings, trust,
};
pub use host::{host, pattern, read_host, read_pattern};

use crate::wire::Unread;
use crate::wire::route::Backend;
use model::{Certificate, ClientTrust};
use prost::Message;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// SHA-256 of what is on the wire: equal in every build that writes the same octets.
pub type Digest = [u8; 32];

/// What hosts share, as it is met while they are written.
#[derive(Default)]
pub struct Shared {
    pub certificates: BTreeMap<Digest, Vec<u8>>,
    pub trusts: BTreeMap<Digest, Vec<u8>>,
}

/// What hosts share, as they are read.
#[derive(Default)]
pub struct Known {
    pub certificates: BTreeMap<Digest, Arc<Certificate>>,
    pub trusts: BTreeMap<Digest, Arc<ClientTrust>>,
}

/// Backends of one host: routes that lead to the same one share it.
#[derive(Default)]
pub struct Backends(HashSet<Arc<model::Backend>>);

pub fn digest(octets: &[u8]) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, octets).as_ref());
    digest
}

// === impl Shared ===

impl Shared {
    fn certificate(&mut self, it: &Certificate) -> Vec<u8> {
        let octets = certificate(it).encode_to_vec();
        let digest = digest(&octets);
        self.certificates.insert(digest, octets);
        digest.to_vec()
    }

    fn trust(&mut self, it: &ClientTrust) -> Vec<u8> {
        let octets = trust(it).encode_to_vec();
        let digest = digest(&octets);
        self.trusts.insert(digest, octets);
        digest.to_vec()
    }
}

// === impl Known ===

impl Known {
    fn certificate(&self, digest: &[u8]) -> Result<Arc<Certificate>, Unread> {
        let digest = Digest::try_from(digest).map_err(|_| Unread::lacks("a certificate"))?;
        self.certificates.get(&digest).cloned().ok_or_else(|| Unread::lacks("a certificate"))
    }

    fn trust(&self, digest: &[u8]) -> Result<Arc<ClientTrust>, Unread> {
        let digest = Digest::try_from(digest).map_err(|_| Unread::lacks("whom to trust"))?;
        self.trusts.get(&digest).cloned().ok_or_else(|| Unread::lacks("whom to trust"))
    }
}

// === impl Backends ===

impl Backends {
    fn read(&mut self, from: Option<Backend>) -> Result<Option<Arc<model::Backend>>, Unread> {
        let Some(from) = from else { return Ok(None) };
        let read = route::read_backend(from)?;
        if let Some(known) = self.0.get(&read) {
            return Ok(Some(known.clone()));
        }
        let read = Arc::new(read);
        self.0.insert(read.clone());
        Ok(Some(read))
    }
}

/// In nanoseconds: five centuries fit.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn number<T: TryFrom<u32>>(what: &str, number: u32) -> Result<T, Unread> {
    T::try_from(number).map_err(|_| Unread(format!("{what} has a number out of range: {number}")))
}

fn needed<T>(what: &str, it: Option<T>) -> Result<T, Unread> {
    it.ok_or_else(|| Unread::lacks(what))
}

fn strings<'a>(texts: impl IntoIterator<Item = &'a model::Text>) -> Vec<String> {
    texts.into_iter().map(ToString::to_string).collect()
}

fn texts(strings: Vec<String>) -> Vec<model::Text> {
    strings.into_iter().map(model::Text::from).collect()
}
