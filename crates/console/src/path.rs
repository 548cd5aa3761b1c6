//! Paths that can be read in one way only.
//!
//! **Invariant:** whatever passes [`check`] means the same to whoever decodes it, once or twice: no segment of it is a dot segment or holds
//! a slash, a backslash, a control character or a percent sign, however they are written.

/// The beginnings of paths that the Kubernetes API answers.
const API: [&str; 4] = ["api", "apis", "openapi", "version"];

/// Whether a path has one meaning.
pub(crate) fn check(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    // One slash at the end is Kubernetes' own habit.
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    rest.is_empty() && path.len() <= 1 || rest.split('/').all(|segment| decoded(segment).is_some_and(|text| is_plain(&text)))
}

fn is_plain(segment: &[u8]) -> bool {
    let odd = |octet: &u8| octet.is_ascii_control() || matches!(octet, b'/' | b'\\' | b'%');
    !segment.is_empty() && segment != b"." && segment != b".." && !segment.iter().any(odd) && std::str::from_utf8(segment).is_ok()
}

/// A segment or a value without its escapes; `None` for an escape that is none.
pub(crate) fn decoded(segment: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let digit = |octet: Option<u8>| octet.and_then(|octet| char::from(octet).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
        octets.push(digit(rest.next())? << 4 | digit(rest.next())?);
    }
    Some(octets)
}

/// Whether the Kubernetes API is asked.
pub(crate) fn is_of_api(path: &str) -> bool {
    path.split('/').nth(1).is_some_and(|first| API.contains(&first))
}

/// Whether a path of the API leads on to a program of somebody's: a Service, a Pod or a node that answers whatever it likes.
pub(crate) fn leads_on(path: &str) -> bool {
    let segments: Vec<Vec<u8>> = path.split('/').skip(1).filter_map(decoded).collect();
    let is = |at: usize, word: &str| segments.get(at).is_some_and(|segment| segment == word.as_bytes());
    let carrying = |at: usize| ["nodes", "pods", "services"].iter().any(|kind| is(at, kind));
    let subresource = |kind: usize| carrying(kind) && ["proxy", "exec", "attach", "portforward"].iter().any(|word| is(kind + 2, word));
    let watch = usize::from(is(2, "watch") || is(2, "proxy"));
    is(0, "api") && (is(2, "proxy") || subresource(2 + watch) || is(2 + watch, "namespaces") && subresource(4 + watch))
}

/// The values of a query by name, the first of each.
pub(crate) fn query<'a>(query: Option<&'a str>, name: &str) -> Option<String> {
    let of = |pair: &'a str| pair.split_once('=').unwrap_or((pair, ""));
    let (_, value) = query?.split('&').map(of).find(|(key, _)| *key == name)?;
    String::from_utf8(decoded(&value.replace('+', "%20"))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        for good in [
            "/",
            "/api",
            "/api/",
            "/apis/apps/v1/namespaces/shop/deployments/web",
            "/apis/rbac.authorization.k8s.io/v1/roles/system%3Anode",
        ] {
            assert!(check(good), "{good}");
        }
        for bad in [
            "",
            "api",
            "//",
            "//api",
            "/api//v1",
            "/api/../console/session",
            "/api/%2e%2e/console",
            "/api/%2E./x",
            "/api/./v1",
            "/api%2fv1",
            "/api/v1%5cpods",
            "/api/v1\\pods",
            "/api/%252e%252e/x",
            "/api/%00",
            "/api/%0d%0ax",
            "/api/%zz",
            "/api/%2",
            "/api/%ff",
            "/api/v1//",
        ] {
            assert!(!check(bad), "{bad}");
        }
    }

    #[test]
    fn the_api_has_four_beginnings() {
        for (path, expect) in [
            ("/api", true),
            ("/api/v1", true),
            ("/apis/apps", true),
            ("/openapi/v3", true),
            ("/version", true),
            ("/apiary", false),
            ("/login", false),
            ("/metrics", false),
            ("/logs", false),
            ("/", false),
            ("/Api/v1", false),
        ] {
            assert_eq!(is_of_api(path), expect, "{path}");
        }
    }

    #[test]
    fn programs_of_others_are_not_shown_as_ours() {
        for bad in [
            "/api/v1/namespaces/shop/services/web/proxy/index.html",
            "/api/v1/namespaces/shop/services/web:80/proxy",
            "/api/v1/namespaces/shop/pods/web/%70roxy/x",
            "/api/v1/nodes/n/proxy/logs",
            "/api/v1/proxy/namespaces/shop/services/web",
            "/api/v1/namespaces/shop/pods/web/exec",
            "/api/v1/namespaces/shop/pods/web/portforward",
        ] {
            assert!(leads_on(bad), "{bad}");
        }
        for good in [
            "/api/v1/namespaces/shop/services/proxy",
            "/api/v1/namespaces/proxy/services/web/status",
            "/api/v1/namespaces/shop/pods/web/log",
            "/apis/example.com/v1/namespaces/shop/pods/web/proxy",
        ] {
            assert!(!leads_on(good), "{good}");
        }
    }

    #[test]
    fn values_of_a_query() {
        assert_eq!(query(Some("a=1&b=x%20y+z&c"), "b").as_deref(), Some("x y z"));
        assert_eq!(query(Some("a=1&b=2"), "c"), None);
        assert_eq!(query(Some("watch"), "watch").as_deref(), Some(""));
        assert_eq!(query(None, "a"), None);
        assert_eq!(query(Some("a=%ff"), "a"), None);
    }
}
