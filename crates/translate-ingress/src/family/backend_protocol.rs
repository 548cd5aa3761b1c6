//! What is spoken with the backend.

use crate::annotation::{Doc, Family, OnError, Reader, field};
use resources::{Cause, Problem};

/// HTTP/1.1 in plain text; nothing else can be spoken yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackendProtocol;

const KEY: &str = "backend-protocol";

impl Family for BackendProtocol {
    const KEYS: &'static [Doc] = &[Doc {
        key: KEY,
        value: "`HTTP`",
        default: "`HTTP`",
        meaning: "What is spoken with the backend. `HTTPS`, `AUTO_HTTP`, `GRPC`, `GRPCS` and `FCGI` are not supported yet: the paths answer \
                  503, rather than speaking plain text to a port that expects TLS.",
    }];
    const ON_ERROR: OnError = OnError::Default;

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let text = from.text(KEY)?;
        match text.to_ascii_uppercase().as_str() {
            "HTTP" => {}
            "HTTPS" | "AUTO_HTTP" | "GRPC" | "GRPCS" | "FCGI" => {
                let message = format!("`{text}` is not supported yet, so the paths answer 503: plain HTTP would be the wrong protocol");
                from.problem(
                    Problem::error(field(KEY), Cause::NotSupportedYet, message).hint("If the backend speaks plain HTTP too, delete it"),
                );
                from.close();
            }
            _ => from.reject(KEY, "is no protocol", "`HTTP` is supported"),
        }
        Some(Self)
    }
}
