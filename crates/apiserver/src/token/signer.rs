//! Signing and verifying JSON Web Tokens, of one form only: ES256 with the key of this data directory.
//!
//! **Invariant:** the algorithm is ours, never the token's choice.

use std::io;
use std::path::Path;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rcgen::KeyPair;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::{StartError, pki};

/// The longest token that is looked at.
const LONGEST: usize = 16 << 10;

pub(crate) struct Signer {
    pair: EcdsaKeyPair,
    /// Names the key in tokens.
    id: String,
}

// === impl Signer ===

impl Signer {
    /// Reads the key in `dir`, or makes it.
    pub(crate) fn open(dir: &Path) -> Result<Self, StartError> {
        let path = dir.join("sa.key");
        let failed = |reason: String| StartError::Pki { path: path.clone(), reason };
        let pem = match std::fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = KeyPair::generate().map_err(|error| failed(error.to_string()))?.serialize_pem();
                pki::write_private(&path, &pem).map_err(|error| failed(error.to_string()))?;
                pem
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der());
        Ok(Self::new(pair.map_err(|error| failed(error.to_string()))?))
    }

    fn new(pair: EcdsaKeyPair) -> Self {
        let id = BASE64.encode(digest::digest(&digest::SHA256, pair.public_key().as_ref()));
        Self { pair, id }
    }

    pub(crate) fn sign(&self, claims: &Value) -> Result<String, &'static str> {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let text = format!("{}.{}", part(&json!({ "alg": "ES256", "kid": self.id, "typ": "JWT" })), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).map_err(|_| "the key for tokens does not sign")?;
        Ok(format!("{text}.{}", BASE64.encode(signature)))
    }

    /// The claims of a token of ours, whatever they say.
    pub(crate) fn verify(&self, token: &str) -> Option<Value> {
        if token.len() > LONGEST {
            return None;
        }
        let (text, signature) = token.rsplit_once('.')?;
        let (head, claims) = text.split_once('.')?;
        let read = |part: &str| serde_json::from_slice::<Value>(&BASE64.decode(part).ok()?).ok();
        let head = read(head)?;
        if head["alg"] != "ES256" || head["kid"] != *self.id || head.get("crit").is_some() {
            return None;
        }
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref());
        key.verify(text.as_bytes(), &BASE64.decode(signature).ok()?).ok()?;
        read(claims).filter(Value::is_object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }

    #[test]
    fn only_what_was_signed_here_is_read() {
        let (ours, theirs) = (signer(), signer());
        let claims = json!({ "sub": "a" });
        let token = ours.sign(&claims).expect("signed");
        assert_eq!(ours.verify(&token), Some(claims.clone()));
        assert_eq!(theirs.verify(&token), None);
        let parts: Vec<&str> = token.split('.').collect();
        let other = BASE64.encode(json!({ "sub": "b" }).to_string());
        let unsigned = BASE64.encode(json!({ "alg": "none", "kid": ours.id }).to_string());
        let by_text = BASE64.encode(json!({ "alg": "HS256", "kid": ours.id }).to_string());
        for broken in [
            format!("{}.{other}.{}", parts[0], parts[2]),
            format!("{unsigned}.{}.", parts[1]),
            format!("{unsigned}.{}.{}", parts[1], parts[2]),
            format!("{by_text}.{}.{}", parts[1], parts[2]),
            format!("{}.{}", parts[0], parts[1]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{token}."),
            format!("{token}="),
            "..".into(),
            String::new(),
            "a".repeat(LONGEST + 1),
        ] {
            assert_eq!(ours.verify(&broken), None, "{broken}");
        }
    }
}
