//! How many questions there were, and what became of them.

use hickory_proto::op::ResponseCode;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub struct Counters {
    udp: AtomicU64,
    tcp: AtomicU64,
    noerror: AtomicU64,
    nxdomain: AtomicU64,
    refused: AtomicU64,
    malformed: AtomicU64,
    limited: AtomicU64,
    ignored: AtomicU64,
}

/// What became of a question.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Answered(ResponseCode),
    /// Its network had enough.
    Limited,
    /// It was none.
    Ignored,
}

// === impl Counters ===

impl Counters {
    pub(crate) fn count(&self, over: crate::Over, outcome: Outcome) {
        let add = |it: &AtomicU64| it.fetch_add(1, Ordering::Relaxed);
        match over {
            crate::Over::Udp => add(&self.udp),
            crate::Over::Tcp => add(&self.tcp),
        };
        match outcome {
            Outcome::Answered(ResponseCode::NoError) => add(&self.noerror),
            Outcome::Answered(ResponseCode::NXDomain) => add(&self.nxdomain),
            Outcome::Answered(ResponseCode::Refused) => add(&self.refused),
            Outcome::Answered(_) => add(&self.malformed),
            Outcome::Limited => add(&self.limited),
            Outcome::Ignored => add(&self.ignored),
        };
    }

    /// In OpenMetrics' text form, without its end.
    pub fn render(&self) -> String {
        let now = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let mut text = String::from("# HELP paifang_dns_packets Packets that came.\n# TYPE paifang_dns_packets counter\n");
        for (over, value) in [("udp", &self.udp), ("tcp", &self.tcp)] {
            text.push_str(&format!("paifang_dns_packets_total{{over=\"{over}\"}} {}\n", now(value)));
        }
        text.push_str("# HELP paifang_dns_answers What became of them.\n# TYPE paifang_dns_answers counter\n");
        let outcomes = [
            ("noerror", &self.noerror),
            ("nxdomain", &self.nxdomain),
            ("refused", &self.refused),
            ("malformed", &self.malformed),
            ("limited", &self.limited),
            ("ignored", &self.ignored),
        ];
        for (outcome, value) in outcomes {
            text.push_str(&format!("paifang_dns_answers_total{{outcome=\"{outcome}\"}} {}\n", now(value)));
        }
        text
    }
}
