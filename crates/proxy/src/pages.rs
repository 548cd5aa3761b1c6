//! Answers that stand in for failures: another backend is asked for a page, and what it says is the answer.
//!
//! **Invariant:** a page is asked for once the outcome is decided, and where it cannot be had the client gets that outcome as it was. It never
//! opens what was refused: nothing of the request reaches the backend that it was for.

use crate::answering::Local;
use crate::connection::{Connection, Next};
use crate::exchange::Onward;
use crate::heads::{Answer, Facts, Incoming, Kit};
use crate::outgoing::Outgoing;
use crate::passage::Passage;
use crate::telemetry::Account;
use crate::warm::Taken;
use http1::{Field, HeadWriter, Method};
use model::{ErrorPages, Reason};
use route::CompiledRoute;
use std::io::Write;

/// What says who asks, and why: never taken from a client.
const OURS: [&str; 8] =
    ["x-code", "x-format", "x-original-uri", "x-namespace", "x-ingress-name", "x-service-name", "x-service-port", "expect"];
/// What is about the request's body, or about a part or a version of what was asked for.
const OF_REQUEST: [&str; 4] = ["content-", "if-", "range", "sec-websocket-"];
/// Tries where a kept connection turns out to be closed.
const TRIES: usize = 2;

// === impl Outgoing ===

impl Outgoing<'_> {
    /// How the page is asked for, but for the status and the end of the head. Nothing where it cannot be written.
    pub fn write_errand(&self, pages: &ErrorPages, out: &mut Vec<u8>) {
        let method = if self.facts.method == Method::Head { "HEAD" } else { "GET" };
        let mut writer = HeadWriter::new(out);
        if writer.request_line(method, "/", None).is_err() {
            return;
        }
        writer.own("Host", self.host.as_bytes());
        writer.fields(self.octets, &self.head.fields, |field| self.is_heard(field) && !is_left_out(field, self.octets));
        self.write_forwarding(&mut writer);
        if let Some(accept) = self.head.fields.named(self.octets, "accept").next() {
            writer.own("X-Format", accept);
        }
        writer.own("X-Original-URI", self.head.raw_target(self.octets));
        for (name, value) in &pages.fields {
            // What cannot be written is left out: a page without it is better than none.
            let _ = writer.field(name, value.as_bytes());
        }
    }
}

fn is_left_out(field: &Field, octets: &[u8]) -> bool {
    let name = field.name.of(octets);
    let begins = |with: &&str| name.get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()));
    OURS.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes())) || OF_REQUEST.iter().any(begins)
}

// === impl Connection ===

impl Connection {
    /// Answers a request that is not forwarded: by the page of what it would get, else with that.
    pub async fn answer_by_page(
        &mut self,
        incoming: Box<Incoming>,
        length: usize,
        (local, route): (&Local, &CompiledRoute),
        facts: Facts,
        kit: &mut Box<Kit>,
        account: &mut Account,
    ) -> Next {
        self.write_errand(&incoming, length, &facts, route, kit);
        let mut body = self.body_of(incoming, length, &facts);
        self.deadline.cap(None);
        if let Some(pages) = kit.edits.pages(route)
            && let Some(mut it) = Passage::of_page(facts, route, pages, kit, account)
        {
            it.upload.body = body.take();
            if let Some(Onward::Next(next)) = Box::pin(self.page(local.status, Some(local.reason), &mut it)).await {
                return next;
            }
            body = it.upload.body.take();
        }
        self.answer(local, Some(route), &facts, body, kit, account).await
    }

    /// Asks for the page of an outcome and sends it. `None`: there is none, and nothing has been sent. `reason`: the gateway's own, if it is that.
    pub async fn page<'a>(&mut self, status: u16, reason: Option<Reason>, it: &mut Passage<'a>) -> Option<Onward> {
        if it.kit.errand.is_empty() {
            return None;
        }
        let route: &'a CompiledRoute = it.route;
        let pages = it.kit.edits.pages(route).filter(|pages| pages.covers(status, reason))?;
        let backend = pages.forward.backends.first()?.backend.as_ref()?;
        let before = (it.forward, it.backend, it.upload.broken);
        let told = (it.account.endpoint, it.account.connect, it.account.tries);
        // What is left of the request's body is for nobody.
        (it.forward, it.backend, it.upload.broken, it.account.tries) = (&pages.forward, backend, true, 0);
        let asked = self.ask_for_page(status, it).await;
        (it.account.endpoint, it.account.connect, it.account.tries) = told;
        let sent = match asked {
            Some((taken, answer, length)) => self.deliver(taken, answer, length, it).await.ok(),
            None => None,
        };
        (it.forward, it.backend) = (before.0, before.1);
        if sent.is_none() {
            it.upload.broken = before.2;
        } else {
            it.account.reason = reason;
        }
        sent
    }

    async fn ask_for_page(&mut self, status: u16, it: &mut Passage<'_>) -> Option<(Taken, Box<Answer>, usize)> {
        for _ in 0..TRIES {
            it.kit.tried.clear();
            it.kit.out.clear();
            let Kit { out, errand, .. } = &mut **it.kit;
            out.extend_from_slice(errand);
            // Writing to memory does not fail.
            let _ = write!(out, "X-Code: {status}\r\n\r\n");
            it.kit.carried.place = None;
            it.admitted = self.worker.pools.borrow_mut().admit(it.backend).ok()?;
            self.deadline.lap(None);
            let mut taken = self.acquire(it, None).await.ok()?;
            it.asks_for_page();
            match self.ask(&mut taken, it).await {
                Ok((answer, _)) if answer.head.status == 101 => return None,
                Ok((answer, length)) => {
                    it.answered(answer.head.status);
                    return Some((taken, answer, length));
                }
                Err(trouble) => {
                    it.failed(&trouble.failure);
                    if !taken.reused || trouble.failure.reason != Reason::UpstreamReset {
                        return None;
                    }
                }
            }
        }
        None
    }
}
