use super::*;
use proptest::prelude::*;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::sync::Arc;

/// What a real client sends first.
fn real(name: &'static str, versions: &[&'static rustls::SupportedProtocolVersion]) -> Vec<u8> {
    let config = ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), ServerName::try_from(name).expect("a name")).expect("a client");
    let mut wire = Vec::new();
    client.write_tls(&mut wire).expect("memory");
    wire
}

/// A message with these extensions, in one record.
fn made(extensions: &[u8]) -> Vec<u8> {
    let length = u16::try_from(extensions.len()).expect("short");
    let body = [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0x13, 1], &[1, 0], &length.to_be_bytes(), extensions].concat();
    record(&[&[1, 0][..], &u16::try_from(body.len()).expect("short").to_be_bytes(), &body].concat())
}

fn record(content: &[u8]) -> Vec<u8> {
    [&[22, 3, 1][..], &u16::try_from(content.len()).expect("short").to_be_bytes(), content].concat()
}

fn sni(name: &[u8]) -> Vec<u8> {
    let count = |extra: usize| u16::try_from(name.len() + extra).expect("short").to_be_bytes();
    [&[0, 0][..], &count(5), &count(3), &[0], &count(0), name].concat()
}

fn named(name: &str) -> Result<Option<Hello>, NoHello> {
    Ok(Some(Hello { server_name: Some(name.to_owned()) }))
}

#[test]
fn a_real_clients_name_is_read() {
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13], rustls::ALL_VERSIONS] {
        assert_eq!(read_hello(&real("Shop.Example.COM", versions)), named("shop.example.com"));
        assert_eq!(read_hello(&real("127.0.0.1", versions)), Ok(Some(Hello::default())));
    }
}

#[test]
fn every_part_of_one_is_a_part_and_records_may_be_small() {
    let whole = real("a.test", rustls::ALL_VERSIONS);
    for count in 0..whole.len() {
        assert_eq!(read_hello(&whole[..count]), Ok(None), "{count}");
    }
    let content = &whole[RECORD_HEADER..];
    for size in [1, 2, 3, 5, 100, 1000] {
        let split: Vec<u8> = content.chunks(size).flat_map(record).collect();
        assert_eq!(read_hello(&split), named("a.test"), "records of {size}");
        assert_eq!(read_hello(&split[..split.len() - 1]), Ok(None), "records of {size}");
    }
    assert_eq!(read_hello(&[&whole[..], b"early data"].concat()), named("a.test"), "what follows is not looked at");
}

#[test]
fn names_are_normal_or_refused() {
    for (name, expect) in [
        (&b"a.test"[..], named("a.test")),
        (b"A.TEST.", named("a.test")),
        (b"_x-1.test", named("_x-1.test")),
        (b"10.0.0.1", Ok(Some(Hello::default()))),
        (b"::1", Ok(Some(Hello::default()))),
        (b"", Err(NoHello::Malformed)),
        (b".", Err(NoHello::Malformed)),
        (b"a..test", Err(NoHello::Malformed)),
        (b"a.test..", Err(NoHello::Malformed)),
        (b"a\0.test", Err(NoHello::Malformed)),
        (b"a.test:443", Err(NoHello::Malformed)),
        (b"\xffa.test", Err(NoHello::Malformed)),
    ] {
        assert_eq!(read_hello(&made(&sni(name))), expect, "{}", name.escape_ascii());
    }
    assert_eq!(read_hello(&made(&sni(&[b'a'; 64]))), Err(NoHello::Malformed));
    assert_eq!(read_hello(&made(&[])), Ok(Some(Hello::default())));
    let twice = [sni(b"a.test"), sni(b"b.test")].concat();
    assert_eq!(read_hello(&made(&twice)), Err(NoHello::Malformed), "which of two would be meant?");
    assert_eq!(read_hello(&made(&[&[0, 16, 0, 2, 0, 0][..], &sni(b"a.test")].concat())), named("a.test"));
}

#[test]
fn what_is_no_hello_is_refused_at_once() {
    for (octets, expect) in [
        (&b"G"[..], NoHello::NotTls),
        (b"GET / HTTP/1.1\r\n\r\n", NoHello::NotTls),
        (b"\x16\x02", NoHello::NotTls),
        (b"\x15\x03\x01\x00\x02\x02\x28", NoHello::NotTls),
        (b"\x16\x03\x01\x00\x05\x02", NoHello::NotTls),
        (b"\x16\x03\x01\x00\x00", NoHello::Malformed),
        (b"\x16\x03\x01\x40\x01", NoHello::Malformed),
        (b"\x16\x03\x01\x40\x00", NoHello::TooLong),
        (b"\x16\x03\x01\x00\x05\x01\x00\x00\x00\x00", NoHello::Malformed),
        (b"\x16\x03\x01\x00\x04\x01\x01\x00\x00", NoHello::TooLong),
    ] {
        assert_eq!(read_hello(octets), Err(expect), "{}", octets.escape_ascii());
    }
}

#[test]
fn a_hello_has_a_bound_however_it_is_cut() {
    let long = [&[1, 0, 0x3f, 0xf0][..], &[0; 0x3ff0]].concat();
    let cut: Vec<u8> = long.chunks(1).flat_map(record).collect();
    assert_eq!(read_hello(&cut[..LONGEST_HELLO - 1]), Ok(None));
    assert_eq!(read_hello(&cut[..LONGEST_HELLO]), Err(NoHello::TooLong));
    assert_eq!(read_hello(&cut), Err(NoHello::TooLong));
}

proptest! {
    #[test]
    fn nothing_panics_and_nothing_beyond_the_bound_counts(octets in any_hello(), more in prop::collection::vec(any::<u8>(), 0..64)) {
        let read = read_hello(&octets);
        if octets.len() >= LONGEST_HELLO {
            prop_assert_ne!(&read, &Ok(None));
            prop_assert_eq!(&read, &read_hello(&[&octets[..], &more].concat()));
        }
        // Whatever was decided stands when more comes; a part stays a part or becomes something.
        if !matches!(read, Ok(None)) {
            prop_assert_eq!(&read, &read_hello(&[&octets[..], &more].concat()));
        }
        // A decision is never taken back by what came before it.
        let half = read_hello(&octets[..octets.len() / 2]);
        prop_assert!(matches!(half, Ok(None)) || half == read);
    }
}

/// Arbitrary octets, and real messages with a few octets changed, cut into records or grown.
fn any_hello() -> impl Strategy<Value = Vec<u8>> {
    let changed = (prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), 1_usize..400, any::<bool>()).prop_map(
        |(changes, size, cut)| {
            let mut octets = real("shop.example.com", rustls::ALL_VERSIONS);
            if cut {
                octets = octets[RECORD_HEADER..].chunks(size).flat_map(record).collect();
            }
            for (at, octet) in changes {
                let at = at.index(octets.len());
                octets[at] = octet;
            }
            octets
        },
    );
    let header = (0_u16..0x4002, prop::collection::vec(any::<u8>(), 0..20_000)).prop_map(|(length, rest)| {
        let [high, low] = length.to_be_bytes();
        [&[22, 3, 1, high, low, 1, 0, 0x10, 0][..], &rest].concat()
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..40_000), changed, header]
}
