//! What several pods say, as what one gateway says. Pure.

use std::collections::BTreeMap;

use observe::Point;
use serde_json::Value;

use crate::endpoints::{Backend, Endpoint};

/// The sum of rows of numbers, in these points; `None`: they were written by a program that counts otherwise.
pub(crate) fn points(mut points: Vec<Point>, answers: &[Value]) -> Option<Vec<Point>> {
    for answer in answers {
        for row in answer.as_array()? {
            let numbers: Vec<u64> = row.as_array()?.iter().map(Value::as_u64).collect::<Option<_>>()?;
            let point = Point::of(&numbers)?;
            if let Some(sum) = points.iter_mut().find(|it| it.at == point.at) {
                sum.add(&point);
            }
        }
    }
    Some(points)
}

/// Each backend once, and each of its endpoints: requests under way are added up, and the trouble that any pod has is shown.
pub(crate) fn backends(answers: &[Value]) -> Vec<Backend> {
    let mut merged: BTreeMap<String, Backend> = BTreeMap::new();
    for backend in answers.iter().filter_map(Value::as_array).flatten() {
        let Some(id) = backend["backend"].as_str() else { continue };
        let sum = merged.entry(id.to_owned()).or_insert_with(|| Backend { id: id.to_owned(), ..Backend::default() });
        sum.connections = sum.connections.saturating_add(count(&backend["connections"]).unwrap_or(0));
        for endpoint in backend["endpoints"].as_array().into_iter().flatten() {
            let Some(address) = endpoint["address"].as_str() else { continue };
            let (in_flight, trouble) = (count(&endpoint["inFlight"]), endpoint["trouble"].as_str().map(str::to_owned));
            match sum.endpoints.iter_mut().find(|it| it.address == address) {
                None => sum.endpoints.push(Endpoint { address: address.to_owned(), in_flight, trouble }),
                Some(known) => {
                    known.in_flight = match (known.in_flight, in_flight) {
                        (Some(one), Some(other)) => Some(one.saturating_add(other)),
                        (one, other) => one.or(other),
                    };
                    known.trouble = known.trouble.take().or(trouble);
                }
            }
        }
    }
    merged.into_values().collect()
}

fn count(number: &Value) -> Option<u32> {
    number.as_u64().and_then(|it| u32::try_from(it).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(at: u64, connections: u64, requests: u64) -> Value {
        let mut numbers = Point { at, connections, ..Point::default() }.numbers();
        // An answer of 200 within the first bucket.
        (numbers[6], numbers[10], numbers[4]) = (requests, requests, 1_000 * requests);
        json!(numbers)
    }

    #[test]
    fn pods_are_added_up_point_by_point() {
        let empty = || vec![Point { at: 10, ..Point::default() }, Point { at: 15, ..Point::default() }];
        let answers = [json!([row(10, 1, 2), row(15, 2, 3)]), json!([row(15, 3, 4), row(20, 9, 9)]), json!([])];
        let sum = points(empty(), &answers).expect("it is read");
        let shown: Vec<_> = sum.iter().map(|it| (it.at, it.connections, it.counted.classes[1], it.counted.requests())).collect();
        assert_eq!(shown, [(10, 1, 2, 2), (15, 5, 7, 7)]);
        assert_eq!(sum[1].counted.mean(), Some(1.0));
        for nonsense in [json!([[1, 2]]), json!([row(10, 1, 1), "x"]), json!({}), json!([[10, -1]])] {
            assert_eq!(points(empty(), std::slice::from_ref(&nonsense)), None, "{nonsense}");
        }
    }

    #[test]
    fn endpoints_are_merged_by_their_address() {
        let endpoint = |address: &str, in_flight: Option<u32>, trouble: Option<&str>| json!({ "address": address, "inFlight": in_flight, "trouble": trouble });
        let answers = [
            json!([{ "backend": "shop/web:80", "connections": 2, "endpoints": [endpoint("10.0.0.1:80", Some(1), None), endpoint("10.0.0.2:80", None, None)] }]),
            json!([
                { "backend": "shop/web:80", "connections": 1, "endpoints": [endpoint("10.0.0.1:80", Some(4), Some("Refused")), endpoint("10.0.0.3:80", Some(1), None)] },
                { "backend": "shop/api:80", "connections": 0, "endpoints": [] },
            ]),
            json!("nonsense"),
        ];
        let merged = backends(&answers);
        let shown: Vec<_> = merged.iter().map(|it| (it.id.as_str(), it.connections, it.endpoints.len())).collect();
        assert_eq!(shown, [("shop/api:80", 0, 0), ("shop/web:80", 3, 3)]);
        let first = &merged[1].endpoints[0];
        assert_eq!((first.address.as_str(), first.in_flight, first.trouble.as_deref()), ("10.0.0.1:80", Some(5), Some("Refused")));
        assert_eq!((merged[1].endpoints[1].in_flight, merged[1].endpoints[2].in_flight), (None, Some(1)));
    }
}
