//! Asking the API as somebody, and saying why it refused and who could help.

use crate::args::people::{AskArgs, WordArgs};
use crate::objects;
use anyhow::{Context, Error, Result, anyhow};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, PostParams};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tenancy::Kind;
use tenancy::names::{ALIAS, DESCRIPTION};

/// How long an object may take to become what was asked for.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);
const PAGE: u32 = 500;
const MANAGER: &str = "paifang";

/// An API, and who asks it.
pub(super) struct Asker {
    pub client: Client,
    pub config: kube::Config,
}

// === impl Asker ===

impl Asker {
    pub(super) async fn new(args: &AskArgs) -> Result<Self> {
        let mut config = objects::config(&args.server).await?;
        config.auth_info.impersonate.clone_from(&args.impersonate);
        Ok(Self { client: Client::try_from(config.clone())?, config })
    }

    /// Objects of a kind; of all namespaces where that is empty.
    pub(super) fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        match namespace {
            "" => Api::all_with(self.client.clone(), &kind.resource()),
            _ => Api::namespaced_with(self.client.clone(), namespace, &kind.resource()),
        }
    }

    /// Who asks.
    pub(super) async fn who(&self) -> Result<String> {
        let resource = resource("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews");
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {} });
        let answer =
            api.create(&PostParams::default(), &serde_json::from_value(review)?).await.map_err(|it| refusal(it, "be known", ""))?;
        Ok(answer.data.pointer("/status/userInfo/username").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// One's own User; `None` for who is no User, as an administrator with a certificate.
    pub(super) async fn own(&self) -> Result<Option<Value>> {
        let name = self.who().await?;
        match self.api(Kind::User, "").get_opt(&name).await {
            Ok(user) => Ok(user.map(|it| value(Kind::User, it)).transpose()?),
            // Who may get neither this nor another is none.
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
            Err(error) => Err(refusal(error, &format!("read the user {name}"), "")),
        }
    }

    pub(super) async fn list(&self, kind: Kind, namespace: &str, selector: &str) -> Result<Vec<Value>, kube::Error> {
        let api = self.api(kind, namespace);
        let (mut params, mut objects) = (ListParams::default().limit(PAGE), Vec::new());
        if !selector.is_empty() {
            params = params.labels(selector);
        }
        loop {
            let page = api.list(&params).await?;
            for item in page.items {
                objects.push(value(kind, item).map_err(kube::Error::SerdeError)?);
            }
            match page.metadata.continue_.filter(|it| !it.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(objects),
            }
        }
    }

    pub(super) async fn create(&self, kind: Kind, namespace: &str, mut object: Value) -> Result<DynamicObject, kube::Error> {
        object["apiVersion"] = kind.api_version().into();
        object["kind"] = kind.word().into();
        let object: DynamicObject = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
        let post = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        self.api(kind, namespace).create(&post, &object).await
    }

    /// Waits until an object is as wanted; `None` is an object that is not there.
    pub(super) async fn until<T>(
        &self,
        api: &Api<DynamicObject>,
        name: &str,
        wanted: impl Fn(Option<&DynamicObject>) -> Option<T>,
    ) -> Result<Option<T>> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let object = match api.get_opt(name).await {
                Ok(it) => it,
                Err(error) => return Err(refusal(error, &format!("see {name}"), "")),
            };
            if let Some(done) = wanted(object.as_ref()) {
                return Ok(Some(done));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(None)
    }
}

/// As it is printed: who manages which field is of no interest there.
pub(super) fn value(kind: Kind, mut object: DynamicObject) -> Result<Value, serde_json::Error> {
    object.metadata.managed_fields = None;
    let mut value = serde_json::to_value(&object)?;
    value["apiVersion"] = kind.api_version().into();
    value["kind"] = kind.word().into();
    Ok(value)
}

pub(super) fn resource(group: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", kind), plural)
}

/// Why the API refused `doing`, and `who` could do it.
pub(super) fn refusal(error: kube::Error, doing: &str, who: &str) -> Error {
    let kube::Error::Api(status) = &error else {
        return Error::new(error).context("the API server does not answer; is it running, and is this its kubeconfig?");
    };
    let message = status.message.trim_end_matches('.').to_owned();
    match status.code {
        401 => anyhow!("the API server does not know you; a session that has ended begins again with `paifang login`"),
        403 => {
            let help = if who.is_empty() { String::new() } else { format!("; {who}") };
            anyhow!("you may not {doing}{help}. The API says: {message}")
        }
        404 if message.contains("the server could not find the requested resource") || message.contains("page not found") => {
            anyhow!("the API server has no such kind of object; a platform admin installs them: paifang crds | kubectl apply -f -")
        }
        _ => anyhow!("cannot {doing}: {message}"),
    }
}

pub(super) fn is(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

/// `metadata` of a new object.
pub(super) fn metadata(name: &str, words: &WordArgs) -> Value {
    let mut metadata = json!({ "name": name });
    for (key, text) in [(ALIAS, &words.alias), (DESCRIPTION, &words.description)] {
        if let Some(text) = text {
            metadata["annotations"][key] = text.as_str().into();
        }
    }
    metadata
}

/// What the `Ready` condition says: its status, reason and message.
pub(super) fn ready(object: &DynamicObject) -> Option<(bool, String, String)> {
    let conditions = object.data.pointer("/status/conditions")?.as_array()?;
    let ready = conditions.iter().find(|it| it["type"] == "Ready")?;
    let text = |field: &str| ready[field].as_str().unwrap_or_default().to_owned();
    Some((ready["status"] == "True", text("reason"), text("message")))
}

/// Waits until it is ready, or says why it will not be.
pub(super) async fn until_ready(asker: &Asker, kind: Kind, namespace: &str, name: &str) -> Result<()> {
    let api = asker.api(kind, namespace);
    let verdict = asker
        .until(&api, name, |it| match it.and_then(ready)? {
            (true, ..) => Some(Ok(())),
            (false, reason, _) if matches!(reason.as_str(), "Pending" | "Deleting") => None,
            (false, reason, message) => Some(Err(anyhow!("{reason}: {message}"))),
        })
        .await?;
    verdict
        .ok_or_else(|| anyhow!("nothing has made it ready within {} s; does `paifang control` or `paifang up` run?", PATIENCE.as_secs()))?
}

/// Waits until it is gone.
pub(super) async fn until_gone(asker: &Asker, kind: Kind, namespace: &str, name: &str) -> Result<()> {
    let api = asker.api(kind, namespace);
    let began = Instant::now();
    loop {
        match api.get_opt(name).await {
            Ok(None) => return Ok(()),
            // With the last of its roles goes the right to look.
            Err(error) if is(&error, 403) => return Ok(()),
            Err(error) => return Err(error).context("cannot see whether it is gone"),
            Ok(Some(_)) if began.elapsed() >= PATIENCE => {
                return Err(anyhow!("{name} is being deleted, and holds something that is not gone yet"));
            }
            Ok(Some(_)) => tokio::time::sleep(LOOK).await,
        }
    }
}
