//! A connection's octets, in plain text or through TLS.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Reads into `space`. A short read tells the runtime that the socket is empty, so that no further call finds that out.
    #[inline]
    pub fn poll_read(&mut self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut space = ReadBuf::new(space);
        match self {
            Self::Plain(stream) => ready!(Pin::new(stream).poll_read(cx, &mut space))?,
            Self::Tls(stream) => ready!(Pin::new(&mut **stream).poll_read(cx, &mut space))?,
        }
        Poll::Ready(Ok(space.filled().len()))
    }

    #[inline]
    pub fn poll_write(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, octets),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(cx, octets),
        }
    }

    #[inline]
    pub fn poll_write_two(&mut self, cx: &mut Context<'_>, one: &[u8], two: &[u8]) -> Poll<io::Result<usize>> {
        match (one.is_empty(), two.is_empty(), self) {
            (false, false, Self::Plain(stream)) => Pin::new(stream).poll_write_vectored(cx, &[IoSlice::new(one), IoSlice::new(two)]),
            (false, false, Self::Tls(stream)) => Pin::new(&mut **stream).poll_write_vectored(cx, &[IoSlice::new(one), IoSlice::new(two)]),
            (true, _, stream) => stream.poll_write(cx, two),
            (_, true, stream) => stream.poll_write(cx, one),
        }
    }

    /// What TLS still holds back is written.
    #[inline]
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_flush(cx),
        }
    }

    /// Ends the sending side; the other side may still send.
    pub fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }

    pub fn plain(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(stream) => Some(stream),
            Self::Tls(_) => None,
        }
    }
}
