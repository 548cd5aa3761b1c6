//! What a gateway that is asked for is to tell of its requests, and to whom.

use crate::Options;
use model::{Collector, CollectorProtocol, Percent, Scheme, Text, Tracing};
use resources::{Cause, Condition, IngressGateway, Kind, Problem, Tracing as Asked, Truth};
use std::net::Ipv6Addr;

/// Where collectors listen by convention: for OTLP/gRPC, and for OTLP/HTTP.
const GRPC: u16 = 4317;
const HTTP: u16 = 4318;
/// Where OTLP/HTTP is posted by convention.
const TRACES: &str = "/v1/traces";
/// The longest URL.
const LONGEST: usize = 2048;

/// Why nothing is traced that is to be: a condition's reason, and what is wrong.
type Refusal = (&'static str, Problem);

/// What the data plane does; `None`: nothing is asked for, or it cannot be done.
pub(crate) fn tracing(request: &IngressGateway, options: &Options) -> Option<Tracing> {
    judged(request, request.tracing.as_ref()?, options).ok()
}

/// What there is to say about it; `None`: nothing is asked for.
pub(crate) fn said(request: &IngressGateway, options: &Options) -> Option<(Condition, Option<Problem>)> {
    Some(match judged(request, request.tracing.as_ref()?, options) {
        Ok(tracing) => (Condition::new("Traced", Truth::True, "Traced", told(&tracing)), None),
        Err((reason, problem)) => (Condition::new("Traced", Truth::False, reason, problem.to_string()), Some(problem)),
    })
}

fn judged(request: &IngressGateway, asked: &Asked, options: &Options) -> Result<Tracing, Refusal> {
    let collector = match &asked.endpoint {
        Some(endpoint) => collector(endpoint).map_err(|why| ("EndpointMalformed", malformed(endpoint, &why)))?,
        None => options.collector.clone().ok_or_else(|| ("EndpointMissing", missing(request)))?,
    };
    Ok(Tracing { sampling: asked.sampling, collector })
}

fn malformed(endpoint: &Text, why: &str) -> Problem {
    let message = format!("`{endpoint}` is no collector's URL: {why}; nothing is traced");
    Problem::warning("spec.tracing.endpoint", Cause::Malformed, message).hint("Write for example `http://collector.monitoring:4317`")
}

fn missing(request: &IngressGateway) -> Problem {
    let (field, hint) = match request.kind {
        // It has no such field.
        Kind::KubesphereGateway => ("", "Start Paifang with --tracing-endpoint"),
        _ => ("spec.tracing.endpoint", "Write the URL of an OTLP collector there, or start Paifang with --tracing-endpoint"),
    };
    // A note, since whoever looks at files does not know with what Paifang will be started.
    Problem::note(field, Cause::NoEffect, "nobody says where spans are to go, so nothing is traced").hint(hint)
}

fn told(Tracing { sampling, collector }: &Tracing) -> String {
    match *sampling {
        Percent::ALL => format!("spans of every request go to {collector}"),
        Percent(0) => format!("no trace begins here; spans of those that requests bring with them go to {collector}"),
        Percent(share) => format!("spans of {}% of the requests that bring no trace go to {collector}", f64::from(share) / 10_000.0),
    }
}

/// A collector by its URL: `http` or `https`, and OTLP/HTTP where it has a path or the port that is for that.
pub fn collector(url: &str) -> Result<Collector, String> {
    let said = |why: &str| Err(why.to_owned());
    if url.len() > LONGEST {
        return said("it is too long");
    }
    let (scheme, rest) = match url.split_once("://") {
        Some((word, rest)) if word.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
        Some((word, rest)) if word.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
        _ => return said("it does not begin with http:// or https://"),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    if authority.contains('@') {
        return said("a URL is read by many, so names and passwords are not taken there");
    }
    if !path.bytes().all(|it| it.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&it)) {
        return said("it may have a path behind the host, and no query");
    }
    let (host, port) = host_and_port(authority)?;
    let path = Some(path).filter(|it| !matches!(*it, "" | "/"));
    let port = port.unwrap_or(match (scheme, path) {
        (Scheme::Https, _) => 443,
        (Scheme::Http, None) => GRPC,
        (Scheme::Http, Some(_)) => HTTP,
    });
    let protocol = match path {
        Some(path) => CollectorProtocol::Http(path.into()),
        None if port == HTTP => CollectorProtocol::Http(TRACES.into()),
        None => CollectorProtocol::Grpc,
    };
    Ok(Collector { scheme, host: host.to_ascii_lowercase().into(), port, protocol })
}

fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port, good) = match authority.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((host, port)) => (host, port, host.parse::<Ipv6Addr>().is_ok()),
        None => {
            let (host, port) = authority.find(':').map_or((authority, ""), |at| authority.split_at(at));
            let good = host.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._".contains(&it));
            (host, port, good && !host.is_empty() && host.len() <= 253)
        }
    };
    if !good {
        return Err(format!("`{authority}` is no host"));
    }
    let number = |it: &str| it.strip_prefix(':').and_then(|it| it.parse::<u16>().ok()).filter(|it| *it > 0);
    match port {
        "" => Ok((host, None)),
        port => number(port).map(|it| (host, Some(it))).ok_or_else(|| format!("`{}` is no port", port.trim_start_matches(':'))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::GatewayId;
    use resources::Name;
    use serde_json::{Value, json};

    /// Where spans go, and what is said: status, reason and words of the condition.
    fn told(spec: &Value, default: Option<&str>, expect: (Option<(u32, &str)>, &str, &str)) {
        let object = json!({ "metadata": { "name": "gateway", "namespace": "p" }, "spec": spec });
        let request = IngressGateway::read(Name::new("p", "gateway"), &object);
        let collector = default.map(|it| collector(it).expect("a good URL"));
        let options = Options { collector, ..Options::new(GatewayId::new("all")) };
        let found = tracing(&request, &options).map(|it| (it.sampling.0, it.collector.to_string()));
        assert_eq!(found.as_ref().map(|it| (it.0, it.1.as_str())), expect.0, "{spec}");
        let Some((condition, problem)) = said(&request, &options) else { return assert_eq!(expect.1, "", "{spec}") };
        assert_eq!(format!("{:?} {}", condition.status, condition.reason), expect.1, "{spec}");
        assert!(condition.message.contains(expect.2), "{spec}: {}", condition.message);
        assert_eq!(problem.is_some(), found.is_none(), "{spec}: what is not done is a problem");
    }

    #[test]
    fn a_gateway_traces_where_it_is_asked_to_and_says_why_not() {
        let here = "http://c:4317";
        told(&json!({}), Some(here), (None, "", ""));
        told(&json!({ "tracing": { "enabled": false, "endpoint": here } }), None, (None, "", ""));
        told(&json!({ "tracing": { "endpoint": here } }), None, (Some((1_000_000, here)), "True Traced", "every request"));
        let some = json!({ "tracing": { "endpoint": here, "sampling": 12.5 } });
        told(&some, Some("http://other"), (Some((125_000, here)), "True Traced", "12.5% of the requests"));
        let none = json!({ "tracing": { "endpoint": here, "sampling": 0 } });
        told(&none, None, (Some((0, here)), "True Traced", "no trace begins here"));
        let bad = json!({ "tracing": { "endpoint": "c:4317" } });
        told(&bad, Some(here), (None, "False EndpointMalformed", "`c:4317` is no collector's URL"));
        for missing in [json!({ "tracing": {} }), json!({ "governance": true })] {
            told(&missing, None, (None, "False EndpointMissing", "--tracing-endpoint"));
            told(&missing, Some(here), (Some((1_000_000, here)), "True Traced", here));
        }
        told(&json!({ "tracing": { "enabled": false }, "governance": true }), Some(here), (Some((1_000_000, here)), "True Traced", here));
    }

    fn check(url: &str, expect: Result<(&str, &str), &str>) {
        let read = collector(url).map(|it| (it.to_string(), if it.protocol == CollectorProtocol::Grpc { "grpc" } else { "http" }));
        match (&read, expect) {
            (Ok((shown, protocol)), Ok(expect)) => assert_eq!((shown.as_str(), *protocol), expect, "{url}"),
            (Err(why), Err(words)) => assert!(why.contains(words), "{url}: {why}"),
            _ => panic!("{url}: {read:?}, and not {expect:?}"),
        }
    }

    #[test]
    fn a_collector_is_named_by_a_url() {
        check("http://collector.monitoring:4317", Ok(("http://collector.monitoring:4317", "grpc")));
        check("HTTP://Collector/", Ok(("http://collector:4317", "grpc")));
        check("https://otlp.example.com", Ok(("https://otlp.example.com:443", "grpc")));
        check("http://127.0.0.1:4318", Ok(("http://127.0.0.1:4318/v1/traces", "http")));
        check("http://[::1]:4318/own/path", Ok(("http://[::1]:4318/own/path", "http")));
        check("http://c/v1/traces", Ok(("http://c:4318/v1/traces", "http")));
        check("https://c/otlp/v1/traces", Ok(("https://c:443/otlp/v1/traces", "http")));
        for (url, words) in [
            ("", "does not begin"),
            ("collector:4317", "does not begin"),
            ("grpc://collector:4317", "does not begin"),
            ("http://", "is no host"),
            ("http://:4317", "is no host"),
            ("http://a b:4317", "is no host"),
            ("http://[::1:4317", "is no host"),
            ("http://collector:0", "is no port"),
            ("http://collector:99999", "is no port"),
            ("http://collector:", "is no port"),
            ("http://me:secret@collector:4317", "not taken"),
            ("http://collector:4318/v1/traces?key=secret", "no query"),
            ("http://collector:4318/v1\r\nx: y", "no query"),
        ] {
            check(url, Err(words));
        }
        check(&format!("http://{}", "a".repeat(3000)), Err("too long"));
        check(&format!("http://{}", "a".repeat(300)), Err("is no host"));
    }
}
