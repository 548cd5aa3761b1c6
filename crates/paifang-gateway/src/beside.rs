//! What a pod tells those who forward a port of it: `paifang console`, in front of a cluster.
//!
//! | path | |
//! |---|---|
//! | `/history?gateway=&at=&step=&count=` | rows of numbers, as [`Point::numbers`] has them: what was counted in the last hour |
//! | `/endpoints?gateway=&kind=&namespace=&name=` | how the endpoints behind an object's routes fare |

use model::{GatewayId, ObjectRef};
use observe::History;
use proxy::{EndpointFares, Fares};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::plane::Plane;

/// The most points: an hour of them.
const MOST: usize = 720;

/// What is answered.
pub struct Told {
    pub plane: Arc<Plane>,
    pub history: Arc<History>,
}

// === impl Told ===

impl Told {
    pub fn answer(&self, target: &str) -> Option<String> {
        let (path, query) = target.split_once('?')?;
        let query: BTreeMap<&str, &str> = query.split('&').filter_map(|it| it.split_once('=')).collect();
        match path {
            "/history" => self.history(&query),
            "/endpoints" => self.endpoints(&query),
            _ => None,
        }
        .map(|it| it.to_string())
    }

    /// Without traffic there are no rows.
    fn history(&self, query: &BTreeMap<&str, &str>) -> Option<Value> {
        let number = |name: &str| query.get(name)?.parse::<u64>().ok();
        let count = usize::try_from(number("count")?).ok().filter(|it| (1..=MOST).contains(it))?;
        let points =
            self.history.points(&GatewayId::new(*query.get("gateway")?), number("at")?, Duration::from_secs(number("step")?), count);
        Some(json!(points.unwrap_or_default().iter().map(observe::Point::numbers).collect::<Vec<_>>()))
    }

    fn endpoints(&self, query: &BTreeMap<&str, &str>) -> Option<Value> {
        let word = |name: &str| query.get(name).copied();
        let object = ObjectRef::new(word("kind")?, word("namespace")?, word("name")?);
        let fares = self.plane.fares(&GatewayId::new(word("gateway")?), &object);
        Some(json!(fares.iter().map(shown).collect::<Vec<_>>()))
    }
}

fn shown(fares: &Fares) -> Value {
    let endpoint = |it: &EndpointFares| json!({ "address": it.address.to_string(), "inFlight": it.in_flight, "trouble": it.trouble.map(|it| it.word()) });
    json!({
        "backend": fares.backend.to_string(), "connections": fares.connections,
        "endpoints": fares.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use observe::Point;

    fn told() -> Told {
        let plane = Arc::new(Plane::start(proxy::Options::default(), Vec::new()).expect("it starts"));
        Told { history: Arc::new(History::new(plane.metrics())), plane }
    }

    #[test]
    fn what_was_counted_is_told_as_exactly_as_it_is_known() {
        let told = told();
        let gateway = GatewayId::new("edge/gateway");
        let route = told.plane.metrics().route(&gateway, &ObjectRef::new("Ingress", "shop", "web"));
        let measured = observe::Measured { status: 200, reason: None, duration: Duration::from_millis(3), received: 1, sent: 2 };
        told.history.tick(1_000);
        route.record(0, &measured);
        told.history.tick(1_005);
        route.record(0, &measured);
        told.history.tick(1_010);
        let said = told.answer("/history?gateway=edge/gateway&at=1010&step=5&count=3").expect("an answer");
        let rows: Vec<Vec<u64>> = serde_json::from_str(&said).expect("JSON");
        let points: Vec<Point> = rows.iter().map(|it| Point::of(it).expect("a point")).collect();
        assert_eq!(Some(points), told.history.points(&gateway, 1_010, Duration::from_secs(5), 3));
        assert!(rows.iter().any(|it| it.contains(&1)), "{rows:?}");
        assert_eq!(told.answer("/history?gateway=other&at=1010&step=5&count=3").as_deref(), Some("[]"));
    }

    #[test]
    fn what_cannot_be_read_is_not_answered() {
        let told = told();
        for target in [
            "/",
            "/history",
            "/history?gateway=a&at=1&step=5",
            "/history?gateway=a&at=1&step=5&count=0",
            "/history?gateway=a&at=1&step=5&count=721",
            "/history?gateway=a&at=x&step=5&count=1",
            "/endpoints?gateway=a&kind=Ingress&name=web",
            "/more?gateway=a",
        ] {
            assert_eq!(told.answer(target), None, "{target}");
        }
        assert_eq!(told.answer("/endpoints?gateway=a&kind=Ingress&namespace=shop&name=web").as_deref(), Some("[]"));
    }
}
