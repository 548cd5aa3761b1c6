//! What is wrong with a message, and the status that says so.

use thiserror::Error;

/// Why a message is refused. After any of these the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    #[error("a line ends with a bare CR or LF")]
    LineEnd,
    #[error("the start line is malformed")]
    StartLine,
    #[error("the start line is too long")]
    StartLineTooLong,
    #[error("this HTTP version is not spoken here")]
    HttpVersion,
    #[error("a field line is malformed")]
    FieldLine,
    #[error("a field line is folded")]
    Folded,
    #[error("the header section is too large")]
    TooManyFields,
    #[error("the request target is malformed")]
    Target,
    #[error("the path has an escape or octet that is not accepted")]
    Path,
    #[error("the method is not served")]
    MethodRefused,
    #[error("Host is missing, repeated or malformed")]
    Host,
    #[error("Content-Length is malformed")]
    ContentLength,
    #[error("Content-Length and Transfer-Encoding exclude each other")]
    TwoFramings,
    #[error("Transfer-Encoding is not exactly `chunked`")]
    TransferEncoding,
    #[error("Connection names a field that is not hop-by-hop")]
    Nominated,
    #[error("Expect is not `100-continue`")]
    Expect,
    #[error("the chunked coding is malformed")]
    Chunk,
    #[error("chunk extensions are too long")]
    ChunkExtension,
    #[error("the trailer section is malformed or too large")]
    Trailer,
    #[error("the status code is malformed")]
    StatusCode,
    #[error("the connection ended within the message")]
    Truncated,
}

impl Fault {
    /// The status for the client whose request this is.
    pub fn status(self) -> u16 {
        match self {
            Self::StartLineTooLong => 414,
            Self::TooManyFields => 431,
            Self::HttpVersion => 505,
            Self::MethodRefused => 405,
            Self::Expect => 417,
            _ => 400,
        }
    }
}
