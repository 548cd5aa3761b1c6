//! One route: what it matches, what happens, where it leads.

use super::host::Replies;
use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub struct Route {
    #[prost(message, optional, tag = "1")]
    pub source: Option<Source>,
    #[prost(message, optional, tag = "2")]
    pub replies: Option<Replies>,
    #[prost(message, repeated, tag = "3")]
    pub matches: Vec<Match>,
    #[prost(message, repeated, tag = "4")]
    pub filters: Vec<Filter>,
    #[prost(oneof = "Action", tags = "5, 6, 7")]
    pub action: Option<Action>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Action {
    #[prost(message, tag = "5")]
    Forward(Forward),
    #[prost(message, tag = "6")]
    Redirect(Redirect),
    #[prost(message, tag = "7")]
    Respond(Respond),
}

#[derive(Clone, PartialEq, Message)]
pub struct Source {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(string, tag = "2")]
    pub namespace: String,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub rule: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Match {
    #[prost(message, optional, tag = "1")]
    pub path: Option<PathMatch>,
    #[prost(string, optional, tag = "2")]
    pub method: Option<String>,
    #[prost(int32, optional, tag = "3")]
    pub scheme: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    pub headers: Vec<NamedMatch>,
    #[prost(message, repeated, tag = "5")]
    pub query: Vec<NamedMatch>,
    #[prost(message, repeated, tag = "6")]
    pub cookies: Vec<NamedMatch>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PathMatch {
    /// 1: any, 2: exact, 3: by segments, 4: by octets, 5: a pattern.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub text: String,
    #[prost(message, optional, tag = "3")]
    pub pattern: Option<Pattern>,
}

#[derive(Clone, PartialEq, Message)]
pub struct NamedMatch {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub value: Option<ValueMatch>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ValueMatch {
    /// 1: present, 2: absent, 3: exact, 4: prefix, 5: a pattern, 6: not.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub text: String,
    #[prost(message, optional, tag = "3")]
    pub pattern: Option<Pattern>,
    #[prost(message, optional, boxed, tag = "4")]
    pub not: Option<Box<ValueMatch>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Pattern {
    #[prost(string, tag = "1")]
    pub text: String,
    #[prost(int32, tag = "2")]
    pub case: i32,
    #[prost(int32, tag = "3")]
    pub anchor: i32,
    #[prost(int32, tag = "4")]
    pub engine: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Forward {
    #[prost(message, repeated, tag = "1")]
    pub backends: Vec<WeightedBackend>,
    #[prost(int32, tag = "2")]
    pub spill: i32,
    #[prost(message, optional, tag = "3")]
    pub timeouts: Option<Timeouts>,
    #[prost(message, optional, tag = "4")]
    pub retries: Option<Retries>,
    #[prost(uint32, tag = "5")]
    pub unresolved: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct WeightedBackend {
    #[prost(message, optional, tag = "1")]
    pub backend: Option<Backend>,
    #[prost(uint32, tag = "2")]
    pub weight: u32,
    #[prost(message, repeated, tag = "3")]
    pub filters: Vec<Filter>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Backend {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(int32, tag = "2")]
    pub protocol: i32,
    #[prost(int32, tag = "3")]
    pub balancing: i32,
    #[prost(message, optional, tag = "4")]
    pub limits: Option<Limits>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Limits {
    #[prost(uint32, tag = "1")]
    pub connections: u32,
    #[prost(uint32, tag = "2")]
    pub idle_per_worker: u32,
    #[prost(uint32, tag = "3")]
    pub requests: u32,
    #[prost(uint32, tag = "4")]
    pub pending: u32,
    #[prost(uint32, optional, tag = "5")]
    pub requests_per_connection: Option<u32>,
    #[prost(uint64, optional, tag = "6")]
    pub connect: Option<u64>,
    #[prost(uint64, optional, tag = "7")]
    pub idle: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Timeouts {
    #[prost(uint64, tag = "1")]
    pub connect: u64,
    #[prost(uint64, tag = "2")]
    pub read: u64,
    #[prost(uint64, tag = "3")]
    pub send: u64,
    #[prost(uint64, optional, tag = "4")]
    pub request: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Retries {
    #[prost(uint32, tag = "1")]
    pub tries: u32,
    #[prost(message, repeated, tag = "2")]
    pub on: Vec<RetryOn>,
    #[prost(uint64, optional, tag = "3")]
    pub per_try: Option<u64>,
    #[prost(uint64, optional, tag = "4")]
    pub backoff: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct RetryOn {
    /// 1: connect failure, 2: safe reset, 3: reset, 4: a status, 5: a server error.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(uint32, tag = "2")]
    pub status: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Redirect {
    #[prost(uint32, tag = "1")]
    pub status: u32,
    #[prost(int32, optional, tag = "2")]
    pub scheme: Option<i32>,
    #[prost(string, optional, tag = "3")]
    pub host: Option<String>,
    /// 1: own, 2: the scheme's, 3: the listener's, 4: the request's, 5: a number.
    #[prost(int32, tag = "4")]
    pub port: i32,
    #[prost(uint32, tag = "5")]
    pub number: u32,
    #[prost(message, optional, tag = "6")]
    pub path: Option<PathModifier>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PathModifier {
    /// 1: the full path, 2: a prefix.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub prefix: String,
    #[prost(string, tag = "3")]
    pub replacement: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Respond {
    #[prost(uint32, tag = "1")]
    pub status: u32,
    #[prost(int32, tag = "2")]
    pub reason: i32,
    #[prost(string, optional, tag = "3")]
    pub body: Option<String>,
}

/// A filter that is not known has no kind here, and a name that says what it is.
#[derive(Clone, PartialEq, Message)]
pub struct Filter {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(oneof = "FilterKind", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12")]
    pub kind: Option<FilterKind>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum FilterKind {
    #[prost(message, tag = "2")]
    HttpsRedirect(HttpsRedirect),
    #[prost(message, tag = "3")]
    Rewrite(Rewrite),
    #[prost(string, tag = "4")]
    SetHost(String),
    #[prost(uint64, tag = "5")]
    BodyLimit(u64),
    #[prost(message, tag = "6")]
    RequestHeader(HeaderEdit),
    #[prost(message, tag = "7")]
    ResponseHeader(HeaderEdit),
    #[prost(string, tag = "8")]
    Hsts(String),
    #[prost(message, tag = "9")]
    Cors(Cors),
    #[prost(message, tag = "10")]
    Fault(Fault),
    #[prost(message, tag = "11")]
    Mirror(Mirror),
    #[prost(message, tag = "12")]
    ErrorPages(ErrorPages),
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct HttpsRedirect {
    #[prost(int32, tag = "1")]
    pub when: i32,
    #[prost(uint32, tag = "2")]
    pub status: u32,
    #[prost(int32, tag = "3")]
    pub trailing_slash: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Rewrite {
    /// 1: a pattern, 2: a prefix, 3: the full path, 4: every place of a pattern.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(message, optional, tag = "2")]
    pub pattern: Option<Pattern>,
    #[prost(message, repeated, tag = "3")]
    pub template: Vec<TemplatePart>,
    #[prost(string, tag = "4")]
    pub prefix: String,
    /// Of a prefix, or of the full path.
    #[prost(string, tag = "5")]
    pub replacement: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct TemplatePart {
    #[prost(oneof = "Template", tags = "1, 2")]
    pub part: Option<Template>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Template {
    #[prost(string, tag = "1")]
    Literal(String),
    #[prost(uint32, tag = "2")]
    Capture(u32),
}

#[derive(Clone, PartialEq, Message)]
pub struct HeaderEdit {
    /// 1: set, 2: add, 3: remove.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Cors {
    #[prost(message, repeated, tag = "1")]
    pub origins: Vec<ValueMatch>,
    #[prost(string, repeated, tag = "2")]
    pub methods: Vec<String>,
    #[prost(string, repeated, tag = "3")]
    pub headers: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    pub expose: Vec<String>,
    #[prost(bool, tag = "5")]
    pub credentials: bool,
    #[prost(uint64, optional, tag = "6")]
    pub max_age: Option<u64>,
    #[prost(uint32, tag = "7")]
    pub preflight: u32,
    #[prost(int32, tag = "8")]
    pub unmatched: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Fault {
    #[prost(message, optional, tag = "1")]
    pub delay: Option<Share>,
    #[prost(message, optional, tag = "2")]
    pub abort: Option<Share>,
}

/// In so many millionths of cases, this.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Share {
    #[prost(uint32, tag = "1")]
    pub millionths: u32,
    /// Nanoseconds, or a status.
    #[prost(uint64, tag = "2")]
    pub value: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Mirror {
    #[prost(message, optional, tag = "1")]
    pub backend: Option<Backend>,
    #[prost(uint32, tag = "2")]
    pub millionths: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct ErrorPages {
    #[prost(uint32, repeated, tag = "1")]
    pub statuses: Vec<u32>,
    #[prost(int32, tag = "2")]
    pub unavailable: i32,
    #[prost(message, optional, tag = "3")]
    pub forward: Option<Forward>,
    #[prost(message, repeated, tag = "4")]
    pub fields: Vec<Field>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Field {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}
