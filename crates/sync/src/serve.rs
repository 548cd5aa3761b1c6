//! Control's end of the link: accepts, finds out who it is, and keeps each gateway as it is to be.

use crate::PROTOCOL;
use crate::framing::{LinkError, Reader, Writer};
use crate::hub::{Hub, Joined};
use crate::identity::{Authority, Identity, IdentityError};
use crate::offer::{Messages, Offer};
use crate::wire::frame::{Empty, Enroll, Enrolled, Refused, Said, ToControl, ToGateway, Told, Welcome};
use model::{GatewayId, Sealed, Version};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

/// Connections at a time; others wait to be accepted.
const CONNECTIONS: usize = 4_096;
/// Of these, so many may be without a certificate.
const ENROLLING: usize = 64;
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For the first message, and for a certificate to be asked for and given.
const FIRST: Duration = Duration::from_secs(20);
/// Between two signs of life of our own, and the longest silence of the other side.
pub(crate) const PING: Duration = Duration::from_secs(10);
pub(crate) const SILENCE: Duration = Duration::from_secs(45);
/// For a change to be served.
const ACKNOWLEDGE: Duration = Duration::from_secs(120);
/// After a failed accept, for example because no descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

/// Whose token it is, as an API server says.
pub trait Review: Send + Sync + 'static {
    fn review(&self, token: Sealed<String>) -> impl Future<Output = Reviewed> + Send;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reviewed {
    Gateway(GatewayId),
    /// Why it is no gateway's.
    Nobody(String),
}

/// Serves gateways until dropped.
pub async fn serve(listener: TcpListener, authority: Arc<Authority>, hub: Arc<Hub>, review: impl Review) -> Result<(), IdentityError> {
    let acceptor = TlsAcceptor::from(authority.server()?);
    let (permits, enrolling) = (Arc::new(Semaphore::new(CONNECTIONS)), Arc::new(Semaphore::new(ENROLLING)));
    let review = Arc::new(review);
    let mut tasks = JoinSet::new();
    loop {
        while tasks.try_join_next().is_some() {}
        let Ok(permit) = permits.clone().acquire_owned().await else { return Ok(()) };
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the gateways' address cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let (acceptor, authority, hub) = (acceptor.clone(), authority.clone(), hub.clone());
        let (review, enrolling) = (review.clone(), enrolling.clone());
        tasks.spawn(async move {
            // Small messages must not wait for one another.
            let _ = stream.set_nodelay(true);
            let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
            let certificate = stream.get_ref().1.peer_certificates().and_then(|it| it.first());
            let ended = match certificate.map(Identity::read) {
                Some(Some(identity)) => serve_stream(stream, identity, hub).await,
                Some(None) => Err(LinkError::Unexpected("a certificate that names no gateway")),
                None => match enrolling.try_acquire() {
                    Ok(_permit) => enroll(stream, &authority, &*review).await,
                    Err(_) => Err(LinkError::Unexpected("more that have no certificate yet than are served at a time")),
                },
            };
            if let Err(why) = ended {
                tracing::debug!(%from, %why, "a gateway's connection has ended");
            }
            drop(permit);
        });
    }
}

/// Gives a certificate to whoever has a gateway's token.
async fn enroll<S: AsyncRead + AsyncWrite>(stream: S, authority: &Authority, review: &impl Review) -> Result<(), LinkError> {
    let (reader, writer) = tokio::io::split(stream);
    let (mut reader, mut writer) = (Reader::new(reader), Writer::new(writer));
    let enrolled = async {
        let Said::Enroll(Enroll { token, request }) = said(reader.receive().await?)? else {
            return Err(LinkError::Unexpected("anything but a token"));
        };
        match review.review(Sealed::new(token)).await {
            Reviewed::Gateway(gateway) => {
                let (chain, lifetime) = authority
                    .issue(&gateway, &request, SystemTime::now())
                    .map_err(|_| LinkError::Unexpected("a request for a certificate that cannot be read"))?;
                tracing::info!(%gateway, "a gateway has proved who it is");
                writer.send(&told(Told::Enrolled(Enrolled { chain, seconds: lifetime.as_secs() }))).await
            }
            Reviewed::Nobody(why) => {
                tracing::warn!(%why, "somebody is no gateway");
                writer.send(&refused(why)).await
            }
        }
    };
    let ended = timeout(FIRST, enrolled).await.map_err(|_| LinkError::Silent)?;
    writer.close().await;
    ended
}

/// Keeps one gateway as it is to be, until its connection or its certificate ends.
pub async fn serve_stream<S: AsyncRead + AsyncWrite + Send>(stream: S, identity: Identity, hub: Arc<Hub>) -> Result<(), LinkError> {
    let (reader, writer) = tokio::io::split(stream);
    let (mut reader, mut writer) = (Reader::new(reader), Writer::new(writer));
    let hello = timeout(FIRST, reader.receive()).await.map_err(|_| LinkError::Silent)??;
    let Said::Hello(hello) = said(hello)? else { return Err(LinkError::Unexpected("anything but a greeting")) };
    if hello.protocol != PROTOCOL {
        let why = format!("this control speaks protocol {PROTOCOL}, and the gateway {} ({})", hello.protocol, hello.build);
        writer.send(&refused(why)).await?;
        writer.close().await;
        return Err(LinkError::Unexpected("another protocol"));
    }
    let welcome =
        Welcome { protocol: PROTOCOL, build: env!("CARGO_PKG_VERSION").into(), gateway: identity.gateway.to_string(), epoch: hub.epoch };
    writer.send(&told(Told::Welcome(welcome))).await?;
    let instance: String = hello.instance.chars().filter(|it| !it.is_control()).take(253).collect();
    let joined = hub.join(identity.gateway.clone(), instance);
    let mut session = Session { hub, gateway: identity.gateway, joined, writer, offer: Offer::default(), began: false };
    let left = identity.until.duration_since(SystemTime::now()).unwrap_or_default();
    let ended = timeout(left, session.run(&mut reader)).await.unwrap_or(Err(LinkError::Unexpected("a certificate that has ended")));
    session.writer.close().await;
    ended
}

struct Session<S> {
    hub: Arc<Hub>,
    gateway: GatewayId,
    joined: Joined,
    writer: Writer<WriteHalf<S>>,
    offer: Offer,
    began: bool,
}

// === impl Session ===

impl<S: AsyncRead + AsyncWrite> Session<S> {
    async fn run(&mut self, reader: &mut Reader<ReadHalf<S>>) -> Result<(), LinkError> {
        let mut changes = self.hub.changes();
        let mut ping = tokio::time::interval(PING);
        let mut heard = Instant::now();
        loop {
            changes.mark_unchanged();
            if self.offer.is_idle() {
                self.tell().await?;
            }
            let patience = if self.offer.is_idle() { SILENCE } else { ACKNOWLEDGE };
            tokio::select! {
                message = reader.receive::<ToControl>() => {
                    heard = Instant::now();
                    self.hear(said(message?)?).await?;
                }
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
                _ = ping.tick() => self.writer.send(&told(Told::Ping(Empty {}))).await?,
                () = tokio::time::sleep_until(heard + patience) => return Err(LinkError::Silent),
            }
        }
    }

    /// Tells what the gateway has not been told yet.
    async fn tell(&mut self) -> Result<(), LinkError> {
        let messages = match self.hub.items(&self.gateway) {
            Some((items, version)) if self.began => {
                let change = self.offer.change(&items, version);
                if change.is_none() {
                    self.joined.current(version);
                }
                change
            }
            Some((items, version)) => {
                self.began = true;
                Some(self.offer.inventory(items, version))
            }
            None if self.began => {
                self.writer.send(&refused("nobody asks for this gateway any more".into())).await?;
                return Err(LinkError::Unexpected("a gateway that nobody asks for"));
            }
            // Control may have only just started.
            None => None,
        };
        match messages {
            Some(messages) => self.send(messages).await,
            None => Ok(()),
        }
    }

    async fn hear(&mut self, said: Said) -> Result<(), LinkError> {
        match said {
            Said::Ping(_) => {}
            Said::Lack(lack) => {
                if let Some(messages) = self.offer.lack(&lack)? {
                    self.send(messages).await?;
                }
            }
            Said::Ack(ack) => {
                let version = ack.version.map(|it| Version { epoch: it.epoch, sequence: it.sequence }).unwrap_or_default();
                self.offer.acknowledged(version)?;
                self.joined.acknowledged(version, &ack);
            }
            Said::Hello(_) | Said::Enroll(_) => return Err(LinkError::Unexpected("a second greeting")),
        }
        Ok(())
    }

    async fn send(&mut self, messages: Messages) -> Result<(), LinkError> {
        for message in messages {
            self.writer.put(&told(message)).await?;
        }
        self.writer.flush().await
    }
}

fn told(told: Told) -> ToGateway {
    ToGateway { told: Some(told) }
}

fn refused(why: String) -> ToGateway {
    told(Told::Refused(Refused { why }))
}

/// A message that this version does not know has nothing in it.
fn said(message: ToControl) -> Result<Said, LinkError> {
    message.said.ok_or(LinkError::Unexpected("a message that this version of control does not know"))
}
