//! `paifang get`: gateways, what is served, and how it is reached, in columns.

mod access;
mod gateways;
mod served;

use crate::Exit;
use crate::args::{GetArgs, TableOutput, What};
use crate::objects::{self, Visible};
use crate::text::{Paint, safe, table};
use ::access::{Gathered, Reach, Served};
use anyhow::{Result, bail};
use model::ObjectRef;
use resources::Kind;
use serde_json::{Value, json};
use std::io::Write;

/// A line of the table, and the same for programs.
struct Row {
    /// As `-o name` says it.
    name: String,
    cells: Vec<String>,
    wide: Vec<String>,
    json: Value,
}

/// What is shown.
struct Shown {
    header: Vec<&'static str>,
    wide: &'static [&'static str],
    rows: Vec<Row>,
    /// Behind the table.
    more: String,
    /// Said where there is no row.
    none: String,
}

/// Runs the command.
pub async fn run(args: &GetArgs) -> Result<Exit> {
    let (gathered, namespace) = gather(args).await?;
    let paint = Paint::of(&std::io::stdout());
    let shown = match args.what {
        What::Gateways if gathered.from != Reach::Files => gateways::show(&gathered, namespace.as_deref()),
        What::Gateways => served::gateways(&Served::new(&gathered)),
        What::Listeners => served::listeners(&Served::new(&gathered)),
        What::Routes => served::routes(&Served::new(&gathered), namespace.as_deref()),
        What::Access => access::show(&gathered, namespace.as_deref(), paint),
    };
    shown.print(args)?;
    Ok(Exit::Done)
}

/// The objects, and the namespace that is meant; `None`: every one.
async fn gather(args: &GetArgs) -> Result<(Gathered, Option<String>)> {
    if !args.objects.files.is_empty() {
        return Ok((objects::gather(&args.objects, None).await?, args.namespace.clone()));
    }
    let server = &args.objects.server;
    let context = objects::config(server).await?.default_namespace;
    let meant = args.namespace.clone().or_else(|| (context != "default" && !args.all_namespaces).then_some(context));
    let Visible { gathered, namespaces } = objects::visible(server, meant.as_deref()).await?;
    if let (Some(seen), Some(meant)) = (&namespaces, &meant)
        && !seen.contains(meant)
    {
        bail!(
            "you may see nothing in namespace {meant}; an admin of the project can invite you: paifang invite YOU --project {meant} --role viewer"
        );
    }
    if namespaces.is_some_and(|it| it.is_empty()) {
        bail!(
            "you may see no namespace: you are a member of no project; an admin of one can invite you: paifang invite YOU --project NAME --role viewer"
        );
    }
    Ok((gathered, meant))
}

/// As kubectl names an object, for example `ingress.networking.k8s.io/web`.
fn object_name(object: &ObjectRef) -> String {
    let kind = Kind::ALL.iter().find(|it| it.name() == object.kind.as_str());
    let word = kind.map_or(object.kind.as_str(), |it| it.word()).to_ascii_lowercase();
    match kind.and_then(|it| it.api_versions().first()?.split_once('/')) {
        Some((group, _)) => format!("{word}.{group}/{}", object.name),
        None => format!("{word}/{}", object.name),
    }
}

fn or_none(cell: String) -> String {
    if cell.is_empty() { "<none>".to_owned() } else { cell }
}

// === impl Shown ===

impl Shown {
    fn print(&self, args: &GetArgs) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let items = || json!({ "items": self.rows.iter().map(|it| &it.json).collect::<Vec<_>>() });
        match args.output {
            Some(TableOutput::Json) => writeln!(out, "{}", serde_json::to_string_pretty(&items())?)?,
            Some(TableOutput::Yaml) => writeln!(out, "{}", serde_saphyr::to_string(&items())?.trim_end())?,
            Some(TableOutput::Name) => {
                let mut names: Vec<&str> = self.rows.iter().map(|it| it.name.as_str()).collect();
                names.dedup();
                for name in names {
                    writeln!(out, "{}", safe(name))?;
                }
            }
            None | Some(TableOutput::Wide) if self.rows.is_empty() => eprintln!("{}", self.none),
            None | Some(TableOutput::Wide) => {
                let is_wide = args.output == Some(TableOutput::Wide);
                let header: Vec<&str> = self.header.iter().chain(self.wide.iter().filter(|_| is_wide)).copied().collect();
                let cells = |it: &Row| it.cells.iter().chain(it.wide.iter().filter(|_| is_wide)).map(|it| safe(it)).collect();
                let rows: Vec<Vec<String>> = self.rows.iter().map(cells).collect();
                write!(out, "{}{}", table((!args.no_headers).then_some(&header), &rows), self.more)?;
            }
        }
        Ok(())
    }
}
