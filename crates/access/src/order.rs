//! Whose routes come first on a host that several APIs fill, as it is written.

use std::fmt;
use std::str::FromStr;
use translate::Frontend;

/// Where a running gateway says its route order: an annotation of its Service.
pub const ROUTE_ORDER: &str = "paifang.dev/route-order";

/// The APIs that routes come from, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteOrder(pub [Frontend; 3]);

const FRONTENDS: [(&str, Frontend); 3] =
    [("gateway-api", Frontend::GatewayApi), ("istio", Frontend::Istio), ("ingress", Frontend::Ingress)];

impl FromStr for RouteOrder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |word: &str| FRONTENDS.iter().find(|(name, _)| *name == word.trim()).map(|(_, it)| *it);
        let order: Vec<Frontend> = text.split(',').filter_map(named).collect();
        let each = FRONTENDS.iter().all(|(_, it)| order.contains(it));
        let order = <[Frontend; 3]>::try_from(order).ok().filter(|_| each && text.split(',').count() == 3);
        order.map(Self).ok_or_else(|| "write each of gateway-api, istio and ingress once, with commas between".into())
    }
}

impl fmt::Display for RouteOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |it: &Frontend| FRONTENDS.iter().find(|(_, known)| known == it).map_or("", |(name, _)| name);
        f.write_str(&self.0.iter().map(name).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_reads_back_as_it_is_written() {
        for order in ["gateway-api,istio,ingress", "ingress,gateway-api,istio"] {
            assert_eq!(order.parse::<RouteOrder>().expect(order).to_string(), order);
        }
    }
}
