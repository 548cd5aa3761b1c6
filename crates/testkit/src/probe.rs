//! `probe.http`: requests, and what must come of each.
//!
//! ```text
//! # a comment
//! GET http://demo.kubesphere.io/old/x?y=1
//! cookie: tester=always
//! | a body, line by line, each ended by a line feed
//! < 200                                    the status
//! < content-type: text/plain               a header of the answer
//! < !x-paifang-reason                      a header the answer lacks
//! < to demo/web:80                         the backend that got it
//! < path /x?y=1                            what the backend saw: target,
//! < saw x-forwarded-host: demo.kubesphere.io    a header,
//! < saw !te                                or none of that name
//! < route Ingress demo/web spec.rules[0].http.paths[0]
//! ```
//!
//! A line that begins with a method in capitals begins the next request. Every request has at least one line that begins with `<`.

use std::fmt;

/// One request and what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// In the file, from 1.
    pub line: usize,
    pub request: Request,
    pub expect: Vec<Expectation>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub scheme: Scheme,
    /// As written, with its port if it has one.
    pub authority: String,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    Status(u16),
    Header(String, String),
    NoHeader(String),
    Backend(String),
    Target(String),
    Saw(String, String),
    SawNo(String),
    Route(String),
}

/// What came of a request. Whoever asks fills in what they can see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The backend's id; `None`: it went to none.
    pub backend: Option<String>,
    /// The object and rule, as [`Expectation::Route`] writes them; `None`: no route matched.
    pub route: Option<String>,
    /// Path and query that the backend saw.
    pub target: Option<String>,
    /// Headers that the backend saw.
    pub saw: Vec<(String, String)>,
}

/// A line that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    pub why: &'static str,
}

// === impl ParseError ===

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.why)
    }
}

/// Reads a whole file.
pub fn parse(text: &str) -> Result<Vec<Probe>, ParseError> {
    let mut probes: Vec<Probe> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let error = |why| ParseError { line: number, why };
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let word = line.split(' ').next().unwrap_or_default();
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase()) {
            complete(probes.last())?;
            let request = request_line(line).map_err(error)?;
            probes.push(Probe { line: number, request, expect: Vec::new() });
            continue;
        }
        let probe = probes.last_mut().ok_or_else(|| error("a request comes first: METHOD URL"))?;
        if let Some(expectation) = line.strip_prefix('<') {
            probe.expect.push(expect(expectation.trim()).map_err(error)?);
        } else if !probe.expect.is_empty() {
            return Err(error("the request is over: a line here begins with `<` or a method"));
        } else if let Some(body) = line.strip_prefix('|') {
            probe.request.body += body.strip_prefix(' ').unwrap_or(body);
            probe.request.body.push('\n');
        } else {
            probe.request.headers.push(header(line).ok_or_else(|| error("not a header: NAME: VALUE"))?);
        }
    }
    complete(probes.last())?;
    if probes.is_empty() {
        return Err(ParseError { line: 1, why: "no request" });
    }
    Ok(probes)
}

fn complete(probe: Option<&Probe>) -> Result<(), ParseError> {
    match probe {
        Some(probe) if probe.expect.is_empty() => Err(ParseError { line: probe.line, why: "nothing is expected of this request" }),
        _ => Ok(()),
    }
}

fn request_line(line: &str) -> Result<Request, &'static str> {
    let (method, url) = line.split_once(' ').ok_or("not a request: METHOD URL")?;
    let (scheme, rest) = match url.trim().split_once("://") {
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(("https", rest)) => (Scheme::Https, rest),
        _ => return Err("a URL begins with http:// or https://"),
    };
    let (authority, target) = rest.split_at(rest.find('/').ok_or("a URL has a path, at least `/`")?);
    if target.contains(' ') {
        return Err("a URL has no space");
    }
    let [method, authority, target] = [method, authority, target].map(str::to_owned);
    Ok(Request { method, scheme, authority, target, headers: Vec::new(), body: String::new() })
}

fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let named = !name.is_empty() && !name.contains(' ');
    named.then(|| (name.to_owned(), value.trim().to_owned()))
}

fn expect(text: &str) -> Result<Expectation, &'static str> {
    if let Ok(status) = text.parse() {
        return Ok(Expectation::Status(status));
    }
    if let Some(name) = text.strip_prefix('!') {
        return Ok(Expectation::NoHeader(name.to_owned()));
    }
    match text.split_once(' ') {
        Some(("to", backend)) => return Ok(Expectation::Backend(backend.to_owned())),
        Some(("path", target)) => return Ok(Expectation::Target(target.to_owned())),
        Some(("route", route)) => return Ok(Expectation::Route(route.to_owned())),
        Some(("saw", name)) if name.starts_with('!') => return Ok(Expectation::SawNo(name[1..].to_owned())),
        Some(("saw", line)) => return header(line).map(|(name, value)| Expectation::Saw(name, value)).ok_or("not a header: NAME: VALUE"),
        _ => {}
    }
    let (name, value) = header(text).ok_or("expected a status, a header, !HEADER, to, path, saw or route")?;
    Ok(Expectation::Header(name, value))
}

// === impl Request ===

impl Request {
    /// The authority without its port.
    pub fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.authority,
        }
    }

    /// As HTTP/1.1 writes it.
    pub fn octets(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", self.method, self.target, self.authority);
        for (name, value) in &self.headers {
            out += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            out += &format!("Content-Length: {}\r\n", self.body.len());
        }
        (out + "\r\n" + &self.body).into_bytes()
    }
}

// === impl Probe ===

impl Probe {
    /// One sentence for each expectation that does not hold.
    pub fn mismatches(&self, answer: &Answer) -> Vec<String> {
        let request = &self.request;
        let place = format!("line {}, {} {}{}", self.line, request.method, request.authority, request.target);
        self.expect.iter().filter_map(|expectation| expectation.mismatch(answer)).map(|why| format!("{place}: {why}")).collect()
    }
}

/// Asks every probe; the sentences of those that fail.
pub fn check(probes: &[Probe], mut ask: impl FnMut(&Request) -> Result<Answer, String>) -> Vec<String> {
    let judge = |probe: &Probe| match ask(&probe.request) {
        Ok(answer) => probe.mismatches(&answer),
        Err(error) => vec![format!("line {}: no answer: {error}", probe.line)],
    };
    probes.iter().flat_map(judge).collect()
}

// === impl Expectation ===

impl Expectation {
    fn mismatch(&self, answer: &Answer) -> Option<String> {
        let (what, expected, given) = match self {
            Self::Status(status) => ("status", status.to_string(), Some(answer.status.to_string())),
            Self::Header(name, value) => (name.as_str(), value.clone(), joined(&answer.headers, name)),
            Self::Saw(name, value) => (name.as_str(), value.clone(), joined(&answer.saw, name)),
            Self::Backend(backend) => ("backend", backend.clone(), answer.backend.clone()),
            Self::Target(target) => ("path at the backend", target.clone(), answer.target.clone()),
            Self::Route(route) => ("route", route.clone(), answer.route.clone()),
            Self::NoHeader(name) => return joined(&answer.headers, name).map(|value| format!("{name}: expected none, got `{value}`")),
            Self::SawNo(name) => {
                return joined(&answer.saw, name).map(|value| format!("{name} at the backend: expected none, got `{value}`"));
            }
        };
        match given {
            Some(given) if given == expected => None,
            Some(given) => Some(format!("{what}: expected `{expected}`, got `{given}`")),
            None => Some(format!("{what}: expected `{expected}`, got none")),
        }
    }
}

/// All lines of a name, joined as RFC 9110 5.3 has it.
fn joined(headers: &[(String, String)], name: &str) -> Option<String> {
    let values: Vec<&str> = headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# story
GET http://demo.test:8080/old?y=1
cookie: tester=always

< 200
< x-a: 1
< !x-b
< to demo/web:80
< path /x
< saw host: demo.test
< saw !te
< route Ingress demo/web spec.rules[0]
POST https://demo.test/
| one
|
| three
< 404
";

    fn answer() -> Answer {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Answer {
            status: 200,
            headers: vec![pair("X-A", "1")],
            backend: Some("demo/web:80".into()),
            route: Some("Ingress demo/web spec.rules[0]".into()),
            target: Some("/x".into()),
            saw: vec![pair("Host", "demo.test")],
        }
    }

    #[test]
    fn a_file_is_read() {
        let probes = parse(FILE).expect("good");
        assert_eq!((probes.len(), probes[0].line, probes[1].line), (2, 2, 13));
        let request = &probes[0].request;
        assert_eq!((request.host(), request.authority.as_str(), request.target.as_str()), ("demo.test", "demo.test:8080", "/old?y=1"));
        assert_eq!((probes[1].request.scheme, probes[1].request.body.as_str()), (Scheme::Https, "one\n\nthree\n"));
        assert_eq!(probes[1].request.octets(), b"POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 11\r\n\r\none\n\nthree\n");
    }

    #[test]
    fn every_expectation_can_fail() {
        let probe = &parse(FILE).expect("good")[0];
        assert_eq!(probe.mismatches(&answer()), Vec::<String>::new());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        type Change = fn(&mut Answer, (String, String));
        let changes: [Change; 8] = [
            |answer, _| answer.status = 503,
            |answer, _| answer.headers.clear(),
            |answer, pair| answer.headers.push(pair),
            |answer, _| answer.backend = None,
            |answer, _| answer.target = Some("/y".into()),
            |answer, _| answer.saw.clear(),
            |answer, _| answer.saw.push(("TE".into(), "trailers".into())),
            |answer, _| answer.route = None,
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut answer = answer();
            change(&mut answer, pair("x-b", "2"));
            assert_eq!(probe.mismatches(&answer).len(), 1, "{index}");
        }
        assert_eq!(check(std::slice::from_ref(probe), |_| Err("refused".into())).len(), 1);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, line) in [
            ("", 1),
            ("< 200\n", 1),
            ("GET demo.test/\n< 200\n", 1),
            ("GET http://demo.test\n< 200\n", 1),
            ("GET http://demo.test/\n", 1),
            ("GET http://demo.test/\nGET http://demo.test/\n< 200", 1),
            ("GET http://demo.test/\nno header\n< 200", 2),
            ("GET http://demo.test/\n< 200\nlate: header\n", 3),
            ("GET http://demo.test/\n< what\n", 2),
        ] {
            assert_eq!(parse(text).map_err(|error| error.line), Err(line), "{text:?}");
        }
    }
}
