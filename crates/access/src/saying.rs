//! Everything that is said of the way to a route, each sentence with a word that stays and the values in it, so that it can be said in other
//! languages, too.
//!
//! **Invariant:** what is said of a hop is one of these; `console/src/words/reasons.json` lists them, and its test compares.

use serde_json::{Map, Value, json};
use std::fmt;

macro_rules! sayings {
    ($($(#[$about:meta])* $reason:ident { $($value:ident),* } => $english:literal,)*) => {
        /// A sentence. Its variant is the word that programs go by; values are text as it stands in the sentence, several joined by `, `.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Saying {
            $($(#[$about])* $reason { $($value: String),* },)*
        }

        impl Saying {
            /// Word, values and English sentence of each.
            pub const ALL: &[(&str, &[&str], &str)] = &[$((stringify!($reason), &[$(stringify!($value)),*], $english)),*];

            pub fn reason(&self) -> &'static str {
                match self {
                    $(Self::$reason { .. } => stringify!($reason),)*
                }
            }

            /// By name.
            pub fn values(&self) -> Value {
                match self {
                    $(Self::$reason { $($value),* } => Value::Object(Map::from_iter([$((stringify!($value).to_owned(), json!($value))),*] as [(String, Value); _])),)*
                }
            }
        }

        impl fmt::Display for Saying {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$reason { $($value),* } => write!(f, $english),)*
                }
            }
        }
    };
}

sayings! {
    /// Something before it is broken.
    NotTried {} => "not tried",

    // The name.
    AddressInUrl {} => "the URL has the address itself",
    NotAsked {} => "not asked: no route has this host",
    NameFound { host, addresses } => "{host} leads to {addresses}",
    NoSuchName { host, resolver } => "{resolver} knows no {host}",
    NameUnanswered { host, resolver, why } => "{resolver} finds no {host}: {why}",
    AddHostsLine { host, address } => "add to /etc/hosts: {address} {host} (or let your resolver ask Paifang's DNS server, which gives {address})",
    MakeAlias { host, name } => "make {host} an alias (CNAME) of {name}",
    MakeRoute { host } => "make a route for {host}, or correct the URL",

    // The address.
    AddressUnseen {} => "where the gateway is cannot be seen by you",
    AddressGood { addresses } => "{addresses} is the gateway's",
    AddressOfGateway { addresses, gateway } => "{addresses} is gateway {gateway}'s",
    WrongAddress { name, wrong, right } => "{name} leads to {wrong}, and the gateway is at {right}",
    WrongAddressForGateway { name, wrong, gateway, right } => "{name} leads to {wrong}, and gateway {gateway} is at {right}",
    AlsoWrongAddress { name, wrong, right } => "{name} also leads to {wrong}, and the gateway is at {right}",
    AskAt { addresses } => "ask at {addresses}",
    CorrectHostsLine { host, address } =>
        "correct its DNS record, or put into /etc/hosts: {address} {host} (or let your resolver ask Paifang's DNS server, which gives {address})",
    AskGateway {} => "see what the gateway says of itself: paifang get gateways -o wide",

    // The port.
    PortNotTried {} => "not tried from here: the address is not one that the gateway has by itself",
    PortOpen { sockets } => "connections are taken at {sockets}",
    PortClosed { socket } => "nothing listens at {socket}",
    PortSilent { socket, seconds } => "{socket} does not answer within {seconds} s",
    Unreachable { socket, why } => "{socket} cannot be reached: {why}",
    OtherPort { scheme, port, url } => "{scheme} is at port {port}: {url}",
    OpenNodePort { port } => "open TCP port {port} of every node in its firewall and security group",
    OpenPort { port } => "open TCP port {port} in the firewall or security group before it",
    SeeGateway {} => "see whether the gateway runs and has this port: paifang get gateways",
    SeeGatewayNamed { gateway } => "see whether gateway {gateway} runs and has this port: paifang get gateways",

    // The certificate.
    NoneNeeded {} => "none is needed for http",
    CertificateGood { names, until, issuer } => "for {names}, until {until}, signed by {issuer}",
    CertificateSelfSigned { names, until } =>
        "for {names}, until {until}, signed by itself, so clients take it only when told to (curl --insecure)",
    NoCertificate { host } => "there is none for {host}: the gateway shows its own, which is for nobody",
    CertificateForOthers { host, names } => "shown is one for {names}, not for {host}",
    CertificateExpired { names, until } => "the one for {names} has expired: it was good until {until}",
    CertificateTooNew { names, from } => "the one for {names} is not good before {from}",
    ClientCertificateDemanded {} => "clients must show a certificate of theirs, and none is at hand",
    HandshakeEnded { why } => "the gateway ends the handshake ({why}): it has no certificate that it could show",
    NotTls {} => "the port speaks no TLS",
    HandshakeSilent {} => "the handshake is not answered",
    HandshakeFailed { why } => "the handshake fails: {why}",
    GiveCertificate { host } =>
        "give the route's `tls` (or the Gateway's listener) a Secret of type kubernetes.io/tls with a certificate for {host}; see what is wrong with one: paifang check --live",
    ReplaceCertificate { host } => "put a certificate for {host} into the Secret that the route's `tls` (or the Gateway's listener) names",
    AskByHttp {} => "ask by http, or at the port for https",
    LookBetween {} => "see what is between here and the gateway",

    // The route.
    RouteFound { route } => "{route}",
    RouteAnswers { route, answer } => "{route}: answers {answer}",
    RouteRefuses { route, answer } => "{route}: answers {answer}",
    NoListener { port } => "no gateway listens for it at port {port}",
    NoHost { host } => "no host covers `{host}`",
    NoRoute {} => "no route matches",
    NoRouteOfHost { host } => "{host}: none of its routes matches",
    PatternTooLong {} => "a pattern takes more steps than allowed, so the gateway answers 400",
    ServedByAnother { controller } => "served by {controller}, not by Paifang",
    NearRoutes { routes } => "near is {routes}",
    SimilarHost { host } => "there is a route for {host}; is that what was meant?",
    SeeObject { object } => "see what is wrong with {object}: paifang check --live",
    MendObject { object, problem } => "{object}: {problem}",

    // Why a route that is near does not answer.
    PathDiffers { path } => "path is not `{path}`",
    PathNotBelow { path } => "path is not `{path}` or below",
    PathBeginsOtherwise { path } => "path does not start with `{path}`",
    PathNotMatched { pattern } => "path does not match `{pattern}`",
    MethodDiffers { method } => "method is not {method}",
    SchemeDiffers { scheme } => "scheme is not {scheme}",
    HeaderDiffers { name } => "header `{name}` is not what is asked for",
    QueryDiffers { name } => "query parameter `{name}` is not what is asked for",
    CookieDiffers { name } => "cookie `{name}` is not what is asked for",
    PatternOverBudget {} => "a pattern takes more steps than allowed",
    PatternBroken {} => "its pattern does not compile",
    ComesLater { place, winner } => "it matches too, but comes later in the host's order (number {place} after number {winner})",
    HostIsWider { host, winner } => "it matches too, but its host `{host}` is less specific than `{winner}`",
    ConditionSays { condition, status, why } => "{condition} is {status}, {why}",
    ProblemSays { problem } => "{problem}",
    OnNoGateway { object } => "no gateway of ours has it: {object} means none",
    ServedElsewhere { gateways } => "it is served on {gateways}, not at this port",

    // What a handshake finds.
    TlsPassedOn {} => "passed on to the backend as it is",
    TlsRefused {} => "refused: the host's certificate cannot be used, or its listener has none for this name",
    TlsOwnCertificate {} => "the gateway's own certificate",
    TlsCertificate { secret } => "certificate of {secret}",
    ClientMayShow { authority } => "a client's is checked by {authority}",
    ClientMustShow { authority } => "clients need one that {authority} knows",
    ClientUnchecked {} => "a client's is asked for and not checked",

    // What it leads to.
    NoEndpointNeeded {} => "none is needed: the gateway answers itself",
    EndpointsReady { endpoints } => "{endpoints}",
    NoBackend {} => "the route leads nowhere",
    NoService {} => "its Service does not exist, or may not be used",
    NoEndpoint { services } => "there is no ready endpoint of Service {services}",
    SomeWithoutService {} => "one of its Services does not exist, or may not be used, so some requests get an error",
    SomeWithoutEndpoint { services } => "there is no ready endpoint of Service {services}, so some requests get 503",
    GiveBackend {} => "give it a backend",
    NameService {} => "name a Service that exists",
    SeeEndpoints { namespace, service } =>
        "see why: kubectl get endpointslices -n {namespace} -l kubernetes.io/service-name={service}; its Pods must be there and ready",

    // Why a route is not reached, or not through us.
    InsideAlone {} => "its gateway is reached from inside alone: its access is ClusterIP",
    NoAddressYet {} => "its gateway has no address yet",
    NoAddress { problem } => "its gateway has no address: {problem}",
    NoGateway {} => "no gateway serves it: enable one for the project, or see why everybody's has no address",
    ClassUnserved { class } => "nothing has served it yet: its class is {class}",
    ParentIsNoGateway { parent } => "it is for {parent}, not for a Gateway",
    GatewayMissing { gateway } => "Gateway {gateway} is not there, or you may not see it",
    GatewayRefuses { gateway, why } => "Gateway {gateway} does not take it: {why}",
    NoListenerOfGateway { gateway } => "no listener of Gateway {gateway} is for it",
    NoServerOfGateway { gateway } => "no server of Gateway {gateway} is for this host",
    GatewayUnseen {} => "where its Gateway is reached cannot be seen by you",
}

impl Saying {
    pub fn json(&self) -> Value {
        json!({ "reason": self.reason(), "values": self.values() })
    }
}

/// Several, as one text.
pub(crate) fn joined(all: &[Saying]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
