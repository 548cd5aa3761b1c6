//! One file per annotation family.

pub(crate) mod backend_protocol;
pub(crate) mod canary;
pub(crate) mod error_pages;
pub(crate) mod https_redirect;
pub(crate) mod refused;
pub(crate) mod rewrite_target;
pub(crate) mod service_upstream;
pub(crate) mod upstream_vhost;
pub(crate) mod use_regex;
