//! Answers whose status or headers the client chooses.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use super::{bad, form, json_body};

/// A status, or one of a list drawn by weight: `/status/200:9,503:1`.
pub async fn status(Path(codes): Path<String>) -> Response {
    let Some(choices) = weighted(&codes) else {
        return bad("codes: 200 to 599, as in 200 or 200:9,503:1\n");
    };
    let total: f64 = choices.iter().map(|(_, weight)| weight).sum();
    let mut left = fastrand::f64() * total;
    let last = choices[choices.len() - 1].0;
    let chosen = choices.iter().find(|(_, weight)| {
        left -= weight;
        left < 0.0
    });
    answer(chosen.map_or(last, |(code, _)| *code))
}

/// `None` unless every code can be sent and every weight is a positive number. Never empty.
fn weighted(codes: &str) -> Option<Vec<(StatusCode, f64)>> {
    codes
        .split(',')
        .map(|choice| {
            let (code, weight) = choice.split_once(':').unwrap_or((choice, "1"));
            let code = StatusCode::from_u16(code.trim().parse().ok()?).ok()?;
            let weight: f64 = weight.trim().parse().ok()?;
            let sendable = (200..600).contains(&code.as_u16());
            (sendable && weight > 0.0 && weight.is_finite()).then_some((code, weight))
        })
        .collect()
}

/// What a client expects to come with a status.
fn answer(code: StatusCode) -> Response {
    const TEAPOT: &str = "I'm a teapot, short and stout\n";
    match code.as_u16() {
        301..=303 | 305 | 307 | 308 => (code, [(header::LOCATION, "/redirect/1")]).into_response(),
        401 => (code, [(header::WWW_AUTHENTICATE, r#"Basic realm="Fake Realm""#)]).into_response(),
        407 => (code, [(header::PROXY_AUTHENTICATE, r#"Basic realm="Fake Realm""#)]).into_response(),
        418 => (code, [("x-more-info", "http://tools.ietf.org/html/rfc2324")], TEAPOT).into_response(),
        _ => code.into_response(),
    }
}

/// Each query parameter becomes a header of the answer, and the answer's JSON.
pub async fn response_headers(RawQuery(query): RawQuery) -> Response {
    let pairs = form::urlencoded(query.unwrap_or_default().as_bytes());
    let mut headers = Vec::new();
    for (name, value) in &pairs.0 {
        let parsed = HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::try_from(value.as_str()).ok());
        let Some((name, value)) = parsed else { return bad("not the name or value of a header\n") };
        // These would break the answer's framing.
        if name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING || name == header::CONNECTION {
            return bad("framing headers cannot be chosen\n");
        }
        headers.push((name, value));
    }
    let Value::Object(pairs) = pairs.into_json() else { return bad("no parameters\n") };
    let mut body: Map<String, Value> = pairs;
    body.entry("Content-Type").or_insert_with(|| "application/json".into());
    let mut response = json_body(&Value::Object(body));
    for (name, value) in headers {
        if name == header::CONTENT_TYPE {
            response.headers_mut().insert(name, value);
        } else {
            response.headers_mut().append(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights() {
        let codes = |text| weighted(text).map(|list| list.iter().map(|(code, _)| code.as_u16()).collect::<Vec<_>>());
        assert_eq!(codes("200"), Some(vec![200]));
        assert_eq!(codes("200:9,503:0.5"), Some(vec![200, 503]));
        for refused in ["", "100", "199", "600", "abc", "200:-1", "200:0", "200:nan", "200:inf", "200,,"] {
            assert_eq!(codes(refused), None, "{refused}");
        }
    }
}
