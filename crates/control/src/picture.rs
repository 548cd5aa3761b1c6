//! What a person at the terminal wants to know, as it is now.

use model::{GatewayId, ObjectRef};
use resources::Name;
use status::Said;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// `false` until the first objects have been served.
    pub ready: bool,
    pub gateways: Vec<GatewayPicture>,
    /// Every problem there is, by its object.
    pub problems: BTreeMap<ObjectRef, BTreeSet<Said>>,
    pub hosts: usize,
    pub routes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayPicture {
    pub id: GatewayId,
    /// The object that asked for it; `None`: it is there whoever asks.
    pub owner: Option<ObjectRef>,
    /// What it is seen as; its pods have the first one's name.
    pub services: Vec<Name>,
    /// Addresses that others gave it, shown in place of ours.
    pub others: Vec<status::Address>,
    /// Why there is none.
    pub waiting: Option<String>,
    pub sockets: Vec<SocketPicture>,
}

/// A socket as the data plane has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketPicture {
    /// For example `http`.
    pub listener: String,
    pub address: SocketAddr,
    /// Why it does not answer.
    pub fault: Option<String>,
}
