//! DestinationRule: how requests are spread over the endpoints of a host, once routed there.

use super::super::shape::{Shape, decimal, flag, int32, integer, list, map, object, text, uint32, word};
use super::super::{Column, Definition};
use super::{duration, export_to, labels, port_selector};

pub(super) fn definition() -> Definition {
    let spec = object([
        ("host", text().about("The Service: a name in this namespace, or a full one.")),
        ("trafficPolicy", whole_policy().about("For all its endpoints.")),
        ("subsets", list(subset()).about("Named parts of its endpoints.")),
        ("exportTo", export_to()),
        ("workloadSelector", workload_selector()),
    ])
    .required(["host"]);
    let columns = vec![Column::text("Host", ".spec.host").about("the Service that this is about"), Column::age()];
    super::definition(
        "DestinationRule",
        "destinationrules",
        &["dr"],
        columns,
        "How requests to a host are spread over its endpoints.",
        spec,
    )
}

fn subset() -> Shape {
    object([
        ("name", text()),
        ("labels", labels().about("Labels of the Pods that are in it.")),
        ("trafficPolicy", whole_policy().about("In the place of what the whole host has, field by field.")),
    ])
    .required(["name"])
}

fn workload_selector() -> Shape {
    let value = text().length(0, 63).rule("!self.contains('*')", "a label's value has no wildcard here");
    let labels = map(value)
        .entries(4096)
        .rule("self.all(key, !key.contains('*'))", "a label's key has no wildcard here")
        .rule("self.all(key, size(key) > 0)", "a label's key is not empty");
    object([("matchLabels", labels)]).about("Which clients in this namespace it is for.")
}

/// What may be said of a host and of a subset.
fn whole_policy() -> Shape {
    policy()
        .with(
            "portLevelSettings",
            list(policy().with("port", port_selector())).items(0, 4096).about("For one port, in the place of all else."),
        )
        .with(
            "tunnel",
            object([("protocol", text()), ("targetHost", text()), ("targetPort", uint32())]).required(["targetHost", "targetPort"]),
        )
        .with("proxyProtocol", object([("version", word(["V1", "V2"]))]))
        .with("retryBudget", retry_budget())
}

/// What may be said of a port, too.
fn policy() -> Shape {
    object([
        ("loadBalancer", load_balancer()),
        ("connectionPool", connection_pool()),
        ("outlierDetection", outlier_detection()),
        ("tls", tls()),
    ])
}

fn retry_budget() -> Shape {
    object([
        ("percent", decimal().least(0).most(100).nullable().about("Retries under way, of all requests under way.")),
        ("minRetryConcurrency", uint32()),
        ("budgetInterval", text()),
    ])
}

fn load_balancer() -> Shape {
    let ways = ["UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"];
    object([
        ("simple", word(ways)),
        ("consistentHash", consistent_hash()),
        ("localityLbSetting", locality()),
        ("zoneAwareLbSetting", zone()),
        ("warmupDurationSecs", duration().about("Use warmup.")),
        ("warmup", warmup()),
    ])
    .at_most_one(["simple", "consistentHash"])
}

fn consistent_hash() -> Shape {
    let attribute = object([("name", text()), ("value", text())]).required(["name"]);
    let cookie = object([("name", text()), ("path", text()), ("ttl", text()), ("attributes", list(attribute))]).required(["name"]);
    object([
        ("httpHeaderName", text()),
        ("httpCookie", cookie),
        ("useSourceIp", flag()),
        ("httpQueryParameterName", text()),
        ("ringHash", object([("minimumRingSize", integer().least(0))])),
        ("maglev", object([("tableSize", integer().least(0))])),
        ("minimumRingSize", integer().least(0).about("Use ringHash.")),
    ])
    .at_most_one(["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"])
    .at_most_one(["ringHash", "maglev"])
    .about("Requests with the same key go to the same endpoint.")
}

fn failover() -> Shape {
    list(object([("from", text()), ("to", text())]))
}

fn locality() -> Shape {
    object([
        ("distribute", list(object([("from", text()), ("to", map(uint32()))]))),
        ("failover", failover()),
        ("failoverPriority", list(text())),
        ("enabled", flag().nullable()),
    ])
}

fn zone() -> Shape {
    object([
        ("failover", failover()),
        ("failoverPriority", list(text())),
        ("minClusterSize", integer().least(1).nullable()),
        ("enabled", flag().nullable()),
    ])
}

fn warmup() -> Shape {
    object([
        ("duration", duration()),
        ("minimumPercent", decimal().least(0).most(100).nullable()),
        ("aggression", decimal().least(0).nullable()),
    ])
    .required(["duration"])
    .about("A new endpoint gets its share little by little.")
}

fn connection_pool() -> Shape {
    let keepalive = object([("probes", uint32()), ("time", duration()), ("interval", duration())]);
    let tcp = object([
        ("maxConnections", int32()),
        ("connectTimeout", duration()),
        ("tcpKeepalive", keepalive),
        ("maxConnectionDuration", duration()),
        ("idleTimeout", text()),
    ]);
    let http = object([
        ("http1MaxPendingRequests", int32()),
        ("http2MaxRequests", int32()),
        ("maxRequestsPerConnection", int32()),
        ("maxRetries", int32()),
        ("idleTimeout", duration()),
        ("h2UpgradePolicy", word(["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"])),
        ("useClientProtocol", flag()),
        ("maxConcurrentStreams", int32()),
        ("http2KeepAlive", object([("interval", duration()), ("timeout", duration())])),
    ]);
    object([("tcp", tcp), ("http", http)]).about("Limits of connections and requests.")
}

fn outlier_detection() -> Shape {
    object([
        ("consecutive5xxErrors", uint32().nullable()),
        ("consecutiveGatewayErrors", uint32().nullable()),
        ("consecutiveLocalOriginFailures", uint32().nullable()),
        ("consecutiveErrors", int32().about("Use consecutive5xxErrors.")),
        ("splitExternalLocalOriginErrors", flag()),
        ("outlierDetectionHttpErrorCodes", list(integer().least(100).most(599))),
        ("interval", duration()),
        ("baseEjectionTime", duration()),
        ("maxEjectionPercent", int32()),
        ("minHealthPercent", int32()),
    ])
    .about("Endpoints that fail are left out for a while.")
}

fn tls() -> Shape {
    object([
        ("mode", word(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"])),
        ("credentialName", text().about("The Secret with certificate, key and authority.")),
        ("clientCertificate", text()),
        ("privateKey", text()),
        ("caCertificates", text()),
        ("caCrl", text()),
        ("subjectAltNames", list(text())),
        ("sni", text()),
        ("insecureSkipVerify", flag().nullable()),
    ])
    .about("TLS to the endpoints.")
}
