//! Metrics as OpenMetrics text.

use crate::cells::Count;
use crate::metrics::{BOUNDS, RouteCells, RouteKey, RouteMetrics};
use crate::tunnel::TunnelCells;
use crate::{Metrics, TunnelMetrics};
use model::{Reason, Text};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, LabelSetEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Label names and values, in order. Those with an empty value are left out: to Prometheus that is the same.
struct Labels<'a>(&'a [(&'a str, &'a str)]);

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> fmt::Result {
        for label in self.0.iter().filter(|(_, value)| !value.is_empty()) {
            prometheus_client::encoding::EncodeLabel::encode(label, encoder.encode_label())?;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct All(Arc<Metrics>);

impl Metrics {
    /// Everything, as OpenMetrics text (`application/openmetrics-text; version=1.0.0; charset=utf-8`).
    pub fn render(self: &Arc<Self>) -> String {
        let mut registry = Registry::with_prefix("paifang");
        registry.register_collector(Box::new(All(self.clone())));
        let mut out = String::new();
        match text::encode(&mut out, &registry) {
            Ok(()) => out,
            // Writing to a string does not fail; half a page would be taken for counters that went back.
            Err(fmt::Error) => String::from("# EOF\n"),
        }
    }
}

impl Collector for All {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        requests(&self.0, &mut encoder)?;
        connections(&self.0, &mut encoder)?;
        tunnels(&self.0, &mut encoder)?;
        backends(&self.0, &mut encoder)?;
        process(&self.0, &mut encoder)
    }
}

/// The labels of a route: gateway, kind and `namespace/name`.
struct RouteLabels {
    gateway: Text,
    kind: Text,
    route: String,
}

impl RouteLabels {
    fn of(key: &RouteKey) -> Self {
        let (kind, route) = match &key.object {
            Some(object) if object.namespace.is_empty() => (object.kind.clone(), object.name.to_string()),
            Some(object) => (object.kind.clone(), format!("{}/{}", object.namespace, object.name)),
            None => (Text::default(), String::new()),
        };
        Self { gateway: key.gateway.0.clone(), kind, route }
    }

    fn pairs(&self) -> [(&'static str, &str); 3] {
        [("gateway", &self.gateway), ("kind", &self.kind), ("route", &self.route)]
    }
}

fn requests(metrics: &Metrics, encoder: &mut DescriptorEncoder) -> fmt::Result {
    let routes: Vec<(RouteLabels, Arc<RouteMetrics>)> =
        metrics.routes.all().into_iter().map(|(key, it)| (RouteLabels::of(&key), it)).collect();
    let help = "Requests answered, by class of status; with a reason where the gateway answered by itself";
    let mut family = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
    for (labels, route) in &routes {
        let [gateway, kind, name] = labels.pairs();
        for (reason, class, count) in counted(route) {
            let labels = [gateway, kind, name, ("class", class), ("reason", reason)];
            family.encode_family(&Labels(&labels))?.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
        }
    }
    let help = "From the first octet of a request to the last of its answer";
    let mut family = encoder.encode_descriptor("request_duration", help, Some(&Unit::Seconds), MetricType::Histogram)?;
    for (labels, route) in &routes {
        let bounds = BOUNDS.into_iter().chain([f64::INFINITY]).enumerate();
        let buckets: Vec<(f64, u64)> = bounds.map(|(at, bound)| (bound, route.cells.sum(|it| &it.buckets[at]))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let seconds = route.cells.sum(|it| &it.micros) as f64 / 1e6;
        family.encode_family(&Labels(&labels.pairs()))?.encode_histogram::<NoLabelSet>(seconds, count, &buckets, None)?;
    }
    type Octets = fn(&RouteCells) -> &Count;
    let octets: [(&str, &str, Octets); 2] = [
        ("request_body", "Octets of request bodies received", |it| &it.received),
        ("response_body", "Octets of answers' bodies sent", |it| &it.sent),
    ];
    for (name, help, get) in octets {
        let mut family = encoder.encode_descriptor(name, help, Some(&Unit::Bytes), MetricType::Counter)?;
        for (labels, route) in &routes {
            let count = route.cells.sum(get);
            family.encode_family(&Labels(&labels.pairs()))?.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
        }
    }
    Ok(())
}

/// Every counter of a route that is not zero: reason, class, count.
fn counted(route: &RouteMetrics) -> Vec<(&'static str, &'static str, u64)> {
    const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    let mut counted = Vec::new();
    for (at, class) in CLASSES.into_iter().enumerate() {
        counted.push(("", class, route.cells.sum(|it| &it.classes[at])));
        for reason in Reason::ALL {
            let locals = route.cells.iter().filter_map(|it| it.local.get());
            counted.push((reason.word(), class, locals.map(|it| it[reason as usize][at].get()).sum()));
        }
    }
    counted.retain(|(_, _, count)| *count > 0);
    counted
}

fn connections(metrics: &Metrics, encoder: &mut DescriptorEncoder) -> fmt::Result {
    let listeners = metrics.listeners.all();
    let help = "Connections open now";
    let mut family = encoder.encode_descriptor("connections_active", help, None, MetricType::Gauge)?;
    for (key, it) in &listeners {
        let labels = key.labels();
        family.encode_family(&Labels(&[(labels[0].0, &labels[0].1), (labels[1].0, &labels[1].1)]))?.encode_gauge(&it.active())?;
    }
    type Get = fn(&crate::metrics::ListenerCells) -> &Count;
    let counters: [(&str, &str, Get); 2] = [
        ("connections", "Connections accepted", |it| &it.opened),
        ("tls_handshake_failures", "TLS handshakes that failed or took too long", |it| &it.handshake_failures),
    ];
    for (name, help, get) in counters {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (key, it) in &listeners {
            let labels = key.labels();
            let labels = [(labels[0].0, &*labels[0].1), (labels[1].0, &*labels[1].1)];
            family.encode_family(&Labels(&labels))?.encode_counter::<NoLabelSet, _, f64>(&it.cells.sum(get), None)?;
        }
    }
    Ok(())
}

fn tunnels(metrics: &Metrics, encoder: &mut DescriptorEncoder) -> fmt::Result {
    let tunnels: Vec<(RouteLabels, Arc<TunnelMetrics>)> =
        metrics.tunnels.all().into_iter().map(|(key, it)| (RouteLabels::of(&key), it)).collect();
    let help = "Connections passed on as they come, and clients of datagrams; with a reason those that reached no backend";
    let mut family = encoder.encode_descriptor("tcp_connections", help, None, MetricType::Counter)?;
    for (labels, tunnel) in &tunnels {
        let [gateway, kind, name] = labels.pairs();
        for (reason, count) in tunnel.counted() {
            let labels = [gateway, kind, name, ("reason", reason)];
            family.encode_family(&Labels(&labels))?.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
        }
    }
    let mut family = encoder.encode_descriptor(
        "tcp_connections_active",
        "Connections passed on now, and clients of datagrams",
        None,
        MetricType::Gauge,
    )?;
    for (labels, tunnel) in &tunnels {
        family.encode_family(&Labels(&labels.pairs()))?.encode_gauge(&tunnel.active())?;
    }
    type Octets = fn(&TunnelCells) -> &Count;
    let octets: [(&str, &str, Octets); 2] = [
        ("tcp_received", "Octets from clients of connections passed on that are over", |it| &it.received),
        ("tcp_sent", "Octets to clients of connections passed on that are over", |it| &it.sent),
    ];
    for (name, help, get) in octets {
        let mut family = encoder.encode_descriptor(name, help, Some(&Unit::Bytes), MetricType::Counter)?;
        for (labels, tunnel) in &tunnels {
            let count = tunnel.cells.sum(get);
            family.encode_family(&Labels(&labels.pairs()))?.encode_counter::<NoLabelSet, _, f64>(&count, None)?;
        }
    }
    Ok(())
}

fn backends(metrics: &Metrics, encoder: &mut DescriptorEncoder) -> fmt::Result {
    let backends = metrics.backends.all();
    type Get = fn(&crate::BackendMetrics) -> u64;
    let counters: [(&str, &str, Get); 5] = [
        ("upstream_connects", "Connections opened to a backend's endpoints", |it| it.connects.load(Relaxed)),
        ("upstream_connect_failures", "Connections that an endpoint did not accept", |it| it.connect_failures.load(Relaxed)),
        ("upstream_retries", "Requests tried again", |it| it.retries.load(Relaxed)),
        ("upstream_mirrored", "Copies of requests that were answered", |it| it.mirrored.load(Relaxed)),
        ("upstream_mirrors_dropped", "Copies of requests that were not sent, or not answered", |it| it.mirrors_dropped.load(Relaxed)),
    ];
    for (name, help, get) in counters {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (id, it) in &backends {
            family.encode_family(&Labels(&[("backend", id.as_str())]))?.encode_counter::<NoLabelSet, _, f64>(&get(it), None)?;
        }
    }
    let help = "Connections open to a backend's endpoints";
    let mut family = encoder.encode_descriptor("upstream_connections_active", help, None, MetricType::Gauge)?;
    for (id, it) in &backends {
        family.encode_family(&Labels(&[("backend", id.as_str())]))?.encode_gauge(&it.connections.load(Relaxed))?;
    }
    Ok(())
}

fn process(metrics: &Metrics, encoder: &mut DescriptorEncoder) -> fmt::Result {
    let gauges: [(&str, &str, u64); 5] = [
        ("config_epoch", "Epoch of the configuration served", metrics.epoch.load(Relaxed)),
        ("config_sequence", "Sequence of the configuration served", metrics.sequence.load(Relaxed)),
        ("config_hosts", "Host names served", metrics.hosts.load(Relaxed)),
        ("config_routes_refused", "Routes that could not be compiled and answer 503", metrics.nacks.load(Relaxed)),
        ("workers", "Worker threads", metrics.workers as u64),
    ];
    for (name, help, value) in gauges {
        encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)?;
    }
    let mut started =
        encoder.encode_descriptor("process_start_time", "When this process began", Some(&Unit::Seconds), MetricType::Gauge)?;
    started.encode_gauge(&metrics.started.as_secs_f64())?;
    let counters: [(&str, &str, u64); 5] = [
        ("panics", "Tasks that panicked and were caught", metrics.panics.get()),
        ("access_log_lines_dropped", "Lines for which there was no room", metrics.log_lines_dropped.get()),
        ("trace_spans_sent", "Spans that a collector has taken", metrics.spans_sent.get()),
        ("trace_spans_dropped", "Spans for which there was no room, or that a collector refused", metrics.spans_dropped.get()),
        ("trace_exports_failed", "Times that a collector could not be reached, or took nothing", metrics.span_exports_failed.get()),
    ];
    for (name, help, value) in counters {
        encoder.encode_descriptor(name, help, None, MetricType::Counter)?.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
    }
    Ok(())
}
