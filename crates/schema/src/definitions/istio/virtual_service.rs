//! VirtualService: where requests to some hosts go.

use super::super::shape::{Shape, decimal, flag, int32, list, map, object, text, uint32, word};
use super::super::{Column, Definition};
use super::{destination, duration, export_to, labels, text_match};

pub(super) fn definition() -> Definition {
    let spec = object([
        ("hosts", list(text()).about("Host names that these routes are for; none makes it a delegate of others.")),
        ("gateways", list(text()).about("Gateways that the routes are on, as `name` or `namespace/name`; `mesh` where absent.")),
        ("http", list(http_route()).about("Routes of HTTP requests, in their order.")),
        ("tls", list(tls_route()).about("Routes of TLS connections that are passed through.")),
        ("tcp", list(tcp_route()).about("Routes of all other connections.")),
        ("exportTo", export_to()),
    ]);
    let columns = vec![
        Column::text("Gateways", ".spec.gateways").about("the gateways that the routes are on"),
        Column::text("Hosts", ".spec.hosts").about("the hosts that the routes are for"),
        Column::age(),
    ];
    super::definition("VirtualService", "virtualservices", &["vs"], columns, "Routes of requests to some hosts.", spec)
}

fn http_route() -> Shape {
    object([
        ("name", text().about("Shown in the access log.")),
        ("match", list(http_match()).about("When the route is taken: if any of these holds; always where absent.")),
        ("route", list(http_destination()).about("Where the request goes, by weight.")),
        ("redirect", redirect()),
        ("directResponse", direct_response()),
        ("delegate", object([("name", text()), ("namespace", text())]).about("A VirtualService without hosts that goes on from here.")),
        ("rewrite", rewrite()),
        ("timeout", duration().about("How long an answer may take as a whole.")),
        ("retries", retries()),
        ("fault", fault()),
        ("mirror", destination().about("Where a copy of each request goes.")),
        ("mirrorPercentage", percentage()),
        ("mirror_percent", uint32().nullable().about("Use mirrorPercentage.")),
        ("mirrorPercent", uint32().nullable().about("Use mirrorPercentage.")),
        ("mirrors", list(mirror()).about("Several places where copies go.")),
        ("corsPolicy", cors()),
        ("headers", headers()),
    ])
}

fn http_match() -> Shape {
    let values = || map(text_match());
    object([
        ("name", text().about("Shown in the access log, after the route's.")),
        ("uri", text_match().about("The path, without the query.")),
        ("ignoreUriCase", flag().about("Letters of either case are the same in exact and prefix.")),
        ("scheme", text_match()),
        ("method", text_match()),
        ("authority", text_match().about("The host as sent, with its port.")),
        ("headers", values().about("Headers by name, all of which must match; `{}` asks that it is there.")),
        ("withoutHeaders", values().about("Headers none of which may match.")),
        ("queryParams", values().about("Parameters of the query, all of which must match.")),
        ("port", uint32().about("The gateway's port.")),
        ("gateways", list(text()).about("Instead of the gateways above.")),
        ("sourceLabels", labels().about("Labels of the workload that sends; at a gateway, the gateway's own.")),
        ("sourceNamespace", text()),
        ("statPrefix", text()),
    ])
}

fn http_destination() -> Shape {
    object([("destination", destination()), ("weight", int32().about("Its share of all weights.")), ("headers", headers())])
        .required(["destination"])
}

fn redirect() -> Shape {
    object([
        ("uri", text().about("The new path.")),
        ("prefixRewrite", text().about("In the place of the prefix that matched.")),
        ("authority", text().about("The new host.")),
        ("scheme", text()),
        ("port", uint32()),
        ("derivePort", word(["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"])),
        ("redirectCode", uint32().about("The status; 301 where absent.")),
    ])
    .at_most_one(["port", "derivePort"])
}

fn direct_response() -> Shape {
    let body = object([("string", text()), ("bytes", text().format("byte"))]).at_most_one(["string", "bytes"]);
    object([("status", uint32()), ("body", body)]).required(["status"]).about("An answer of the gateway's own.")
}

fn rewrite() -> Shape {
    object([
        ("uri", text().about("The new path, or the new prefix where a prefix matched.")),
        ("authority", text().about("The new host.")),
        ("uriRegexRewrite", object([("match", text()), ("rewrite", text())])),
    ])
}

fn retries() -> Shape {
    object([
        ("attempts", int32().about("How often a request is tried again.")),
        ("perTryTimeout", duration()),
        ("backoff", duration().about("The least time between tries.")),
        ("retryOn", text().about("After which failures, by comma.")),
        ("retryRemoteLocalities", flag().nullable()),
        ("retryIgnorePreviousHosts", flag().nullable()),
    ])
}

fn fault() -> Shape {
    let delay = object([
        ("fixedDelay", duration()),
        ("exponentialDelay", duration()),
        ("percentage", percentage()),
        ("percent", int32().about("Use percentage.")),
    ])
    .at_most_one(["fixedDelay", "exponentialDelay"]);
    let abort = object([("httpStatus", int32()), ("grpcStatus", text()), ("http2Error", text()), ("percentage", percentage())])
        .at_most_one(["httpStatus", "grpcStatus", "http2Error"]);
    object([("delay", delay), ("abort", abort)]).about("Trouble made on purpose.")
}

fn percentage() -> Shape {
    object([("value", decimal())]).about("Of a hundred.")
}

fn mirror() -> Shape {
    object([("destination", destination()), ("percentage", percentage())]).required(["destination"])
}

fn cors() -> Shape {
    object([
        ("allowOrigins", list(text_match())),
        ("allowOrigin", list(text()).about("Use allowOrigins.")),
        ("allowMethods", list(text())),
        ("allowHeaders", list(text())),
        ("exposeHeaders", list(text())),
        ("maxAge", duration().about("How long a browser may remember the answer to a preflight.")),
        ("allowCredentials", flag().nullable()),
        ("unmatchedPreflights", word(["UNSPECIFIED", "FORWARD", "IGNORE"])),
    ])
}

fn headers() -> Shape {
    let change = || {
        object([
            ("set", map(text()).about("In the place of what was there.")),
            ("add", map(text()).about("Beside what was there.")),
            ("remove", list(text())),
        ])
    };
    object([("request", change()), ("response", change())])
}

fn tls_route() -> Shape {
    let wanted = object([
        ("sniHosts", list(text()).about("Server names of the handshake.")),
        ("destinationSubnets", list(text())),
        ("port", uint32()),
        ("sourceLabels", labels()),
        ("gateways", list(text())),
        ("sourceNamespace", text()),
    ])
    .required(["sniHosts"]);
    object([("match", list(wanted)), ("route", list(connection_destination()))]).required(["match"])
}

fn tcp_route() -> Shape {
    let wanted = object([
        ("destinationSubnets", list(text())),
        ("port", uint32()),
        ("sourceSubnet", text()),
        ("sourceLabels", labels()),
        ("gateways", list(text())),
        ("sourceNamespace", text()),
    ]);
    object([("match", list(wanted)), ("route", list(connection_destination()))])
}

fn connection_destination() -> Shape {
    object([("destination", destination()), ("weight", int32())]).required(["destination"])
}
