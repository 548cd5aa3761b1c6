//! `paifang login`: a name and a password become a kubeconfig with a session token.

use super::kubeconfig::{Proof, save, write};
use super::secret::{self, From, Line};
use crate::Exit;
use crate::args::people::LoginArgs;
use crate::objects;
use anyhow::{Context, Result, anyhow, bail};
use kube::{Client, Config};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Runs the command.
///
/// # Errors
/// Why the API lets nobody in.
pub async fn run(args: &LoginArgs) -> Result<Exit> {
    let config = config(args).await?;
    let client = Client::try_from(config.clone())?;
    let mut from = if args.password_stdin { secret::lines() } else { secret::prompts()? };
    let user = match &args.user {
        Some(user) => user.clone(),
        None if args.password_stdin => bail!("say who you are: paifang login USER"),
        None => secret::line(&mut from, Line::User)?,
    };
    if !user.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.')) {
        bail!("{user:?} is no user's name: they have small letters, digits, - and .");
    }
    let password = secret::line(&mut from, Line::Password)?;
    let mut answer = post(&client, &json!({ "username": user, "password": password })).await;
    if reason(&answer) == "PasswordChangeRequired" {
        eprintln!("this password is good for choosing another");
        let new = choose(&mut from)?;
        answer = post(&client, &json!({ "username": user, "password": password, "newPassword": new })).await;
    }
    let answer = answer.map_err(|error| told(error, &user))?;
    let token = answer["token"].as_str().context("the API has sent no token")?;
    let file = match &args.file {
        Some(file) => file.clone(),
        None => home()?.join(".kube").join(format!("paifang-{user}")),
    };
    save(&file, &write(&config, &user, &Proof::Token(token.to_owned()))?)?;
    tell!("logged in as {user} until {}", answer["expirationTimestamp"].as_str().unwrap_or("its end"));
    tell!("export KUBECONFIG={}", file.display());
    Ok(Exit::Done)
}

/// The API of the kubeconfig, or the one named; in either case as nobody.
async fn config(args: &LoginArgs) -> Result<Config> {
    let Some(url) = &args.server_url else {
        let known = objects::config(&args.server).await?;
        let mut config = Config::new(known.cluster_url);
        config.root_cert = known.root_cert;
        config.accept_invalid_certs = known.accept_invalid_certs;
        config.tls_server_name = known.tls_server_name;
        config.proxy_url = known.proxy_url;
        return Ok(config);
    };
    let mut config = Config::new(url.parse().with_context(|| format!("{url} is no URL, such as https://127.0.0.1:6443"))?);
    if config.cluster_url.scheme_str() != Some("https") {
        bail!("{url}: a password goes only to https");
    }
    if let Some(path) = &args.certificate_authority {
        let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        config.root_cert = Some(certificates(&text).with_context(|| format!("{} holds no certificate in PEM", path.display()))?);
    }
    Ok(config)
}

fn certificates(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;
    let all: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(text).collect();
    all.ok().filter(|it| !it.is_empty()).map(|it| it.into_iter().map(|one| one.to_vec()).collect())
}

async fn post(client: &Client, body: &Value) -> Result<Value, kube::Error> {
    let request = http::Request::post("/login").header(http::header::CONTENT_TYPE, "application/json");
    client.request(request.body(body.to_string().into_bytes()).map_err(kube::Error::HttpError)?).await
}

fn reason(answer: &Result<Value, kube::Error>) -> &str {
    match answer {
        Err(kube::Error::Api(status)) => &status.reason,
        _ => "",
    }
}

fn choose(from: &mut From) -> Result<String> {
    let new = secret::line(from, Line::New)?;
    if matches!(from, From::Terminal(_)) && secret::line(from, Line::Again)? != new {
        bail!("the two are not the same; nothing has changed");
    }
    Ok(new)
}

fn told(error: kube::Error, user: &str) -> anyhow::Error {
    let kube::Error::Api(status) = &error else {
        return anyhow::Error::new(error).context("the API server does not answer; is it running, and is this its address?");
    };
    match status.code {
        401 => anyhow!("{user} cannot log in: the name or the password is wrong, or the user is suspended or has no password"),
        // Kubernetes lets nobody without a name ask for what it does not have.
        403 | 404 => anyhow!("this API has no login; ask a platform admin for a kubeconfig: paifang user kubeconfig {user}"),
        429 => anyhow!("too many tries: {}", status.message),
        _ => anyhow!("cannot log in: {}", status.message),
    }
}

fn home() -> Result<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|it| it.is_absolute());
    home.context("there is no home directory; say with --file where the kubeconfig goes")
}
