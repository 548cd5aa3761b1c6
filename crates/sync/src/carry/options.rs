//! What holds for every request of a gateway. Nothing of it is the default, and is not sent.

use super::gateway::{network, read_network};
use super::number;
use crate::wire::Unread;
use crate::wire::gateway::{Forwarded, LogFormat, LogPart, Options, Tracing};
use crate::wire::word::Word;
use model::{Collector, CollectorProtocol, LogValue, Percent, Scheme};
use std::sync::Arc;

pub(super) fn options(it: &model::GatewayOptions) -> Option<Options> {
    let model::GatewayOptions { forwarded: by, log: lines, tracing: traced } = it;
    let set = by.is_some() || lines.is_some() || traced.is_some();
    set.then(|| Options { forwarded: by.as_ref().map(forwarded), log: lines.as_deref().map(log), tracing: traced.as_deref().map(tracing) })
}

pub(super) fn read_options(from: Options) -> Result<model::GatewayOptions, Unread> {
    Ok(model::GatewayOptions {
        forwarded: from.forwarded.map(read_forwarded).transpose()?,
        log: from.log.map(read_log).transpose()?.map(Arc::new),
        tracing: from.tracing.map(read_tracing).transpose()?.map(Arc::new),
    })
}

fn tracing(it: &model::Tracing) -> Tracing {
    let model::Tracing { sampling: Percent(sampling), collector: Collector { scheme, host, port, protocol } } = it;
    let path = match protocol {
        CollectorProtocol::Grpc => None,
        CollectorProtocol::Http(path) => Some(path.to_string()),
    };
    Tracing { sampling: *sampling, scheme: scheme.number(), host: host.to_string(), port: (*port).into(), path }
}

fn read_tracing(from: Tracing) -> Result<model::Tracing, Unread> {
    let protocol = from.path.map_or(CollectorProtocol::Grpc, |it| CollectorProtocol::Http(it.into()));
    let port = number("a collector of spans", from.port)?;
    let collector = Collector { scheme: Scheme::read(from.scheme)?, host: from.host.into(), port, protocol };
    Ok(model::Tracing { sampling: Percent(from.sampling), collector })
}

fn forwarded(it: &model::Forwarded) -> Forwarded {
    let model::Forwarded { from, field, addresses } = it;
    Forwarded { from: from.iter().map(network).collect(), field: field.to_string(), addresses: addresses.number() }
}

fn read_forwarded(from: Forwarded) -> Result<model::Forwarded, Unread> {
    Ok(model::Forwarded {
        from: from.from.iter().map(read_network).collect::<Result<_, _>>()?,
        field: from.field.into(),
        addresses: model::ForwardedFor::read(from.addresses)?,
    })
}

fn log(it: &model::LogFormat) -> LogFormat {
    let model::LogFormat { parts, escape, line } = it;
    LogFormat { parts: parts.iter().map(part).collect(), escape: escape.number(), line: line.number() }
}

fn read_log(from: LogFormat) -> Result<model::LogFormat, Unread> {
    Ok(model::LogFormat {
        parts: from.parts.into_iter().map(read_part).collect::<Result<_, _>>()?,
        escape: model::LogEscape::read(from.escape)?,
        line: model::LogLine::read(from.line)?,
    })
}

fn part(it: &model::LogPart) -> LogPart {
    match it {
        model::LogPart::Text(text) => LogPart { value: 0, text: text.to_string() },
        model::LogPart::Value(value) => {
            let (value, name) = value_number(value);
            LogPart { value, text: name.map(ToString::to_string).unwrap_or_default() }
        }
    }
}

fn read_part(from: LogPart) -> Result<model::LogPart, Unread> {
    if from.value == 0 {
        return Ok(model::LogPart::Text(from.text.into()));
    }
    let value = named(from.value, &from.text).ok_or_else(|| Unread::unknown("a value of the access log"))?;
    Ok(model::LogPart::Value(value))
}

macro_rules! values {
    (plain { $($word:ident = $number:literal,)+ } named { $($of:ident = $with:literal,)+ }) => {
        fn value_number(it: &LogValue) -> (i32, Option<&model::Text>) {
            match it {
                $(LogValue::$word => ($number, None),)+
                $(LogValue::$of(name) => ($with, Some(name)),)+
            }
        }

        fn named(number: i32, name: &str) -> Option<LogValue> {
            match number {
                $($number => Some(LogValue::$word),)+
                $($with => Some(LogValue::$of(name.into())),)+
                _ => None,
            }
        }
    };
}

values! {
    plain {
    Client = 1,
    Peer = 2,
    PeerPort = 3,
    User = 4,
    TimeLocal = 5,
    TimeIso = 6,
    TimeSeconds = 7,
    RequestLine = 8,
    Method = 9,
    Target = 10,
    Path = 11,
    Query = 12,
    QueryMark = 13,
    Protocol = 14,
    Scheme = 15,
    ClientScheme = 16,
    Host = 17,
    Port = 18,
    Status = 19,
    BodySent = 20,
    RequestLength = 21,
    Duration = 22,
    RequestId = 23,
    Namespace = 24,
    Object = 25,
    Service = 26,
    ServicePort = 27,
    Backend = 28,
    Endpoint = 29,
    EndpointStatus = 30,
    EndpointSent = 31,
    EndpointDuration = 32,
    EndpointConnect = 33,
    EndpointHead = 34,
    Nothing = 35,
    }
    named {
    Header = 64,
    Cookie = 65,
    Parameter = 66,
    }
}
