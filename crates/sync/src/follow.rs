//! A gateway's end of the link: connects, proves who it is, and obeys; for ever.

use crate::PROTOCOL;
use crate::framing::{LinkError, Reader, Writer};
use crate::identity::{IdentityError, Key, SERVER_NAME, client};
use crate::intake::{Families, Intake, Order, Step};
use crate::serve::{PING, SILENCE};
use crate::wire::frame::{Empty, Enroll, Hello, Said, ToControl, ToGateway, Told};
use model::{Ack, Sealed, Update, Version};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// For a connection with its handshake, and for a certificate to be given.
const CONNECT: Duration = Duration::from_secs(10);
const ENROLL: Duration = Duration::from_secs(30);
/// Before the second attempt; doubled for each further one, up to the longest.
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(15);
/// Octets of a token or an authority's file.
const LARGEST_FILE: u64 = 1 << 20;

/// Obeys: a data plane.
pub trait Follower: Send + Sync {
    /// Serves a change, and says when every worker does.
    fn apply(&self, update: Update) -> impl Future<Output = Ack> + Send;
    /// These addresses are refused as endpoints, beside its own.
    fn refuse(&self, addresses: Vec<SocketAddr>);
}

#[derive(Clone, Debug)]
pub struct Options {
    /// Where control is, `HOST:PORT`.
    pub control: String,
    pub bootstrap: Bootstrap,
    /// Who this is, for messages: for example the Pod's name.
    pub instance: String,
    pub families: Families,
}

/// What is there before there is a certificate. Files are read anew each time: they are replaced while a Pod runs.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// Who signs control's certificate.
    pub authority: Authorities,
    /// A file with a ServiceAccount's token.
    pub token: PathBuf,
}

#[derive(Clone, Debug)]
pub enum Authorities {
    Pem(String),
    /// PEM, in a file.
    File(PathBuf),
}

/// How the link is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkState {
    pub connected: bool,
    /// What is served: it stays when the link breaks.
    pub version: Option<Version>,
    /// Why it broke last.
    pub fault: Option<String>,
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0} cannot be read: {1}")]
    File(PathBuf, std::io::Error),
    #[error("{0} cannot be connected to: {1}")]
    Connect(String, std::io::Error),
    #[error("{0} does not answer")]
    Slow(String),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// A certificate, and when to have another.
struct Proof {
    chain: Vec<Vec<u8>>,
    key: Sealed<Vec<u8>>,
    renew: Instant,
}

/// What is connected.
pub struct Dialed<'a, F> {
    pub intake: &'a mut Intake,
    pub follower: &'a F,
    pub state: &'a watch::Sender<LinkState>,
    pub instance: &'a str,
    /// When the certificate must be renewed.
    pub until: Instant,
}

/// Keeps the link, and through it the data plane as control wants it. What is served stays when the link breaks. Ends only when dropped.
pub async fn follow<F: Follower>(options: &Options, follower: &F, state: &watch::Sender<LinkState>) {
    let (mut intake, mut proof) = (Intake::new(options.families), None);
    let mut attempts = 0_u32;
    loop {
        let before = state.borrow().version;
        let why = once(options, &mut intake, &mut proof, (follower, state)).await;
        if matches!(why, Fault::Link(LinkError::Renew)) {
            continue;
        }
        state.send_modify(|it| {
            it.connected = false;
            it.fault = Some(why.to_string());
        });
        tracing::warn!(%why, "there is no link to control; what is served stays as it is");
        // One that has brought something was a good one.
        attempts = if state.borrow().version == before { attempts.saturating_add(1) } else { 0 };
        tokio::time::sleep(pause(attempts)).await;
    }
}

/// Between half of what is due and all of it: gateways that lost control together do not come back together.
fn pause(attempts: u32) -> Duration {
    let due = FIRST.saturating_mul(1_u32.checked_shl(attempts.min(16)).unwrap_or(u32::MAX)).min(LONGEST);
    due.mul_f64(0.5 + fastrand::f64() / 2.0)
}

async fn once<F: Follower>(
    options: &Options,
    intake: &mut Intake,
    proof: &mut Option<Proof>,
    (follower, state): (&F, &watch::Sender<LinkState>),
) -> Fault {
    let connected = async {
        let fresh = match proof.take().filter(|it| it.renew > Instant::now()) {
            Some(proof) => proof,
            None => timeout(ENROLL, prove(options)).await.map_err(|_| Fault::Slow(options.control.clone()))??,
        };
        let renew = fresh.renew;
        // Kept whatever comes of the connection: control need not sign another for it.
        let stream = connect(options, Some(&*proof.insert(fresh))).await?;
        Ok::<_, Fault>((stream, renew))
    };
    let (stream, renew) = match connected.await {
        Ok(connected) => connected,
        Err(fault) => return fault,
    };
    let dialed = Dialed { intake, follower, state, instance: &options.instance, until: renew };
    let ended = dialed.talk(stream).await;
    // A certificate that is not taken is not tried twice: control may have another authority by now.
    if !state.borrow().connected {
        *proof = None;
    }
    ended.into()
}

/// Shows the token, and gets a certificate for a key that nobody else has.
async fn prove(options: &Options) -> Result<Proof, Fault> {
    let token = read(&options.bootstrap.token).await?;
    let token = String::from_utf8_lossy(&token).trim().to_owned();
    let Key { key, request } = Key::generate()?;
    let (reader, writer) = tokio::io::split(connect(options, None).await?);
    let (mut reader, mut writer) = (Reader::new(reader), Writer::new(writer));
    writer.send(&said(Said::Enroll(Enroll { token, request }))).await?;
    match told(reader.receive().await?)? {
        Told::Enrolled(it) => {
            let lifetime = Duration::from_secs(it.seconds.clamp(30, 30 * 86_400));
            Ok(Proof { chain: it.chain, key, renew: Instant::now() + lifetime * 2 / 3 })
        }
        Told::Refused(it) => Err(LinkError::Refused(it.why).into()),
        _ => Err(LinkError::Unexpected("anything but a certificate").into()),
    }
}

async fn connect(options: &Options, proof: Option<&Proof>) -> Result<TlsStream<TcpStream>, Fault> {
    let authority = match &options.bootstrap.authority {
        Authorities::Pem(pem) => pem.clone().into_bytes(),
        Authorities::File(path) => read(path).await?,
    };
    let config = client(&authority, proof.map(|it| (it.chain.as_slice(), &it.key)))?;
    let name = SERVER_NAME.try_into().map_err(|_| LinkError::Unexpected("the name of control"))?;
    let failed = |error| Fault::Connect(options.control.clone(), error);
    let connected = async {
        let stream = TcpStream::connect(&options.control).await.map_err(failed)?;
        // Small messages must not wait for one another.
        let _ = stream.set_nodelay(true);
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(failed)
    };
    timeout(CONNECT, connected).await.map_err(|_| Fault::Slow(options.control.clone()))?
}

async fn read(path: &PathBuf) -> Result<Vec<u8>, Fault> {
    let failed = |error| Fault::File(path.clone(), error);
    let length = tokio::fs::metadata(path).await.map_err(failed)?.len();
    if length > LARGEST_FILE {
        return Err(failed(std::io::ErrorKind::FileTooLarge.into()));
    }
    tokio::fs::read(path).await.map_err(failed)
}

// === impl Dialed ===

impl<F: Follower> Dialed<'_, F> {
    /// Obeys over one connection, until it ends.
    pub async fn talk<S: AsyncRead + AsyncWrite>(mut self, stream: S) -> LinkError {
        let (reader, writer) = tokio::io::split(stream);
        let (mut reader, mut writer) = (Reader::new(reader), Writer::new(writer));
        self.intake.connected();
        let hello = Hello { protocol: PROTOCOL, build: env!("CARGO_PKG_VERSION").into(), instance: self.instance.to_owned() };
        if let Err(why) = writer.send(&said(Said::Hello(hello))).await {
            return why;
        }
        let mut ping = tokio::time::interval(PING);
        let mut heard = Instant::now();
        loop {
            let done = tokio::select! {
                message = reader.receive::<ToGateway>() => {
                    heard = Instant::now();
                    match message.and_then(told) {
                        Ok(told) => self.hear(told, &mut writer).await,
                        Err(why) => Err(why),
                    }
                }
                _ = ping.tick() => writer.send(&said(Said::Ping(Empty {}))).await,
                () = tokio::time::sleep_until(heard + SILENCE) => Err(LinkError::Silent),
                // Between messages, so that no order is broken off.
                () = tokio::time::sleep_until(self.until) => Err(LinkError::Renew),
            };
            if let Err(why) = done {
                return why;
            }
            // However long it took to obey, the other side was not silent meanwhile.
            heard = heard.max(Instant::now() - PING);
        }
    }

    async fn hear<S: AsyncRead + AsyncWrite>(&mut self, told: Told, writer: &mut Writer<WriteHalf<S>>) -> Result<(), LinkError> {
        match self.intake.told(told)? {
            Step::Nothing => Ok(()),
            Step::Say(all) => {
                self.state.send_modify(|it| {
                    it.connected = true;
                    it.fault = None;
                });
                for it in all {
                    writer.put(&said(it)).await?;
                }
                writer.flush().await
            }
            Step::Apply(order) => {
                let ack = self.obey(*order).await;
                writer.send(&said(ack)).await
            }
        }
    }

    /// Puts an order in force. It is not broken off when the link breaks: half of one would be.
    async fn obey(&mut self, mut order: Order) -> Said {
        if let Some(refused) = order.refused.take() {
            self.follower.refuse(refused);
        }
        let version = order.update.version;
        let shards = order.update.shards.iter().map(|(key, _)| (key.clone(), None)).collect();
        let update = std::mem::replace(&mut order.update, Update { version, shards, ..Update::default() });
        let mut ack = self.follower.apply(update).await;
        let retired = std::mem::take(&mut order.retired);
        if !retired.is_empty() {
            let endpoints = retired.into_iter().map(|it| (it, None)).collect();
            let nacks = std::mem::take(&mut ack.nacks);
            ack = self.follower.apply(Update { version, endpoints, ..Update::default() }).await;
            ack.nacks.extend(nacks);
        }
        let said = self.intake.applied(order, ack);
        self.state.send_modify(|it| it.version = Some(version));
        said
    }
}

fn said(said: Said) -> ToControl {
    ToControl { said: Some(said) }
}

/// A message that this version does not know has nothing in it.
fn told(message: ToGateway) -> Result<Told, LinkError> {
    message.told.ok_or(LinkError::Unexpected("a message that this version of the gateway does not know"))
}
