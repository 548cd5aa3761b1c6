//! What the embedded API warns of when an object is written: the problems that `paifang check` names and the object's events will.

use apiserver::{Admit, Review, Verb, Warn};
use model::Egress;
use resources::Severity;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use translate::{Naming, Options, Others};

/// What Kubernetes refuses, the API server refuses itself. All else is served as far as it goes, and said. `own`: sockets of this process that
/// no backend may name.
pub fn admit(own: Vec<SocketAddr>, naming: Naming) -> Admit {
    let options = options(own, naming);
    Arc::new(move |review: &Review<'_>| {
        let (Some(new), "") = (review.new, review.subresource) else { return Ok(Vec::new()) };
        if !matches!(review.verb, Verb::Create | Verb::Update | Verb::Patch) {
            return Ok(Vec::new());
        }
        Ok(warnings(new, &options))
    })
}

/// What the owner of a Deployment or Pod hears that nothing runs. `demo`: samples stand in for the images they are like.
pub fn warn(demo: bool) -> Warn {
    Arc::new(move |object| if control::runs_nothing(object, demo) { apiserver::no_containers(object) } else { Vec::new() })
}

fn options(own: Vec<SocketAddr>, naming: Naming) -> Options {
    let shared = control::shared_gateway(&naming);
    let mut options = Options::new(shared.id.clone());
    (options.gateways, options.naming) = (vec![shared], naming);
    options.ingress.classes.others = Others::NotAtHand;
    options.egress = Egress::new(own);
    options
}

fn warnings(object: &Value, options: &Options) -> Vec<String> {
    let problems = translate::check(std::slice::from_ref(object), options);
    problems.into_iter().filter(|(_, it)| it.severity != Severity::Note).map(|(_, it)| it.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_endpoint_that_is_our_own_socket_is_warned_of() {
        let annotations = json!({ translate::ENDPOINTS_ANNOTATION: "127.0.0.1:6443" });
        let metadata = json!({ "name": "web", "namespace": "demo", "annotations": annotations });
        let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": { "ports": [{ "port": 80 }] } });
        assert_eq!(warnings(&service, &options(vec![SocketAddr::from(([127, 0, 0, 1], 6443))], Naming::default())).len(), 1);
        assert_eq!(warnings(&service, &options(Vec::new(), Naming::default())).len(), 0);
    }
}
