//! What is made on a first start, once: classes. One that its owner deletes is not forced back.

use crate::gateway::{CONTROLLER, GATEWAY_CONTROLLER, ISTIO_CONTROLLER, ISTIO_GATEWAY_CONTROLLER};
use crate::gateways::Shape;
use crate::prepare::PrepareError;
use crate::services::{MANAGED_BY, MANAGER};
use kube::api::{DynamicObject, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use status::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// On the shared gateway's Service: which classes have been made.
pub(crate) const MADE: &str = "paifang.dev/classes";
/// What a start made before there was that annotation.
const BEFORE: &str = "IngressClass/paifang";

/// Annotations.
pub(crate) type Notes = BTreeMap<String, String>;

/// What a start is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    pub shape: Shape,
    /// Whether there are to be classes called `istio` too.
    pub istio: bool,
    /// This machine's name.
    pub host: String,
    /// Annotations of the shared gateway's own Service, for those who look from elsewhere.
    pub notes: BTreeMap<String, String>,
}

/// Makes the classes that no earlier start has made; the service's annotation as it is from here on. A kind that the server does not have
/// is left for a later start.
pub(crate) async fn first_objects(client: &Client, service: Option<&Value>, first: &First) -> Result<String, PrepareError> {
    let annotation = service.map(|it| it.pointer("/metadata/annotations").and_then(|it| it.get(MADE)?.as_str()).unwrap_or(BEFORE));
    let mut made: BTreeSet<String> = annotation.unwrap_or_default().split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    let due: Vec<(Kind, Value)> = classes(first).into_iter().filter(|(kind, it)| !made.contains(&word(*kind, it))).collect();
    let results = futures::future::join_all(due.iter().map(|(kind, class)| make(client, *kind, class))).await;
    for ((kind, class), result) in due.iter().zip(results) {
        if result? {
            made.insert(word(*kind, class));
        }
    }
    Ok(made.into_iter().collect::<Vec<_>>().join(" "))
}

/// The classes that are due once the server has their kinds, and takes note of them. Of a kind that is no longer there everything is forgotten:
/// its objects went with it, and nobody decided that.
pub(crate) fn due(first: &First, notes: &mut Notes, has: impl Fn(Kind) -> bool) -> Vec<(Kind, Value)> {
    let made = notes.get(MADE).map(String::as_str).unwrap_or_default();
    let mut made: BTreeSet<String> = made.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    let (there, gone): (Vec<_>, Vec<_>) = classes(first).into_iter().partition(|(kind, _)| has(*kind));
    for (kind, class) in gone {
        made.remove(&word(kind, &class));
    }
    let due = there.into_iter().filter(|(kind, class)| made.insert(word(*kind, class))).collect();
    notes.insert(MADE.to_owned(), made.into_iter().collect::<Vec<_>>().join(" "));
    due
}

fn word(kind: Kind, class: &Value) -> String {
    format!("{kind}/{}", class.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default())
}

/// `false`: the server has no such kind. One that is there already stays as it is.
async fn make(client: &Client, kind: Kind, class: &Value) -> Result<bool, PrepareError> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind.resource());
    let object: DynamicObject = serde_json::from_value(class.clone()).map_err(kube::Error::SerdeError)?;
    match api.create(&PostParams::default(), &object).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn classes(first: &First) -> Vec<(Kind, Value)> {
    let default = if first.shape == Shape::Up { "true" } else { "false" };
    let mut own = ingress_class("paifang", CONTROLLER);
    own["metadata"]["annotations"] = json!({ "ingressclass.kubernetes.io/is-default-class": default });
    let mut classes = vec![(Kind::IngressClass, own), (Kind::GatewayClass, gateway_class("paifang", GATEWAY_CONTROLLER))];
    if first.istio {
        classes.push((Kind::IngressClass, ingress_class("istio", ISTIO_CONTROLLER)));
        classes.push((Kind::GatewayClass, gateway_class("istio", ISTIO_GATEWAY_CONTROLLER)));
    }
    classes
}

fn ingress_class(name: &str, controller: &str) -> Value {
    json!({ "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": metadata(name), "spec": { "controller": controller } })
}

fn gateway_class(name: &str, controller: &str) -> Value {
    let spec = json!({ "controllerName": controller });
    json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": metadata(name), "spec": spec })
}

fn metadata(name: &str) -> Value {
    json!({ "name": name, "labels": { MANAGED_BY: MANAGER } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_due_once_for_each_time_that_its_kind_comes() {
        let first = First { shape: Shape::Cluster, istio: true, host: "here".into(), notes: BTreeMap::new() };
        let mut notes = Notes::from([(MADE.to_owned(), BEFORE.to_owned())]);
        let mut look = |there: bool| {
            let found = due(&first, &mut notes, |kind| there || kind == Kind::IngressClass);
            found.iter().map(|(kind, it)| word(*kind, it)).collect::<Vec<_>>()
        };
        assert_eq!(look(false), ["IngressClass/istio"]);
        assert_eq!(look(true), ["GatewayClass/paifang", "GatewayClass/istio"]);
        assert_eq!(look(true), Vec::<String>::new(), "one that its owner deletes is not forced back");
        assert_eq!(look(false), Vec::<String>::new());
        assert_eq!(look(true).len(), 2, "the kind went with its objects, and came back");
    }
}
