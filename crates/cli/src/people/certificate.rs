//! A client certificate from a cluster: asked for by a CertificateSigningRequest, approved by who asks, good for a person.
//!
//! The key is made here and goes nowhere but into the kubeconfig.

use super::ask::{Asker, refusal, resource};
use super::kubeconfig::Proof;
use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

const SIGNER: &str = "kubernetes.io/kube-apiserver-client";
const WHO: &str = "it takes a cluster admin: certificatesigningrequests, and `approve` of the signer kubernetes.io/kube-apiserver-client";

/// A certificate for `user`, and until when it is good.
pub(super) async fn request(asker: &Asker, user: &str, seconds: u64) -> Result<(Proof, String)> {
    let key = rcgen::KeyPair::generate().context("cannot make a key")?;
    let mut wanted = rcgen::CertificateParams::default();
    wanted.distinguished_name = rcgen::DistinguishedName::new();
    wanted.distinguished_name.push(rcgen::DnType::CommonName, user);
    let asked = wanted.serialize_request(&key).and_then(|it| it.pem()).context("cannot make the request")?;
    let resource = resource("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests");
    let api: Api<DynamicObject> = Api::all_with(asker.client.clone(), &resource);
    let object = json!({
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
        "metadata": { "generateName": format!("paifang-{user}-") },
        "spec": {
            "request": STANDARD.encode(asked), "signerName": SIGNER, "usages": ["client auth"],
            "expirationSeconds": seconds,
        },
    });
    let made = api.create(&PostParams::default(), &serde_json::from_value(object)?).await.map_err(|it| match super::ask::is(&it, 404) {
        true => anyhow!("this API gives neither tokens nor certificates to users"),
        false => refusal(it, "ask for a certificate", WHO),
    })?;
    let name = made.metadata.name.context("the request has a name")?;
    let signed = sign(asker, &api, &name).await;
    // It holds nothing secret, and nobody needs it any more.
    let _ = api.delete(&name, &DeleteParams::default()).await;
    let (chain, until) = signed?;
    Ok((Proof::Certificate { chain, key: key.serialize_pem() }, until))
}

async fn sign(asker: &Asker, api: &Api<DynamicObject>, name: &str) -> Result<(String, String)> {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let approved = json!({ "status": { "conditions": [{
        "type": "Approved", "status": "True", "reason": "PaifangUserKubeconfig", "message": "asked for by `paifang user kubeconfig`",
        "lastUpdateTime": now,
    }] } });
    let approve = api.patch_subresource("approval", name, &PatchParams::default(), &Patch::Merge(&approved)).await;
    approve.map_err(|it| refusal(it, "approve certificates", WHO))?;
    let certificate = |it: Option<&DynamicObject>| {
        let text = it?.data.pointer("/status/certificate").and_then(Value::as_str).filter(|it| !it.is_empty())?;
        String::from_utf8(STANDARD.decode(text).ok()?).ok()
    };
    let chain = asker.until(api, name, certificate).await?;
    let chain =
        chain.ok_or_else(|| anyhow!("nobody has signed the certificate; does the cluster's controller manager sign for {SIGNER}?"))?;
    Ok((chain, "its certificate ends".to_owned()))
}
