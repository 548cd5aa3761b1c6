//! Malformed and ambiguous HTTP/1.1 through a real listener, a recording origin behind it. The cases are data: `conformance/http1.json`.
//!
//! ```text
//! case ─► client ─octets─► Dataplane: a listener per case, ten routes, metrics on ─► origin, records every octet
//!            └────────────────── verdict: the client's view, and the origin's ──────────────┘
//! ```
//!
//! **Invariant:** no case is skipped, and a phrase in `origin_check` that no predicate knows is a failure.

mod client;
mod corpus;
mod gateway;
mod origin;
mod split;
mod verdict;

use corpus::Case;
use origin::After;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Cases under way at a time.
const AT_ONCE: usize = 16;

#[test]
fn every_case_gets_its_verdict_from_an_origin_that_closes() {
    judge_all(After::Close);
}

#[test]
fn every_case_gets_its_verdict_from_an_origin_that_keeps_connections() {
    judge_all(After::Keep);
}

/// Sends every case and prints every failure.
fn judge_all(after: After) {
    let cases = corpus::load();
    let gateway = gateway::start(cases.len(), after);
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((number, case)) = take(&next, &cases) {
                    let seen = client::send(case, gateway.address(number));
                    let requests = gateway.origin(number).requests();
                    if let Err(why) = verdict::judge(case, &seen, &requests) {
                        let report = format!("{} ({}, {}): {why}\n    {}", case.id, case.expect, case.level, case.note);
                        failures.lock().unwrap_or_else(PoisonError::into_inner).push(report);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failures.is_empty(), "{} of {} cases fail:\n{}", failures.len(), cases.len(), failures.join("\n"));
    gateway.check_metrics();
}

fn take<'c>(next: &AtomicUsize, cases: &'c [Case]) -> Option<(usize, &'c Case)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    Some((number, cases.get(number)?))
}

/// The judge itself must be able to say no.
#[test]
fn the_judge_tells_right_from_wrong() {
    verdict::check_itself(&corpus::load());
}
