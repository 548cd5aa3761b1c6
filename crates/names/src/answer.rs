//! One packet in, at most one out. No IO.

use crate::literal::{Literal, literal};
use crate::table::{Found, Table};
use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, HINFO, NS, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What is answered for.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    /// Below these, names hold addresses. In lower case, the longer first.
    suffixes: Vec<String>,
    pub table: Table,
}

/// What carries a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Udp,
    Tcp,
}

/// What fits into one packet on every path (DNS flag day 2020), and what a client takes that does not say.
const EDNS_PAYLOAD: u16 = 1232;
const PLAIN_PAYLOAD: u16 = 512;
const HEADER: usize = 12;
/// OPT, a signature, and one to spare.
const MOST_ADDITIONALS: u16 = 3;
/// Addresses of one name that are told.
const MOST_ADDRESSES: usize = 32;

/// How long an address that the name itself holds is good for, and one of the table, which may change at any time; in seconds.
const LITERAL_TTL: u32 = 300;
const TABLE_TTL: u32 = 5;

// === impl Zones ===

impl Zones {
    pub fn new(suffixes: impl IntoIterator<Item = impl AsRef<str>>, table: Table) -> Self {
        let mut suffixes: Vec<String> = suffixes.into_iter().map(|it| it.as_ref().trim_end_matches('.').to_ascii_lowercase()).collect();
        suffixes.sort_by_key(|it| std::cmp::Reverse(it.len()));
        Self { suffixes, table }
    }

    pub fn suffixes(&self) -> &[String] {
        &self.suffixes
    }

    /// The suffix that a name is under, and the labels before it.
    fn suffix<'a>(&self, name: &'a str) -> Option<(&str, Vec<&'a str>)> {
        self.suffixes.iter().find_map(|suffix| {
            let front = name.strip_suffix(suffix.as_str())?;
            let labels = match front.strip_suffix('.') {
                Some(front) => front.split('.').collect(),
                None => front.is_empty().then(Vec::new)?,
            };
            Some((suffix.as_str(), labels))
        })
    }

    /// What there is under a name; `None`: it is in no zone of ours. `own`: where this server was asked.
    fn look_up(&self, name: &str, own: IpAddr) -> Option<Known> {
        let labels = |it: &str| it.split('.').count();
        let (found, of_host) = self.table.find(name);
        let Some((suffix, front)) = self.suffix(name) else {
            let zone = (of_host > 0).then_some(of_host)?;
            let is_server = labels(name) == zone + 1 && name.starts_with("ns.");
            return Some(match found {
                Found::Leads(leads) => Known { zone, ttl: TABLE_TTL, what: What::Addresses(leads.to.clone()) },
                Found::Missing if is_server => Known { zone, ttl: TABLE_TTL, what: What::Addresses([own].into()) },
                Found::Missing | Found::Unknown => Known { zone, ttl: TABLE_TTL, what: What::Nothing },
                Found::Exists => Known { zone, ttl: TABLE_TTL, what: What::Addresses(BTreeSet::new()) },
            });
        };
        let zone = labels(suffix);
        let literal = literal(&front);
        let (what, ttl) = match (found, literal) {
            (Found::Leads(leads), Literal::Address(it)) if leads.made_of.contains(&it) => (What::Addresses(leads.to.clone()), TABLE_TTL),
            (_, Literal::Address(address)) => (What::Addresses([address].into()), LITERAL_TTL),
            (Found::Leads(leads), _) => (What::Addresses(leads.to.clone()), TABLE_TTL),
            _ if front == ["ns"] => (What::Addresses([own].into()), TABLE_TTL),
            (Found::Exists, _) | (_, Literal::Beneath) => (What::Addresses(BTreeSet::new()), TABLE_TTL),
            _ if front.is_empty() => (What::Addresses(BTreeSet::new()), TABLE_TTL),
            (Found::Missing | Found::Unknown, Literal::Nothing) => (What::Nothing, TABLE_TTL),
        };
        Some(Known { zone, ttl, what })
    }
}

/// What is known of a name in one of our zones.
struct Known {
    /// How many labels of it are the zone's name.
    zone: usize,
    ttl: u32,
    what: What,
}

enum What {
    /// The name is there.
    Addresses(BTreeSet<IpAddr>),
    Nothing,
}

/// The answer to a packet, as it goes out, with its response code; `None`: none at all, since it is no question.
///
/// `own`: the address at which it was asked.
pub fn answer(zones: &Zones, packet: &[u8], over: Over, own: IpAddr) -> Option<(Vec<u8>, ResponseCode)> {
    let mut reply = match read(packet)? {
        Ok(request) => respond(zones, &request, own),
        Err(refusal) => refusal,
    };
    let code = reply.metadata.response_code;
    let most = match (over, &reply.edns) {
        (Over::Tcp, _) => usize::from(u16::MAX),
        (Over::Udp, Some((_, client))) => usize::from((*client).clamp(PLAIN_PAYLOAD, EDNS_PAYLOAD)),
        (Over::Udp, None) => usize::from(PLAIN_PAYLOAD),
    };
    let message = reply.message();
    let whole = message.to_vec().ok()?;
    if whole.len() <= most {
        return Some((whole, code));
    }
    reply.cut();
    Some((reply.message().to_vec().ok()?, code))
}

/// The same question, cut short: it is to be asked again by TCP.
pub(crate) fn short(packet: &[u8]) -> Option<Vec<u8>> {
    let request = read(packet)?.ok()?;
    let mut reply = Reply::to(&request);
    reply.cut();
    reply.message().to_vec().ok()
}

/// A question that can be answered, or what is said in place of an answer. `None`: nothing is said.
fn read(packet: &[u8]) -> Option<Result<Message, Reply>> {
    let header = packet.get(..HEADER)?;
    let number = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    // An answer to an answer could go round for ever.
    if header[2] & 0x80 != 0 {
        return None;
    }
    let refuse = |code| Some(Err(Reply::refusal(header, code)));
    if (header[2] >> 3) & 0x0f != 0 {
        return refuse(ResponseCode::NotImp);
    }
    if number(4) != 1 || number(6) != 0 || number(8) != 0 || number(10) > MOST_ADDITIONALS {
        return refuse(ResponseCode::FormErr);
    }
    match Message::from_vec(packet) {
        Ok(message) if message.queries.len() == 1 => Some(Ok(message)),
        _ => refuse(ResponseCode::FormErr),
    }
}

/// What goes back, before it is cut to size.
struct Reply {
    metadata: Metadata,
    query: Option<Query>,
    answers: Vec<Record>,
    authorities: Vec<Record>,
    /// Ours, and what the client can take.
    edns: Option<(Edns, u16)>,
}

fn respond(zones: &Zones, request: &Message, own: IpAddr) -> Reply {
    let mut reply = Reply::to(request);
    let Some(query) = reply.query.clone() else { return reply };
    if request.edns.as_ref().is_some_and(|it| it.version() > 0) {
        reply.metadata.response_code = ResponseCode::BADVERS;
        return reply;
    }
    let asked_for_all = matches!(query.query_type, RecordType::AXFR | RecordType::IXFR);
    let class = matches!(query.query_class, DNSClass::IN | DNSClass::ANY);
    let known = text(&query.name).filter(|_| class && !asked_for_all).and_then(|name| zones.look_up(&name, own));
    match known {
        Some(known) => reply.fill(&query, known),
        None => reply.metadata.response_code = ResponseCode::Refused,
    }
    reply
}

/// In lower case. `None`: it has a label that no host has.
fn text(name: &Name) -> Option<String> {
    let plain = |label: &[u8]| label.iter().all(|it| it.is_ascii_graphic() && *it != b'.');
    let labels: Option<Vec<String>> = name.iter().map(|it| plain(it).then(|| String::from_utf8_lossy(it).to_ascii_lowercase())).collect();
    Some(labels?.join("."))
}

// === impl Reply ===

impl Reply {
    fn to(request: &Message) -> Self {
        let edns = request.edns.as_ref().map(|client| {
            let mut own = Edns::new();
            own.set_max_payload(EDNS_PAYLOAD).set_version(0).set_dnssec_ok(client.flags().dnssec_ok);
            (own, client.max_payload())
        });
        Self {
            metadata: Metadata::response_from_request(&request.metadata),
            query: request.queries.first().cloned(),
            answers: Vec::new(),
            authorities: Vec::new(),
            edns,
        }
    }

    /// What can be said to something of which only the header is known.
    fn refusal(header: &[u8], code: ResponseCode) -> Self {
        let id = u16::from_be_bytes([header[0], header[1]]);
        let mut metadata = Metadata::new(id, MessageType::Response, OpCode::from_u8((header[2] >> 3) & 0x0f));
        metadata.recursion_desired = header[2] & 1 != 0;
        metadata.response_code = code;
        Self { metadata, query: None, answers: Vec::new(), authorities: Vec::new(), edns: None }
    }

    fn fill(&mut self, query: &Query, Known { zone, ttl, what }: Known) {
        self.metadata.authoritative = true;
        let apex = query.name.trim_to(zone);
        let is_apex = usize::from(query.name.num_labels()) == zone;
        let What::Addresses(addresses) = what else {
            self.metadata.response_code = ResponseCode::NXDomain;
            return self.negative(apex, ttl);
        };
        let record = |data| Record::from_rdata(query.name.clone(), ttl, data);
        let answers: Vec<Record> = match query.query_type {
            RecordType::A | RecordType::AAAA => {
                let data = addresses.into_iter().filter_map(|it| match (it, query.query_type) {
                    (IpAddr::V4(it), RecordType::A) => Some(RData::A(A(it))),
                    (IpAddr::V6(it), RecordType::AAAA) => Some(RData::AAAA(AAAA(it))),
                    _ => None,
                });
                data.take(MOST_ADDRESSES).map(record).collect()
            }
            // RFC 8482: something that is there, and not all of it.
            RecordType::ANY => vec![record(RData::HINFO(HINFO::new("RFC8482".into(), String::new())))],
            RecordType::SOA if is_apex => soa(&apex, ttl).map(|it| record(RData::SOA(it))).into_iter().collect(),
            RecordType::NS if is_apex => server(&apex).map(|it| record(RData::NS(NS(it)))).into_iter().collect(),
            _ => Vec::new(),
        };
        if answers.is_empty() {
            return self.negative(apex, ttl);
        }
        self.answers = answers;
    }

    /// How long that is good for is in the SOA (RFC 2308).
    fn negative(&mut self, apex: Name, ttl: u32) {
        self.authorities.extend(soa(&apex, ttl).map(|it| Record::from_rdata(apex, ttl, RData::SOA(it))));
    }

    fn cut(&mut self) {
        self.answers.clear();
        self.authorities.clear();
        self.metadata.truncation = true;
    }

    fn message(&self) -> Message {
        let mut message = Message::new(self.metadata.id, MessageType::Response, self.metadata.op_code);
        message.metadata = self.metadata;
        message.queries.extend(self.query.clone());
        message.answers.clone_from(&self.answers);
        message.authorities.clone_from(&self.authorities);
        message.edns = self.edns.as_ref().map(|(own, _)| own.clone());
        message
    }
}

/// `None`: the zone's name is so long that none can be before it.
fn server(apex: &Name) -> Option<Name> {
    apex.prepend_label("ns").ok()
}

fn soa(apex: &Name, negative: u32) -> Option<SOA> {
    let responsible = apex.prepend_label("hostmaster").ok()?;
    Some(SOA::new(server(apex)?, responsible, 1, 3_600, 600, 86_400, negative))
}

#[cfg(test)]
mod tests;
