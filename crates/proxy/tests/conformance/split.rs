//! Octets arrive in pieces. The verdict on a message must not depend on where they are cut.

use crate::corpus::{self, Case};
use crate::origin::After;
use crate::{AT_ONCE, client, gateway, take};
use http1::{Chunked, Framing, Piece, RequestHead, Scheme, canonical_path};
use std::sync::atomic::AtomicUsize;
use std::thread;

/// Cut at every octet up to this length; longer ones at [`PLACES`] places.
const SHORT: usize = 4 << 10;
const PLACES: usize = 64;

/// Reads a message that arrives in two pieces, and says all there is to say about it.
fn read(octets: &[u8], cut: usize) -> String {
    let mut head = RequestHead::new();
    let arrivals = [&octets[..cut], octets];
    let Some(parsed) = arrivals.iter().find_map(|arrived| head.parse(arrived, Scheme::Http).transpose()) else {
        return "more is needed".into();
    };
    let length = match parsed {
        Ok(length) => length,
        Err(fault) => return format!("{fault:?} {}", fault.status()),
    };
    let fields: Vec<String> = head
        .fields
        .iter()
        .map(|field| format!("{}: {}", field.name.of(octets).escape_ascii(), field.value.of(octets).escape_ascii()))
        .collect();
    let target = head.raw_target(octets);
    let path = match head.target(octets) {
        http1::Target::Path { path, .. } => format!("{:?}", canonical_path(path)),
        http1::Target::Asterisk => "*".into(),
    };
    let body = match head.framing {
        Framing::Chunked => chunks(octets, length, cut.max(length)),
        other => format!("{other:?}"),
    };
    format!("{} {} {path} {} {fields:?} {} {body}", head.method_name(octets), target.escape_ascii(), head.host(), head.keep_alive)
}

fn chunks(octets: &[u8], from: usize, cut: usize) -> String {
    let (mut chunked, mut at, mut data) = (Chunked::new(), from, Vec::new());
    for arrived in [&octets[..cut], octets] {
        loop {
            match chunked.next(arrived, &mut at) {
                Ok(Piece::Data(length)) => {
                    data.extend_from_slice(&octets[at..at + length]);
                    at += length;
                }
                Ok(Piece::More) => break,
                Ok(Piece::End) => return format!("{} octets {} and the end at {at}", data.len(), data.escape_ascii()),
                Err(fault) => return format!("{fault:?} {}", fault.status()),
            }
        }
    }
    format!("{} octets {} and no end", data.len(), data.escape_ascii())
}

/// Where to cut.
fn cuts(octets: &[u8]) -> impl Iterator<Item = usize> {
    let step = if octets.len() > SHORT { octets.len() / PLACES } else { 1 };
    (1..octets.len()).step_by(step)
}

#[test]
fn every_message_reads_the_same_wherever_it_is_cut() {
    for case in corpus::load() {
        let whole = read(&case.octets, 0);
        for cut in cuts(&case.octets) {
            assert_eq!(read(&case.octets, cut), whole, "{} cut at {cut}", case.id);
        }
    }
}

#[test]
fn every_message_is_answered_the_same_wherever_it_is_cut() {
    let cases = corpus::load();
    let gateway = gateway::start(1, After::Keep);
    let to = gateway.address(0);
    let next = AtomicUsize::new(0);
    let one = |case: &Case| {
        let whole = client::send_cut(&case.octets, 0, to);
        let cuts = cuts(&case.octets).map(|cut| (cut, client::send_cut(&case.octets, cut, to)));
        // A refusal that comes before the rest has been sent may be lost to the reset that the rest then meets.
        let lost = |answer: &Option<_>| answer.is_none() && whole.is_some_and(|(status, _)| status >= 400);
        let different: Vec<_> = cuts.filter(|(_, answer)| *answer != whole && !lost(answer)).collect();
        assert!(different.is_empty(), "{} is answered {whole:?} at once, but cut {different:?}", case.id);
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((_, case)) = take(&next, &cases) {
                    one(case);
                }
            });
        }
    });
}
