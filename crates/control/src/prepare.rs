//! Before the first listener: which addresses and ports the gateway had, and which it can have.

use crate::gateway::{Given, Plan, Request};
use crate::sockets::{self, SocketError};
use kube::api::DynamicObject;
use kube::{Api, Client};
use serde_json::{Value, json};
use status::{Kind, Target, Wish};
use std::collections::BTreeSet;
use std::time::Duration;

/// The longest wait for the API.
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("the API does not answer: {0}")]
    Api(#[from] kube::Error),
    #[error("{target} cannot be written: {source}")]
    Write { target: String, source: Box<status::WriteError> },
    #[error("the API does not answer within {} s", DEADLINE.as_secs())]
    Deadline,
}

/// The IngressClass made on a first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstClass {
    /// The one for Ingresses without a class: nobody else is there.
    Default,
    /// A cluster has its own default, or none on purpose.
    Named,
}

/// Reads the gateway's Service, finds sockets, and makes what is missing: the namespace, the Service, on a first start the IngressClass.
pub async fn prepare(client: &Client, request: &Request, controller: &str, first: FirstClass) -> Result<Plan, PrepareError> {
    tokio::time::timeout(DEADLINE, async {
        let services: Api<DynamicObject> = Api::namespaced_with(client.clone(), &request.namespace, &Kind::Service.resource());
        let service = services.get_opt(&request.name).await?.map(|it| serde_json::to_value(it).unwrap_or_default());
        let given = service.as_ref().map(Given::read).unwrap_or_default();
        let plan = sockets::find(request, &given, &BTreeSet::new())?;
        if service.is_none() {
            write(client, Target::new(Kind::Namespace, "", request.namespace.as_str()), Wish::Object(namespace(&request.namespace)))
                .await?;
            write(client, Target::new(Kind::IngressClass, "", CLASS), Wish::Object(class(controller, first))).await?;
        }
        let target = Target::new(Kind::Service, request.namespace.as_str(), request.name.as_str());
        write(client, target.clone(), Wish::Object(request.service(&plan))).await?;
        write(client, target, Wish::Addresses(plan.status())).await?;
        Ok(plan)
    })
    .await
    .map_err(|_| PrepareError::Deadline)?
}

/// The class made on a first start.
const CLASS: &str = "paifang";

async fn write(client: &Client, target: Target, wish: Wish) -> Result<(), PrepareError> {
    status::write(client, &target, &wish)
        .await
        .map_err(|source| PrepareError::Write { target: target.to_string(), source: Box::new(source) })
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { "app.kubernetes.io/managed-by": "paifang" } } })
}

fn class(controller: &str, first: FirstClass) -> Value {
    let default = if first == FirstClass::Default { "true" } else { "false" };
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {
            "name": CLASS,
            "labels": { "app.kubernetes.io/managed-by": "paifang" },
            "annotations": { "ingressclass.kubernetes.io/is-default-class": default },
        },
        "spec": { "controller": controller },
    })
}
