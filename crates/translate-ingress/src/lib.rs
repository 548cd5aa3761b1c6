//! (being written)
mod options;
use model::{GatewayId, Host, HostPattern};
pub use options::{ClassOptions, ClusterIps, Options, Others};
use resources::{Report, Resources, Scope};

/// One host of one gateway; `None`: nothing is served there.
pub fn translate_host(_: &Resources, _: &Options, _: &GatewayId, _: &Scope, _: &HostPattern) -> (Option<Host>, Vec<Report>) {
    (None, Vec::new())
}

/// The supported annotations, as a page.
pub fn reference_markdown() -> String {
    String::new()
}
