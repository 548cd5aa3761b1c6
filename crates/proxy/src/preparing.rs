//! The request as its backend gets it, made ready before anybody is connected to.

use crate::connection::Connection;
use crate::exchange::Failure;
use crate::heads::{Facts, Incoming, Kit};
use crate::outgoing::Outgoing;
use crate::passage::Passage;
use crate::transfer::{Kept, Sink, Source, Transfer, end, put};
use http1::{Chunked, Framing, Piece, RequestHead};
use model::Reason;
use route::CompiledRoute;

impl Connection {
    /// Writes the head, and the body as far as it is there, into `kit.out`; the rest is the upload.
    pub fn prepare(&mut self, incoming: Box<Incoming>, length: usize, it: &mut Passage<'_>) -> Result<(), Failure> {
        let mut out = std::mem::take(&mut it.kit.out);
        let octets = incoming.buffer.unread().get(..length).unwrap_or_default();
        let written = self.outgoing(&incoming.head, octets, &it.facts, it.route, it.kit).write(&mut out);
        it.kit.out = out;
        self.write_errand(&incoming, length, &it.facts, it.route, it.kit);
        let Ok(place) = written else {
            it.upload.body = self.body_of(incoming, length, &it.facts);
            return Err(Failure::backend(500, Reason::Internal));
        };
        it.kit.carried.place = place;
        self.begin_body(incoming, length, it)
    }

    /// Notes how an error page would be asked for: by the time it is, the head is gone.
    pub fn write_errand(&self, incoming: &Incoming, length: usize, facts: &Facts, route: &CompiledRoute, kit: &mut Kit) {
        let Some(pages) = kit.edits.pages(route) else { return };
        let mut errand = std::mem::take(&mut kit.errand);
        let octets = incoming.buffer.unread().get(..length).unwrap_or_default();
        self.outgoing(&incoming.head, octets, facts, route, kit).write_errand(pages, &mut errand);
        kit.errand = errand;
    }

    fn outgoing<'a>(
        &'a self,
        head: &'a RequestHead,
        octets: &'a [u8],
        facts: &'a Facts,
        route: &'a CompiledRoute,
        kit: &'a Kit,
    ) -> Outgoing<'a> {
        let said = kit.origin.as_ref().and_then(|it| it.host.as_deref());
        let authority = said.unwrap_or(&kit.authority);
        let options = kit.options.as_deref().filter(|_| kit.origin.is_none());
        Outgoing {
            head,
            octets,
            facts,
            route,
            edits: &kit.edits,
            path: &kit.path,
            query: kit.queried.then_some(&*kit.query),
            authority,
            host: if authority.is_empty() { self.context.address.to_string().into() } else { authority.into() },
            request_id: &kit.request_id,
            forwarding: kit.origin.as_ref().map_or(&self.forwarding, |it| &it.forwarding),
            carried: &kit.carried,
            unheard: options.and_then(|it| it.forwarded.as_ref()).map(|it| &*it.field),
        }
    }

    /// What of the body has arrived with the head goes out with the head, checked before anybody is connected to.
    fn begin_body(&mut self, incoming: Box<Incoming>, length: usize, it: &mut Passage<'_>) -> Result<(), Failure> {
        let room = it.room();
        let Passage { facts, kit, upload, .. } = it;
        let limit = kit.edits.body_limit();
        let here = incoming.buffer.unread().get(length..).unwrap_or_default();
        let (used, mut body) = match facts.framing {
            Framing::Length(whole) if whole > 0 => {
                let there = usize::try_from(whole).unwrap_or(usize::MAX).min(here.len());
                kit.out.extend_from_slice(here.get(..there).unwrap_or_default());
                let left = whole - there as u64;
                let mut body = Transfer::new(Source::Length(left), Sink::Raw, None, Vec::new(), limit);
                body.octets = there as u64;
                upload.octets = body.octets;
                (there, (left > 0).then_some(body))
            }
            Framing::Chunked => {
                let (mut decoder, mut at, mut octets) = (Chunked::new(), 0, 0_u64);
                let ended = loop {
                    match decoder.next(here, &mut at) {
                        Ok(Piece::Data(count)) => {
                            octets += count as u64;
                            if limit.is_some_and(|limit| octets > limit) {
                                return Err(Failure::client(413, Reason::BodyTooLarge));
                            }
                            put(&mut kit.out, Sink::Chunked, here.get(at..at + count).unwrap_or_default());
                            at += count;
                        }
                        Ok(Piece::More) => break false,
                        Ok(Piece::End) => break true,
                        Err(fault) => return Err(Failure::client(fault.status(), Reason::BadRequest)),
                    }
                };
                if ended {
                    end(&mut kit.out, Sink::Chunked);
                }
                let mut body = Transfer::new(Source::Chunked(decoder), Sink::Chunked, None, Vec::new(), limit);
                body.octets = octets;
                upload.octets = octets;
                (at, (!ended).then_some(body))
            }
            _ => (0, None),
        };
        if let (Some(room), Some(body)) = (room, &mut body) {
            body.keep(Kept::new(room, self.worker.kept.clone()));
        }
        upload.body = body;
        self.let_go(incoming, length + used);
        Ok(())
    }
}
