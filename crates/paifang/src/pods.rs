//! `paifang control --gateway-image`: a cluster's objects, served by gateways in pods of their own.

use crate::fault::Fault;
use crate::screen::{self, Screen};
use crate::serve::{self, ACKS, Wanted};
use crate::signals;
use anyhow::Context;
use cli::Exit;
use cli::args::ControlArgs;
use cli::text::Paint;
use control::{Accounts, Ended, LinkAuthority, Outbox, Picture, Pods, Shape};
use kube::Client;
use model::Egress;
use observe::{Admin, Metrics};
use std::net::SocketAddr;
use std::sync::Arc;
use sync::Hub;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// The Service that leads to control, where nothing else is said.
const SERVICE: &str = "paifang-control";

/// Makes the gateways' objects, and keeps their pods as they are to be, until asked to stop. The pods serve on.
pub async fn control(client: Client, url: &str, args: &ControlArgs, image: &str) -> Result<Exit, Fault> {
    let link = LinkAuthority::begin(&client, &args.pods.namespace).await.context("the link to gateways has no authority")?;
    let listener = listen(args.pods.link_address).await?;
    let address = listener.local_addr()?;
    let wanted = wanted(args, pods(args, image, &link, address.port()));
    let admin = serve::admin(&args.serving).await?;
    let admin_address = admin.as_ref().map(Admin::address).transpose()?;
    let options = serve::options(&client, &wanted, Egress::default(), link.epoch).await?;
    let hub = Hub::new(link.epoch, std::iter::once(address).filter(|it| !it.ip().is_unspecified()).collect());
    let (outbox, (acknowledge, acks)) = (Outbox::default(), mpsc::channel(ACKS));
    let (show, mut picture) = watch::channel(Picture::default());
    let mut tasks = JoinSet::new();
    tasks.spawn(publish(outbox.clone(), hub.clone()));
    let acknowledging = hub.clone();
    tasks.spawn(async move { acknowledging.acknowledge(acknowledge).await });
    tasks.spawn(tenancy::run(client.clone()));
    if let Some(admin) = admin {
        let ready = picture.clone();
        tasks.spawn(admin.serve(Metrics::new(1), move || ready.borrow().ready));
    }
    let review = Accounts::new(client.clone(), picture.clone());
    let mut gateways = tokio::spawn(sync::serve(listener, link.authority, hub, review));
    let mut control = tokio::spawn(control::run(client, options, outbox, acks, show));
    let mut screen = Screen::new(Paint::of(&std::io::stderr()));
    screen.write(&screen::head(url, None, admin_address, screen.paint()));
    let mut stop = std::pin::pin!(signals::stop());
    let ended = loop {
        tokio::select! {
            () = &mut stop => break Ok(Exit::Done),
            ended = &mut control => break Err(ended.map_or_else(bug, |ended: Ended| Fault::failed(ended.to_string()))),
            ended = &mut gateways => break Err(ended.map_or_else(bug, |ended| match ended {
                Ok(()) => Fault::failed("gateways are not served any more"),
                Err(error) => Fault::failed(error.to_string()),
            })),
            changed = picture.changed() => if changed.is_ok() {
                let picture = picture.borrow_and_update().clone();
                screen.show(&picture);
            },
        }
    };
    screen.write("\nstopping: gateways serve on as they are\n");
    control.abort();
    gateways.abort();
    tasks.shutdown().await;
    ended
}

fn bug(error: tokio::task::JoinError) -> Fault {
    Fault::failed(format!("a bug: {error}"))
}

fn pods(args: &ControlArgs, image: &str, link: &LinkAuthority, port: u16) -> Pods {
    let own = || format!("{SERVICE}.{}.svc:{port}", args.pods.namespace);
    Pods {
        image: image.to_owned(),
        control: args.pods.link_target.clone().unwrap_or_else(own),
        authority: link.pem.clone(),
        audience: sync::AUDIENCE.to_owned(),
    }
}

fn wanted(args: &ControlArgs, pods: Pods) -> Wanted<'_> {
    Wanted {
        node_address: args.node_address,
        node_ports: &args.node_ports,
        pool: &args.pool,
        port_offset: 0,
        translation: &args.translation,
        serving: &args.serving,
        kept_log: None,
        names: &args.names,
        dns: None,
        // Once in the life of the process.
        shape: Shape::Pods(Box::leak(Box::new(pods))),
        istio: args.istio,
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Fault> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Fault::cannot_listen(format!("gateways cannot connect to {address}: {error}; choose another --link-address")))
}

async fn publish(outbox: Outbox, hub: Arc<Hub>) {
    loop {
        hub.publish(&outbox.take().await);
    }
}
