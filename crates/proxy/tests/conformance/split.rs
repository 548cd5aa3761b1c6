//! Octets arrive in pieces. The verdict on a message must not depend on where they are cut.

use crate::corpus;
use http1::{Chunked, Framing, Piece, RequestHead, Scheme, canonical_path};

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

#[test]
fn every_message_reads_the_same_wherever_it_is_cut() {
    for case in corpus::load() {
        let octets = &case.octets;
        let whole = read(octets, 0);
        let step = if octets.len() > SHORT { octets.len() / PLACES } else { 1 };
        for cut in (0..=octets.len()).step_by(step) {
            assert_eq!(read(octets, cut), whole, "{} cut at {cut}", case.id);
        }
    }
}
