//! Requests as OTLP has them, in the words of OpenTelemetry's conventions for HTTP.
//!
//! | span | kind | attributes |
//! |---|---|---|
//! | of the gateway | server | `http.request.method`, `url.scheme`, `url.path`, `server.address`, `server.port`, `http.response.status_code`, `http.route`, `client.address`, `network.peer.address`, `network.peer.port`, `user_agent.original`, `network.protocol.version`, `http.request.body.size`, `http.response.body.size`, `error.type`; `paifang.*`: gateway, listener, route, reason, request_id |
//! | of each try | client | `http.request.method`, `http.request.resend_count`, `url.full`, `server.address`, `server.port`, `http.response.status_code`, `error.type`, `paifang.backend` |
//!
//! **Invariant:** no query, no header but `User-Agent` and no body is told: what they hold may be secret.

use crate::VERSION;
use model::{Reason, Text};
use observe::{Traced, Try};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, SpanFlags, Status};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SCHEMA: &str = "https://opentelemetry.io/schemas/1.26.0";
/// Methods that are told as they are; of all others there could be any number.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
/// What keeps a client from its answer is its own affair, but worth knowing.
const CLIENT_GONE: &str = "client-gone";

/// Attributes, in the order they are said.
#[derive(Default)]
struct Attributes(Vec<KeyValue>);

/// Spans of one batch, by the gateway whose they are.
pub(crate) fn request(batch: &[Traced], instance: &Text) -> ExportTraceServiceRequest {
    let mut gateways: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for traced in batch {
        gateways.entry(traced.gateway.as_str()).or_default().extend(spans(traced));
    }
    let resource_spans = gateways.into_iter().map(|(gateway, spans)| ResourceSpans {
        resource: Some(resource(gateway, instance)),
        scope_spans: vec![ScopeSpans {
            scope: Some(InstrumentationScope { name: "paifang".into(), version: VERSION.into(), ..InstrumentationScope::default() }),
            spans,
            schema_url: SCHEMA.into(),
        }],
        schema_url: SCHEMA.into(),
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

fn resource(gateway: &str, instance: &Text) -> Resource {
    let (namespace, name) = gateway.rsplit_once('/').unwrap_or(("", gateway));
    let mut attributes = Attributes::default();
    attributes.text("service.name", name);
    attributes.text("service.namespace", namespace);
    attributes.text("service.instance.id", instance);
    attributes.text("service.version", VERSION);
    Resource { attributes: attributes.0, ..Resource::default() }
}

fn spans(it: &Traced) -> impl Iterator<Item = Span> + '_ {
    std::iter::once(server(it)).chain(it.tries.iter().enumerate().map(|(at, one)| client(it, at, one)))
}

/// The gateway's own.
fn server(it: &Traced) -> Span {
    let (method, original) = method(&it.method);
    let mut attributes = Attributes::default();
    attributes.text("http.request.method", method);
    attributes.text("http.request.method_original", original.unwrap_or_default());
    attributes.text("url.scheme", it.scheme);
    attributes.text("url.path", &it.path);
    attributes.text("server.address", &it.host);
    attributes.number("server.port", it.port);
    attributes.text("http.route", it.template.as_deref().unwrap_or_default());
    attributes.text("client.address", &it.client.to_canonical().to_string());
    attributes.text("network.peer.address", &it.peer.ip().to_canonical().to_string());
    attributes.number("network.peer.port", it.peer.port());
    attributes.text("network.protocol.version", it.version);
    attributes.text("user_agent.original", &it.user_agent);
    if it.status > 0 {
        attributes.number("http.response.status_code", it.status);
    }
    attributes.size("http.request.body.size", it.received);
    attributes.size("http.response.body.size", it.sent);
    attributes.text("paifang.gateway", it.gateway.as_str());
    attributes.text("paifang.listener", it.listener.as_str());
    if let Some(route) = &it.route {
        attributes.text("paifang.route.kind", &route.object.kind);
        attributes.text("paifang.route.namespace", &route.object.namespace);
        attributes.text("paifang.route.name", &route.object.name);
        attributes.text("paifang.route.rule", &route.rule);
    }
    attributes.text("paifang.reason", it.reason.map(Reason::word).unwrap_or_default());
    attributes.text("paifang.request_id", &it.request_id);
    // What a server answers with 4xx is the client's error.
    let error = match (it.status, it.reason) {
        (0, _) => Some(CLIENT_GONE.to_owned()),
        (500.., Some(reason)) => Some(reason.word().to_owned()),
        (500.., None) => Some(it.status.to_string()),
        _ => None,
    };
    attributes.text("error.type", error.as_deref().unwrap_or_default());
    let word = if original.is_some() { "HTTP" } else { method };
    let name = it.template.as_ref().map_or_else(|| word.to_owned(), |route| format!("{word} {route}"));
    let span = Span { name, kind: SpanKind::Server.into(), attributes: attributes.0, status: status(error.is_some()), ..common(it) };
    let span = Span { span_id: it.span.to_be_bytes().into(), flags: flags(it.parent.is_some()), ..span };
    let parent_span_id = it.parent.map(|parent| parent.to_be_bytes().into()).unwrap_or_default();
    Span { parent_span_id, start_time_unix_nano: nanos(it.started), end_time_unix_nano: nanos(it.started + it.duration), ..span }
}

/// Of one try at a backend.
fn client(it: &Traced, at: usize, one: &Try) -> Span {
    let (method, original) = method(&it.method);
    let mut attributes = Attributes::default();
    attributes.text("http.request.method", method);
    attributes.text("http.request.method_original", original.unwrap_or_default());
    attributes.size("http.request.resend_count", at as u64);
    attributes.text("url.full", &format!("http://{}{}", one.endpoint, one.path));
    attributes.text("server.address", &one.endpoint.ip().to_canonical().to_string());
    attributes.number("server.port", one.endpoint.port());
    attributes.text("network.protocol.version", "1.1");
    if one.status > 0 {
        attributes.number("http.response.status_code", one.status);
    }
    attributes.text("paifang.backend", one.backend.as_str());
    let error = match (one.reason, one.status) {
        (Some(reason), _) => Some(reason.word().to_owned()),
        (None, 400..) => Some(one.status.to_string()),
        _ => None,
    };
    attributes.text("error.type", error.as_deref().unwrap_or_default());
    let word = if original.is_some() { "HTTP" } else { method };
    let span = Span { name: word.to_owned(), kind: SpanKind::Client.into(), attributes: attributes.0, ..common(it) };
    let span = Span { span_id: one.span.to_be_bytes().into(), parent_span_id: it.span.to_be_bytes().into(), ..span };
    let started = it.started + one.since;
    let (from, to) = (nanos(started), nanos(started + one.duration));
    Span { flags: flags(false), status: status(error.is_some()), start_time_unix_nano: from, end_time_unix_nano: to, ..span }
}

fn common(it: &Traced) -> Span {
    Span { trace_id: it.trace.to_be_bytes().into(), trace_state: it.state.clone(), ..Span::default() }
}

/// Sampled, and whether the parent is known to be elsewhere.
fn flags(remote: bool) -> u32 {
    let known = SpanFlags::ContextHasIsRemoteMask as u32;
    1 | known | if remote { SpanFlags::ContextIsRemoteMask as u32 } else { 0 }
}

fn status(error: bool) -> Option<Status> {
    error.then(|| Status { code: StatusCode::Error.into(), message: String::new() })
}

/// A method that is known, or `_OTHER` and what it is.
fn method(method: &str) -> (&str, Option<&str>) {
    if METHODS.contains(&method) { (method, None) } else { ("_OTHER", Some(method)) }
}

fn nanos(time: SystemTime) -> u64 {
    let since: Duration = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

// === impl Attributes ===

impl Attributes {
    /// What is empty is not said.
    fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.put(key, Value::StringValue(value.to_owned()));
        }
    }

    fn number(&mut self, key: &str, value: u16) {
        self.put(key, Value::IntValue(value.into()));
    }

    /// What is 0 is not said.
    fn size(&mut self, key: &str, value: u64) {
        if value > 0 {
            self.put(key, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)));
        }
    }

    fn put(&mut self, key: &str, value: Value) {
        self.0.push(KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() });
    }
}
