//! What Istio's kinds are made of.

pub use crate::kind::istio::destination_rule::{ConnectionPool, Subset, TrafficPolicy, Upstream};
pub use crate::kind::istio::gateway::{Clients, Credential, Family, Server, ServerHost, ServerTls, Serves};
pub use crate::kind::istio::headers::{HeaderEdits, Headers};
pub use crate::kind::istio::http_match::{GatewayName, HttpMatch};
pub use crate::kind::istio::http_rule::{
    CorsPolicy, DirectResponse, HttpFault, HttpMirror, HttpRedirect, HttpRetries, HttpRewrite, HttpRule, HttpShare, PortOf, RetryToken,
};
pub use crate::kind::istio::virtual_service::{L4Match, TcpRule, TlsMatch, TlsRule};
pub use crate::kind::istio::{Destination, ExportTo, IstioHost, ServiceHost, Share, StringMatch, Visibility};
