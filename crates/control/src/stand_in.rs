//! Deployments where no container runs: each is told so, or something answers in the place of its Pods.
//!
//! A loop of its own beside the main one, which sees nothing of it but Pods and EndpointSlices, as if a cluster had made them. It is no
//! container runtime: what answers is one of the samples, and whoever starts the loop says how one is started.
//!
//! ```text
//! Watch: Deployments, Services, Pods, EndpointSlices ──► Desk ──► which Pods are to be stood in for ──► Start
//!                                                         │ ▲                                            │ where it answers
//!                                                         │ └────────────────────────────────────────────┘
//!                                                         └──► Mailbox: Pods, EndpointSlices, statuses
//! ```
//!
//! **Invariant:** a Deployment is available only once its Pods and their EndpointSlices have been seen.

mod desk;
mod objects;
mod sample;

pub use objects::runs_nothing;
pub use sample::{Sample, stands_in};

use crate::watch::{Changes, Watch};
use desk::Desk;
use futures::future::BoxFuture;
use kube::Client;
use status::{Kind, Mailbox};
use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::task::JoinSet;

const KINDS: [Kind; 4] = [Kind::Deployment, Kind::Service, Kind::Pod, Kind::EndpointSlice];

/// Between two tries to start what could not be started.
const AGAIN: Duration = Duration::from_secs(5);

/// Starts a sample.
pub type Start = Box<dyn Fn(Asked) -> BoxFuture<'static, io::Result<Started>> + Send + Sync>;

/// What is to be started.
#[derive(Clone, Debug)]
pub struct Asked {
    pub sample: Sample,
    pub pod: String,
    /// Where it answered before this process was started: whatever knows of it need not be told again.
    pub before: Option<SocketAddr>,
}

/// Something that answers.
pub struct Started {
    pub address: SocketAddr,
    /// Dropping it ends it.
    pub keep: Box<dyn Any + Send>,
}

/// Where Pods say that they run.
#[derive(Clone, Debug)]
pub struct Node {
    pub name: String,
    pub address: IpAddr,
}

/// Runs until the watch ends. Without a `start`, nothing is stood in for.
pub async fn stand_in(client: Client, node: Node, start: Option<Start>) {
    let (mailbox, mut writer) = (Mailbox::default(), JoinSet::new());
    writer.spawn(status::write_all(client.clone(), mailbox.clone()));
    let (mut watch, mut changes) = (Watch::start(&client, &KINDS), Changes::default());
    let (mut desk, mut answering) = (Desk::new(node, start.is_some()), BTreeMap::new());
    let mut again = tokio::time::interval(AGAIN);
    again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            settled = watch.settled(&mut changes) => match settled {
                Some(()) => desk.observe(std::mem::take(&mut changes)),
                None => return,
            },
            _ = again.tick() => if !desk.has_failed() { continue },
        }
        if let Some(start) = &start {
            for (pod, sample, before) in desk.to_start() {
                match start(Asked { sample, pod: pod.name.clone(), before }).await {
                    Ok(Started { address, keep }) => {
                        desk.started(pod.clone(), address);
                        answering.insert(pod, keep);
                    }
                    Err(error) => {
                        tracing::warn!(%pod, %error, "nothing can stand in for it yet");
                        desk.failed(pod, error.to_string());
                    }
                }
            }
        }
        for (target, wish) in desk.wishes() {
            mailbox.put(target, wish);
        }
        for pod in desk.retire() {
            answering.remove(&pod);
        }
    }
}
