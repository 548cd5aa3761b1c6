//! Large bodies from socket to socket without passing through this process's memory.

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use std::io;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Bodies of fewer octets are read and written: the pipe would cost more than the copy.
pub(crate) const WORTH: u64 = 64 * 1024;
/// What a pipe is asked to hold; where the system refuses, its default serves.
const PIPE: usize = 256 * 1024;

/// A pipe and what is in it.
#[derive(Debug)]
pub(crate) struct Splice {
    read: OwnedFd,
    write: OwnedFd,
    held: usize,
}

/// Which side failed.
#[derive(Debug)]
pub(crate) enum Broken {
    From(io::Error),
    /// It ended before all was there.
    Ended,
    To(io::Error),
}

impl Splice {
    pub fn new() -> io::Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let _ = fcntl_setpipe_size(&write, PIPE);
        Ok(Self { read, write, held: 0 })
    }

    /// Empty, and so good for another body.
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Moves octets until `left` (those not yet taken from `from`; `None`: it is not known how many) is zero and the pipe is empty. Counts
    /// what was moved out into `moved`.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &TcpStream,
        to: &TcpStream,
        mut left: Option<&mut u64>,
        moved: &mut u64,
    ) -> Poll<Result<(), Broken>> {
        loop {
            if self.held == 0 {
                let most = left.as_deref().map_or(PIPE, |left| usize::try_from(*left).unwrap_or(PIPE).min(PIPE));
                if most == 0 {
                    return Poll::Ready(Ok(()));
                }
                let count = ready!(once(cx, from, Side::From, || splice(from, None, &self.write, None, most, flags(true))))
                    .map_err(Broken::From)?;
                if count == 0 {
                    return Poll::Ready(Err(Broken::Ended));
                }
                self.held = count;
                if let Some(left) = left.as_deref_mut() {
                    *left -= count as u64;
                }
            }
            // Held back for company only where company is sure to come at once.
            let more = left.as_deref().is_some_and(|left| *left > 0) && self.held >= PIPE / 2;
            let count =
                ready!(once(cx, to, Side::To, || splice(&self.read, None, to, None, self.held, flags(more)))).map_err(Broken::To)?;
            self.held -= count.min(self.held);
            *moved += count as u64;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    From,
    To,
}

fn flags(more: bool) -> SpliceFlags {
    let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
    if more { flags | SpliceFlags::MORE } else { flags }
}

/// Tries as soon as the socket is ready.
fn once(cx: &mut Context<'_>, socket: &TcpStream, side: Side, mut f: impl FnMut() -> Result<usize, Errno>) -> Poll<io::Result<usize>> {
    loop {
        let interest = match side {
            Side::From => {
                ready!(socket.poll_read_ready(cx))?;
                Interest::READABLE
            }
            Side::To => {
                ready!(socket.poll_write_ready(cx))?;
                Interest::WRITABLE
            }
        };
        match socket.try_io(interest, || f().map_err(io::Error::from)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return Poll::Ready(done),
        }
    }
}
