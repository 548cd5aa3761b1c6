//! Where objects come from: files, or an API server.

use crate::args::{ObjectArgs, ServerArgs};
use access::{Gathered, Reach};
use anyhow::{Context, Result, bail};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use resources::load::{self, Loaded};
use serde_json::Value;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// The largest file that is read.
const FILE_LIMIT: u64 = 64 << 20;

/// Files, the files of folders, and `-` for standard input, in this order.
pub(crate) fn texts(paths: &[PathBuf]) -> Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            texts.push(("<stdin>".to_owned(), read(std::io::stdin().lock(), "standard input")?));
            continue;
        }
        for file in files(path)? {
            let name = file.display().to_string();
            let open = std::fs::File::open(&file).with_context(|| format!("cannot read {name}"))?;
            texts.push((name.clone(), read(open, &name)?));
        }
    }
    Ok(texts)
}

fn read(from: impl Read, name: &str) -> Result<String> {
    let mut text = String::new();
    from.take(FILE_LIMIT + 1).read_to_string(&mut text).with_context(|| format!("cannot read {name}"))?;
    if text.len() as u64 > FILE_LIMIT {
        bail!("{name} is larger than {} MiB", FILE_LIMIT >> 20);
    }
    Ok(text)
}

/// The file itself, or the manifests in a folder, as `kubectl -f` takes them: not those of folders in it. None at all is a mistake in the name.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|it| it.ok().map(|it| it.path())).collect();
    files.retain(|it| it.is_file() && it.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json"));
    if files.is_empty() {
        bail!("{} has no .yaml, .yml or .json file; name its folders one by one if they have", path.display());
    }
    files.sort();
    Ok(files)
}

/// The objects of files, or of the API where none are named.
pub(crate) async fn gather(args: &ObjectArgs) -> Result<Gathered> {
    if args.files.is_empty() {
        return live(&args.server).await;
    }
    let mut objects = Vec::new();
    for (name, text) in texts(&args.files)? {
        let loaded: Vec<Loaded> = load::load(&name, &text).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow::anyhow!(lines.join("\n"))
        })?;
        objects.extend(loaded.into_iter().map(|it| it.object));
    }
    Ok(Gathered { objects, from: Reach::Files, api: None })
}

/// The objects of an API server.
pub(crate) async fn live(args: &ServerArgs) -> Result<Gathered> {
    let config = config(args).await?;
    let url = &config.cluster_url;
    let ip = url.host().and_then(|it| it.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    let api = ip.zip(url.port_u16()).map(SocketAddr::from);
    let objects = list(&kube::Client::try_from(config)?).await?;
    Ok(Gathered { objects, from: Reach::Api, api })
}

/// How to reach the API server, and as whom.
pub(crate) async fn config(args: &ServerArgs) -> Result<kube::Config> {
    let options = KubeConfigOptions { context: args.context.clone(), ..KubeConfigOptions::default() };
    let config = match &args.kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).with_context(|| format!("cannot read {}", path.display()))?;
            kube::Config::from_custom_kubeconfig(file, &options).await?
        }
        None if args.context.is_some() => kube::Config::from_kubeconfig(&options).await?,
        None => kube::Config::infer()
            .await
            .context("no API server is named; set KUBECONFIG as `paifang up` prints it, use --kubeconfig, or name files with -f")?,
    };
    Ok(config)
}

/// Every object of the kinds that are translated. A server may lack some: their definitions are not installed.
async fn list(client: &kube::Client) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for kind in resources::Kind::ALL {
        for version in kind.api_versions() {
            if let Some(found) = list_kind(client, *kind, version).await? {
                objects.extend(found);
                break;
            }
        }
    }
    Ok(objects)
}

/// In pages. `None`: the server does not know the kind in this version.
async fn list_kind(client: &kube::Client, kind: resources::Kind, api_version: &str) -> Result<Option<Vec<Value>>> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind.word()), kind.plural());
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let (mut params, mut objects) = (ListParams::default().limit(500), Vec::new());
    loop {
        let page = match api.list(&params).await {
            Ok(page) => page,
            Err(kube::Error::Api(status)) if status.code == 404 && objects.is_empty() => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot list {kind} objects")),
        };
        for item in &page.items {
            let mut object = serde_json::to_value(item)?;
            object["apiVersion"] = api_version.into();
            object["kind"] = kind.word().into();
            objects.push(object);
        }
        match page.metadata.continue_.filter(|it| !it.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(Some(objects)),
        }
    }
}
