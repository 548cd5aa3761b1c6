//! Words as numbers.

use super::Unread;

/// One of several words, as a number from 1 on.
pub trait Word: Sized {
    /// For messages.
    const WHAT: &'static str;
    fn number(self) -> i32;
    fn named(number: i32) -> Option<Self>;

    fn read(number: i32) -> Result<Self, Unread> {
        Self::named(number).ok_or_else(|| Unread::unknown(Self::WHAT))
    }
}

macro_rules! words {
    ($($kind:ident, $what:literal: $($word:ident = $number:literal),+;)+) => {$(
        impl Word for model::$kind {
            const WHAT: &'static str = $what;

            fn number(self) -> i32 {
                match self {
                    $(Self::$word => $number,)+
                }
            }

            fn named(number: i32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$word),)+
                    _ => None,
                }
            }
        }
    )+};
}

words! {
    BackendProtocol, "a backend protocol": Http1 = 1;
    Balancing, "a balancing": RoundRobin = 1, LeastRequest = 2, Random = 3, ClientAddress = 4;
    ListenerProtocol, "a listener protocol": Http = 1, Https = 2, Tcp = 3, Udp = 4;
    OnMiss, "a rule for what does not match": Stop = 1, Wider = 2;
    ReplyBody, "a reply's body": Text = 1, Empty = 2;
    Scheme, "a scheme": Http = 1, Https = 2;
    Case, "a pattern's case": Sensitive = 1, Insensitive = 2;
    Anchor, "a pattern's anchor": None = 1, Start = 2, Whole = 3;
    Engine, "a pattern's engine": Linear = 1, Backtracking = 2;
    Spill, "a rule for backends without endpoints": None = 1, ToFirst = 2;
    TlsVersions, "a set of TLS versions": Both = 1, Only12 = 2, Only13 = 3;
    UnmatchedPreflight, "a rule for preflights": Forward = 1, Answer = 2;
    RedirectWhen, "a redirect's condition": HasCertificate = 1, Always = 2;
    TrailingSlash, "a rule for trailing slashes": Keep = 1, Strip = 2;
    Unavailable, "a rule for backends without endpoints": ByStatus = 1, Page = 2;
    ForwardedFor, "a list of addresses": Client = 1, All = 2;
    LogEscape, "a way to escape": Hexadecimal = 1, Json = 2;
    LogLine, "a kind of line": Whole = 1, Named = 2;
    Reason, "a reason": NoRoute = 1, NoEndpoints = 2, NoBackend = 3, ConnectFailed = 4, ConnectTimeout = 5, UpstreamReset = 6,
        UpstreamProtocol = 7, UpstreamTimeout = 8, Overflow = 9, Closed = 10, Unavailable = 11, BadRequest = 12, RequestTimeout = 13,
        BodyTooLarge = 14, Misdirected = 15, Redirect = 16, Respond = 17, Fault = 18, Internal = 19;
}
