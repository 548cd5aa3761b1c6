//! The Service's own address in place of its endpoints.

use crate::annotation::{Doc, Family, OnError, Reader};

#[derive(Clone, Copy, Debug)]
pub(crate) struct ServiceUpstream;

pub(crate) const KEY: &str = "service-upstream";

impl Family for ServiceUpstream {
    const KEYS: &'static [Doc] = &[Doc {
        key: KEY,
        value: "boolean",
        default: "false",
        meaning: "Requests go to the Service's cluster address and port, which balances by itself. A headless Service's go to its endpoints; \
                  so do all where there is no cluster network (`paifang up`).",
    }];
    const ON_ERROR: OnError = OnError::Default;

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.flag(KEY)?.then_some(Self)
    }
}
