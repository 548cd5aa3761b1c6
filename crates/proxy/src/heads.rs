//! Heads with the octets they were read from, and what outlives them.

use crate::buffer::{Buffer, SMALL};
use crate::origin::Origin;
use crate::spans::Carried;
use filter::Edits;
use http1::{Framing, Method, RequestHead, ResponseHead, Version};
use model::GatewayOptions;
use observe::Heard;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What most heads need.
const OUT: usize = 2 * 1024;
/// What is kept of memory that grew.
pub(crate) const LARGEST_OUT: usize = 32 * 1024;

/// What came from a client: a request head and what follows it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub buffer: Buffer,
    pub head: RequestHead,
}

/// What came from a backend.
#[derive(Debug)]
pub(crate) struct Answer {
    pub buffer: Buffer,
    pub head: ResponseHead,
    /// The head as the client gets it. Here, not in the [`Kit`]: this memory was in use a moment ago, that has waited for the backend.
    pub out: Vec<u8>,
}

/// What is known of a request after its head's octets are gone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    pub method: Method,
    pub version: Version,
    pub framing: Framing,
    pub keep_alive: bool,
    pub expects_continue: bool,
    pub websocket: bool,
    /// Filters change the answer's head. Known here so that the [`Kit`], cold by then, need not be asked where they do not.
    pub answer_edited: bool,
    /// Octets of the head.
    pub head: u32,
    /// Who is asking, where somebody else speaks for them.
    pub client: Option<IpAddr>,
}

/// Memory of one exchange, reused by the next.
#[derive(Debug, Default)]
pub(crate) struct Kit {
    /// The request as the backend gets it, as long as it may have to be sent again; or an answer of our own.
    pub out: Vec<u8>,
    pub edits: Edits,
    /// `host[:port]` as asked for, in lower case.
    pub authority: String,
    pub method: String,
    pub path: String,
    /// Meaningful where `queried`: `/a?` has an empty query, `/a` has none.
    pub query: String,
    pub queried: bool,
    pub request_id: String,
    pub user_agent: Vec<u8>,
    /// What its gateway says of all requests, where that is anything.
    pub options: Option<Arc<GatewayOptions>>,
    pub origin: Option<Origin>,
    /// For its line in the access log.
    pub heard: Heard,
    /// How an error page is asked for, but for the status; empty: none is.
    pub errand: Vec<u8>,
    /// Endpoints this request has been at in vain.
    pub tried: Vec<SocketAddr>,
    /// The trace it is part of, as the backend hears of it.
    pub carried: Carried,
    /// Only `out` and `tried` are of use: the rest serves another request already.
    pub slim: bool,
}

// === impl Incoming ===

impl Incoming {
    pub fn new() -> Box<Self> {
        Box::new(Self { buffer: Buffer::new(SMALL), head: RequestHead::new() })
    }

    /// Forgets everything. A buffer that grew is let go.
    pub fn reset(&mut self) {
        self.head.clear();
        reset(&mut self.buffer);
    }
}

// === impl Answer ===

impl Answer {
    pub fn new() -> Box<Self> {
        Box::new(Self { buffer: Buffer::new(SMALL), head: ResponseHead::new(), out: Vec::with_capacity(OUT) })
    }

    pub fn reset(&mut self) {
        self.head.clear();
        self.out.clear();
        self.out.shrink_to(LARGEST_OUT);
        reset(&mut self.buffer);
    }
}

fn reset(buffer: &mut Buffer) {
    if buffer.size() == SMALL {
        buffer.clear();
    } else {
        *buffer = Buffer::new(SMALL);
    }
}

// === impl Facts ===

impl Facts {
    pub fn of(head: &RequestHead) -> Self {
        Self {
            method: head.method(),
            version: head.version(),
            framing: head.framing,
            keep_alive: head.keep_alive,
            expects_continue: head.expects_continue,
            websocket: head.websocket,
            answer_edited: false,
            head: 0,
            client: None,
        }
    }
}

// === impl Kit ===

impl Kit {
    pub fn query(&self) -> Option<&str> {
        self.queried.then_some(&*self.query)
    }

    pub fn clear(&mut self) {
        self.out.clear();
        self.out.shrink_to(LARGEST_OUT);
        self.out.reserve(OUT);
        self.authority.clear();
        self.method.clear();
        self.path.clear();
        self.query.clear();
        self.queried = false;
        self.request_id.clear();
        self.user_agent.clear();
        self.options = None;
        self.origin = None;
        self.heard.clear();
        self.errand.clear();
        self.errand.shrink_to(LARGEST_OUT);
        self.tried.clear();
        self.carried.clear();
    }
}
