//! Every option that ingress-nginx knows, and what becomes of it here. Long, because there are many.

use std::fmt::Write;

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Value, default, meaning.
    Followed(&'static str, &'static str, &'static str),
    /// It keeps somebody out, and cannot be had yet.
    Guards,
    Later,
    /// It is about nginx's own workings.
    Idle,
    /// Raw configuration.
    Refused,
}

const FOLLOWED: [(&str, Fate); 25] = [
    ("proxy-body-size", Fate::Followed("size", "1m", "Longer bodies get 413; `0`: none is too long.")),
    ("proxy-connect-timeout", Fate::Followed("seconds", "5", "To connect to a backend.")),
    ("proxy-read-timeout", Fate::Followed("seconds", "60", "Between two reads from a backend.")),
    ("proxy-send-timeout", Fate::Followed("seconds", "60", "Between two writes to a backend.")),
    ("ssl-redirect", Fate::Followed("boolean", "true", "Plain-text requests for a host that has a certificate go to https.")),
    ("force-ssl-redirect", Fate::Followed("boolean", "false", "The same, whether or not there is a certificate.")),
    ("http-redirect-code", Fate::Followed("301, 302, 307 or 308", "308", "The status of that.")),
    ("no-tls-redirect-locations", Fate::Followed("paths, by `,`", "/.well-known/acme-challenge", "Below these nothing is sent to https.")),
    ("hsts", Fate::Followed("boolean", "true", "Answers over https have `Strict-Transport-Security`, in place of the backend's own.")),
    ("hsts-max-age", Fate::Followed("seconds", "31536000", "Its `max-age`.")),
    ("hsts-include-subdomains", Fate::Followed("boolean", "true", "Its `includeSubDomains`.")),
    ("hsts-preload", Fate::Followed("boolean", "false", "Its `preload`.")),
    ("server-tokens", Fate::Followed("boolean", "false", "Answers say `server: paifang`; else none.")),
    ("allow-backend-server-header", Fate::Followed("boolean", "false", "Answers keep the backend's `server`.")),
    ("strict-validate-path-type", Fate::Followed("boolean", "true", "Paths are data here, whatever they hold.")),
    (
        "use-forwarded-headers",
        Fate::Followed(
            "boolean",
            "false",
            "What the addresses of `proxy-real-ip-cidr` say in `X-Forwarded-For`, `-Proto`, `-Port` and `-Host` holds for redirects, logs and \
             backends. Of everybody else nothing is believed.",
        ),
    ),
    ("proxy-real-ip-cidr", Fate::Followed("ranges, by `,`", "", "Proxies in front of the gateway. None is believed that is not in here.")),
    ("forwarded-for-header", Fate::Followed("name", "X-Forwarded-For", "In which they say the client's address.")),
    (
        "compute-full-forwarded-for",
        Fate::Followed("boolean", "false", "`X-Forwarded-For` has all that was said, and who said it last; else the client alone."),
    ),
    (
        "log-format-upstream",
        Fate::Followed(
            "text with nginx's variables",
            "",
            "A line of the access log; an object of JSON where it is absent. Values are escaped.",
        ),
    ),
    ("log-format-escape-json", Fate::Followed("boolean", "false", "Values are escaped as within JSON; else as `\\x22`.")),
    ("log-format-escape-none", Fate::Followed("boolean", "false", "Values that clients choose are escaped, whatever it says.")),
    ("custom-http-errors", Fate::Followed("statuses, by `,`", "", "As the annotation, for every Ingress without it.")),
    (
        "default-backend-service",
        Fate::Followed(
            "NAMESPACE/NAME",
            "",
            "As the annotation `default-backend`; a project names a Service of its own. A flag of ingress-nginx.",
        ),
    ),
    ("allow-snippet-annotations", Fate::Followed("boolean", "false", "Snippets are refused, whatever it says.")),
];

const GUARDS: [&str; 9] = [
    "block-cidrs",
    "block-referers",
    "block-user-agents",
    "denylist-source-range",
    "enable-modsecurity",
    "enable-owasp-modsecurity-crs",
    "global-auth-url",
    "limit-rate",
    "whitelist-source-range",
];

const REFUSED: [&str; 8] = [
    "global-auth-snippet",
    "http-snippet",
    "location-snippet",
    "main-snippet",
    "modsecurity-snippet",
    "plugins",
    "server-snippet",
    "stream-snippet",
];

const IDLE: [&str; 20] = [
    "debug-connections",
    "enable-aio-write",
    "enable-multi-accept",
    "enable-serial-reloads",
    "http2-max-field-size",
    "http2-max-header-size",
    "http2-max-requests",
    "lua-shared-dicts",
    "map-hash-bucket-size",
    "max-worker-connections",
    "max-worker-open-files",
    "proxy-headers-hash-bucket-size",
    "proxy-headers-hash-max-size",
    "server-name-hash-bucket-size",
    "server-name-hash-max-size",
    "variables-hash-bucket-size",
    "variables-hash-max-size",
    "worker-cpu-affinity",
    "worker-processes",
    "worker-shutdown-timeout",
];

const LATER: [&str; 78] = [
    "access-log-params",
    "access-log-path",
    "add-headers",
    "allow-cross-namespace-resources",
    "annotation-value-word-blocklist",
    "annotations-risk-level",
    "brotli-level",
    "brotli-min-length",
    "brotli-types",
    "client-body-buffer-size",
    "client-body-timeout",
    "client-header-buffer-size",
    "client-header-timeout",
    "default-type",
    "disable-access-log",
    "disable-http-access-log",
    "disable-ipv6",
    "disable-ipv6-dns",
    "enable-access-log-for-default-backend",
    "enable-auth-access-log",
    "enable-brotli",
    "enable-opentelemetry",
    "enable-opentracing",
    "enable-real-ip",
    "enable-syslog",
    "enable-underscores-in-headers",
    "error-log-level",
    "error-log-path",
    "forwarded-for-proxy-protocol-header",
    "forwarded-host-header",
    "generate-request-id",
    "global-allowed-response-headers",
    "gzip-disable",
    "gzip-level",
    "gzip-min-length",
    "gzip-types",
    "hide-headers",
    "http-access-log-path",
    "http2-max-concurrent-streams",
    "ignore-invalid-headers",
    "keep-alive",
    "keep-alive-requests",
    "large-client-header-buffers",
    "limit-conn-status-code",
    "limit-req-status-code",
    "load-balance",
    "log-format-stream",
    "nginx-status-ipv4-whitelist",
    "nginx-status-ipv6-whitelist",
    "otlp-collector-host",
    "otlp-collector-port",
    "proxy-add-original-uri-header",
    "proxy-buffer-size",
    "proxy-buffering",
    "proxy-buffers-number",
    "proxy-busy-buffers-size",
    "proxy-cookie-domain",
    "proxy-cookie-path",
    "proxy-max-temp-file-size",
    "proxy-next-upstream",
    "proxy-next-upstream-timeout",
    "proxy-next-upstream-tries",
    "proxy-protocol-header-timeout",
    "proxy-redirect-from",
    "proxy-redirect-to",
    "proxy-request-buffering",
    "proxy-set-headers",
    "relative-redirects",
    "retry-non-idempotent",
    "service-upstream",
    "skip-access-log-urls",
    "ssl-ciphers",
    "ssl-early-data",
    "ssl-protocols",
    "ssl-reject-handshake",
    "upstream-keepalive-connections",
    "upstream-keepalive-timeout",
    "use-gzip",
];

/// What becomes of an option; `None`: nobody knows it.
pub(super) fn fate(key: &str) -> Option<Fate> {
    let among = |names: &[&str], fate| names.contains(&key).then_some(fate);
    let followed = FOLLOWED.iter().find(|(name, _)| *name == key).map(|it| it.1);
    let others = [(GUARDS.as_slice(), Fate::Guards), (&REFUSED, Fate::Refused), (&IDLE, Fate::Idle), (&LATER, Fate::Later)];
    followed.or_else(|| others.into_iter().find_map(|(names, fate)| among(names, fate)))
}

/// Every name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let followed = FOLLOWED.iter().map(|it| it.0);
    followed.chain([GUARDS.as_slice(), &REFUSED, &IDLE, &LATER].into_iter().flatten().copied())
}

pub(super) fn reference() -> String {
    let mut page = String::from(
        "\n## Options of a gateway\n\nGiven in `spec.config` of an IngressGateway, by the names of ingress-nginx's ConfigMap.\n\n",
    );
    page.push_str("| option | value | default | meaning |\n|---|---|---|---|\n");
    for (name, fate) in FOLLOWED {
        if let Fate::Followed(value, default, meaning) = fate {
            // Writing to a string does not fail.
            let _ = writeln!(page, "| option `{name}` | {value} | {default} | {meaning} |");
        }
    }
    let rest = [
        ("Guards that are not supported yet: all Ingresses of the gateway answer 503", GUARDS.as_slice()),
        ("Not supported yet: named in a condition", &LATER),
        ("Refused", &REFUSED),
        ("About nginx's own workings: nothing follows from them", &IDLE),
    ];
    for (title, names) in rest {
        let _ = writeln!(page, "\n{title}: {}.", names.iter().map(|it| format!("option `{it}`")).collect::<Vec<_>>().join(" "));
    }
    page
}
