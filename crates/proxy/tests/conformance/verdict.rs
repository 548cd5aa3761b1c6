//! Does what happened agree with the case? `expect` decides; `origin_check` binds whenever something was forwarded.

use crate::client::{Seen, must_close};
use crate::corpus::{Case, Expect};
use crate::origin::Request;

/// Why a case fails.
type Verdict = Result<(), String>;

/// What happened, for predicates.
#[derive(Clone, Copy)]
struct Facts<'f> {
    seen: &'f Seen,
    requests: &'f [Request],
}

type Predicate = fn(Facts) -> Verdict;

/// Every phrase of `origin_check`, and what it means.
const CHECKS: &[(&str, Predicate)] = &[
    ("exactly one Content-Length: 5", length_5_body_hello),
    ("Content-Length: 5", length_5),
    ("Content-Length: 5, body hello", length_5_body_hello),
    ("no /smug request", no_smug),
    ("no request at origin", no_head),
    ("no /smug; if forwarded no fold and no Content-Length", folded_coding),
    ("/c body empty; /smug only as a separately routed request or not at all", http10_tail),
    ("body 0123456789", body_of_ten),
    ("body hello", body_hello),
    ("if forwarded body hello", body_hello),
    ("no chunk extension at origin", no_extension),
    ("no such header fields", no_credentials),
    ("no bare LF at origin", no_bare_lf),
    ("no bare LF", no_bare_lf),
    ("if forwarded, GET /c HTTP/1.1 with single spaces", plain_line),
    ("if forwarded still get", still_get),
    ("no bare CR, no X-Smug field", no_bare_cr),
    ("same octets e9 ff", obs_text),
    ("no fold", no_fold),
    ("no whitespace-only line", no_fold),
    ("no Connection: TE from client", te_field),
    ("no Upgrade: h2c", no_upgrade),
    ("no Upgrade field", no_upgrade),
    ("/c then /d", c_then_d),
    ("the path matched is the path sent; never /admin under the /pub rule", same_path),
    ("refused, or forwarded unchanged", escaped_nul),
    ("no X-Smug field", no_smug_field),
];

/// Judges one case.
pub fn judge(case: &Case, seen: &Seen, requests: &[Request]) -> Verdict {
    let facts = Facts { seen, requests };
    let outcome = outcome(facts);
    match case.expect {
        Expect::Reject => rejected(case, facts, outcome)?,
        Expect::Forward => forwarded(facts, outcome)?,
        Expect::Either => match outcome {
            Outcome::Refused | Outcome::Forwarded => {}
            Outcome::Silent => fail("neither refused nor forwarded in time")?,
            Outcome::Answered(status) => fail(format!("answered {status} by itself, {}", at_origin(facts)))?,
        },
    }
    let policy = match (case.policy.as_str(), outcome) {
        ("reject", Outcome::Forwarded) | ("forward", Outcome::Refused) => {
            fail(format!("our policy is to {}, it was {outcome:?}", case.policy))
        }
        _ => Ok(()),
    };
    policy?;
    if outcome == Outcome::Refused && !case.status.is_empty() {
        let status = seen.answers.first().map(|answer| answer.status);
        if !status.is_some_and(|status| case.status.contains(&status)) {
            return fail(format!("refused with {status:?}, not {:?}", case.status));
        }
    }
    one_route_for_one_host(case, facts)?;
    match &case.origin_check {
        None => Ok(()),
        Some(phrase) => match CHECKS.iter().find(|(known, _)| known == phrase) {
            Some((_, check)) => check(facts).map_err(|why| format!("origin: {why}")),
            None => fail(format!("no predicate for `{phrase}`")),
        },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Refused,
    Forwarded,
    /// Neither a refusal nor forwarded.
    Answered(u16),
    Silent,
}

fn outcome(Facts { seen, requests }: Facts) -> Outcome {
    match seen.answers.first().map(|answer| answer.status) {
        Some(status) if status >= 400 => Outcome::Refused,
        _ if requests.iter().any(|request| request.complete) => Outcome::Forwarded,
        Some(status) => Outcome::Answered(status),
        None if seen.closed || !seen.garbage.is_empty() => Outcome::Refused,
        None => Outcome::Silent,
    }
}

fn rejected(case: &Case, facts: Facts, outcome: Outcome) -> Verdict {
    if facts.requests.iter().any(|request| request.complete) {
        return fail(at_origin(facts));
    }
    if outcome != Outcome::Refused {
        return fail(format!("not refused but {outcome:?}"));
    }
    if !facts.seen.garbage.is_empty() {
        return fail("the answer is no HTTP/1.1");
    }
    if must_close(case, facts.seen) && !facts.seen.closed {
        return fail("refused, but the connection stays open after a framing fault");
    }
    Ok(())
}

fn forwarded(facts: Facts, outcome: Outcome) -> Verdict {
    if outcome != Outcome::Forwarded {
        return fail(format!("not forwarded but {outcome:?}"));
    }
    match facts.seen.answers.first() {
        None => fail("forwarded, but the client got no answer"),
        Some(answer) if !(200..300).contains(&answer.status) || answer.get("x-origin").is_none() => {
            fail(format!("forwarded, but the client got {}, not the origin's answer", answer.status))
        }
        Some(_) => Ok(()),
    }
}

/// `gw.test`, however written, is one host.
fn one_route_for_one_host(case: &Case, facts: Facts) -> Verdict {
    let written = case.octets.to_ascii_lowercase().windows(13).any(|window| window == b"host: gw.test");
    let strays = || complete(facts).any(|request| request.all("x-route").any(|value| value == b"other"));
    if written && strays() { fail("gw.test was served by another host's route") } else { Ok(()) }
}

fn fail(why: impl Into<String>) -> Verdict {
    Err(why.into())
}

fn at_origin(facts: Facts) -> String {
    match complete(facts).next() {
        Some(request) => format!("the origin got {} {}", request.method.escape_ascii(), request.target.escape_ascii()),
        None => "nothing complete at the origin".into(),
    }
}

fn complete(facts: Facts<'_>) -> impl Iterator<Item = &Request> {
    facts.requests.iter().filter(|request| request.complete)
}

fn headed(facts: Facts<'_>) -> impl Iterator<Item = &Request> {
    facts.requests.iter().filter(|request| request.headed)
}

/// None of the requests is as `wrong` says.
fn none<'r>(mut requests: impl Iterator<Item = &'r Request>, what: &str, wrong: impl Fn(&Request) -> bool) -> Verdict {
    match requests.find(|request| wrong(request)) {
        Some(request) => fail(format!("{what}: {}{}", request.head.escape_ascii(), request.body.escape_ascii())),
        None => Ok(()),
    }
}

// === predicates ===

fn body(facts: Facts, want: &[u8]) -> Verdict {
    none(complete(facts), "another body", |request| request.malformed.is_some() || request.body != want)
}

fn body_hello(facts: Facts) -> Verdict {
    body(facts, b"hello")
}

fn body_of_ten(facts: Facts) -> Verdict {
    body(facts, b"0123456789")
}

fn length_5(facts: Facts) -> Verdict {
    none(complete(facts), "another Content-Length", |request| request.all("content-length").ne([b"5"]))
}

fn length_5_body_hello(facts: Facts) -> Verdict {
    length_5(facts)?;
    body_hello(facts)
}

fn no_smug(facts: Facts) -> Verdict {
    let smug = |octets: &[u8]| octets.windows(5).any(|window| window == b"/smug");
    none(facts.requests.iter(), "smuggled", |request| smug(request.head.split(|octet| *octet == b'\n').next().unwrap_or_default()))
}

fn no_head(facts: Facts) -> Verdict {
    none(headed(facts), "a request", |_| true)
}

fn folded_coding(facts: Facts) -> Verdict {
    no_smug(facts)?;
    no_fold(facts)?;
    none(headed(facts), "Content-Length", |request| request.all("content-length").next().is_some())
}

fn http10_tail(facts: Facts) -> Verdict {
    none(complete(facts), "a body", |request| request.target == b"/c" && !request.body.is_empty())?;
    let routed = |request: &Request| request.all("x-route").next().is_some() && request.all("x-forwarded-for").next().is_some();
    none(complete(facts), "/smug unrouted", |request| request.target == b"/smug" && !routed(request))
}

fn no_extension(facts: Facts) -> Verdict {
    none(facts.requests.iter(), "a chunk extension", |request| request.tail.contains(&b';'))
}

fn no_credentials(facts: Facts) -> Verdict {
    let forged = |value: &[u8]| value.windows(7).any(|window| window == b"1.1.1.1");
    none(complete(facts), "a trailer among the header fields", |request| {
        request.all("authorization").next().is_some() || request.all("x-forwarded-for").any(forged)
    })
}

fn no_bare_lf(facts: Facts) -> Verdict {
    let bare = |octets: &[u8]| octets.iter().enumerate().any(|(at, octet)| *octet == b'\n' && (at == 0 || octets[at - 1] != b'\r'));
    none(facts.requests.iter(), "a bare LF", |request| bare(&request.head) || bare(&request.tail))
}

fn plain_line(facts: Facts) -> Verdict {
    none(complete(facts), "another request line", |request| !request.head.starts_with(b"GET /c HTTP/1.1\r\n"))
}

fn still_get(facts: Facts) -> Verdict {
    none(complete(facts), "another method", |request| request.method != b"get")
}

fn no_bare_cr(facts: Facts) -> Verdict {
    let bare = |octets: &[u8]| octets.windows(2).any(|two| two[0] == b'\r' && two[1] != b'\n');
    none(facts.requests.iter(), "a bare CR", |request| bare(&request.head))?;
    no_smug_field(facts)
}

fn no_smug_field(facts: Facts) -> Verdict {
    if facts.seen.answers.iter().any(|answer| answer.get("x-smug").is_some()) {
        return fail("X-Smug in the answer");
    }
    none(headed(facts), "X-Smug", |request| request.all("x-smug").next().is_some())
}

fn obs_text(facts: Facts) -> Verdict {
    none(complete(facts), "other octets", |request| request.all("x-a").ne([b"\xe9\xff"]))
}

fn no_fold(facts: Facts) -> Verdict {
    let folded = |octets: &[u8]| octets.windows(2).any(|two| two[0] == b'\n' && matches!(two[1], b' ' | b'\t'));
    none(headed(facts), "a fold", |request| folded(&request.head))
}

fn te_field(facts: Facts) -> Verdict {
    none(complete(facts), "TE of the client", |request| {
        let te = request.tokens("te");
        (!te.is_empty() && te != [b"trailers"]) || (te.is_empty() && request.tokens("connection").contains(&b"te".to_vec()))
    })
}

fn no_upgrade(facts: Facts) -> Verdict {
    none(complete(facts), "Upgrade", |request| request.all("upgrade").next().is_some())
}

fn c_then_d(facts: Facts) -> Verdict {
    let targets: Vec<&[u8]> = complete(facts).map(|request| request.target.as_slice()).collect();
    if targets != [b"/c", b"/d"] {
        return fail(format!("{} requests came", targets.len()));
    }
    let bodies: Vec<&[u8]> = facts.seen.answers.iter().map(|answer| answer.body.as_slice()).collect();
    if bodies == [b"GET /c\n", b"GET /d\n"] { Ok(()) } else { fail("the answers are not in order") }
}

fn escaped_nul(facts: Facts) -> Verdict {
    none(complete(facts), "another path", |request| request.path() != b"/pub%00/admin")
}

/// The route that matched is the route of the path that was sent, also for a backend that resolves dot segments.
fn same_path(facts: Facts) -> Verdict {
    let rule = |path: &[u8]| {
        let below = |prefix: &[u8]| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest[0] == b'/');
        if below(b"/pub") {
            b"pub".as_slice()
        } else if below(b"/admin") {
            b"admin".as_slice()
        } else {
            b"root".as_slice()
        }
    };
    none(complete(facts), "matched under another rule than sent", |request| {
        let path = request.path();
        rule(path) != rule(&resolved(path)) || request.all("x-route").ne([rule(path)])
    })
}

/// RFC 3986 5.2.4, escaped dots taken for dots.
fn resolved(path: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(path).to_ascii_lowercase().replace("%2e", ".");
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/")).into_bytes()
}

// === the judge, judged ===

/// Every phrase in the cases has a predicate, every predicate a phrase, and wrong behaviour is told.
pub fn check_itself(cases: &[Case]) {
    let phrases: Vec<&str> = cases.iter().filter_map(|case| case.origin_check.as_deref()).collect();
    for phrase in &phrases {
        assert!(CHECKS.iter().any(|(known, _)| known == phrase), "no predicate for `{phrase}`");
    }
    for (known, _) in CHECKS {
        assert!(phrases.contains(known), "`{known}` is in no case");
    }
    // A gateway that forwards everything as it came, and one that says nothing, must fail where the case asks for something else.
    for case in cases {
        let answer = crate::client::Answer {
            status: 200,
            fields: vec![("x-origin".into(), b"recorder".to_vec())],
            body: Vec::new(),
            complete: true,
        };
        let seen = Seen { answers: vec![answer], ..Seen::default() };
        let head = case.octets.clone();
        let request = Request { head, headed: true, complete: true, target: b"/c".to_vec(), ..Request::default() };
        let passed = judge(case, &seen, &[request]).is_ok();
        assert!(!passed || case.expect != Expect::Reject, "{} passes though it was forwarded", case.id);
        assert!(judge(case, &Seen::default(), &[]).is_err(), "{} passes in silence", case.id);
        let refused = crate::client::Answer { status: 500, complete: true, ..Default::default() };
        let refused = Seen { answers: vec![refused], ..Seen::default() };
        let passed = judge(case, &refused, &[]).is_ok();
        assert!(!passed || case.expect != Expect::Forward, "{} passes though it was refused", case.id);
    }
}
