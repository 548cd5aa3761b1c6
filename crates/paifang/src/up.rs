//! `paifang up`: everything on this machine, in one process.

use crate::admit;
use crate::backup::Backups;
use crate::console::{self, Socket};
use crate::fault::Fault;
use crate::people;
use crate::samples;
use crate::screen::{self, Screen};
use crate::serve::{self, Wanted};
use crate::sign_in;
use crate::signals;
use anyhow::Context;
use apiserver::FirstLogin;
use cli::Exit;
use cli::args::UpArgs;
use cli::args::names::DnsAddress;
use cli::text::Paint;
use control::{Node, Shape};
use std::net::SocketAddr;
use std::path::PathBuf;
use store::Store;

pub async fn run(args: UpArgs) -> Result<Exit, Fault> {
    signals::outlive_file_limits();
    let data_dir = data_dir(args.data_dir.clone())?;
    // Before anything is made: what is wrong with a flag must not leave half a first start.
    let (issuer, first_login) = (sign_in::issuer(&args.sign_in.issuer)?, sign_in::first_login(&args.sign_in)?);
    let elsewhere = console::elsewhere((&args.console, &args.sign_in.issuer), issuer.as_ref())?;
    let store = Store::open(&data_dir)?;
    let mut options = apiserver::Options::new(&data_dir);
    options.issuer = issuer;
    options.address = args.api_address;
    options.admit = Some(admit::admit(own(&args), args.translation.gateway_names.clone()));
    options.warn = admit::warn(args.demo);
    let api = apiserver::start(store.clone(), options).await?;
    let backups = Backups::listen(&data_dir, api.copies().clone());
    let result = serve(&args, &api, &first_login, elsewhere).await;
    if let Some(backups) = backups {
        backups.stop();
    }
    api.stop().await;
    store.close().await;
    result
}

/// Sockets of this process, as far as they are known before they are there.
fn own(args: &UpArgs) -> Vec<SocketAddr> {
    let console = args.console.address(args.port_offset);
    std::iter::once(args.api_address).chain(args.serving.admin_address.0).chain(console).collect()
}

async fn serve(
    args: &UpArgs,
    api: &apiserver::Running,
    first_login: &FirstLogin,
    elsewhere: Option<::console::Elsewhere>,
) -> Result<Exit, Fault> {
    let client = client(&api.keeper_kubeconfig).await?;
    let console = Socket::bind(&args.console, args.port_offset).await;
    let log = console::log(api);
    let wanted = Wanted {
        node_address: args.node_address,
        node_ports: &args.node_ports,
        pool: &args.pool,
        port_offset: args.port_offset,
        translation: &args.translation,
        serving: &args.serving,
        kept_log: console.address().map(|_| log.as_path()),
        names: &args.names,
        dns: args.dns_address.unwrap_or(DnsAddress::Ip(args.node_address)).socket(args.port_offset),
        shape: Shape::Up,
        istio: true,
    };
    let own = [api.local_addr].into_iter().chain(console.address()).collect();
    let mut serving = serve::start(client.clone(), &wanted, own).await?;
    let mut screen = Screen::new(Paint::of(&std::io::stderr()));
    let kubeconfig = api.kubeconfig_path.display().to_string();
    screen.write(&screen::head(&api.url, Some(&kubeconfig), serving.admin, screen.paint()));
    screen.write(&serving.named(&args.names, screen.paint()));
    // Told once, so not before it is sure that this start serves.
    if let Some(first) = api.first_login(first_login).await? {
        screen.write(&screen::first_login(&first, screen.paint()));
    }
    // Not before somebody can sign in.
    let console = console::start(console, (args, elsewhere), api, &client, (&mut serving, &screen)).await?;
    // After the first login: that one makes what marks a first start.
    serving.accompany(tenancy::run(client.clone()));
    let demo = match args.demo {
        true => Some(samples::start(&client).await?),
        false => None,
    };
    if let Some(demo) = &demo {
        let people = people::start(&client).await?;
        let text = screen::demo(demo, screen.paint()) + &screen::try_it(serving.plan.as_ref(), screen.paint());
        screen.after_first(text + &screen::people(&people, &kubeconfig, screen.paint()));
    }
    let node = Node { name: serve::instance(), address: args.node_address };
    let mut stand_ins = samples::stand_in(client, node, args.demo);
    let result = serving.run(&mut screen).await;
    screen.write("\nstopping: requests under way may finish\n");
    // Before the gateway and the API, which it asks.
    if let Some(console) = console {
        console.stop().await;
    }
    serving.stop().await;
    stand_ins.shutdown().await;
    if let Some(demo) = demo {
        demo.shutdown().await;
    }
    result.map(|()| Exit::Done)
}

async fn client(kubeconfig: &str) -> Result<kube::Client, Fault> {
    let file = kube::config::Kubeconfig::from_yaml(kubeconfig).context("the kubeconfig just made cannot be read")?;
    let config = kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await;
    let client = kube::Client::try_from(config.context("the kubeconfig just made cannot be used")?);
    Ok(client.context("cannot make a client of the API")?)
}

/// As asked, or where the XDG specification says.
pub fn data_dir(asked: Option<PathBuf>) -> Result<PathBuf, Fault> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let home = || absolute("HOME").map(|it| it.join(".local/share"));
    let found = asked.or_else(|| absolute("XDG_DATA_HOME").or_else(home).map(|it| it.join("paifang")));
    let found = found.ok_or_else(|| Fault::new(Exit::DataDir, "there is no home directory; say with --data-dir where objects are kept"))?;
    // The kubeconfig is shown and used from other directories.
    Ok(std::path::absolute(&found)?)
}
