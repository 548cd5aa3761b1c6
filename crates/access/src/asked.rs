//! A request as it is written on a command line.

use model::Scheme;

/// `GET http://demo.kubesphere.io/path?q`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    pub scheme: Scheme,
    /// The host of the URL itself: where the connection goes.
    pub at: String,
    /// As written, with its port.
    pub authority: String,
    /// Lower case, without port, brackets and trailing dot.
    pub host: String,
    pub port: u16,
    /// Path and query as written.
    pub target: String,
    pub path: String,
    pub query: Option<String>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Asked {
    /// Reads it; the error says what to write.
    pub fn read(method: &str, url: &str, headers: &[String]) -> Result<Self, String> {
        let (scheme, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (Scheme::Http, rest),
            (_, Some(rest)) => (Scheme::Https, rest),
            _ => return Err(format!("`{url}` begins with neither http:// nor https://; write for example http://demo.kubesphere.io/path")),
        };
        if !http1::is_token(method.as_bytes()) {
            return Err(format!("`{method}` is no method; write for example GET"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let headers = headers.iter().map(|it| header(it)).collect::<Result<Vec<_>, _>>()?;
        // A Host header stands for the authority, as it does with curl.
        let named = headers.iter().find(|(name, _)| name == "host").map(|(_, value)| value.clone());
        let (at, port) = split(authority, scheme)?;
        let authority = named.unwrap_or_else(|| authority.to_owned());
        let (host, _) = split(&authority, scheme)?;
        if host.is_empty() {
            return Err(format!("`{url}` names no host; write for example http://demo.kubesphere.io/path"));
        }
        let raw = target.split('?').next().unwrap_or_default();
        let path =
            http1::canonical_path(raw.as_bytes()).map_err(|error| format!("the path `{raw}` is refused with 400: {error}"))?.into_owned();
        let query = target.split_once('?').map(|(_, query)| query.to_owned());
        Ok(Self { method: method.to_owned(), scheme, at, authority, host, port, target, path, query, headers })
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or_else(|| format!("`{text}` is no header; write `name: value`"))?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

fn split(authority: &str, scheme: Scheme) -> Result<(String, u16), String> {
    let default = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let bracketed = authority.starts_with('[');
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !bracketed || host.ends_with(']') => (host, port.parse().map_err(|_| format!("`{port}` is no port"))?),
        _ => (authority, default),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, host: &str, port: u16, path: &str, query: Option<&str>) {
        let asked = Asked::read("GET", url, &[]).expect(url);
        assert_eq!((asked.host.as_str(), asked.port, asked.path.as_str(), asked.query.as_deref()), (host, port, path, query), "{url}");
    }

    #[test]
    fn urls_are_taken_apart() {
        check("http://demo.kubesphere.io/path", "demo.kubesphere.io", 80, "/path", None);
        check("https://Demo.KubeSphere.io.:8443/a/../b?q=1#f", "demo.kubesphere.io", 8443, "/b", Some("q=1"));
        check("http://demo", "demo", 80, "/", None);
        check("http://demo?q", "demo", 80, "/", Some("q"));
        check("http://[::1]:8080/x", "::1", 8080, "/x", None);
        check("http://[::1]/x", "::1", 80, "/x", None);
    }

    #[test]
    fn a_host_header_stands_for_the_authority() {
        let asked = Asked::read("GET", "http://127.1.0.1:10080/", &["Host: demo.test".into(), "X-A:b".into()]).expect("a request");
        assert_eq!((asked.host.as_str(), asked.port, asked.authority.as_str()), ("demo.test", 10_080, "demo.test"));
        assert_eq!(asked.at, "127.1.0.1");
        assert_eq!(asked.headers[1], ("x-a".into(), "b".into()));
    }

    #[test]
    fn nonsense_is_named() {
        let nonsense = [
            ("GET", "demo/x", "neither http:// nor https://"),
            ("GET", "ftp://demo/x", "neither http:// nor https://"),
            ("GET", "http://demo:x/", "port"),
            ("GET", "http:///x", "no host"),
            ("GET", "http://demo/../..", "refused"),
            ("G T", "http://demo/", "no method"),
            ("", "http://demo/", "no method"),
        ];
        for (method, url, expect) in nonsense {
            let error = Asked::read(method, url, &[]).expect_err(url);
            assert!(error.contains(expect), "{error}");
        }
    }
}
