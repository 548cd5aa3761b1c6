use super::*;
use model::Reason;

fn measured(status: u16, reason: Option<Reason>, millis: u64) -> Measured {
    Measured { status, reason, duration: Duration::from_millis(millis), received: 10, sent: 100 }
}

fn gateway() -> GatewayId {
    GatewayId::new("demo/gateway")
}

/// The lines of the text that begin like this.
fn lines(metrics: &Arc<Metrics>, begin: &str) -> Vec<String> {
    metrics.render().lines().filter(|line| line.starts_with(begin)).map(str::to_owned).collect()
}

#[test]
fn what_workers_count_is_added_up() {
    let metrics = Metrics::new(4);
    let route = metrics.route(&gateway(), &ObjectRef::new("Ingress", "shop", "web"));
    for worker in 0..4 {
        for _ in 0..10 {
            route.record(worker, &measured(200, None, 3));
        }
        route.record(worker, &measured(503, Some(Reason::NoEndpoints), 0));
    }
    let labels = r#"gateway="demo/gateway",kind="Ingress",route="shop/web""#;
    assert_eq!(
        lines(&metrics, "paifang_requests_total"),
        [
            format!(r#"paifang_requests_total{{{labels},class="2xx"}} 40"#),
            format!(r#"paifang_requests_total{{{labels},class="5xx",reason="no-endpoints"}} 4"#),
        ]
    );
    assert_eq!(
        lines(&metrics, "paifang_request_duration_seconds_count"),
        [format!("paifang_request_duration_seconds_count{{{labels}}} 44")]
    );
    assert_eq!(lines(&metrics, "paifang_request_duration_seconds_sum"), [format!("paifang_request_duration_seconds_sum{{{labels}}} 0.12")]);
    let bucket = |le| format!(r#"paifang_request_duration_seconds_bucket{{le="{le}",{labels}}}"#);
    assert_eq!(lines(&metrics, &bucket("0.001")), [format!("{} 4", bucket("0.001"))]);
    assert_eq!(lines(&metrics, &bucket("0.005")), [format!("{} 44", bucket("0.005"))]);
    assert_eq!(lines(&metrics, &bucket("+Inf")), [format!("{} 44", bucket("+Inf"))]);
    assert_eq!(lines(&metrics, "paifang_response_body_bytes_total"), [format!("paifang_response_body_bytes_total{{{labels}}} 4400")]);
}

#[test]
fn every_status_and_duration_has_a_place() {
    let metrics = Metrics::new(1);
    let route = metrics.unrouted(&gateway());
    for (status, millis) in [(0, 0), (99, 1), (100, 2), (599, 60_000), (999, 60_001), (u16::MAX, u64::MAX / 1_000_000)] {
        route.record(7, &measured(status, None, millis));
    }
    let inf = r#"paifang_request_duration_seconds_bucket{le="+Inf",gateway="demo/gateway"}"#;
    assert_eq!(lines(&metrics, inf), [format!("{inf} 6")]);
}

#[test]
fn bounds_agree_with_each_other() {
    for (seconds, micros) in BOUNDS.into_iter().zip(BOUNDS_MICROS) {
        assert_eq!((seconds * 1e6).round() as u64, micros);
    }
    for (at, reason) in Reason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, at, "{reason} is counted under its place in the list");
    }
}

#[test]
fn a_handle_is_one_and_the_same_for_one_object() {
    let metrics = Metrics::new(1);
    let object = ObjectRef::new("Ingress", "shop", "web");
    assert!(Arc::ptr_eq(&metrics.route(&gateway(), &object), &metrics.route(&gateway(), &object)));
    assert!(!Arc::ptr_eq(&metrics.route(&gateway(), &object), &metrics.unrouted(&gateway())));
}

#[test]
fn there_is_an_end_to_labels() {
    let metrics = Metrics::new(1);
    let backend = |n: usize| metrics.backend(&BackendId::new(format!("demo/service:{n}")));
    let held: Vec<_> = (0..MOST).map(backend).collect();
    let over: Vec<_> = (MOST..MOST + 10).map(backend).collect();
    assert!(over.iter().all(|it| Arc::ptr_eq(it, &over[0])));
    assert_eq!(metrics.backends.all().len(), MOST + 1);
    drop((held, over));
    // What nobody holds any more makes room.
    let _new = backend(MOST + 20);
    assert_eq!(metrics.backends.all().len(), 1);
}

#[test]
fn connections_are_counted_where_they_end() {
    let metrics = Metrics::new(2);
    let listener = metrics.listener(&gateway(), &SectionName::new("http"));
    (0..5).for_each(|_| listener.opened(0));
    (0..3).for_each(|_| listener.closed(1));
    assert_eq!(listener.active(), 2);
    let labels = r#"{gateway="demo/gateway",listener="http"}"#;
    assert_eq!(lines(&metrics, "paifang_connections_total"), [format!("paifang_connections_total{labels} 5")]);
    assert_eq!(lines(&metrics, "paifang_connections_active{"), [format!("paifang_connections_active{labels} 2")]);
}

#[test]
fn the_text_ends_as_the_format_wants_it() {
    let metrics = Metrics::new(3);
    metrics.serving(Version { epoch: 2, sequence: 9 }, 10, 1);
    metrics.panicked();
    let text = metrics.render();
    assert!(text.ends_with("# EOF\n"));
    for line in ["paifang_config_sequence 9", "paifang_config_hosts 10", "paifang_panics_total 1", "paifang_workers 3"] {
        assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
    }
}
