use super::*;
use model::{GatewayId, LogLine, ObjectRef, Reason, Source};
use proptest::prelude::*;

fn part(value: LogValue) -> LogPart {
    LogPart::Value(value)
}

fn format(parts: Vec<LogPart>, escape: LogEscape, line: LogLine) -> LogFormat {
    LogFormat { parts, escape, line }
}

fn source() -> Source {
    Source { object: ObjectRef::new("Ingress", "demo", "web"), rule: "spec".into() }
}

fn written(format: &LogFormat, head: &[u8], change: impl FnOnce(&mut Exchange<'_>)) -> String {
    let (source, mut heard, mut out) = (source(), Heard::default(), Vec::new());
    heard.hear(format, |_, out| {
        out.extend_from_slice(head);
        !head.is_empty()
    });
    let gateway = GatewayId::new("gateways/router");
    let mut exchange = Exchange {
        time: UNIX_EPOCH + Duration::from_millis(1_800_000_000_123),
        client: "127.0.0.1:4000".parse().expect("an address"),
        forwarded: None,
        method: b"GET",
        scheme: "http",
        host: b"a.test",
        path: b"/x",
        query: Some(b"q=1&r=2"),
        protocol: "HTTP/1.1",
        status: 200,
        reason: None,
        gateway: gateway.as_str(),
        listener: "http",
        route: Some(RouteRef(&source)),
        backend: Some("demo/web:80~sticky"),
        upstream: Some(crate::Upstream { address: "10.0.0.7:8080".parse().expect("an address"), connect: None, header: None, tries: 1 }),
        bytes_in: 5,
        bytes_out: 7,
        duration: Duration::from_millis(12),
        request_id: b"r-1",
        user_agent: b"",
        own: None,
    };
    change(&mut exchange);
    let own = Own { format, heard: &heard, port: 80, client_scheme: "https", head: 100, endpoint: Some(Duration::from_millis(1_001)) };
    match format.line {
        LogLine::Whole => write(&mut out, &exchange, &own),
        LogLine::Named => {
            let mut object = Object::open(&mut out);
            fill(&mut object, &exchange, &own);
            object.close();
            out.push(b'\n');
        }
    }
    String::from_utf8(out).expect("it is text")
}

fn whole(values: Vec<LogValue>) -> LogFormat {
    let parts = values.into_iter().flat_map(|it| [part(it), LogPart::Text(" ".into())]).collect();
    format(parts, LogEscape::Hexadecimal, LogLine::Whole)
}

#[test]
fn what_a_line_can_tell() {
    use LogValue as V;
    let check = |values: Vec<LogValue>, expect: &str| assert_eq!(written(&whole(values), b"me", |_| {}), format!("{expect} \n"));
    check(vec![V::Client, V::Peer, V::PeerPort, V::User, V::Port], "127.0.0.1 127.0.0.1 4000 me 80");
    check(vec![V::TimeLocal, V::TimeIso, V::TimeSeconds], "15/Jan/2027:08:00:00 +0000 2027-01-15T08:00:00+00:00 1800000000.123");
    check(vec![V::RequestLine, V::Method, V::Path, V::Query, V::QueryMark], "GET /x?q=1&r=2 HTTP/1.1 GET /x q=1&r=2 ?");
    check(vec![V::Protocol, V::Scheme, V::ClientScheme, V::Host], "HTTP/1.1 http https a.test");
    check(vec![V::Status, V::BodySent, V::RequestLength, V::Duration, V::RequestId], "200 7 105 0.012 r-1");
    check(vec![V::Namespace, V::Object, V::Service, V::ServicePort, V::Backend], "demo web web 80 demo-web-80");
    check(vec![V::Endpoint, V::EndpointStatus, V::EndpointSent, V::EndpointDuration], "10.0.0.7:8080 200 7 1.001");
    check(vec![V::EndpointConnect, V::EndpointHead, V::Nothing], "0.000 - -");
    check(vec![V::Parameter("r".into()), V::Parameter("s".into())], "2 -");
    check(vec![V::Header("x".into()), V::Cookie("c".into()), V::Target], "me me me");
}

#[test]
fn what_is_not_there_and_who_a_proxy_says_it_was() {
    use LogValue as V;
    let values = vec![V::Client, V::Endpoint, V::Namespace, V::Backend, V::Query, V::QueryMark, V::RequestLine, V::Status, V::User];
    let nothing = |it: &mut Exchange<'_>| {
        (it.forwarded, it.upstream, it.route, it.backend) = ("192.0.2.1".parse().ok(), None, None, None);
        (it.query, it.method, it.status) = (None, b"", 0);
    };
    assert_eq!(written(&whole(values.clone()), b"", nothing), "192.0.2.1 - - - -  - 499 - \n");
    let json = LogFormat { escape: LogEscape::Json, ..whole(values) };
    assert_eq!(written(&json, b"", nothing), "192.0.2.1       499  \n");
    let failed = |it: &mut Exchange<'_>| it.reason = Some(Reason::ConnectFailed);
    assert_eq!(written(&whole(vec![V::EndpointStatus, V::Endpoint]), b"", failed), "- 10.0.0.7:8080 \n");
}

#[test]
fn a_projects_line_names_its_gateway_and_no_other() {
    let forged = "\"}\n{\"gateway\":\"another\"";
    let format = format(vec![LogPart::Text(forged.into()), part(LogValue::User)], LogEscape::Hexadecimal, LogLine::Named);
    let line = written(&format, b"\"}\n{", |_| {});
    assert_eq!(line.lines().count(), 1);
    let read: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
    assert_eq!(read["gateway"], "gateways/router");
    assert_eq!(read["line"], "\"}{\"gateway\":\"another\"\\x22}\\x0A{");
}

proptest! {
    #[test]
    fn no_octets_end_a_line(text in ".*", value in proptest::collection::vec(any::<u8>(), 0..64), json: bool, named: bool) {
        let escape = if json { LogEscape::Json } else { LogEscape::Hexadecimal };
        let line = if named { LogLine::Named } else { LogLine::Whole };
        let format = format(vec![LogPart::Text(text.as_str().into()), part(LogValue::User), part(LogValue::Path)], escape, line);
        let line = written(&format, &value, |it| it.path = b"/\r\n\x1b[2J");
        prop_assert_eq!(line.bytes().filter(|it| it.is_ascii_control()).count(), 1, "{:?}", line);
        prop_assert!(line.ends_with('\n'));
    }
}
