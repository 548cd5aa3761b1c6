//! The request as its backend gets it, made ready before anybody is connected to.

use crate::connection::Connection;
use crate::exchange::Failure;
use crate::heads::Incoming;
use crate::outgoing::Outgoing;
use crate::passage::Passage;
use crate::transfer::{Kept, Sink, Source, Transfer, end, put};
use http1::{Chunked, Framing, Piece};
use model::Reason;

impl Connection {
    /// Writes the head, and the body as far as it is there, into `kit.out`; the rest is the upload.
    pub fn prepare(&mut self, incoming: Box<Incoming>, length: usize, it: &mut Passage<'_>) -> Result<(), Failure> {
        let local;
        let octets = incoming.buffer.unread().get(..length).unwrap_or_default();
        let kit = &mut **it.kit;
        let host = if kit.authority.is_empty() {
            local = self.context.address.to_string();
            &*local
        } else {
            &*kit.authority
        };
        let outgoing = Outgoing {
            head: &incoming.head,
            octets,
            facts: &it.facts,
            route: it.route,
            edits: &kit.edits,
            path: &kit.path,
            query: kit.queried.then_some(&*kit.query),
            authority: &kit.authority,
            host,
            request_id: &kit.request_id,
            forwarding: &self.forwarding,
        };
        if outgoing.write(&mut kit.out).is_err() {
            it.upload.body = self.body_of(incoming, length, &it.facts);
            return Err(Failure::backend(500, Reason::Internal));
        }
        self.begin_body(incoming, length, it)
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
