use super::*;
use crate::{Authority, HeadWriter, ResponseHead, authority};
use proptest::prelude::*;

/// Reads a head that arrives in pieces of `step` octets.
fn read(octets: &[u8], step: usize) -> (RequestHead, Result<Option<usize>, Fault>) {
    let mut head = RequestHead::new();
    for end in (step..octets.len()).step_by(step).chain([octets.len()]) {
        match head.parse(&octets[..end], Scheme::Http) {
            Ok(None) => {}
            done => return (head, done),
        }
    }
    (head, Ok(None))
}

fn verdict(text: &str) -> Result<Option<usize>, Fault> {
    let whole = read(text.as_bytes(), text.len().max(1)).1;
    for step in 1..text.len().min(80) {
        assert_eq!(read(text.as_bytes(), step).1, whole, "{text:?} in pieces of {step}");
    }
    whole
}

fn good(text: &str) -> RequestHead {
    assert_eq!(verdict(text), Ok(Some(text.len())), "{text:?}");
    read(text.as_bytes(), text.len()).0
}

fn with(fields: &str) -> String {
    format!("POST /c HTTP/1.1\r\nHost: gw.test\r\n{fields}\r\n")
}

#[test]
fn faults_have_names() {
    for (text, fault) in [
        ("GET /c HTTP/1.1\rHost: gw.test\r\r", Fault::LineEnd),
        ("GET /c HTTP/1.1\nHost: gw.test\n\n", Fault::LineEnd),
        ("\r\n\r\nGET /c HTTP/1.1\r\n", Fault::StartLine),
        ("GET\t/c\tHTTP/1.1\r\n", Fault::StartLine),
        ("GET  /c HTTP/1.1\r\n", Fault::StartLine),
        ("GET /c HTTP/1.1 \r\n", Fault::StartLine),
        ("GET /c\r\n", Fault::StartLine),
        ("GET /c\0d HTTP/1.1\r\n", Fault::StartLine),
        ("G(T /c HTTP/1.1\r\n", Fault::StartLine),
        ("GET /c http/1.1\r\n", Fault::StartLine),
        ("GET /c HTTP/1.10\r\n", Fault::StartLine),
        ("GET /c HTTP/2.0\r\n", Fault::HttpVersion),
        ("GET /c HTTP/1.2\r\n", Fault::HttpVersion),
        ("PRI * HTTP/2.0\r\n", Fault::HttpVersion),
        ("GET /c HTTP/1.1\r\n Host: gw.test\r\n", Fault::Folded),
        ("GET /c HTTP/1.1\r\nHost : gw.test\r\n", Fault::FieldLine),
        ("GET /c HTTP/1.1\r\n: gw.test\r\n", Fault::FieldLine),
        ("GET /c HTTP/1.1\r\nHost\r\n", Fault::FieldLine),
        ("GET /c HTTP/1.1\r\nX A: b\r\n", Fault::FieldLine),
        ("GET /c HTTP/1.1\r\nX-A: \u{1}\r\n", Fault::FieldLine),
        ("GET /c HTTP/1.1\r\nX-A: \u{7f}\r\n", Fault::FieldLine),
        ("GET /c HTTP/1.1\r\n\r\n", Fault::Host),
        ("GET /c HTTP/1.1\r\nHost:\r\n\r\n", Fault::Host),
        ("GET /c HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", Fault::Host),
        ("GET http://a/c HTTP/1.1\r\n\r\n", Fault::Host),
        ("GET https://a/c HTTP/1.1\r\nHost: a\r\n\r\n", Fault::Target),
        ("GET a/c HTTP/1.1\r\nHost: a\r\n\r\n", Fault::Target),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", Fault::Target),
        ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::MethodRefused),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", Fault::MethodRefused),
        (&with("Content-Length: 5\r\nContent-Length: 6\r\n"), Fault::ContentLength),
        (&with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Fault::TwoFramings),
        (&with("Transfer-Encoding: chunked, chunked\r\n"), Fault::TransferEncoding),
        (&with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), Fault::TransferEncoding),
        (&with("Transfer-Encoding: identity\r\n"), Fault::TransferEncoding),
        (&with("Connection: Content-Length\r\n"), Fault::Nominated),
        (&with("Connection: x-forwarded-for\r\n"), Fault::Nominated),
        (&with("Connection: a b\r\n"), Fault::FieldLine),
        (&with("Expect: 200-ok\r\n"), Fault::Expect),
        (&with(&"X-A: 1\r\n".repeat(100)), Fault::TooManyFields),
        (&with(&format!("X-A: {}\r\n", "x".repeat(61_440))), Fault::TooManyFields),
        (&format!("GET /{} HTTP/1.1\r\n", "x".repeat(16_384)), Fault::StartLineTooLong),
    ] {
        assert_eq!(verdict(text), Err(fault), "{:?}", text.get(..80).unwrap_or(text));
    }
}

#[test]
fn framing_is_what_the_fields_say() {
    for (fields, framing) in [
        ("", Framing::None),
        ("Content-Length: 0\r\n", Framing::Length(0)),
        ("Content-Length: 5\r\nContent-Length: 05\r\n", Framing::Length(5)),
        ("Transfer-Encoding: Chunked\r\n", Framing::Chunked),
    ] {
        assert_eq!(good(&with(fields)).framing, framing, "{fields:?}");
    }
}

#[test]
fn what_a_client_wishes() {
    let wishes = |text: &str| {
        let head = good(text);
        (head.keep_alive, head.expects_continue, head.websocket)
    };
    let get = |version: &str, fields: &str| format!("GET / HTTP/1.{version}\r\nHost: a\r\n{fields}\r\n");
    assert_eq!(wishes(&get("1", "")), (true, false, false));
    assert_eq!(wishes(&get("1", "Connection: X, Close\r\n")), (false, false, false));
    assert_eq!(wishes(&get("0", "")), (false, false, false));
    assert_eq!(wishes(&get("0", "Connection: Keep-Alive\r\n")), (true, false, false));
    assert_eq!(wishes(&get("1", "Connection: Upgrade\r\nUpgrade: WebSocket\r\n")), (true, false, true));
    assert_eq!(wishes(&get("0", "Connection: Upgrade\r\nUpgrade: WebSocket\r\n")), (false, false, false));
    assert_eq!(wishes(&get("1", "Expect: 100-continue\r\n")), (true, false, false), "there is no body to wait for");
    assert_eq!(wishes(&with("Content-Length: 1\r\nExpect: 100-Continue\r\n")), (true, true, false));
    assert_eq!(wishes(&get("0", "Content-Length: 1\r\nExpect: tea\r\n")), (false, false, false), "HTTP/1.0 knows no Expect");
}

#[test]
fn an_authority_in_the_target_wins() {
    let text = "GET http://Other.test:81?q HTTP/1.1\r\nHost: gw.test\r\n\r\n";
    let head = good(text);
    assert_eq!((head.host(), head.port), ("other.test", Some(81)));
    assert_eq!(head.target(text.as_bytes()), Target::Path { path: b"/", query: Some(b"q") });
    assert_eq!(authority(b"gw.test"), Ok(Authority { host: b"gw.test", port: None }));
}

#[test]
fn a_cleared_head_has_no_memory() {
    let mut head = RequestHead::new();
    let one = with("Connection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n");
    assert_eq!(head.parse(one.as_bytes(), Scheme::Http), Ok(Some(one.len())));
    head.clear();
    assert!(head.untouched());
    let two = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
    assert_eq!(head.parse(two.as_bytes(), Scheme::Http), Ok(Some(two.len())));
    assert_eq!((head.host(), head.framing, head.keep_alive, head.expects_continue), ("b", Framing::None, true, false));
}

fn lines() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "[A-Za-z-]{1,8}",
        Just("Content-Length".to_owned()),
        Just("Transfer-Encoding".to_owned()),
        Just("Connection".to_owned())
    ];
    let value = prop_oneof!["[ -~\t]{0,12}", "[0-9]{1,3}", Just("chunked".to_owned()), Just("close".to_owned())];
    let line =
        (name, prop_oneof![Just(": "), Just(":"), Just(" : ")], value).prop_map(|(name, colon, value)| format!("{name}{colon}{value}\r\n"));
    proptest::collection::vec(line, 0..6).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn any_octets_are_read_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..200), step in 1usize..30) {
        let whole = read(&octets, octets.len().max(1)).1;
        prop_assert_eq!(read(&octets, step).1, whole);
    }

    #[test]
    fn pieces_make_no_difference(fields in lines(), step in 1usize..30) {
        let text = with(&fields);
        let (whole, pieces) = (read(text.as_bytes(), text.len()), read(text.as_bytes(), step));
        prop_assert_eq!(whole.1, pieces.1);
        prop_assert_eq!(whole.0.framing, pieces.0.framing);
        prop_assert_eq!(whole.0.fields.len(), pieces.0.fields.len());
    }

    #[test]
    fn answers_in_pieces_make_no_difference(fields in lines(), step in 1usize..30) {
        let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        let read = |step: usize| {
            let mut head = ResponseHead::new();
            let ends = (step..text.len()).step_by(step).chain([text.len()]);
            let verdict = ends.map(|end| head.parse(&text.as_bytes()[..end], Method::Get)).find(|verdict| *verdict != Ok(None));
            (verdict, head.framing, head.keep_alive)
        };
        prop_assert_eq!(read(step), read(text.len()));
    }

    #[test]
    fn what_is_written_reads_the_same(fields in lines()) {
        let text = with(&fields);
        let (head, verdict) = read(text.as_bytes(), text.len());
        if let Ok(Some(_)) = verdict {
            let mut out = Vec::new();
            let mut writer = HeadWriter::new(&mut out);
            writer.request_line("GET", "/", None).expect("a good line");
            writer.own("Host", b"gw.test");
            writer.fields(text.as_bytes(), &head.fields, |_| true);
            writer.end();
            let (again, verdict) = read(&out, out.len());
            prop_assert_eq!(verdict, Ok(Some(out.len())));
            let kept = |head: &RequestHead, octets: &[u8]| -> Vec<(Vec<u8>, Vec<u8>)> {
                let kept = head.fields.iter().filter(|field| !field.dropped);
                kept.map(|field| (field.name.of(octets).to_vec(), field.value.of(octets).to_vec())).collect()
            };
            prop_assert_eq!(kept(&head, text.as_bytes()), kept(&again, &out));
        }
    }
}
