//! Where objects come from: files, or an API server.

use crate::args::{ObjectArgs, ServerArgs};
use access::{Gathered, Reach};
use anyhow::{Context, Result, bail};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use resources::load::{self, Loaded};
use serde_json::Value;
use std::collections::BTreeSet;
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

/// The objects of files, or of the API where none are named: those one may see.
pub(crate) async fn gather(args: &ObjectArgs, namespace: Option<&str>) -> Result<Gathered> {
    if args.files.is_empty() {
        return Ok(visible(&args.server, namespace).await?.gathered);
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

/// All objects of an API server.
pub(crate) async fn live(args: &ServerArgs) -> Result<Gathered> {
    let (client, api) = connect(config(args).await?)?;
    all(&client, api).await
}

/// All objects that a client finds. `api`: the API server's own socket.
///
/// # Errors
/// When it does not answer, or the client may not list a kind.
pub async fn all(client: &kube::Client, api: Option<SocketAddr>) -> Result<Gathered> {
    Ok(Gathered { objects: some(client, resources::Kind::ALL).await?, from: Reach::Api, api })
}

/// All objects of these kinds.
///
/// # Errors
/// As [`all`].
pub async fn some(client: &kube::Client, kinds: &[resources::Kind]) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for kind in kinds {
        match list_kind(client, *kind, "").await? {
            Listed::Objects(found) => objects.extend(found),
            Listed::Unknown => {}
            Listed::Forbidden(why) => bail!("cannot list {kind} objects: {why}"),
        }
    }
    Ok(objects)
}

/// What somebody may see of an API server.
pub(crate) struct Visible {
    pub gathered: Gathered,
    /// Where they may see anything; `None`: everywhere.
    pub namespaces: Option<BTreeSet<String>>,
}

/// The objects of an API server: all where one may list all, else those of one's projects and of `namespace`.
pub(crate) async fn visible(args: &ServerArgs, namespace: Option<&str>) -> Result<Visible> {
    let config = config(args).await?;
    let mut own: BTreeSet<String> = namespace.into_iter().chain([config.default_namespace.as_str()]).map(str::to_owned).collect();
    let (client, api) = connect(config.clone())?;
    let (mut objects, mut part) = (Vec::new(), None);
    for kind in resources::Kind::ALL {
        match list_kind(&client, *kind, "").await? {
            Listed::Objects(found) => objects.extend(found),
            Listed::Unknown => {}
            Listed::Forbidden(_) => {
                let seen = match &mut part {
                    Some(seen) => seen,
                    None => {
                        own.extend(crate::people::own_projects(&client, &config).await);
                        part.insert(BTreeSet::new())
                    }
                };
                for namespace in &own {
                    let found = list_in(&client, *kind, namespace).await?;
                    seen.extend(found.is_some().then(|| namespace.clone()));
                    objects.extend(found.into_iter().flatten());
                }
            }
        }
    }
    let from = if part.is_some() { Reach::Part } else { Reach::Api };
    Ok(Visible { gathered: Gathered { objects, from, api }, namespaces: part })
}

/// A client, and the API server's own socket where its address is known.
fn connect(config: kube::Config) -> Result<(kube::Client, Option<SocketAddr>)> {
    let url = &config.cluster_url;
    let ip = url.host().and_then(|it| it.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    let api = ip.zip(url.port_u16()).map(SocketAddr::from);
    Ok((kube::Client::try_from(config)?, api))
}

/// How to reach the API server, and as whom.
pub async fn config(args: &ServerArgs) -> Result<kube::Config> {
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

/// What listing a kind came to.
enum Listed {
    Objects(Vec<Value>),
    /// The server does not know the kind: its definition is not installed.
    Unknown,
    Forbidden(String),
}

/// One namespace's objects of a kind, and the namespace itself; `None`: one may not see them.
async fn list_in(client: &kube::Client, kind: resources::Kind, namespace: &str) -> Result<Option<Vec<Value>>> {
    if kind == resources::Kind::Namespace {
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource(kind, "v1"));
        return Ok(api.get_opt(namespace).await.ok().flatten().map(|it| value(kind, "v1", &it)).transpose()?.map(|it| vec![it]));
    }
    if kind.lives() == resources::Lives::Cluster {
        return Ok(None);
    }
    Ok(match list_kind(client, kind, namespace).await? {
        Listed::Objects(found) => Some(found),
        Listed::Unknown | Listed::Forbidden(_) => None,
    })
}

/// In the first version that the server has; of all namespaces where that is empty.
async fn list_kind(client: &kube::Client, kind: resources::Kind, namespace: &str) -> Result<Listed> {
    for version in kind.api_versions() {
        match list_version(client, kind, version, namespace).await? {
            Listed::Unknown => {}
            listed => return Ok(listed),
        }
    }
    Ok(Listed::Unknown)
}

fn resource(kind: resources::Kind, api_version: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind.word()), kind.plural())
}

fn value(kind: resources::Kind, api_version: &str, object: &DynamicObject) -> Result<Value> {
    let mut value = serde_json::to_value(object)?;
    value["apiVersion"] = api_version.into();
    value["kind"] = kind.word().into();
    Ok(value)
}

/// In pages.
async fn list_version(client: &kube::Client, kind: resources::Kind, api_version: &str, namespace: &str) -> Result<Listed> {
    let resource = resource(kind, api_version);
    let api: Api<DynamicObject> = match namespace {
        "" => Api::all_with(client.clone(), &resource),
        namespace => Api::namespaced_with(client.clone(), namespace, &resource),
    };
    let (mut params, mut objects) = (ListParams::default().limit(500), Vec::new());
    loop {
        let page = match api.list(&params).await {
            Ok(page) => page,
            Err(kube::Error::Api(status)) if status.code == 404 && objects.is_empty() => return Ok(Listed::Unknown),
            Err(kube::Error::Api(status)) if status.code == 403 => return Ok(Listed::Forbidden(status.message.clone())),
            Err(error) => return Err(error).with_context(|| format!("cannot list {kind} objects")),
        };
        for item in &page.items {
            objects.push(value(kind, api_version, item)?);
        }
        match page.metadata.continue_.filter(|it| !it.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(Listed::Objects(objects)),
        }
    }
}
