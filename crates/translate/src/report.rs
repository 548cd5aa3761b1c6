//! What is said about an object as a whole, in its `status`.

use crate::{Options, requests};
use model::ObjectRef;
use resources::{Kind, Report, Resources};

/// Whether objects of a kind have a status of ours that is more than addresses.
pub fn has_status(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::GatewayClass
            | Kind::Gateway
            | Kind::HttpRoute
            | Kind::TlsRoute
            | Kind::TcpRoute
            | Kind::IstioGateway
            | Kind::VirtualService
            | Kind::DestinationRule
            | Kind::IngressGateway
            | Kind::KubesphereGateway
    )
}

/// The report that has an object's `status`. `None`: there is nothing to say, it is not ours or not there.
pub fn report(resources: &Resources, options: &Options, object: &ObjectRef) -> Option<Report> {
    match Kind::named(&object.kind)? {
        Kind::IstioGateway | Kind::VirtualService | Kind::DestinationRule => {
            translate_istio::report(resources, &options.istio, &options.gateways, object)
        }
        Kind::GatewayClass | Kind::Gateway | Kind::HttpRoute | Kind::TlsRoute | Kind::TcpRoute => {
            translate_gateway_api::report(resources, &options.gateway_api, &options.gateways, object)
        }
        Kind::IngressGateway | Kind::KubesphereGateway => requests::report(resources, options, object),
        _ => None,
    }
}
