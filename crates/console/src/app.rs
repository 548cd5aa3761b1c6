//! One request to one answer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use tokio::sync::watch;

use crate::addresses::{self, Addresses};
use crate::catalogue::{self, Written};
use crate::certificate::{self, Secrets};
use crate::cluster::{self, Shows};
use crate::cookie::{Cookie, Transport};
use crate::endpoints;
use crate::gateways::{self, Known, Place};
use crate::logs;
use crate::oidc::{self, Elsewhere};
use crate::page::Pages;
use crate::pods::Pods;
use crate::relay::{self, Relay};
use crate::reply::{self, Refusal, Reply};
use crate::rights::{Deed, Rights};
use crate::router::{self, Access, Action, Endpoint, Goal};
use crate::session::{CHANCE, Key, Session, Sessions};
use crate::sign_in::{self, Account, Accounts};
use crate::start::{Mode, Ports};
use crate::token::Tries;
use crate::trial::{self, Explains, Trials};
use crate::{origin, page, path};

/// What a body may take to come.
const BODY: Duration = Duration::from_secs(30);
/// Of a request that is refused, so much is read, and let go.
const REFUSED: usize = 16 << 20;
/// How often it is looked at whether who is signed in still is.
pub(crate) const LOOKS: Duration = Duration::from_secs(2);

/// What all requests share.
pub(crate) struct App {
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) relay: Relay,
    pub(crate) rights: Rights,
    pub(crate) pages: Pages,
    pub(crate) transport: Transport,
    pub(crate) mode: Mode,
    pub(crate) elsewhere: Option<Elsewhere>,
    pub(crate) known: Known,
    pub(crate) explains: Option<Arc<dyn Explains>>,
    pub(crate) addresses: Option<Arc<dyn Addresses>>,
    pub(crate) secrets: Option<Arc<dyn Secrets>>,
    pub(crate) shows: Option<Arc<dyn Shows>>,
    /// The pods that gateways run in, where that is not this process.
    pub(crate) pods: Option<Pods>,
    pub(crate) tries: Tries,
    pub(crate) catalogues: Written,
    /// Whether addresses are given away here.
    pub(crate) pool: bool,
    pub(crate) trials: Trials,
    sessions: Mutex<Sessions>,
    /// Turns true when the server stops.
    pub(crate) stop: watch::Receiver<bool>,
}

/// One request.
pub(crate) struct Visit<'a> {
    pub(crate) head: &'a Parts,
    pub(crate) peer: SocketAddr,
    body: Incoming,
}

// === impl Visit ===

impl Visit<'_> {
    /// The whole body, if it is no longer than `limit`.
    pub(crate) async fn body(mut self, limit: usize) -> Result<Bytes, Refusal> {
        let read = tokio::time::timeout(BODY, Limited::new(&mut self.body, limit).collect()).await.map_err(|_| Refusal::late())?;
        match read {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                self.let_go().await;
                Err(Refusal::too_large(limit))
            }
            Err(_) => Err(Refusal::bad("BadRequest", "The body could not be read.")),
        }
    }

    /// Reads what is still sent, as far as is reasonable: who has not sent all hears no answer over HTTP/1, and over HTTP/2 some clients take it
    /// for broken.
    async fn let_go(mut self) {
        let mut left = REFUSED;
        let reading = async {
            while let Some(Ok(frame)) = self.body.frame().await {
                let length = frame.data_ref().map_or(0, Bytes::len);
                if length > left {
                    break;
                }
                left -= length;
            }
        };
        let _ = tokio::time::timeout(BODY, reading).await;
    }
}

// === impl App ===

impl App {
    pub(crate) fn new(ports: Ports, relay: Relay, pages: Pages, (transport, mode): (Transport, Mode), stop: watch::Receiver<bool>) -> Self {
        let pods = ports.pods.map(|namespace| Pods::new(relay.own(), namespace));
        Self {
            accounts: ports.accounts,
            pods,
            relay,
            rights: Rights::default(),
            pages,
            transport,
            mode,
            elsewhere: ports.elsewhere,
            known: Known::new(ports.gateways),
            explains: ports.explains,
            addresses: ports.addresses,
            secrets: ports.secrets,
            shows: ports.shows,
            tries: Tries::default(),
            pool: ports.pool,
            catalogues: Written::new(&ports.catalogues),
            trials: Trials::default(),
            sessions: Mutex::default(),
            stop,
        }
    }

    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Reply {
        let (head, body) = request.into_parts();
        let visit = Visit { head: &head, peer, body };
        let mut reply = self.find(visit).await.unwrap_or_else(Refusal::into_reply);
        reply::guard(reply.headers_mut());
        if head.method == Method::HEAD {
            *reply.body_mut() = reply::empty();
        }
        reply
    }

    async fn find(&self, visit: Visit<'_>) -> Result<Reply, Refusal> {
        let (method, path) = (&visit.head.method, visit.head.uri.path());
        if !path::check(path) {
            return Err(Refusal::bad("BadPath", "This path can be read in more than one way."));
        }
        match router::find(method, path) {
            Goal::Page => page::answer(self, visit.head),
            Goal::NotFound => Err(Refusal::not_found("There is nothing at this path.")),
            Goal::MethodNotAllowed => {
                Err(Refusal::new(http::StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "This cannot be done with this path."))
            }
            Goal::Api => {
                let (session, _) = self.enter(&visit)?;
                relay::relay(self, visit, session).await
            }
            Goal::Endpoint(endpoint, names) => self.endpoint(endpoint, &names, visit).await,
        }
    }

    async fn endpoint(&self, endpoint: &Endpoint, names: &[String], visit: Visit<'_>) -> Result<Reply, Refusal> {
        if endpoint.access == Access::Anyone {
            return self.for_anyone(endpoint.action, visit).await;
        }
        let (session, _) = self.enter(&visit)?;
        if endpoint.access == Access::Gateway {
            return match self.place(&session, endpoint.action, names).await {
                Ok(place) => self.of_gateway(endpoint.action, visit, (names, place), session).await,
                Err(refusal) => {
                    visit.let_go().await;
                    Err(refusal)
                }
            };
        }
        match endpoint.action {
            Action::Session => sign_in::session(self, &visit),
            Action::Logout => sign_in::logout(self, &visit),
            Action::Serving => addresses::serving(self, &visit, &session).await,
            Action::Annotations => Ok(catalogue::answer(&self.catalogues.annotations)),
            Action::Options => Ok(catalogue::answer(&self.catalogues.options)),
            Action::Permissions => Ok(catalogue::answer(&self.catalogues.permissions)),
            Action::GeneratedHost => addresses::host(self, visit, &session).await,
            Action::Certificate => certificate::answer(self, visit, &session).await,
            Action::Pools => addresses::pools(self, &session).await,
            _ => Err(Refusal::not_found("There is nothing at this path.")),
        }
    }

    /// Where the gateway runs that a path names, for who may look at it.
    async fn place(&self, session: &Session, action: Action, names: &[String]) -> Result<Place, Refusal> {
        let deed = Deed::gateway(names.first().map_or("", |it| it), names.get(1).map_or("", |it| it));
        self.rights.check(&self.relay, &session.account, &deed).await?;
        match self.known.find(names)? {
            Some(here) => Ok(here),
            None => cluster::find(self, session, action, names).await,
        }
    }

    /// What is no object, of a gateway that who is signed in may look at.
    async fn of_gateway(
        &self,
        action: Action,
        visit: Visit<'_>,
        (names, place): (&[String], Place),
        session: Arc<Session>,
    ) -> Result<Reply, Refusal> {
        match action {
            Action::Metrics => gateways::metrics(&visit, &place).await,
            Action::Logs => logs::answer(self, &visit, (names, place), session).await,
            Action::Try => trial::answer(self, visit, (names, &place), &session).await,
            Action::Check => trial::check(self, visit, (names, &place), &session).await,
            Action::Endpoints => endpoints::answer(self, &visit, &place, &session).await,
            _ => Err(Refusal::not_found("There is nothing at this path.")),
        }
    }

    /// What is answered without a session.
    async fn for_anyone(&self, action: Action, visit: Visit<'_>) -> Result<Reply, Refusal> {
        match action {
            Action::Login => {
                sign_in::check(self, visit.head)?;
                sign_in::login(self, visit).await
            }
            Action::Oidc => Ok(oidc::told(self)),
            Action::OidcStart => oidc::start(self, &visit).await,
            Action::OidcCallback => oidc::callback(self, &visit).await,
            _ => Err(Refusal::not_signed_in()),
        }
    }

    /// Lets a request of somebody who is signed in go on, if it comes from our own pages.
    fn enter(&self, visit: &Visit<'_>) -> Result<(Arc<Session>, Duration), Refusal> {
        let head = visit.head;
        if head.headers.keys().any(|name| name.as_str().starts_with("impersonate-")) {
            return Err(Refusal::forbidden("In whose place the API is asked says who is signed in, and nothing else."));
        }
        origin::check_origin(head, self.transport)?;
        let (session, left) = self.signed_in(head)?;
        if !origin::only_reads(&head.method) {
            origin::check_token(&head.headers, session.token.open())?;
            origin::check_body(&head.headers, !visit.body.is_end_stream())?;
        }
        Ok((session, left))
    }

    /// Who is signed in, and for how long they are if they do nothing.
    pub(crate) fn signed_in(&self, head: &Parts) -> Result<(Arc<Session>, Duration), Refusal> {
        let name = Cookie::Session.get(self.transport, &head.headers).ok_or_else(Refusal::not_signed_in)?;
        let key = Key::of(name);
        let found = self.with_sessions(|sessions, now| sessions.find(key, now)).ok_or_else(Refusal::not_signed_in)?;
        if !self.stands(&found.0.account) {
            self.with_sessions(|sessions, _| sessions.end(key));
            return Err(Refusal::not_signed_in());
        }
        Ok(found)
    }

    /// Whether somebody would be let in again.
    fn stands(&self, account: &Account) -> bool {
        account.is_taken() && self.accounts.stands(account)
    }

    pub(crate) fn with_sessions<T>(&self, act: impl FnOnce(&mut Sessions, Instant) -> T) -> T {
        act(&mut self.sessions.lock().unwrap_or_else(PoisonError::into_inner), self.now())
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::now()
    }

    /// What nobody can guess.
    pub(crate) fn chance(&self) -> Result<[u8; CHANCE], Refusal> {
        let mut octets = [0; CHANCE];
        rand::fill(&mut octets).map_err(|_| Refusal::busy("There are no random numbers."))?;
        Ok(octets)
    }

    /// Ends sessions of people who would not be let in again, and those that have lasted long enough; until it is stopped.
    pub(crate) async fn look_after_sessions(&self) {
        let mut stop = self.stop.clone();
        loop {
            tokio::select! {
                _ = stop.wait_for(|stopped| *stopped) => return,
                () = tokio::time::sleep(LOOKS) => {}
            }
            let open = self.with_sessions(Sessions::sweep);
            for (key, session) in open {
                if !self.stands(&session.account) {
                    self.with_sessions(|sessions, _| sessions.end(key));
                }
            }
        }
    }
}
