//! Whether a request comes from our own pages.
//!
//! Three things hold at once, each enough by itself in a browser of today: the cookie is `SameSite=Strict`; what the browser says about
//! where a request comes from (`Sec-Fetch-Site`, `Origin`); a token that only our pages can read.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method};

use crate::cookie::Transport;
use crate::reply::Refusal;

/// Where the token stands.
const TOKEN: &str = "x-csrf-token";
const SITE: &str = "sec-fetch-site";
/// What a body may be. No form of a page elsewhere can send any of these.
const BODIES: [&str; 6] = [
    "application/json",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/yaml",
];

/// Whether a request can change nothing by what its method means.
pub(crate) fn only_reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Refuses what a page of another origin has sent, as far as the browser says.
///
/// # Errors
/// `Csrf`.
pub(crate) fn check_origin(head: &Parts, transport: Transport) -> Result<(), Refusal> {
    let foreign = || Refusal::csrf("This request comes from another site.");
    let one = |name: &str| -> Result<Option<&str>, Refusal> {
        let mut values = head.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| foreign()),
            _ => Err(foreign()),
        }
    };
    // `none`: typed by a person, which only reads.
    let near = |site: &str| site == "same-origin" || site == "none" && only_reads(&head.method);
    if one(SITE)?.is_some_and(|site| !near(site)) {
        return Err(foreign());
    }
    let Some(origin) = one(ORIGIN.as_str())? else { return Ok(()) };
    let scheme = if transport == Transport::Tls { "https" } else { "http" };
    let ours = authority(head).is_some_and(|host| origin.eq_ignore_ascii_case(&format!("{scheme}://{host}")));
    if ours { Ok(()) } else { Err(foreign()) }
}

/// The host and port that the client asked for: of the request itself, or of its header.
pub(crate) fn authority(head: &Parts) -> Option<&str> {
    let named = head.uri.authority().map(http::uri::Authority::as_str);
    named.or_else(|| head.headers.get(HOST).and_then(|host| host.to_str().ok()))
}

/// Refuses what does not show the session's token.
///
/// # Errors
/// `Csrf`.
pub(crate) fn check_token(headers: &HeaderMap, token: &str) -> Result<(), Refusal> {
    let shown = headers.get(TOKEN).map_or(&b""[..], |shown| shown.as_bytes());
    verify_slices_are_equal(shown, token.as_bytes())
        .map_err(|_| Refusal::csrf("This request does not carry the session's token (X-CSRF-Token)."))
}

/// Refuses bodies of types that are not taken.
///
/// # Errors
/// `UnsupportedMediaType`.
pub(crate) fn check_body(headers: &HeaderMap, has_body: bool) -> Result<(), Refusal> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return if has_body { Err(unsupported()) } else { Ok(()) };
    };
    let media = value.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if BODIES.contains(&media.as_str()) { Ok(()) } else { Err(unsupported()) }
}

fn unsupported() -> Refusal {
    let message = format!("The body must be one of {}.", BODIES.join(", "));
    Refusal::new(http::StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: Method, lines: &[(&'static str, &'static str)]) -> Parts {
        let mut request = http::Request::builder().method(method).uri("/console/logout").header(HOST, "127.0.0.1:9443");
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn only_our_own_pages_ask() {
        let check = |method: &Method, lines: &[(&'static str, &'static str)]| check_origin(&head(method.clone(), lines), Transport::Tls);
        for good in [
            &[][..],
            &[("origin", "https://127.0.0.1:9443")],
            &[("sec-fetch-site", "same-origin")],
            &[("origin", "https://127.0.0.1:9443"), ("sec-fetch-site", "same-origin")],
        ] {
            assert!(check(&Method::POST, good).is_ok(), "{good:?}");
        }
        for bad in [
            &[("origin", "http://127.0.0.1:9443")][..],
            &[("origin", "https://127.0.0.1")],
            &[("origin", "https://evil.example")],
            &[("origin", "https://127.0.0.1:9443.evil.example")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "https://127.0.0.1:9443"), ("origin", "https://evil.example")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "Same-Origin ")],
        ] {
            assert!(check(&Method::POST, bad).is_err(), "{bad:?}");
        }
        assert!(check(&Method::GET, &[("sec-fetch-site", "none")]).is_ok(), "typed by a person");
        assert!(check(&Method::GET, &[("sec-fetch-site", "cross-site")]).is_err());
    }

    #[test]
    fn the_token_is_the_whole_token() {
        let shown = |lines: &[(&'static str, &'static str)]| check_token(&head(Method::POST, lines).headers, "secret");
        assert!(shown(&[("x-csrf-token", "secret")]).is_ok());
        for bad in [&[][..], &[("x-csrf-token", "")], &[("x-csrf-token", "secre")], &[("x-csrf-token", "secrets")]] {
            assert!(shown(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn bodies_that_a_form_can_send_are_refused() {
        let of = |media: &'static str| check_body(&head(Method::POST, &[("content-type", media)]).headers, true);
        for good in ["application/json", "application/json; charset=utf-8", "application/merge-patch+json", "application/apply-patch+yaml"]
        {
            assert!(of(good).is_ok(), "{good}");
        }
        for bad in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/plain; application/json"]
        {
            assert!(of(bad).is_err(), "{bad}");
        }
        assert!(check_body(&head(Method::POST, &[]).headers, true).is_err());
        assert!(check_body(&head(Method::DELETE, &[]).headers, false).is_ok());
    }
}
