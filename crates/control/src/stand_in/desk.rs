//! What is to be there and what is. Pure.

use super::Node;
use super::objects::{Deployment, Selecting, address_of, deployment_of, is_of_stand_in, is_stand_in, no_containers, pod_of};
use super::sample::Sample;
use crate::watch::Changes;
use serde_json::Value;
use status::{Kind, Statement, Target, Wish};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Samples that run at once.
const MOST: usize = 256;

/// The Deployments of all namespaces, and what stands in for them.
pub(super) struct Desk {
    node: Node,
    /// Whether anything can be started.
    stands_in: bool,
    deployments: BTreeMap<Target, Deployment>,
    services: BTreeMap<Target, Selecting>,
    /// Pods and slices of ours, as watched.
    found: BTreeMap<Target, Value>,
    /// Where each Pod's sample answers, or why it does not.
    running: BTreeMap<Target, Result<SocketAddr, String>>,
}

/// What should be there.
#[derive(Default)]
struct Wanted {
    /// Pods and slices, with the status of those that have one.
    objects: BTreeMap<Target, Vec<Wish>>,
    /// Of each Deployment that is stood in for.
    pods: BTreeMap<Target, Vec<Target>>,
}

// === impl Desk ===

impl Desk {
    pub fn new(node: Node, stands_in: bool) -> Self {
        Self { node, stands_in, deployments: BTreeMap::new(), services: BTreeMap::new(), found: BTreeMap::new(), running: BTreeMap::new() }
    }

    pub fn observe(&mut self, changes: Changes) {
        for (target, object) in changes.objects() {
            let object = object.as_ref();
            match target.kind {
                Kind::Deployment => keep(&mut self.deployments, target, object.and_then(Deployment::read)),
                Kind::Service => keep(&mut self.services, target, object.and_then(Selecting::read)),
                Kind::Pod => keep(&mut self.found, target, object.filter(|it| is_stand_in(it)).cloned()),
                Kind::EndpointSlice => keep(&mut self.found, target, object.filter(|it| is_of_stand_in(it)).cloned()),
                _ => {}
            }
        }
    }

    /// The Pods that nothing answers for yet, and where something did before this process was started.
    pub fn to_start(&self) -> Vec<(Target, Sample, Option<SocketAddr>)> {
        let room = MOST.saturating_sub(self.running.values().filter(|it| it.is_ok()).count());
        let missing = self.stood_in().flat_map(|(target, deployment)| {
            let pods = deployment.pods().into_iter().map(|it| Target::new(Kind::Pod, target.namespace.as_str(), it));
            pods.filter_map(|it| Some((it, deployment.sample.clone()?)))
        });
        let missing = missing.filter(|(pod, _)| !matches!(self.running.get(pod), Some(Ok(_)))).take(room);
        missing.map(|(pod, sample)| (pod.clone(), sample, self.before(&pod))).collect()
    }

    fn before(&self, pod: &Target) -> Option<SocketAddr> {
        let slices = self.found.iter().filter(|(it, _)| it.kind == Kind::EndpointSlice && it.namespace == pod.namespace);
        slices.map(|(_, it)| it).find(|it| pod_of(it) == pod.name).and_then(address_of)
    }

    /// Whether there is something to be tried again.
    pub fn has_failed(&self) -> bool {
        self.running.values().any(Result::is_err)
    }

    pub fn started(&mut self, pod: Target, address: SocketAddr) {
        self.running.insert(pod, Ok(address));
    }

    pub fn failed(&mut self, pod: Target, error: String) {
        self.running.insert(pod, Err(error));
    }

    /// What must be written for that to become this.
    pub fn wishes(&self) -> Vec<(Target, Wish)> {
        let wanted = self.wanted();
        let mut wishes = Vec::new();
        for (target, all) in &wanted.objects {
            let missing = all.iter().filter(|it| !it.holds(self.found.get(target)));
            wishes.extend(missing.map(|it| (target.clone(), it.clone())));
        }
        let unreached: BTreeSet<Target> = wishes.iter().map(|(it, _)| pod(it, wanted.objects.get(it).and_then(|it| it.first()))).collect();
        let is_reached = |pod: &Target| matches!(self.running.get(pod), Some(Ok(_))) && !unreached.contains(pod);
        for (target, deployment) in &self.deployments {
            let status = self.status(deployment, wanted.pods.get(target), is_reached);
            let wish = status.map(|it| Wish::Status(Box::new(it))).filter(|it| !it.holds(Some(&deployment.object)));
            wishes.extend(wish.map(|it| (target.clone(), it)));
        }
        // What is old goes once what comes in its place has been seen, so that there is no moment without endpoints.
        let replaced = |it: &Target| {
            let deployment =
                Target::new(Kind::Deployment, it.namespace.as_str(), self.found.get(it).map(deployment_of).unwrap_or_default());
            wanted.pods.get(&deployment).is_none_or(|pods| pods.iter().all(is_reached))
        };
        let old = self.found.iter().filter(|(it, object)| !wanted.objects.contains_key(*it) && replaced(&pod_named(it, object)));
        wishes.extend(old.map(|(it, _)| (it.clone(), Wish::Absent)));
        wishes
    }

    /// The Pods that are no longer wanted, once nothing leads to them. They are forgotten with this.
    pub fn retire(&mut self) -> Vec<Target> {
        let wanted: BTreeSet<Target> = self.wanted().pods.into_values().flatten().collect();
        let slices = self.found.iter().filter(|(it, _)| it.kind == Kind::EndpointSlice);
        let led_to: BTreeSet<Target> = slices.map(|(it, slice)| Target::new(Kind::Pod, it.namespace.as_str(), pod_of(slice))).collect();
        let ended: Vec<Target> = self.running.keys().filter(|it| !wanted.contains(it) && !led_to.contains(it)).cloned().collect();
        for pod in &ended {
            self.running.remove(pod);
        }
        ended
    }

    fn stood_in(&self) -> impl Iterator<Item = (&Target, &Deployment)> {
        self.deployments.iter().filter(|(_, it)| self.stands_in && it.sample.is_some())
    }

    fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        for (target, deployment) in self.stood_in() {
            let pods: Vec<Target> = deployment.pods().into_iter().map(|it| Target::new(Kind::Pod, target.namespace.as_str(), it)).collect();
            for pod in &pods {
                if let Some(Ok(address)) = self.running.get(pod) {
                    self.want(&mut wanted, deployment, pod, *address);
                }
            }
            wanted.pods.insert(target.clone(), pods);
        }
        wanted
    }

    fn want(&self, wanted: &mut Wanted, deployment: &Deployment, pod: &Target, address: SocketAddr) {
        let status = Wish::Status(Box::new(deployment.pod_status(address, &self.node)));
        wanted.objects.insert(pod.clone(), vec![Wish::Object(deployment.pod(pod, &self.node)), status]);
        for (service, selecting) in self.services.iter().filter(|(it, _)| it.namespace == pod.namespace) {
            let Some(slice) = deployment.slice(pod, (&service.name, selecting), address, &self.node) else { continue };
            let name = slice.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
            wanted.objects.insert(Target::new(Kind::EndpointSlice, pod.namespace.as_str(), name), vec![Wish::Object(slice)]);
        }
    }

    /// `None`: it is on its way, which a start of this process may be; until then what was said last is said.
    fn status(&self, deployment: &Deployment, pods: Option<&Vec<Target>>, is_reached: impl Fn(&Target) -> bool) -> Option<Statement> {
        let Some(pods) = pods else { return Some(deployment.unavailable("NoContainers", no_containers(deployment))) };
        if let Some(error) = pods.iter().find_map(|it| self.running.get(it)?.as_ref().err()) {
            return Some(deployment.unavailable("NotStarted", format!("what stands in for its container does not start: {error}")));
        }
        if pods.iter().any(|it| !self.running.contains_key(it)) && self.running.len() >= MOST {
            return Some(deployment.unavailable("NotStarted", format!("{MOST} samples run already, and no more are started")));
        }
        pods.iter().all(is_reached).then(|| deployment.available())
    }
}

/// The Pod that an object of ours is about: itself, or the one its endpoint is.
fn pod_named(target: &Target, object: &Value) -> Target {
    match target.kind {
        Kind::EndpointSlice => Target::new(Kind::Pod, target.namespace.as_str(), pod_of(object)),
        _ => target.clone(),
    }
}

fn pod(target: &Target, wish: Option<&Wish>) -> Target {
    match wish {
        Some(Wish::Object(object)) => pod_named(target, object),
        _ => target.clone(),
    }
}

fn keep<T>(all: &mut BTreeMap<Target, T>, target: Target, one: Option<T>) {
    match one {
        Some(one) => drop(all.insert(target, one)),
        None => drop(all.remove(&target)),
    }
}

#[cfg(test)]
mod tests;
