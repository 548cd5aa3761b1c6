//! An OpenID Connect issuer: a discovery document, keys that change, id tokens as right or wrong as a test wants them.
//!
//! One thread per connection, one request each. It counts what it is asked.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256};
use aws_lc_rs::{hmac, rsa::KeySize};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::certificates::Issued;
use crate::{PATIENCE, ports};

/// Whom its tokens are for.
pub const CLIENT: &str = "paifang";

/// A running issuer.
pub struct Issuer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<thread::JoinHandle<()>>,
}

struct Shared {
    url: String,
    tls: Option<Arc<ServerConfig>>,
    keys: Mutex<Keys>,
    trouble: Mutex<Option<Trouble>>,
    /// Codes that were given to browsers: the challenge, where they went, and the id token.
    codes: Mutex<HashMap<String, (String, String, String)>>,
    asked: AtomicUsize,
    stopped: AtomicBool,
}

/// Signs, and stands in the published document.
struct Keys {
    ec: EcdsaKeyPair,
    rsa: Arc<rsa::KeyPair>,
    /// How often they were changed; in their ids.
    round: u32,
}

/// How an issuer fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It takes the request and says nothing.
    Silent,
    /// It closes the connection.
    Gone,
    /// It answers 500.
    Failing,
    /// It answers with 302 to where the answer is.
    Elsewhere,
    /// It answers without end.
    Endless,
    /// It publishes the document of another issuer.
    OtherIssuer,
    /// It says that its keys are on a host that is reached without TLS.
    OpenKeys,
    /// It publishes no keys but a secret.
    SecretKeys,
}

// === impl Issuer ===

impl Issuer {
    /// On loopback, without TLS.
    ///
    /// # Panics
    ///
    /// If the system gives no port or no random octets.
    pub fn start() -> Self {
        Self::on(None)
    }

    /// With a certificate for `localhost`.
    ///
    /// # Panics
    ///
    /// As [`Issuer::start`], and for a certificate that cannot be used.
    pub fn start_secure(issued: &Issued) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
        let config = config.with_no_client_auth().with_single_cert(issued.chain.clone(), issued.key.clone_key());
        Self::on(Some(Arc::new(config.expect("a certificate and its key"))))
    }

    fn on(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = ports::listener();
        let address = listener.local_addr().expect("it is bound");
        let url = match &tls {
            Some(_) => format!("https://localhost:{}", address.port()),
            None => format!("http://{address}"),
        };
        let shared = Arc::new(Shared {
            url,
            tls,
            keys: Mutex::new(Keys::new(0, None)),
            trouble: Mutex::default(),
            codes: Mutex::default(),
            asked: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let accepting = thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared)
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    /// How it calls itself.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Requests so far.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// New keys in the place of the old ones.
    pub fn rotate(&self) {
        let mut keys = self.keys();
        *keys = Keys::new(keys.round + 1, Some(keys.rsa.clone()));
    }

    /// From the next request on; `None` ends it.
    pub fn trouble(&self, trouble: Option<Trouble>) {
        *self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// The issuer's page: somebody has logged in there. Gives the code that the browser takes back, good for one token of these claims.
    ///
    /// # Panics
    ///
    /// If `page` is not the address of such a page with a challenge.
    pub fn log_in(&self, page: &str, mut claims: Value) -> String {
        let query = page.strip_prefix(&format!("{}/page?", self.url())).expect("the issuer's page");
        let field = |name: &str| fields(query).get(name).cloned().unwrap_or_default();
        assert_eq!(
            (field("response_type"), field("code_challenge_method"), field("client_id")),
            ("code".into(), "S256".into(), CLIENT.into())
        );
        claims["nonce"] = field("nonce").into();
        let given = (field("code_challenge"), field("redirect_uri"), self.sign(&claims));
        let mut codes = self.shared.codes.lock().unwrap_or_else(PoisonError::into_inner);
        // With a blank in it, which has to be escaped.
        let code = format!("code {}-{}", self.asked(), codes.len());
        codes.insert(code.clone(), given);
        code
    }

    /// Claims that are right: of this issuer, for [`CLIENT`], for the next ten minutes.
    pub fn claims(&self, subject: &str) -> Value {
        let now = now();
        json!({ "iss": self.url(), "aud": CLIENT, "sub": subject, "iat": now, "nbf": now, "exp": now + 600 })
    }

    /// A token of these claims, signed by ES256.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({ "alg": "ES256", "kid": self.key_id("ec"), "typ": "JWT" }), claims)
    }

    /// A token of these claims, signed by RS256.
    pub fn sign_rsa(&self, claims: &Value) -> String {
        self.sign_with(&json!({ "alg": "RS256", "kid": self.key_id("rsa") }), claims)
    }

    /// A token with any head, signed as `alg` there says: `none`, HS256 with the public key as the secret, RS256, else ES256.
    ///
    /// # Panics
    ///
    /// If the system gives no random octets.
    pub fn sign_with(&self, head: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
        let keys = self.keys();
        let signature = match head["alg"].as_str() {
            Some("none") => Vec::new(),
            Some("HS256") => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, keys.ec.public_key().as_ref()), text.as_bytes()).as_ref().to_vec()
            }
            Some("RS256") => {
                let mut signature = vec![0; keys.rsa.public_modulus_len()];
                let signed = keys.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature);
                signed.expect("random octets");
                signature
            }
            _ => keys.ec.sign(&SystemRandom::new(), text.as_bytes()).expect("random octets").as_ref().to_vec(),
        };
        format!("{text}.{}", BASE64.encode(signature))
    }

    /// The id of the key of this sort: `ec` or `rsa`.
    pub fn key_id(&self, sort: &str) -> String {
        format!("{sort}-{}", self.keys().round)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.shared.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

// === impl Keys ===

impl Keys {
    /// Making RSA keys takes long, so one is kept over rounds.
    fn new(round: u32, rsa: Option<Arc<rsa::KeyPair>>) -> Self {
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("random octets");
        let rsa = rsa.unwrap_or_else(|| Arc::new(rsa::KeyPair::generate(KeySize::Rsa2048).expect("random octets")));
        Self { ec, rsa, round }
    }

    fn document(&self) -> Value {
        let point = self.ec.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..65]));
        let rsa = self.rsa.public_key();
        let (n, e) = (rsa.modulus().big_endian_without_leading_zero(), rsa.exponent().big_endian_without_leading_zero());
        json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "use": "sig", "kid": format!("ec-{}", self.round), "x": x, "y": y },
            { "kty": "RSA", "use": "sig", "alg": "RS256", "kid": format!("rsa-{}", self.round), "n": BASE64.encode(n), "e": BASE64.encode(e) },
            { "kty": "RSA", "use": "enc", "alg": "RSA-OAEP", "kid": "for-secrets", "n": BASE64.encode(n), "e": BASE64.encode(e) },
            { "kty": "novel", "kid": "unheard-of" },
        ] })
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let shared = shared.clone();
        thread::spawn(move || {
            let limited = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
            let Ok(()) = limited else { return };
            // A client that went away is none of the issuer's business.
            let _ = match &shared.tls {
                None => answer(stream, &shared),
                Some(tls) => match ServerConnection::new(tls.clone()) {
                    Ok(connection) => answer(StreamOwned::new(connection, stream), &shared),
                    Err(_) => return,
                },
            };
        });
    }
}

fn answer(stream: impl Read + Write, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or("").to_owned();
    let mut length = 0;
    while line != "\r\n" && !line.is_empty() {
        line.clear();
        stream.read_line(&mut line)?;
        let said = line.to_ascii_lowercase();
        length = said.strip_prefix("content-length:").and_then(|it| it.trim().parse().ok()).unwrap_or(length);
    }
    let mut sent = vec![0; length.min(64 << 10)];
    stream.read_exact(&mut sent)?;
    shared.asked.fetch_add(1, Ordering::SeqCst);
    let trouble = *shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
    let out = stream.get_mut();
    match trouble {
        Some(Trouble::Gone) => return Ok(()),
        Some(Trouble::Silent) => return wait(shared),
        Some(Trouble::Failing) => return write!(out, "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"),
        Some(Trouble::Elsewhere) if !path.ends_with("/again") => {
            return write!(out, "HTTP/1.1 302 There\r\nlocation: {}{path}/again\r\ncontent-length: 0\r\n\r\n", shared.url);
        }
        Some(Trouble::Endless) => {
            write!(out, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[")?;
            loop {
                out.write_all(&[b' '; 4096])?;
            }
        }
        _ => {}
    }
    let url = &shared.url;
    let body = match path.trim_end_matches("/again") {
        "/.well-known/openid-configuration" => match trouble {
            Some(Trouble::OtherIssuer) => json!({ "issuer": "https://other.example", "jwks_uri": format!("{url}/keys") }),
            Some(Trouble::OpenKeys) => json!({ "issuer": url, "jwks_uri": "http://192.0.2.1/keys" }),
            _ => json!({
                "issuer": url, "jwks_uri": format!("{url}/keys"), "response_types_supported": ["id_token", "code"],
                "authorization_endpoint": format!("{url}/page"), "token_endpoint": format!("{url}/token"),
            }),
        },
        "/token" => match token(shared, &String::from_utf8_lossy(&sent)) {
            Some(token) => json!({ "token_type": "Bearer", "access_token": "nobody's", "id_token": token }),
            None => return write!(out, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"),
        },
        "/keys" if trouble == Some(Trouble::SecretKeys) => {
            json!({ "keys": [{ "kty": "oct", "kid": "ec-0", "k": BASE64.encode("secret") }] })
        }
        "/keys" => shared.keys.lock().unwrap_or_else(PoisonError::into_inner).document(),
        _ => return write!(out, "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
    };
    let body = body.to_string();
    write!(out, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())?;
    out.flush()
}

/// The token for a code, once, for who began.
fn token(shared: &Shared, form: &str) -> Option<String> {
    let form = fields(form);
    let (challenge, redirect, token) = shared.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(form.get("code")?)?;
    let shown = BASE64.encode(digest::digest(&digest::SHA256, form.get("code_verifier")?.as_bytes()));
    let right = shown == challenge && *form.get("redirect_uri")? == redirect && form.get("client_id")? == CLIENT;
    right.then_some(token)
}

/// Fields of a query or a form.
fn fields(text: &str) -> HashMap<String, String> {
    let value = |text: &str| {
        let (mut octets, mut rest) = (Vec::new(), text.bytes());
        while let Some(octet) = rest.next() {
            let digit = |octet: Option<u8>| char::from(octet.unwrap_or(b'0')).to_digit(16).unwrap_or(0);
            octets.push(match octet {
                b'%' => u8::try_from(digit(rest.next()) * 16 + digit(rest.next())).unwrap_or(0),
                b'+' => b' ',
                octet => octet,
            });
        }
        String::from_utf8_lossy(&octets).into_owned()
    };
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, it)| (name.to_owned(), value(it))).collect()
}

/// Until the issuer is dropped.
fn wait(shared: &Shared) -> std::io::Result<()> {
    for _ in 0..PATIENCE.as_millis() / 20 {
        if shared.stopped.load(Ordering::SeqCst) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Seconds since 1970.
///
/// # Panics
///
/// Before that.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the sun is cold")
}
