//! `use-forwarded-headers` and what belongs to it: who may say where a request comes from.
//!
//! **Invariant:** nobody is believed whose address is not written down. ingress-nginx believes everybody where `proxy-real-ip-cidr` is not
//! given; here that takes writing `0.0.0.0/0`.

use super::{Options, field};
use model::{Forwarded, ForwardedFor, Text};
use resources::{Cause, Problem};

const RANGES: &str = "proxy-real-ip-cidr";
const ON: &str = "use-forwarded-headers";

/// Names that mean something else to everybody on the way.
const NOT_ADDRESSES: [&str; 8] =
    ["host", "content-length", "transfer-encoding", "connection", "authorization", "cookie", "x-forwarded-proto", "x-forwarded-host"];

impl Options<'_> {
    pub(super) fn forwarded(&mut self) -> Option<Forwarded> {
        let on = self.flag(ON, false);
        let from = self.ranges();
        let field = self.or("forwarded-for-header", "x-forwarded-for".into(), header, "name of a header", "Write `X-Forwarded-For`");
        let all = self.flag("compute-full-forwarded-for", false);
        if !on {
            let idle = [RANGES, "forwarded-for-header", "compute-full-forwarded-for"];
            let idle = idle.into_iter().filter(|key| self.text(key).is_some()).map(off).collect::<Vec<_>>();
            self.problems.extend(idle);
            return None;
        }
        if from.is_empty() {
            self.problems.push(nobody());
            return None;
        }
        if from.iter().any(|it| it.prefix_len() == 0) {
            self.problems.push(everybody());
        }
        Some(Forwarded { from, field, addresses: if all { ForwardedFor::All } else { ForwardedFor::Client } })
    }

    /// One that is not understood is nobody's address.
    fn ranges(&mut self) -> Vec<ipnet::IpNet> {
        let Some(text) = self.text(RANGES).map(str::to_owned) else { return Vec::new() };
        let mut ranges = Vec::new();
        for word in text.split([',', ' ', '\n']).filter(|it| !it.is_empty()) {
            let address = || word.parse::<std::net::IpAddr>().ok().map(|it| ipnet::IpNet::from(it.to_canonical()));
            match word.parse::<ipnet::IpNet>().ok().or_else(address) {
                Some(range) => ranges.push(range.trunc()),
                None => {
                    let shown: String = word.chars().take(80).collect();
                    let problem = Problem::error(
                        field(RANGES),
                        Cause::InvalidValue,
                        format!("`{shown}` is no range of addresses, so nobody there is believed"),
                    );
                    self.problems.push(problem.hint("Write `10.0.0.0/8`; several are separated by `,`"));
                }
            }
        }
        ranges.sort_unstable();
        ranges.dedup();
        ranges
    }
}

fn header(text: &str) -> Option<Text> {
    let lower = text.to_ascii_lowercase();
    let token = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
    let good = lower.len() <= 64 && lower.bytes().all(token) && !NOT_ADDRESSES.contains(&lower.as_str());
    good.then(|| lower.into())
}

fn off(key: &str) -> Problem {
    Problem::note(field(key), Cause::NoEffect, format!("nobody is believed about where requests come from, because `{ON}` is not on"))
}

fn nobody() -> Problem {
    let message =
        format!("nobody is believed about where requests come from, because `{RANGES}` names nobody: `X-Forwarded-*` are made anew");
    Problem::warning(field(ON), Cause::NoEffect, message)
        .hint(format!("Write the addresses of the proxies in front of the gateway into `{RANGES}`, for example `10.0.0.0/8`"))
}

fn everybody() -> Problem {
    let message = "every client is believed about its own address, scheme and host";
    Problem::warning(field(RANGES), Cause::ClientsBelieved, message)
        .hint("Write the addresses of the proxies in front of the gateway alone")
}
