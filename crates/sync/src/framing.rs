//! Messages on a stream of octets: four octets say how long each is.
//!
//! **Invariant:** no message is larger than [`LARGEST`], whichever side sends it, and no write waits longer than its deadline.

use bytes::{Buf, BufMut, BytesMut};
use prost::Message;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Octets of one message.
pub const LARGEST: usize = 32 << 20;

/// For the other side to take one message.
const WRITE: Duration = Duration::from_secs(30);

/// Octets of buffer that are kept between messages.
const KEPT: usize = 64 << 10;

/// Why a link has ended.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("the other side closed the connection")]
    Closed,
    #[error("the other side was silent for too long")]
    Silent,
    #[error("the other side takes nothing")]
    Stuck,
    #[error("a message of {0} octets is larger than {LARGEST}")]
    TooLarge(usize),
    #[error("a message cannot be read: {0}")]
    Malformed(#[from] prost::DecodeError),
    #[error("not what belongs here: {0}")]
    Unexpected(&'static str),
    #[error("refused: {0}")]
    Refused(String),
    #[error("the certificate is due to be renewed")]
    Renew,
    #[error("control of epoch {0} has been followed by one of {1}")]
    Stale(u64, u64),
}

/// The reading end.
pub struct Reader<R> {
    from: R,
    buffer: BytesMut,
}

/// The writing end.
pub struct Writer<W> {
    to: W,
    buffer: BytesMut,
}

// === impl Reader ===

impl<R: AsyncRead + Unpin> Reader<R> {
    pub fn new(from: R) -> Self {
        Self { from, buffer: BytesMut::new() }
    }

    /// The next message. Cancel safe: what has arrived of it stays.
    pub async fn receive<M: Message + Default>(&mut self) -> Result<M, LinkError> {
        loop {
            if let Some(length) = self.length()?
                && self.buffer.len() >= 4 + length
            {
                self.buffer.advance(4);
                let octets = self.buffer.split_to(length).freeze();
                if self.buffer.is_empty() && self.buffer.capacity() > KEPT {
                    self.buffer = BytesMut::new();
                }
                return Ok(M::decode(octets)?);
            }
            if self.from.read_buf(&mut self.buffer).await? == 0 {
                return Err(LinkError::Closed);
            }
        }
    }

    fn length(&self) -> Result<Option<usize>, LinkError> {
        let Some(head) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
        if length > LARGEST { Err(LinkError::TooLarge(length)) } else { Ok(Some(length)) }
    }
}

// === impl Writer ===

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub fn new(to: W) -> Self {
        Self { to, buffer: BytesMut::new() }
    }

    /// Sends a message. Not cancel safe.
    pub async fn send(&mut self, message: &impl Message) -> Result<(), LinkError> {
        self.put(message).await?;
        self.flush().await
    }

    /// As [`Writer::send`], but what is small may wait for [`Writer::flush`].
    pub async fn put(&mut self, message: &impl Message) -> Result<(), LinkError> {
        let length = message.encoded_len();
        let head = u32::try_from(length).ok().filter(|_| length <= LARGEST).ok_or(LinkError::TooLarge(length))?;
        self.buffer.reserve(4 + length);
        self.buffer.put_u32(head);
        message.encode_raw(&mut self.buffer);
        if self.buffer.len() < KEPT { Ok(()) } else { self.flush().await }
    }

    pub async fn flush(&mut self) -> Result<(), LinkError> {
        let written = async {
            self.to.write_all(&self.buffer).await?;
            self.to.flush().await
        };
        timeout(WRITE, written).await.map_err(|_| LinkError::Stuck)??;
        self.buffer.clear();
        if self.buffer.capacity() > KEPT {
            self.buffer = BytesMut::new();
        }
        Ok(())
    }

    /// Says that nothing follows.
    pub async fn close(&mut self) {
        // The other side may be gone already.
        let _ = timeout(WRITE, self.to.shutdown()).await;
    }
}
