//! The commands and what they take. The reference page is made from this.

pub use access::{ROUTE_ORDER, RouteOrder};
use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{Collector, ServerHeader};
use pools::NODE_PORTS;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use translate::Naming;

pub mod console;
pub mod names;
pub mod people;
pub mod sign_in;

/// The gateway through which traffic enters a cluster, a project, or a single machine.
#[derive(Debug, Parser)]
#[command(name = "paifang", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// Exit codes, as `--help` and the reference print them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done, or stopped as asked
  1    it failed; `check`: problems were found; `explain URL`: a hop is broken
  2    the command line is not understood
  3    an address or port cannot be listened on
  4    the data directory cannot be used: not writable, or another paifang has it
  5    the data directory belongs to a newer version
  130  interrupted twice";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve on this machine: an embedded Kubernetes API, the control plane and the gateway in one process
    Up(Box<UpArgs>),
    /// Validate manifests without any server, or all objects of one
    Check(CheckArgs),
    /// Follow a URL from DNS to an endpoint and mark the broken hop; with a method, say which route answers, and why the others do not
    Explain(ExplainArgs),
    /// Show gateways, listeners, routes, and how each domain is reached
    Get(GetArgs),
    /// Print the CustomResourceDefinitions of Istio's, Gateway API's and Paifang's kinds, to install in a cluster
    Crds(CrdsArgs),
    /// Users: make, list, suspend, give a password or a kubeconfig
    User(people::UserArgs),
    /// Workspaces: projects and people that belong together
    Workspace(people::WorkspaceArgs),
    /// Projects: namespaces of a workspace
    Project(people::ProjectArgs),
    /// Roles, built-in ones and your own
    Role(people::RoleArgs),
    /// Make somebody a member of a project or a workspace, or take that back
    Invite(people::InviteArgs),
    /// Log in with a password: writes a kubeconfig
    Login(people::LoginArgs),
    /// Copy everything that `paifang up` keeps to a file, while it runs or not
    Backup(BackupArgs),
    /// Put a copy in the place of what `paifang up` keeps, while it runs or not
    Restore(RestoreArgs),
    /// Serve the console alone, in front of a cluster
    Console(Box<console::AloneArgs>),
    /// Run the sample backends: httpbin, a versioned hello, echo for WebSocket, gRPC, TCP and UDP
    Demo(DemoArgs),
    /// Print the version
    Version(VersionArgs),
    /// Serve a cluster's objects (experimental: control plane and gateway in one process on this host)
    #[command(hide = true)]
    Control(Box<ControlArgs>),
    /// Print a reference page
    #[command(hide = true)]
    Reference { page: Page },
}

#[derive(Args, Debug)]
pub struct UpArgs {
    /// Also start the sample backends and apply the sample objects
    #[arg(long)]
    pub demo: bool,
    /// Where objects are kept [default: $XDG_DATA_HOME/paifang, or ~/.local/share/paifang]
    #[arg(long, value_name = "DIR", env = "PAIFANG_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where the Kubernetes API listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6443")]
    pub api_address: SocketAddr,
    /// The address of node ports
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub node_address: IpAddr,
    /// Where node ports come from
    #[arg(long, value_name = "FROM-TO", default_value = "30000-32767", value_parser = port_range)]
    pub node_ports: RangeInclusive<u16>,
    /// Addresses for LoadBalancer: ranges with commas between, or `none`
    #[arg(long, value_name = "RANGES", default_value = "127.1.0.0/24")]
    pub pool: pools::Pool,
    /// Added to ports below 1024, for users who may not listen on them
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=64_000))]
    pub port_offset: u16,
    /// Where names are answered by DNS: an address, with or without a port, or `none` [default: the node address, port 53]
    #[arg(long, value_name = "ADDRESS")]
    pub dns_address: Option<names::DnsAddress>,
    #[command(flatten)]
    pub names: names::NamesArgs,
    #[command(flatten)]
    pub console: console::ConsoleArgs,
    #[command(flatten)]
    pub sign_in: sign_in::SignInArgs,
    #[command(flatten)]
    pub translation: TranslationArgs,
    #[command(flatten)]
    pub serving: ServingArgs,
}

/// What objects mean where several APIs meet.
#[derive(Args, Clone, Debug)]
pub struct TranslationArgs {
    /// Whose routes come first on a host that several APIs fill
    #[arg(long, value_name = "APIS", default_value = "gateway-api,istio,ingress")]
    pub route_order: RouteOrder,
    /// The `server` header of answers on routes of Istio's objects, class `istio` included: `backend` leaves the backend's own
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = IstioServerHeader::IstioEnvoy)]
    pub istio_server_header: IstioServerHeader,
    /// Where gateways are seen, and what their names begin with: a project's is `PREFIX-PROJECT`
    #[arg(long, value_name = "NAMESPACE/PREFIX", default_value = "kubesphere-controls-system/kubesphere-router", value_parser = gateway_names)]
    pub gateway_names: Naming,
    /// Where spans go of gateways that are traced and name no collector: OTLP, for example http://collector:4317
    #[arg(long, value_name = "URL", value_parser = translate::collector)]
    pub tracing_endpoint: Option<Collector>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IstioServerHeader {
    IstioEnvoy,
    None,
    Backend,
}

/// What every role that serves takes.
#[derive(Args, Debug)]
pub struct ServingArgs {
    /// One JSON line per request: a file, `-` for standard output, or `none`
    #[arg(long, value_name = "PATH", default_value = "none")]
    pub access_log: String,
    /// Metrics and health endpoints: an address, or `none`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090", value_parser = optional_address)]
    pub admin_address: OptionalAddress,
    /// Threads that serve requests [default: one per CPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// How long requests under way may take when stopping
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub drain: u64,
}

/// An address, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalAddress(pub Option<SocketAddr>);

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// YAML or JSON files, folders of them, or `-` for standard input
    #[arg(required_unless_present = "live", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Every object of an API server in place of files
    #[arg(long, conflicts_with = "files")]
    pub live: bool,
    #[command(flatten)]
    pub server: ServerArgs,
    /// For people, or for programs
    #[arg(short, long, value_enum, default_value_t = CheckOutput::Text)]
    pub output: CheckOutput,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckOutput {
    Text,
    Json,
}

#[derive(Args, Debug)]
#[command(override_usage = "paifang explain [OPTIONS] <URL>\n       paifang explain [OPTIONS] <METHOD> <URL>")]
pub struct ExplainArgs {
    /// For example GET; without it the URL is tried, as by --live
    #[arg(required_unless_present = "batch")]
    pub method: Option<String>,
    /// For example http://demo.kubesphere.io/path
    pub url: Option<String>,
    /// Requests from standard input, one JSON answer per line
    #[arg(long, hide = true, conflicts_with = "method")]
    pub batch: bool,
    /// Try every hop from here: name, address, port, certificate, then route and endpoint. No request is sent
    #[arg(long, conflicts_with_all = ["files", "batch"])]
    pub live: bool,
    /// Ask this DNS server where the name leads, in place of the system's resolver
    #[arg(long, value_name = "ADDRESS", value_parser = dns_server, conflicts_with_all = ["files", "batch"])]
    pub dns: Option<SocketAddr>,
    /// How long each hop may take
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub timeout: u64,
    /// A header of the request, `name: value`
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub headers: Vec<String>,
    /// Ask this gateway, where several listen at the port: its namespace and name, or its name
    #[arg(long, value_name = "NAME")]
    pub gateway: Option<String>,
    /// A namespace whose objects you may see, where you may not see all
    #[arg(short, long)]
    pub namespace: Option<String>,
    #[command(flatten)]
    pub objects: ObjectArgs,
    /// For people, or for programs
    #[arg(short, long, value_enum, default_value_t = CheckOutput::Text)]
    pub output: CheckOutput,
}

/// Where objects come from.
#[derive(Args, Debug)]
pub struct ObjectArgs {
    /// Look at these files in place of the API server
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Which API server.
#[derive(Args, Clone, Debug)]
pub struct ServerArgs {
    /// How to reach the API server [default: $KUBECONFIG, or ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Which context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

#[derive(Args, Debug)]
pub struct GetArgs {
    /// What to show
    #[arg(value_enum)]
    pub what: What,
    #[command(flatten)]
    pub objects: ObjectArgs,
    /// Objects of this namespace only [default: the context's, where it names one; else every one you may see]
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Objects of every namespace you may see
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// More columns, or for programs
    #[arg(short, long, value_enum)]
    pub output: Option<TableOutput>,
    /// Without the first line
    #[arg(long)]
    pub no_headers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Gateways: whose, how they are reached, whether they answer
    #[value(alias = "gateway", alias = "gw")]
    Gateways,
    /// Ports, and who asks for them
    #[value(alias = "listener")]
    Listeners,
    /// Routes: what requests they take, and where they lead
    #[value(alias = "route")]
    Routes,
    /// Domains and paths: where they are reached, a link, a line for a hosts file, a curl command
    Access,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableOutput {
    Wide,
    Json,
    Yaml,
    Name,
}

#[derive(Args, Debug)]
pub struct CrdsArgs {
    /// Those of one API only
    #[arg(long, value_enum)]
    pub api: Option<CrdApi>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CrdApi {
    GatewayApi,
    Istio,
    Paifang,
}

#[derive(Args, Debug)]
pub struct BackupArgs {
    /// The copy; it must not be there yet
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where objects are kept [default: as for `up`]
    #[arg(long, value_name = "DIR", env = "PAIFANG_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// A copy that `paifang backup` made
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where objects are kept [default: as for `up`]
    #[arg(long, value_name = "DIR", env = "PAIFANG_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Where the backends listen
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub address: IpAddr,
    /// The first of seven ports: httpbin, hello v1, hello v2, echo, gRPC, TCP, UDP; 0: any
    #[arg(long, value_name = "PORT", default_value_t = 8000, value_parser = clap::value_parser!(u16).range(..=65529))]
    pub port: u16,
}

#[derive(Args, Debug)]
pub struct VersionArgs {
    /// For people, or for programs
    #[arg(short, long, value_enum, default_value_t = CheckOutput::Text)]
    pub output: CheckOutput,
}

#[derive(Args, Debug)]
pub struct ControlArgs {
    /// Serve from this process
    #[arg(long, required_unless_present = "gateway_image", conflicts_with = "gateway_image")]
    pub gateway_in_process: bool,
    #[command(flatten)]
    pub pods: PodsArgs,
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub node_address: IpAddr,
    #[arg(long, value_name = "FROM-TO", default_value = "30000-32767", value_parser = port_range)]
    pub node_ports: RangeInclusive<u16>,
    #[arg(long, value_name = "RANGES", default_value = "none")]
    pub pool: pools::Pool,
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=64_000))]
    pub port_offset: u16,
    /// Also take Istio's part: its objects, classes named `istio`, and its gateway's Service
    #[arg(long)]
    pub istio: bool,
    /// Where names are answered by DNS: an address, with or without a port, or `none`
    #[arg(long, value_name = "ADDRESS", default_value = "none")]
    pub dns_address: names::DnsAddress,
    #[command(flatten)]
    pub names: names::NamesArgs,
    #[command(flatten)]
    pub translation: TranslationArgs,
    #[command(flatten)]
    pub serving: ServingArgs,
}

/// Gateways in pods of their own.
#[derive(Args, Debug)]
pub struct PodsArgs {
    /// Run each gateway in pods of its own, of this image of `paifang-gateway`
    #[arg(long, value_name = "IMAGE")]
    pub gateway_image: Option<String>,
    /// Where those pods connect to
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:7443")]
    pub link_address: SocketAddr,
    /// How they reach that address [default: Service `paifang-control` in control's namespace]
    #[arg(long, value_name = "HOST:PORT")]
    pub link_target: Option<String>,
    /// Control's own namespace: it keeps there what it proves itself to pods with
    #[arg(long, value_name = "NAME", default_value = "paifang-system")]
    pub namespace: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Page {
    /// The commands and their options.
    Cli,
    /// Annotations of Ingresses.
    Annotations,
    /// Gateway API: order, conditions, features.
    GatewayApi,
    /// Istio: order, conditions, fields.
    Istio,
    /// Verbs, kinds and patch types of the embedded API.
    Api,
    /// Metrics.
    Metrics,
}

impl TranslationArgs {
    /// Takes these into what translation is told.
    pub fn apply(&self, options: &mut translate::Options) {
        options.order = self.route_order.0;
        options.naming = self.gateway_names.clone();
        options.collector = self.tracing_endpoint.clone();
        options.set_istio_server(match self.istio_server_header {
            IstioServerHeader::IstioEnvoy => ServerHeader::Set("istio-envoy".into()),
            IstioServerHeader::None => ServerHeader::Remove,
            IstioServerHeader::Backend => ServerHeader::Keep,
        });
    }
}

/// The longest prefix: after it there must be room for a project, or for most of it.
const LONGEST_PREFIX: usize = 32;

fn gateway_names(text: &str) -> Result<Naming, String> {
    let (namespace, prefix) = text.split_once('/').ok_or("write NAMESPACE/PREFIX, for example edge/gateway")?;
    let is_label = |it: &str| {
        let ends = |it: Option<char>| it.is_some_and(|it| it != '-');
        let char = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
        it.len() <= 63 && it.chars().all(char) && ends(it.chars().next()) && ends(it.chars().last())
    };
    if !is_label(namespace) {
        return Err(format!("`{namespace}` is no name of a namespace"));
    }
    // A Service's name begins with a letter.
    if !is_label(prefix) || prefix.len() > LONGEST_PREFIX || !prefix.starts_with(|it: char| it.is_ascii_lowercase()) {
        return Err(format!("`{prefix}` is no beginning of a Service's name; it may have {LONGEST_PREFIX} characters"));
    }
    Ok(Naming { namespace: namespace.into(), prefix: prefix.into() })
}

/// A part of what Kubernetes knows as node ports.
fn port_range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    match (from.trim().parse::<u16>(), to.trim().parse::<u16>()) {
        (Ok(from), Ok(to)) if from < to && NODE_PORTS.contains(&from) && NODE_PORTS.contains(&to) => Ok(from..=to),
        _ => Err("write two ports, the first and the last of a part of 30000-32767".into()),
    }
}

/// Port 53 where none is written.
fn dns_server(text: &str) -> Result<SocketAddr, String> {
    let plain = || text.parse::<IpAddr>().map(|it| SocketAddr::new(it, 53));
    text.parse()
        .or_else(|_| plain())
        .map_err(|_| "write an address, with or without a port, for example 127.0.0.1 or 127.0.0.1:10053".into())
}

fn optional_address(text: &str) -> Result<OptionalAddress, String> {
    if text == "none" {
        return Ok(OptionalAddress(None));
    }
    text.parse().map(|it| OptionalAddress(Some(it))).map_err(|_| "write an address and port, for example 127.0.0.1:9090, or none".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_expose_nothing() {
        let cli = Cli::try_parse_from(["paifang", "up"]).expect("no option is required");
        let Command::Up(up) = cli.command else { panic!("up is up") };
        let admin = up.serving.admin_address.0.expect("an admin address");
        assert!([up.api_address.ip(), up.node_address, admin.ip()].iter().all(IpAddr::is_loopback));
    }

    #[test]
    fn gateways_are_named_in_one_setting() {
        let named = gateway_names("edge/gw").expect("it is understood");
        assert_eq!((named.namespace.as_str(), named.prefix.as_str()), ("edge", "gw"));
        for bad in ["edge", "edge/", "/gw", "edge/1gw", "Edge/gw", "edge/gw-", "edge/a/b", &format!("edge/{}", "a".repeat(33))] {
            assert!(gateway_names(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "up --pool everything",
            "up --node-ports 5",
            "up --node-ports 29000-30010",
            "up --admin-address here",
            "up --workers 0",
            "up --route-order istio,ingress",
            "up --route-order istio,istio,ingress",
            "up --route-order istio,ingress,gateway-api,nginx",
            "up --istio-server-header envoy",
            "check",
            "check --live file.yaml",
            "explain",
            "explain --live -f a.yaml http://demo.test/",
            "get access -A -n demo",
        ] {
            let error = Cli::try_parse_from(["paifang"].into_iter().chain(line.split(' '))).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
