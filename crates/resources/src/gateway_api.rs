//! What Gateway API's kinds are made of.

pub use crate::kind::gateway_api::filter::{CorsFilter, HeaderModifier, HttpFilter, HttpFilterKind, NewPath, RedirectFilter};
pub use crate::kind::gateway_api::frontend::{ClientValidation, FrontendTls, ValidationMode};
pub use crate::kind::gateway_api::gateway::{GatewayAddress, Infrastructure, Listener, ListenerTls, TlsMode};
pub use crate::kind::gateway_api::http_route::{
    HttpMatch, HttpPathMatch, HttpRetry, HttpRule, HttpTimeouts, HttpValueMatch, Lost, ValueKind,
};
pub use crate::kind::gateway_api::{BackendRef, GATEWAY_GROUP, LabelSelector, Namespaces, ParentRef, Reference, StreamRule};
