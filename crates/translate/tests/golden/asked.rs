//! What a request gets, without sockets.

use filter::{Context, Edits, Flow, Reply};
use model::{Action, BackendId, Gateway, GatewayId, Reason, Replies, Update};
use resources::Resources;
use route::{GatewayTable, Headers, Lookup, Request, Snapshot};
use std::collections::HashMap;
use std::sync::Arc;
use testkit::probe::{self, Answer};
use translate::{InUse, Options, endpoints, translate};
use upstream::{Picked, pick_backend};

/// A compiled model and how many endpoints each backend has.
pub struct Asked {
    snapshot: Snapshot,
    gateway: GatewayId,
    ready: HashMap<BackendId, usize>,
}

struct Fields<'a>(&'a probe::Request);

impl Headers for Fields<'_> {
    fn first(&self, lower_name: &str) -> Option<&[u8]> {
        let mut fields = self.0.headers.iter();
        fields.find(|(name, _)| name.eq_ignore_ascii_case(lower_name)).map(|(_, value)| value.as_bytes())
    }

    fn each(&self, lower_name: &str, f: &mut dyn FnMut(&[u8])) {
        let fields = self.0.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(lower_name));
        fields.for_each(|(_, value)| f(value.as_bytes()));
    }
}

impl Asked {
    pub fn of(resources: &Resources, options: &Options) -> Self {
        let gateway = options.gateways[0].id.clone();
        let shards = translate(resources, options).shards;
        let mut in_use = InUse::default();
        for (key, shard) in &shards {
            in_use.update(key, Some(shard));
        }
        let ready = in_use.iter().map(|id| (id.clone(), endpoints(resources, options, id).0.len())).collect();
        let itself = Gateway { id: gateway.clone(), listeners: Vec::new(), default_certificate: None, replies: Replies::default() };
        let update = Update {
            gateways: vec![(gateway.clone(), Some(Arc::new(itself)))],
            shards: shards.into_iter().map(|(key, shard)| (key, Some(shard))).collect(),
            ..Update::default()
        };
        let (snapshot, nacks) = Snapshot::empty().apply(&update);
        assert!(nacks.is_empty(), "what is translated compiles: {nacks:?}");
        Self { snapshot, gateway, ready }
    }

    pub fn ask(&self, probe: &probe::Request) -> Result<Answer, String> {
        let table = self.snapshot.gateway(&self.gateway).ok_or("the gateway is not there")?;
        let (path, query) = match probe.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (probe.target.as_str(), None),
        };
        let path = http1::canonical_path(path.as_bytes()).map_err(|error| error.to_string())?;
        let scheme = match probe.scheme {
            probe::Scheme::Http => model::Scheme::Http,
            probe::Scheme::Https => model::Scheme::Https,
        };
        let host = probe.host().to_ascii_lowercase();
        let fields = Fields(probe);
        let request = Request { method: &probe.method, scheme, host: &host, path: &path, query, headers: &fields };
        Ok(self.answer(table, probe, &request))
    }

    fn answer(&self, table: &GatewayTable, probe: &probe::Request, request: &Request) -> Answer {
        let route = match table.find(request) {
            Lookup::Route(route) => route,
            Lookup::Miss { .. } => return local(404, Reason::NoRoute),
            Lookup::OverBudget { .. } => return local(400, Reason::BadRequest),
        };
        let known = || table.knows_certificate(request.host);
        let context = Context { authority: &probe.authority, raw_target: &probe.target, https_port: None, certificate_known: &known };
        let mut edits = Edits::default();
        let mut answer = match filter::run(route, request, &context, &mut edits) {
            Flow::Respond(reply) => replied(&reply),
            Flow::Continue if edits.body_limit().is_some_and(|limit| probe.body.len() as u64 > limit) => local(413, Reason::BodyTooLarge),
            Flow::Continue => {
                let target = match (edits.target(), request.query) {
                    (Some(target), _) => target.to_owned(),
                    (None, Some(query)) => format!("{}?{query}", request.path),
                    (None, None) => request.path.to_owned(),
                };
                let host = edits.host(route).unwrap_or(&probe.authority).to_owned();
                Answer { target: Some(target), saw: vec![("host".into(), host)], ..self.forwarded(route.action()) }
            }
        };
        answer.route = Some(format!("{} {}", route.source().object, route.source().rule));
        answer.headers.extend(edits.hsts(route).map(|value| ("strict-transport-security".into(), value.to_owned())));
        answer
    }

    fn forwarded(&self, action: &Action) -> Answer {
        let Action::Forward(forward) = action else { return local(500, Reason::Internal) };
        let ready = |id: &BackendId| self.ready.get(id).is_some_and(|count| *count > 0);
        match pick_backend(forward, ready, &mut fastrand::Rng::with_seed(7)) {
            Picked::Backend(backend) => Answer { status: 200, backend: Some(backend.id.to_string()), ..Answer::default() },
            Picked::Unresolved => local(forward.unresolved, Reason::NoBackend),
            Picked::NoEndpoints => local(503, Reason::NoEndpoints),
        }
    }
}

fn local(status: u16, reason: Reason) -> Answer {
    Answer { status, headers: vec![("x-paifang-reason".into(), reason.to_string())], ..Answer::default() }
}

fn replied(reply: &Reply) -> Answer {
    let mut answer = local(reply.status, reply.reason);
    answer.headers.extend(reply.location.clone().map(|location| ("location".into(), location)));
    answer
}
