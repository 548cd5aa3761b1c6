//! Who a client is, in the words a backend understands.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use x509_parser::der_parser::oid::Oid;
use x509_parser::prelude::{AttributeTypeAndValue, FromDer, GeneralName, X509Certificate};

/// A larger certificate is not passed on whole: many servers take no more than 16 KiB of header.
const LONGEST_CERTIFICATE: usize = 6 * 1024;

/// More alternative names than this are not passed on, nor longer ones.
const MOST_NAMES: usize = 16;
const LONGEST_NAME: usize = 256;
const LONGEST_SUBJECT: usize = 1024;

/// Names of attributes as RFC 2253 and OpenSSL write them.
const ATTRIBUTES: [(&str, &str); 11] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// The value of `x-forwarded-client-cert` for a client's certificate, as Envoy writes it:
/// `Hash=…;Cert="…";Subject="…";URI=…;DNS=…`.
///
/// The hash is the certificate's SHA-256, the certificate PEM with percent-escapes, the subject as RFC 2253 has it. What has octets that
/// no header may carry is left out. `None`: it is not readable.
pub fn forwarded_client_cert(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut out = String::from("Hash=");
    for octet in digest(&SHA256, der).as_ref() {
        let _ = write!(out, "{octet:02x}");
    }
    if der.len() <= LONGEST_CERTIFICATE {
        out.push_str(";Cert=\"");
        escaped_pem(&mut out, der);
        out.push('"');
    }
    let subject = subject(&certificate);
    if subject.len() <= LONGEST_SUBJECT {
        let _ = write!(out, ";Subject=\"{subject}\"");
    }
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let alternatives = || alternatives.iter().flat_map(|it| &it.value.general_names);
    let uris = alternatives().filter_map(|it| if let GeneralName::URI(uri) = it { Some(("URI", *uri)) } else { None });
    let names = alternatives().filter_map(|it| if let GeneralName::DNSName(name) = it { Some(("DNS", *name)) } else { None });
    for (key, value) in uris.take(MOST_NAMES).chain(names.take(MOST_NAMES)) {
        element(&mut out, key, value);
    }
    Some(out)
}

fn element(out: &mut String, key: &str, value: &str) {
    if value.len() > LONGEST_NAME || !value.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return;
    }
    let _ = write!(out, ";{key}=");
    if value.contains([',', ';', '=', '"', '\\', ' ']) {
        let _ = write!(out, "\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    } else {
        out.push_str(value);
    }
}

/// PEM in lines of 64, as OpenSSL writes it, with what is special in URLs escaped.
fn escaped_pem(out: &mut String, der: &[u8]) {
    out.push_str("-----BEGIN%20CERTIFICATE-----%0A");
    let text = STANDARD.encode(der);
    for (at, octet) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            out.push_str("%0A");
        }
        match octet {
            '+' => out.push_str("%2B"),
            '/' => out.push_str("%2F"),
            '=' => out.push_str("%3D"),
            other => out.push(other),
        }
    }
    out.push_str("%0A-----END%20CERTIFICATE-----%0A");
}

/// RFC 2253: the last attribute first. All that is not printable ASCII is escaped, so that it fits a quoted string.
fn subject(certificate: &X509Certificate<'_>) -> String {
    let sets: Vec<_> = certificate.subject().iter_rdn().collect();
    let mut out = String::new();
    for (at, set) in sets.iter().rev().enumerate() {
        if at > 0 {
            out.push(',');
        }
        for (at, attribute) in set.iter().enumerate() {
            if at > 0 {
                out.push('+');
            }
            write_attribute(&mut out, attribute);
        }
    }
    out
}

fn write_attribute(out: &mut String, attribute: &AttributeTypeAndValue<'_>) {
    match (short(attribute.attr_type()), attribute.as_str()) {
        (Some(name), Ok(value)) => {
            let _ = write!(out, "{name}=");
            escape(out, value);
        }
        _ => {
            let _ = write!(out, "{}=#", attribute.attr_type());
            for octet in attribute.as_slice() {
                let _ = write!(out, "{octet:02X}");
            }
        }
    }
}

fn short(oid: &Oid<'_>) -> Option<&'static str> {
    let text = oid.to_id_string();
    ATTRIBUTES.iter().find(|(id, _)| *id == text).map(|(_, name)| *name)
}

fn escape(out: &mut String, value: &str) {
    let last = value.len().saturating_sub(1);
    for (at, octet) in value.bytes().enumerate() {
        match octet {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => {
                out.push('\\');
                out.push(char::from(octet));
            }
            b'#' | b' ' if at == 0 => {
                out.push('\\');
                out.push(char::from(octet));
            }
            b' ' if at == last => out.push_str("\\ "),
            b' '..=b'~' => out.push(char::from(octet)),
            other => {
                let _ = write!(out, "\\{other:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests;
