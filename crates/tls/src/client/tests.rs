use super::*;
use crate::server::tests::{Seen, certificate, client_of, shake};
use crate::{Carries, Server};
use model::{ClientAuth, TlsPolicy, TlsVersions};
use rustls::version::{TLS12, TLS13};
use std::time::{Duration, SystemTime};
use testkit::certificates::{Alternative, Authority, Issued};

fn trust(authorities: &[&Authority]) -> ClientTrust {
    ClientTrust {
        origin: "Secret demo/ca".into(),
        authorities: authorities.iter().map(|it| it.certificate().to_vec()).collect(),
        revoked: Vec::new(),
        names: Vec::new(),
        pins: Vec::new(),
    }
}

/// What a client with this certificate gets to see, by both versions of TLS.
fn ask(policy: &TlsPolicy, issued: Option<&Issued>) -> Result<(), String> {
    let shown = certificate("a.test");
    let server = Server::new(move |_| Some(shown.clone())).expect("a server");
    let config = server.config(policy, Carries::Http).expect("a configuration");
    let outcomes = [&TLS12, &TLS13].map(|version| match shake(&client_of(&[version], issued), &config, "a.test") {
        Ok(Seen { client_certificate, .. }) => {
            assert_eq!(client_certificate.as_deref(), issued.map(|it| &*it.chain[0]), "{version:?}");
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    });
    let [one, other] = outcomes;
    assert_eq!(one.is_ok(), other.is_ok(), "{one:?} {other:?}");
    other
}

fn required(trust: ClientTrust) -> TlsPolicy {
    TlsPolicy { client: ClientAuth::Required(Arc::new(trust)), versions: TlsVersions::Both }
}

fn optional(trust: ClientTrust) -> TlsPolicy {
    TlsPolicy { client: ClientAuth::Optional(Arc::new(trust)), versions: TlsVersions::Both }
}

#[test]
fn who_may_come_in() {
    let (ours, second, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let (good, also, bad) = (ours.issue(&["c.test"]), second.issue(&["c.test"]), strangers.issue(&["c.test"]));
    let both = || trust(&[&ours, &second]);
    let unverified = TlsPolicy { client: ClientAuth::Unverified, versions: TlsVersions::Both };
    for (policy, by_none, by_bad) in [(required(both()), false, false), (optional(both()), true, false), (unverified, true, true)] {
        assert_eq!(ask(&policy, None).is_ok(), by_none, "{policy:?}");
        assert_eq!(ask(&policy, Some(&bad)).is_ok(), by_bad, "{policy:?}");
        assert_eq!(ask(&policy, Some(&good)), Ok(()), "{policy:?}");
        assert_eq!(ask(&policy, Some(&also)), Ok(()), "{policy:?}");
    }
}

#[test]
fn a_certificate_of_version_one_is_as_good_as_another() {
    let (ours, strangers) = (Authority::new(), Authority::new());
    let (good, bad) = (ours.issue_version_one("c.test"), strangers.issue_version_one("c.test"));
    for policy in [required(trust(&[&ours])), optional(trust(&[&strangers, &ours]))] {
        assert_eq!(ask(&policy, Some(&good)), Ok(()));
    }
    assert!(ask(&required(trust(&[&ours])), Some(&bad)).is_err(), "the issuer's name alone proves nothing");
    let unverified = TlsPolicy { client: ClientAuth::Unverified, versions: TlsVersions::Both };
    assert_eq!(ask(&unverified, Some(&bad)), Ok(()));
    let mut forged = ours.issue_version_one("c.test");
    forged.key = ours.issue_version_one("c.test").key;
    for policy in [required(trust(&[&ours])), unverified] {
        assert!(ask(&policy, Some(&forged)).is_err(), "whoever shows a certificate must have its key");
    }
    assert!(ask(&required(ClientTrust { names: vec!["*".into()], ..trust(&[&ours]) }), Some(&good)).is_err(), "it has no other names");
}

#[test]
fn who_is_revoked_stays_out() {
    let (ours, other) = (Authority::new(), Authority::called("another authority"));
    let later = SystemTime::now() + Duration::from_secs(3_600);
    for issue in [|it: &Authority| it.issue(&["c.test"]), |it: &Authority| it.issue_version_one("c.test")] {
        let (gone, good) = (issue(&ours), issue(&ours));
        let with = |revoked: Vec<Vec<u8>>| required(ClientTrust { revoked, ..trust(&[&ours]) });
        assert_eq!(ask(&with(vec![]), Some(&gone)), Ok(()));
        let list = ours.revoke(&[&gone], later);
        assert!(ask(&with(vec![list.clone()]), Some(&gone)).is_err());
        assert_eq!(ask(&with(vec![list.clone()]), Some(&good)), Ok(()));
        assert!(ask(&with(vec![ours.revoke(&[], SystemTime::now() - Duration::from_secs(60))]), Some(&good)).is_err(), "it is overdue");
        assert!(ask(&with(vec![other.revoke(&[], later)]), Some(&good)).is_err(), "not the authority's own");
        assert_eq!(ask(&with(vec![other.revoke(&[], later), list]), Some(&good)), Ok(()));
    }
}

#[test]
fn names_and_pins_narrow_it_down() {
    let ours = Authority::new();
    let alternatives = [
        Alternative::Dns("Client.Example.com"),
        Alternative::Uri("spiffe://cluster.local/ns/demo/sa/web"),
        Alternative::Email("web@example.com"),
        Alternative::Ip(IpAddr::from([10, 0, 0, 7])),
    ];
    let client = ours.issue_to("web", &alternatives);
    let named = |names: &[&str]| required(ClientTrust { names: names.iter().map(|it| (*it).into()).collect(), ..trust(&[&ours]) });
    for (allowed, expect) in [
        ("client.example.com", true),
        ("CLIENT.EXAMPLE.COM", true),
        ("*.example.com", true),
        ("client.*", true),
        ("spiffe://cluster.local/ns/demo/sa/web", true),
        ("spiffe://cluster.local/ns/demo/*", true),
        ("*/sa/web", true),
        ("web@example.com", true),
        ("10.0.0.7", true),
        ("*", true),
        ("example.com", false),
        ("spiffe://cluster.local/ns/other/*", false),
        ("SPIFFE://cluster.local/ns/demo/sa/web", false),
        ("web", false),
        ("", false),
    ] {
        assert_eq!(ask(&named(&[allowed]), Some(&client)).is_ok(), expect, "{allowed}");
    }
    assert_eq!(ask(&named(&["nobody", "*.example.com"]), Some(&client)), Ok(()));

    let hash = |octets: &[u8]| <[u8; 32]>::try_from(digest(&SHA256, octets).as_ref()).expect("SHA-256");
    let (_, parsed) = X509Certificate::from_der(&client.chain[0]).expect("readable");
    let (key, whole) = (Pin::PublicKey(hash(parsed.public_key().raw)), Pin::Certificate(hash(&client.chain[0])));
    let wrong = [Pin::PublicKey([0; 32]), Pin::Certificate(hash(parsed.public_key().raw))];
    for (pins, expect) in [(vec![key], true), (vec![whole], true), (wrong.to_vec(), false), ([&wrong[..], &[whole]].concat(), true)] {
        let policy = required(ClientTrust { pins: pins.clone(), ..trust(&[&ours]) });
        assert_eq!(ask(&policy, Some(&client)).is_ok(), expect, "{pins:?}");
    }
}

#[test]
fn a_thousand_authorities_are_not_too_many() {
    let names = (0..1_000).map(|at| format!("authority number {at} of a company with many of them and a name that is not short"));
    let all: Vec<Authority> = names.map(|name| Authority::called(&name)).collect();
    let last = all.last().expect("there are some").issue(&["c.test"]);
    assert_eq!(ask(&required(trust(&all.iter().collect::<Vec<_>>())), Some(&last)), Ok(()));
}

#[test]
fn what_cannot_be_kept_closes_and_says_why() {
    let ours = Authority::new();
    let garbage = || vec![0x30, 3, 2, 1, 0];
    let none = ClientTrust { authorities: vec![garbage()], ..trust(&[]) };
    let list = ClientTrust { revoked: vec![garbage()], ..trust(&[&ours]) };
    let server = Server::new(|_| None).expect("a server");
    for (trust, expect) in [
        (trust(&[]), PolicyError::NoAuthority("Secret demo/ca".into())),
        (none, PolicyError::NoAuthority("Secret demo/ca".into())),
        (list, PolicyError::RevocationList("Secret demo/ca".into())),
    ] {
        for policy in [required(trust.clone()), optional(trust)] {
            assert_eq!(crate::check(&policy), Err(expect.clone()));
            assert_eq!(server.config(&policy, Carries::Http).map(drop), Err(expect.clone()));
        }
    }
    let mut some = trust(&[&ours]);
    some.authorities.insert(0, garbage());
    assert_eq!(crate::check(&required(some.clone())), Ok(()), "one that can be read suffices");
    assert_eq!(ask(&required(some), Some(&ours.issue(&["c.test"]))), Ok(()));
}
