//! Gateway API's kinds, standard channel of v1.6.

pub(crate) mod class;
pub(crate) mod gateway;
pub(crate) mod grant;
pub(crate) mod http_route;
pub(crate) mod tcp_route;
pub(crate) mod tls_route;
