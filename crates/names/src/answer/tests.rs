use super::*;
use crate::table::Leads;
use model::{HostPattern, Hostname};
use proptest::prelude::*;

const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 53));

fn zones() -> Zones {
    let table = Table::default();
    let host = |it: &str| Hostname::parse(it).expect("a host");
    let leads = |to: &[&str], made_of: &[&str]| {
        let addresses = |them: &[&str]| them.iter().map(|it| it.parse().expect("an address")).collect();
        Some(Leads { to: addresses(to), made_of: addresses(made_of) }.into())
    };
    table.put(&HostPattern::Exact(host("shop.example")), leads(&["10.1.0.1", "2001:db8::1"], &[]));
    table.put(&HostPattern::OneLabel(host("apps.example")), leads(&["10.1.0.2"], &[]));
    table.put(&HostPattern::Exact(host("web.demo.10.0.0.1.nip.io")), leads(&["10.0.0.2"], &["10.0.0.1", "10.0.0.2"]));
    table.put(&HostPattern::Exact(host("mine.10.0.0.9.nip.io")), leads(&["10.0.0.2"], &["10.0.0.2"]));
    table.put(&HostPattern::Exact(host("plain.nip.io")), leads(&["10.0.0.2"], &["10.0.0.2"]));
    table.put(&HostPattern::Exact(host("a.deep.nip.io")), leads(&["10.0.0.2"], &[]));
    let many: Vec<String> = (0..250).map(|it| format!("10.9.0.{it}")).collect();
    table.put(&HostPattern::Exact(host("many.example")), leads(&many.iter().map(String::as_str).collect::<Vec<_>>(), &[]));
    Zones::new(["nip.io", "Apps.Test."], table)
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.queries.push(Query::query(Name::from_ascii(format!("{name}.")).expect("a name"), kind));
    message
}

fn ask(message: &Message, over: Over) -> Message {
    let (reply, code) = answer(&zones(), &message.to_vec().expect("it can be written"), over, OWN).expect("an answer");
    let reply = Message::from_vec(&reply).expect("it can be read");
    let said = (reply.metadata.id, u16::from(reply.metadata.response_code), reply.metadata.recursion_available);
    assert_eq!(said, (message.metadata.id, u16::from(code), false));
    reply
}

/// Response code, answers, and whose SOA is with them.
fn shown(reply: &Message) -> String {
    let records = |them: &[Record]| them.iter().map(|it| format!(" {} {}", it.record_type(), it.data)).collect::<String>();
    let authority: String = reply.authorities.iter().map(|it| format!(" / {} {}", it.name, it.record_type())).collect();
    let flags = if reply.metadata.authoritative { "" } else { " -aa" };
    format!("{:?}{flags}{}{authority}", reply.metadata.response_code, records(&reply.answers))
}

fn check(name: &str, kind: RecordType, expect: &str) {
    assert_eq!(shown(&ask(&question(name, kind), Over::Udp)), expect, "{name} {kind}");
}

#[test]
fn names_that_hold_addresses() {
    check("10.0.0.1.nip.io", RecordType::A, "NoError A 10.0.0.1");
    check("a.b.app-10-0-0-1.nip.io", RecordType::A, "NoError A 10.0.0.1");
    check("app.10.0.0.1.apps.test", RecordType::A, "NoError A 10.0.0.1");
    check("2001-db8--5.nip.io", RecordType::AAAA, "NoError AAAA 2001:db8::5");
    check("10.0.0.1.nip.io", RecordType::AAAA, "NoError / nip.io. SOA");
    check("10.0.0.1.nip.io", RecordType::MX, "NoError / nip.io. SOA");
    check("10.0.0.1.nip.io", RecordType::ANY, "NoError HINFO RFC8482 ");
    check("0.0.1.nip.io", RecordType::A, "NoError / nip.io. SOA");
    check("app.nip.io", RecordType::A, "NXDomain / nip.io. SOA");
    check("x.10.0.0.256.nip.io", RecordType::A, "NXDomain / nip.io. SOA");
}

#[test]
fn zones_and_what_is_in_none() {
    check("nip.io", RecordType::SOA, "NoError SOA ns.nip.io. hostmaster.nip.io. 1 3600 600 86400 5");
    check("nip.io", RecordType::NS, "NoError NS ns.nip.io.");
    check("nip.io", RecordType::A, "NoError / nip.io. SOA");
    check("ns.nip.io", RecordType::A, "NoError A 192.0.2.53");
    check("io", RecordType::A, "Refused -aa");
    check("notnip.io", RecordType::A, "Refused -aa");
    check("example.org", RecordType::A, "Refused -aa");
    check("nip.io", RecordType::AXFR, "Refused -aa");
    let root = ask(&question("", RecordType::NS), Over::Udp);
    assert_eq!(shown(&root), "Refused -aa");
}

#[test]
fn hosts_of_routes() {
    check("shop.example", RecordType::A, "NoError A 10.1.0.1");
    check("shop.example", RecordType::AAAA, "NoError AAAA 2001:db8::1");
    check("shop.example", RecordType::SOA, "NoError SOA ns.shop.example. hostmaster.shop.example. 1 3600 600 86400 5");
    check("x.shop.example", RecordType::A, "NXDomain / shop.example. SOA");
    check("one.apps.example", RecordType::A, "NoError A 10.1.0.2");
    check("apps.example", RecordType::A, "NoError / apps.example. SOA");
    check("one.two.apps.example", RecordType::A, "NXDomain / apps.example. SOA");
    check("example", RecordType::A, "Refused -aa");
    check("ns.shop.example", RecordType::A, "NoError A 192.0.2.53");
    check("plain.nip.io", RecordType::A, "NoError A 10.0.0.2");
    check("deep.nip.io", RecordType::A, "NoError / nip.io. SOA");
}

#[test]
fn a_host_that_somebody_names_does_not_turn_an_address_round() {
    check("mine.10.0.0.9.nip.io", RecordType::A, "NoError A 10.0.0.9");
    check("web.demo.10.0.0.1.nip.io", RecordType::A, "NoError A 10.0.0.2");
    check("other.demo.10.0.0.1.nip.io", RecordType::A, "NoError A 10.0.0.1");
}

#[test]
fn case_is_kept_and_does_not_matter() {
    let asked = question("ApP.10.0.0.1.NiP.Io", RecordType::A);
    let reply = ask(&asked, Over::Udp);
    assert_eq!(reply.queries[0].name.to_ascii(), "ApP.10.0.0.1.NiP.Io.");
    assert_eq!(reply.answers[0].name.to_ascii(), "ApP.10.0.0.1.NiP.Io.");
    let negative = ask(&question("X.NiP.iO", RecordType::A), Over::Udp);
    assert_eq!(shown(&negative), "NXDomain / NiP.iO. SOA");
}

#[test]
fn edns_is_answered_with_edns() {
    let mut asked = question("10.0.0.1.nip.io", RecordType::A);
    let mut edns = Edns::new();
    edns.set_max_payload(4096).set_dnssec_ok(true);
    asked.edns = Some(edns.clone());
    let reply = ask(&asked, Over::Udp).edns.expect("EDNS");
    assert_eq!((reply.max_payload(), reply.version(), reply.flags().dnssec_ok), (1232, 0, true));
    edns.set_version(1);
    asked.edns = Some(edns);
    let reply = ask(&asked, Over::Udp);
    // One number, two names.
    assert_eq!(shown(&reply), "BADSIG -aa");
    assert_eq!(reply.edns.expect("EDNS").version(), 0);
    assert_eq!(ask(&question("10.0.0.1.nip.io", RecordType::A), Over::Udp).edns, None);
}

#[test]
fn what_does_not_fit_is_cut_and_comes_whole_by_tcp() {
    let mut asked = question("many.example", RecordType::A);
    let reply = ask(&asked, Over::Udp);
    assert!(reply.metadata.truncation && reply.answers.is_empty(), "{reply:?}");
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    asked.edns = Some(edns);
    assert_eq!(ask(&asked, Over::Udp).answers.len(), 32);
    asked.edns = None;
    let whole = ask(&asked, Over::Tcp);
    assert_eq!((whole.metadata.truncation, whole.answers.len()), (false, 32));
}

#[test]
fn what_is_no_question_of_ours() {
    let packet = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut packet = question("10.0.0.1.nip.io", RecordType::A).to_vec().expect("it can be written");
        edit(&mut packet);
        answer(&zones(), &packet, Over::Udp, OWN).map(|(_, code)| code)
    };
    assert_eq!(packet(&|it| it[2] |= 0x80), None, "an answer");
    assert_eq!(packet(&|it| it.truncate(11)), None);
    assert_eq!(packet(&|it| it.truncate(12)), Some(ResponseCode::FormErr));
    assert_eq!(packet(&|it| it[5] = 2), Some(ResponseCode::FormErr), "two questions");
    assert_eq!(packet(&|it| it[5] = 0), Some(ResponseCode::FormErr), "none");
    assert_eq!(packet(&|it| it[10] = 255), Some(ResponseCode::FormErr), "many records");
    assert_eq!(packet(&|it| it[2] |= 5 << 3), Some(ResponseCode::NotImp), "an update");
    let last = |it: &mut Vec<u8>, class: u8| *it.last_mut().expect("a class") = class;
    assert_eq!(packet(&|it| last(it, 3)), Some(ResponseCode::Refused), "chaos");
    assert_eq!(packet(&|it| last(it, 255)), Some(ResponseCode::NoError), "any class");
}

/// Cheap, and over in a second: octets of every kind, and questions with some of them changed.
#[test]
fn a_hundred_thousand_packets_do_no_harm() {
    let (zones, mut rng) = (zones(), fastrand::Rng::with_seed(7));
    let good: Vec<Vec<u8>> = ["10.0.0.1.nip.io", "shop.example", "a.b.c.2001-db8--1.apps.test", "x"]
        .iter()
        .map(|name| {
            let mut message = question(name, RecordType::A);
            message.edns = Some(Edns::new());
            message.to_vec().expect("it can be written")
        })
        .collect();
    let mut answered = 0;
    for round in 0..100_000 {
        let mut packet = if round % 4 == 0 {
            let length = rng.usize(0..120);
            std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
        } else {
            good[rng.usize(..good.len())].clone()
        };
        for _ in 0..rng.usize(0..4) {
            if let Some(octet) = (!packet.is_empty()).then(|| rng.usize(..packet.len())) {
                packet[octet] = rng.u8(..);
            }
        }
        let over = if rng.bool() { Over::Udp } else { Over::Tcp };
        if let Some((reply, _)) = answer(&zones, &packet, over, OWN) {
            assert!(over == Over::Tcp || reply.len() <= 1232);
            assert_eq!(reply[..2], packet[..2]);
            assert!(reply[2] & 0x80 != 0, "an answer");
            answered += 1;
        }
        short(&packet);
    }
    assert!(answered > 10_000, "{answered}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_answered_by_udp_is_hardly_longer_than_what_was_asked(name in "([a-z0-9]{1,20}\\.){1,5}", kind in any::<u16>()) {
        let asked = question(&format!("{name}nip.io"), RecordType::from(kind)).to_vec().expect("it can be written");
        if let Some((reply, _)) = answer(&zones(), &asked, Over::Udp, OWN) {
            prop_assert!(reply.len() <= asked.len() + 100, "{} {}", asked.len(), reply.len());
        }
    }
}
