//! The `Host` the backend sees.

use crate::annotation::{Doc, Family, OnError, Reader};
use model::Text;

#[derive(Clone, Debug)]
pub(crate) struct UpstreamVhost(pub(crate) Text);

const KEY: &str = "upstream-vhost";

impl Family for UpstreamVhost {
    const KEYS: &'static [Doc] = &[Doc {
        key: KEY,
        value: "host, with or without port",
        default: "",
        meaning: "The `Host` the backend sees in place of the request's. Variables (`$…`) are not supported yet.",
    }];
    const ON_ERROR: OnError = OnError::Default;

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let text = from.text(KEY)?;
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
        if text.bytes().all(good) && text.len() <= 255 {
            return Some(Self(text.into()));
        }
        if text.contains('$') {
            from.reject(KEY, "has a variable, and those are not supported yet", "Write the host itself");
        } else {
            from.reject(KEY, "is no host", "Write a host such as `web.demo.svc.cluster.local`");
        }
        None
    }
}
