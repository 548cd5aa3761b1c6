//! The reference page, from what translation goes by.

use crate::conditions::CONDITIONS;
use crate::filters::ORDER;
use std::fmt::Write;

/// Fields that are followed, and those that are told; by kind. A field that stands on neither side is not in Istio's API.
const FIELDS: [(&str, &[(&str, &str)]); 3] = [
    (
        "Gateway",
        &[
            ("`selector`", "labels of the gateway's workload; empty: every workload"),
            ("`servers[].port`", "HTTP, HTTPS, TLS, TCP; MONGO, REDIS, MYSQL as TCP; HTTP2, GRPC, GRPC-WEB as HTTP/1.1, and told"),
            ("`servers[].hosts`", "also `NAMESPACE/HOST`, `./HOST`, `*/HOST`"),
            ("`servers[].bind`", "told, and the server is closed"),
            ("`tls.httpsRedirect`", "301, also without a VirtualService"),
            ("`tls.mode`", "SIMPLE, MUTUAL, OPTIONAL_MUTUAL, PASSTHROUGH; ISTIO_MUTUAL and AUTO_PASSTHROUGH refuse every handshake"),
            (
                "`tls.credentialName`",
                "in the namespace of the gateway's workload; beside the Gateway, or elsewhere as `NAMESPACE/NAME`, by ReferenceGrant",
            ),
            ("`tls.credentialNames`", "the first; a second one is told"),
            (
                "`tls.caCertCredentialName`, `subjectAltNames`, `verifyCertificateSpki`, `verifyCertificateHash`, `insecureSkipVerify`",
                "as in Istio",
            ),
            ("`tls.minProtocolVersion`, `tls.maxProtocolVersion`", "1.2 and 1.3"),
            ("`tls.cipherSuites`, `tls.ecdhCurves`", "told"),
            ("`tls.serverCertificate` and other files", "told, and every handshake is refused"),
        ],
    ),
    (
        "VirtualService",
        &[
            ("`hosts`, `gateways`, `exportTo`", "as in Istio; `mesh` has no effect"),
            ("`http[].match`", "every field; claims of tokens (`@request.auth.claims`) match nobody"),
            ("`http[].route`", "weights, subsets, headers of a destination"),
            ("`http[].redirect`", "every field; `prefixRewrite` by whole segments"),
            ("`http[].directResponse`", "a body that is UTF-8"),
            ("`http[].rewrite`", "`uri`, `authority`, `uriRegexRewrite`"),
            ("`http[].timeout`, `http[].retries`", "what only HTTP/2 and gRPC have brings no retry"),
            ("`http[].fault`", "`delay`, `abort.httpStatus`; `abort.grpcStatus` is told"),
            ("`http[].mirror`, `http[].mirrors`, `http[].corsPolicy`", "as in Istio"),
            ("`http[].headers`", "Envoy's `%OPERATORS%` are told, and the header is not sent"),
            ("`http[].delegate`", "one level"),
            ("`tls`, `tcp`", "`sniHosts`, `port`, `gateways`, weights; `sourceSubnets` is told and matches nothing"),
        ],
    ),
    (
        "DestinationRule",
        &[
            ("`subsets`", "Pods by their labels"),
            ("`trafficPolicy.loadBalancer.simple`", "ROUND_ROBIN, RANDOM, LEAST_REQUEST (also where nothing is said)"),
            (
                "`trafficPolicy.connectionPool`",
                "`maxConnections`, `connectTimeout`, `idleTimeout`, `http1MaxPendingRequests`, `http2MaxRequests`, `maxRequestsPerConnection`",
            ),
            ("`trafficPolicy.portLevelSettings`, `workloadSelector`, `exportTo`", "as in Istio"),
            ("`trafficPolicy.tls`", "DISABLE; anything else closes what leads there: 503"),
            ("`consistentHash`, `localityLbSetting`, `warmup`, `outlierDetection`, `proxyProtocol`, `tunnel`, `retryBudget`", "told"),
        ],
    ),
];

/// What is followed, in which order, and what is said about it.
pub fn reference_markdown() -> String {
    let mut page = String::from("# Istio\n\n");
    page.push_str("Gateway, VirtualService and DestinationRule of `networking.istio.io`. A first Gateway is in [the guide](../guide/from-istio.md).\n");
    page.push_str("\n## Which rule answers\n\n");
    for line in [
        "The most specific host alone is asked: a name, then the longest `*.` that covers it, then `*`.",
        "Gateways count by age, then name, then namespace; so do VirtualServices, those for the gateway's own namespace first.",
        "Rules are tried as they are written, those of several VirtualServices one after another. What is for every request comes last.",
        "On a port of HTTP all servers share their hosts. Of servers of TLS the one with the nearest host has the name; one with a host that an \
         older server has is left out. Of servers of TCP the oldest is served. A port is for what its oldest server says.",
    ] {
        let _ = writeln!(page, "* {line}");
    }
    page.push_str("\nRegular expressions mean the whole text; a prefix is compared octet by octet.\n\n## Filters\n\n");
    let _ = writeln!(page, "However they are written, they run in this order: {}.", ORDER.map(|step| format!("{step:?}")).join(", "));
    page.push_str("\nWhat cannot be read or followed, and may guard something, closes what it may mean: 503, or no handshake.\n");
    page.push_str("\n## Conditions\n\n");
    page.push_str("| condition | reason | when |\n|---|---|---|\n");
    for (condition, when) in CONDITIONS {
        let (condition, reason) = condition.split_once(' ').unwrap_or((condition, ""));
        let _ = writeln!(page, "| `{condition}` | `{reason}` | {when} |");
    }
    page.push_str("\n## Fields\n\nWhat is told is named in a condition and an event, with its field.\n");
    for (kind, fields) in FIELDS {
        let _ = writeln!(page, "\n### {kind}\n\n| field | |\n|---|---|");
        for (field, what) in fields {
            let _ = writeln!(page, "| {field} | {what} |");
        }
    }
    page
}
