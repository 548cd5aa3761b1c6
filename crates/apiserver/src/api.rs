//! One request to one answer: which kind, which verb, which of the files beside this one does it.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use http::{Method, Request, StatusCode};
use hyper::body::{Body, Bytes};
use serde_json::{Value, json};
use store::Store;
use tokio::sync::watch;

use crate::access::{self, Asker, Identity, Peer};
use crate::audit::Log;
use crate::bearer::Standing;
use crate::body::{self, Parsed};
use crate::failure::Failure;
use crate::format::Format;
use crate::kinds::{Kind, Kinds};
use crate::people::{self, People, login_endpoint};
use crate::rbac::{Attempt, Rights, escalation};
use crate::reply::Reply;
use crate::request::{Query, Target, Verb};
use crate::token::Signer;
use crate::{Admit, Warn, crd, delete, discovery, openapi, patch, read, read_only, review, scale, table, token, watching, write};

/// What all requests share.
pub(crate) struct Api {
    pub(crate) store: Store,
    pub(crate) rights: Rights,
    pub(crate) people: People,
    pub(crate) signer: Signer,
    /// `None` when nobody wants to know.
    audit: Option<Log>,
    kinds: RwLock<Arc<Kinds>>,
    /// What the kinds of definitions were made from.
    pub(crate) known: Mutex<crd::Known>,
    hooks: Hooks,
    /// Turns true when the server stops: what would go on for ever ends.
    pub(crate) stop: watch::Receiver<bool>,
    /// For what outlives a request.
    pub(crate) me: Weak<Self>,
}

/// What the embedder wants to be asked.
pub(crate) struct Hooks {
    pub(crate) admit: Option<Admit>,
    pub(crate) warn: Warn,
}

/// A request for objects of a known kind.
pub(crate) struct Ask {
    pub(crate) kind: Arc<Kind>,
    pub(crate) verb: Verb,
    pub(crate) target: Target,
    pub(crate) query: Query,
    pub(crate) user: Identity,
    /// Why the user was let in.
    pub(crate) standing: Arc<Standing>,
    pub(crate) format: Format,
    pub(crate) dry_run: bool,
    /// What the client calls itself.
    pub(crate) agent: String,
}

// === impl Api ===

impl Api {
    pub(crate) fn new(
        store: Store,
        people: People,
        signer: Signer,
        audit: Option<Log>,
        hooks: Hooks,
        stop: watch::Receiver<bool>,
    ) -> Arc<Self> {
        let (rights, kinds) = (Rights::new(store.clone()), RwLock::new(Arc::new(Kinds::new([]))));
        Arc::new_cyclic(|me| Self { store, rights, people, signer, audit, kinds, known: Mutex::default(), hooks, stop, me: me.clone() })
    }

    pub(crate) fn audit(&self) -> Option<&Log> {
        self.audit.as_ref()
    }

    pub(crate) fn kinds(&self) -> Arc<Kinds> {
        self.kinds.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_kinds(&self, kinds: Kinds) {
        *self.kinds.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(kinds);
    }

    /// The answer, whatever it is: failures are answers too.
    pub(crate) async fn answer<B>(&self, request: Request<B>, peer: &Peer) -> Reply
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        if let Some(reply) = public(&head.method, path) {
            return reply;
        }
        if path == login_endpoint::PATH {
            return login_endpoint::answer(self, &head, body, peer, agent(&head.headers)).await;
        }
        let (user, credential) = match access::authenticate(self, &head.headers, peer).await {
            Ok(found) => found,
            Err(failure) => return Reply::refusal(&failure, &head.headers),
        };
        let (wanted, refused) = match access::stand_in(self, &head.headers, &user) {
            Ok(wanted) => (wanted, None),
            Err(failure) => (None, Some(failure)),
        };
        let asker = match wanted.clone() {
            None => Asker { user: user.clone(), behind: None },
            Some(other) => Asker { user: other.become_user(), behind: Some(user.clone()) },
        };
        let query = Query::parse(head.uri.query().unwrap_or(""));
        let target = Target::parse(path);
        let attempt = Attempt::of(&head.method, path, target.as_ref(), &query);
        let dry_run = query.has("dryRun");
        let entry = self.audit.as_ref().and_then(|log| log.entry(&asker, peer, &attempt, agent(&head.headers), dry_run));
        let reply = match refused {
            None => {
                let standing = Standing::new(credential, user, wanted, asker.user, attempt);
                self.act(&head, body, target, query, standing, peer).await
            }
            Some(failure) => Err(failure),
        };
        let reply = reply.unwrap_or_else(|failure| Reply::refusal(&failure, &head.headers));
        if let Some(entry) = entry {
            entry.answered(reply.code(), reply.made());
        }
        reply
    }

    /// Does what was asked, if it is allowed.
    async fn act<B>(
        &self,
        head: &http::request::Parts,
        body: B,
        target: Option<Target>,
        query: Query,
        standing: Standing,
        peer: &Peer,
    ) -> Result<Reply, Failure>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = head.uri.path();
        self.allow(standing.user(), standing.attempt())?;
        let first = path.trim_end_matches('/').split('/').nth(1).unwrap_or("");
        if let Some(target) = target.filter(|_| !path.starts_with("//")) {
            return self.resource(target, query, head, body, (standing, peer)).await;
        }
        match first {
            "openapi" if is_read(&head.method) => served(openapi::serve(&self.kinds(), path, &head.headers)),
            "api" | "apis" if !is_read(&head.method) => Err(Failure::method_not_allowed()),
            "apis" if !is_known(&self.kinds(), path.split('/').nth(2).unwrap_or("")) => {
                served(discovery::serve(&self.kinds(), path, &head.headers))
            }
            "api" | "apis" => discovery::serve(&self.kinds(), path, &head.headers),
            "" if is_read(&head.method) && path == "/" => Ok(Reply::json(json!({ "paths": discovery::paths(&self.kinds()) }))),
            _ => Ok(nothing_here()),
        }
    }

    /// Refuses what no rule allows.
    pub(crate) fn allow(&self, user: &Identity, attempt: &Attempt) -> Result<(), Failure> {
        let decision = self.rights.check(user, attempt);
        if decision.allowed { Ok(()) } else { Err(Failure::refused(&user.user, attempt, &decision.reason)) }
    }

    async fn resource<B>(
        &self,
        target: Target,
        query: Query,
        head: &http::request::Parts,
        body: B,
        (standing, peer): (Standing, &Peer),
    ) -> Result<Reply, Failure>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if let Some(review) = review::find(&target) {
            return review.answer(self, &head.method, &target, standing.user(), &body::read(body).await?, &head.headers).await;
        }
        let kinds = self.kinds();
        if !is_known(&kinds, &target.group) && kinds.version(&target.group, &target.version).is_none() {
            return Ok(nothing_here());
        }
        let Some(kind) = kinds.find(&target.group, &target.version, &target.resource).cloned() else {
            return Err(Failure::no_resource());
        };
        if (!kind.namespaced && !target.namespace.is_empty()) || target.goes_on {
            return Err(Failure::no_resource());
        }
        let verb = Verb::of(&head.method, &target, &query)?;
        table::allow(&kind, verb, &target)?;
        target.check()?;
        let format = Format::negotiate(&head.headers, verb, &kind)?;
        let dry_run = query.dry_run(verb.options())?;
        let agent = agent(&head.headers).to_owned();
        let (user, standing) = (standing.user().clone(), Arc::new(standing));
        let ask = Ask { kind, verb, target, query, user, standing, format, dry_run, agent };
        let reply = self.verb(&ask, head, body, peer).await?;
        Ok(reply.warn(ask.kind.deprecated.clone()))
    }

    async fn verb<B>(&self, ask: &Ask, head: &http::request::Parts, body: B, peer: &Peer) -> Result<Reply, Failure>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match ask.verb {
            Verb::Get if scale::is_target(ask) => scale::get(self, ask),
            Verb::Update if scale::is_target(ask) => scale::update(self, ask, parse(&head.headers, body).await?).await,
            Verb::Create if ask.is_of_user(people::PASSWORD) => people::change(self, ask, parse(&head.headers, body).await?, peer).await,
            Verb::Create if ask.is_of_user(people::TOKEN) => people::grant(self, ask, parse(&head.headers, body).await?).await,
            Verb::Create if token::is_target(ask) => token::request(self, ask, parse(&head.headers, body).await?),
            Verb::Get => read::get(self, ask).await,
            Verb::List => read::list(self, ask).await,
            Verb::Watch => watching::watch(self, ask),
            Verb::Create => write::create(self, ask, parse(&head.headers, body).await?).await,
            Verb::Update => write::update(self, ask, parse(&head.headers, body).await?).await,
            Verb::Patch => {
                let media = body::media_type(&head.headers);
                patch::check_media(ask, &media)?;
                patch::patch(self, ask, &media, &body::read(body).await?).await
            }
            Verb::Delete => delete::one(self, ask, delete::options(ask, parse(&head.headers, body).await?)?).await,
            Verb::DeleteCollection => delete::collection(self, ask, delete::options(ask, parse(&head.headers, body).await?)?).await,
        }
    }

    /// Guards what is read-only and what gives rights, then asks the embedder, if it wants to be asked. Gives what the client should hear.
    ///
    /// # Errors
    /// `Forbidden` for a read-only object or for rights that the writer does not have, `Invalid` with the causes that the embedder gives.
    pub(crate) fn admit(&self, ask: &Ask, old: Option<&Value>, new: Option<&Value>) -> Result<Vec<String>, Failure> {
        use crate::object::Object;
        read_only::guard(ask, old, new)?;
        escalation::guard(self, ask, old, new)?;
        people::guard(self, ask, old, new)?;
        let mut warnings = self.warnings(ask, old, new);
        let Some(admit) = &self.hooks.admit else { return Ok(warnings) };
        let name = new.or(old).map_or("", |object| object.name());
        let review = crate::Review {
            verb: ask.verb,
            group: &ask.kind.group,
            version: &ask.kind.version,
            kind: &ask.kind.kind,
            resource: &ask.kind.plural,
            subresource: &ask.target.subresource,
            namespace: &ask.target.namespace,
            name,
            user: &ask.user,
            dry_run: ask.dry_run,
            old,
            new,
        };
        warnings.extend(admit(&review).map_err(|causes| Failure::invalid(&ask.kind, name, causes))?);
        Ok(warnings)
    }

    /// Said once to who changes what the object asks for, not to who labels it.
    fn warnings(&self, ask: &Ask, old: Option<&Value>, new: Option<&Value>) -> Vec<String> {
        let intent = |object: Option<&Value>| object.and_then(|object| object.get("spec")).cloned();
        match new {
            Some(new) if ask.target.subresource.is_empty() && !ask.user.is_keeper() && intent(old) != intent(Some(new)) => {
                (self.hooks.warn)(new)
            }
            _ => Vec::new(),
        }
    }
}

// === impl Ask ===

impl Ask {
    pub(crate) fn key(&self) -> String {
        self.kind.key(&self.target.namespace, &self.target.name)
    }

    fn is_of_user(&self, subresource: &str) -> bool {
        people::is_user(&self.kind.group, &self.kind.plural) && self.target.subresource == subresource
    }
}

async fn parse<B>(headers: &http::HeaderMap, body: B) -> Result<Parsed, Failure>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let bytes = body::read(body).await?;
    if bytes.is_empty() {
        return Ok(Parsed { value: Value::Null, duplicates: Vec::new() });
    }
    body::parse(&body::media_type(headers), &bytes)
}

/// Whether Kubernetes itself knows the group: then it says more than that there is no such page.
fn is_known(kinds: &Kinds, group: &str) -> bool {
    review::is_question(group) || kinds.iter().any(|kind| kind.group == group && kind.is_builtin())
}

/// What no group is served at.
fn nothing_here() -> Reply {
    Reply::text(StatusCode::NOT_FOUND, "404 page not found\n")
}

fn served(reply: Result<Reply, Failure>) -> Result<Reply, Failure> {
    match reply {
        Err(failure) if failure.is_no_resource() => Ok(nothing_here()),
        reply => reply,
    }
}

/// What a client calls itself.
fn agent(headers: &http::HeaderMap) -> &str {
    headers.get(http::header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("")
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// What anyone may read.
fn public(method: &Method, path: &str) -> Option<Reply> {
    if !is_read(method) {
        return None;
    }
    match path {
        "/livez" | "/readyz" | "/healthz" => Some(Reply::text(StatusCode::OK, "ok")),
        "/version" | "/version/" => Some(Reply::json(discovery::version())),
        _ => None,
    }
}
