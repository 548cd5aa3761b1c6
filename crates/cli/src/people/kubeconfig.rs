//! `paifang user kubeconfig`: a kubeconfig of somebody's own, by a token where the API gives some, else by a certificate.

use super::ask::{Asker, is, refusal};
use super::{certificate, user};
use crate::Exit;
use crate::args::people::KubeconfigArgs;
use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use tenancy::Kind;

/// How somebody proves who they are.
pub(super) enum Proof {
    Token(String),
    /// Both in PEM.
    Certificate {
        chain: String,
        key: String,
    },
}

/// Runs the command.
pub(super) async fn of_user(args: &KubeconfigArgs) -> Result<Exit> {
    let (asker, name) = (Asker::new(&args.ask).await?, &args.name);
    let api = asker.api(Kind::User, "");
    let who = "they themselves and a platform admin can";
    let found = api.get_opt(name).await.map_err(|it| refusal(it, &format!("see the user {name}"), who))?;
    let found = found.ok_or_else(|| anyhow!("there is no user {name}; make one: paifang user create {name}"))?;
    if found.data.pointer("/spec/suspended").is_some_and(|it| it == true) {
        return Err(anyhow!("{name} is suspended; first: paifang user resume {name}"));
    }
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": { "expirationSeconds": args.valid_for },
    });
    let (proof, until) = match user::post(&asker, name, "token", &request).await {
        Ok(answer) => {
            let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            (Proof::Token(text("/status/token")), text("/status/expirationTimestamp"))
        }
        Err(error) if is(&error, 404) => certificate::request(&asker, name, args.valid_for).await?,
        Err(error) => return Err(refusal(error, &format!("get a token for {name}"), who)),
    };
    let text = write(&asker.config, name, &proof)?;
    match &args.file {
        None => std::io::stdout().write_all(text.as_bytes())?,
        Some(path) => {
            save(path, &text)?;
            tell!("{}: {name}, until {until}", path.display());
        }
    }
    Ok(Exit::Done)
}

/// A kubeconfig for the API of `config`.
pub(super) fn write(config: &kube::Config, user: &str, proof: &Proof) -> Result<String> {
    let mut cluster = json!({ "server": config.cluster_url.to_string().trim_end_matches('/') });
    if let Some(roots) = &config.root_cert {
        cluster["certificate-authority-data"] = STANDARD.encode(roots.iter().map(|it| pem(it)).collect::<String>()).into();
    }
    if config.accept_invalid_certs {
        cluster["insecure-skip-tls-verify"] = true.into();
    }
    if let Some(name) = &config.tls_server_name {
        cluster["tls-server-name"] = name.as_str().into();
    }
    let proof = match proof {
        Proof::Token(token) => json!({ "token": token }),
        Proof::Certificate { chain, key } => {
            json!({ "client-certificate-data": STANDARD.encode(chain), "client-key-data": STANDARD.encode(key) })
        }
    };
    let name = "paifang";
    let value = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{ "name": name, "cluster": cluster }],
        "users": [{ "name": user, "user": proof }],
        "contexts": [{ "name": name, "context": { "cluster": name, "user": user } }],
        "current-context": name,
    });
    Ok(serde_saphyr::to_string(&value)?)
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).unwrap_or_default()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Writes a file that only its owner may read, in the place of one that is there.
pub(super) fn save(path: &Path, text: &str) -> Result<()> {
    let shown = path.display();
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = std::path::PathBuf::from(beside);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut it| it.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(|| format!("cannot write {shown}"))
}
