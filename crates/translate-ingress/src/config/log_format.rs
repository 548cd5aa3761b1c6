//! `log-format-upstream`: nginx's variables as what our access log can tell.

use model::{LogPart, LogValue, Text};

/// Longer formats, and those of more parts, are not taken: every request would write them.
const LONGEST: usize = 8 * 1024;
const MOST_PARTS: usize = 256;

/// What is known by nginx's name for it.
const NAMES: [(&str, LogValue); 47] = [
    ("args", LogValue::Query),
    ("best_http_host", LogValue::Host),
    ("body_bytes_sent", LogValue::BodySent),
    ("document_uri", LogValue::Path),
    ("host", LogValue::Host),
    ("ingress_name", LogValue::Object),
    ("is_args", LogValue::QueryMark),
    ("msec", LogValue::TimeSeconds),
    ("namespace", LogValue::Namespace),
    ("pass_access_scheme", LogValue::ClientScheme),
    ("pass_port", LogValue::Port),
    ("pass_server_port", LogValue::Port),
    ("proxy_alternative_upstream_name", LogValue::Nothing),
    ("proxy_protocol_addr", LogValue::Nothing),
    ("proxy_protocol_port", LogValue::Nothing),
    ("proxy_upstream_name", LogValue::Backend),
    ("query_string", LogValue::Query),
    ("realip_remote_addr", LogValue::Peer),
    ("realip_remote_port", LogValue::PeerPort),
    ("remote_addr", LogValue::Client),
    ("remote_port", LogValue::PeerPort),
    ("remote_user", LogValue::User),
    ("req_id", LogValue::RequestId),
    ("request", LogValue::RequestLine),
    ("request_id", LogValue::RequestId),
    ("request_length", LogValue::RequestLength),
    ("request_method", LogValue::Method),
    ("request_time", LogValue::Duration),
    ("request_uri", LogValue::Target),
    ("scheme", LogValue::Scheme),
    ("server_port", LogValue::Port),
    ("server_protocol", LogValue::Protocol),
    ("service_name", LogValue::Service),
    ("service_port", LogValue::ServicePort),
    ("status", LogValue::Status),
    ("the_real_ip", LogValue::Client),
    ("time_iso8601", LogValue::TimeIso),
    ("time_local", LogValue::TimeLocal),
    ("upstream_addr", LogValue::Endpoint),
    ("upstream_bytes_received", LogValue::EndpointSent),
    ("upstream_connect_time", LogValue::EndpointConnect),
    ("upstream_header_time", LogValue::EndpointHead),
    ("upstream_response_length", LogValue::EndpointSent),
    ("upstream_response_time", LogValue::EndpointDuration),
    ("upstream_status", LogValue::EndpointStatus),
    ("uri", LogValue::Path),
    ("x_request_id", LogValue::RequestId),
];

/// A format, and the variables in it that nothing is known of.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) parts: Vec<LogPart>,
    pub(super) unknown: Vec<String>,
}

/// `None`: it is too long.
pub(super) fn read(text: &str) -> Option<Read> {
    if text.len() > LONGEST {
        return None;
    }
    let mut read = Read { parts: Vec::new(), unknown: Vec::new() };
    let (mut plain, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        plain.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let Some((name, left)) = name(behind) else {
            plain.push('$');
            rest = behind;
            continue;
        };
        read.text(std::mem::take(&mut plain));
        read.value(name);
        rest = left;
    }
    plain.push_str(rest);
    read.text(plain);
    (read.parts.len() <= MOST_PARTS).then_some(read)
}

/// `name` or `{name}`, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let good = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let (name, rest) = match text.strip_prefix('{') {
        Some(inner) => inner.split_once('}')?,
        None => text.split_at(text.find(|it| !good(it)).unwrap_or(text.len())),
    };
    (!name.is_empty() && name.chars().all(good)).then_some((name, rest))
}

fn value(name: &str) -> Option<LogValue> {
    let lower = name.to_ascii_lowercase();
    if let Some((_, value)) = NAMES.iter().find(|(known, _)| *known == lower) {
        return Some(value.clone());
    }
    let header = |name: &str| LogValue::Header(name.replace('_', "-").into());
    match lower.as_str() {
        "content_type" | "content_length" => Some(header(&lower)),
        _ => {
            let named = |prefix: &str| lower.strip_prefix(prefix).filter(|it| !it.is_empty());
            // Names of cookies and of parameters mean what they are, letter by letter.
            let exact = |prefix: &str| named(prefix).map(|it| Text::from(&name[name.len() - it.len()..]));
            let cookie = || exact("cookie_").map(LogValue::Cookie);
            named("http_").map(header).or_else(cookie).or_else(|| exact("arg_").map(LogValue::Parameter))
        }
    }
}

// === impl Read ===

impl Read {
    /// What would end a line, or make a terminal do something, is left out.
    fn text(&mut self, text: String) {
        let text: String = text.chars().filter(|it| !it.is_control() && !matches!(it, '\u{2028}' | '\u{2029}')).collect();
        if !text.is_empty() {
            self.parts.push(LogPart::Text(text.into()));
        }
    }

    fn value(&mut self, name: &str) {
        let value = value(name).unwrap_or_else(|| {
            self.unknown.push(name.to_owned());
            LogValue::Nothing
        });
        self.parts.push(LogPart::Value(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> (Vec<String>, Vec<String>) {
        let read = read(text).expect("it is short");
        let part = |it: &LogPart| match it {
            LogPart::Text(text) => format!("'{text}'"),
            LogPart::Value(value) => format!("{value:?}"),
        };
        (read.parts.iter().map(part).collect(), read.unknown)
    }

    #[test]
    fn formats() {
        let check = |text: &str, parts: &[&str], unknown: &[&str]| {
            let (found, not_known) = shown(text);
            assert_eq!(
                (found.iter().map(String::as_str).collect::<Vec<_>>(), not_known),
                (parts.to_vec(), unknown.iter().map(|it| (*it).to_owned()).collect()),
                "{text}"
            );
        };
        check("", &[], &[]);
        check("plain", &["'plain'"], &[]);
        check("$remote_addr - $remote_user", &["Client", "' - '", "User"], &[]);
        check("${status}x$statusx", &["Status", "'x'", "Nothing"], &["statusx"]);
        check("\"$http_User_Agent\"", &["'\"'", "Header(\"user-agent\")", "'\"'"], &[]);
        check("$cookie_Session $arg_Q", &["Cookie(\"Session\")", "' '", "Parameter(\"Q\")"], &[]);
        check("$content_type", &["Header(\"content-type\")"], &[]);
        check("100$ ${ ${x $", &["'100$ ${ ${x $'"], &[]);
        check("a\nb\r\u{2028}c", &["'abc'"], &[]);
        check("$ssl_cipher $cookie_", &["Nothing", "' '", "Nothing"], &["ssl_cipher", "cookie_"]);
    }

    #[test]
    fn a_format_has_a_bound() {
        assert!(read(&"x".repeat(LONGEST)).is_some());
        assert!(read(&"x".repeat(LONGEST + 1)).is_none());
        assert!(read(&"$status".repeat(MOST_PARTS)).is_some());
        assert!(read(&"$status".repeat(MOST_PARTS + 1)).is_none());
    }

    #[test]
    fn the_format_that_ingress_nginx_begins_with_is_known_whole() {
        let usual = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" \
                     $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr \
                     $upstream_response_length $upstream_response_time $upstream_status $req_id";
        assert_eq!(shown(usual).1, Vec::<String>::new());
    }
}
