use super::*;
use std::collections::BTreeMap;
use std::path::Path;

/// What the application translates: it has a test that both its languages know each of these, with the same values.
const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../console/src/words/reasons.json");

fn listed() -> String {
    let all: BTreeMap<&str, Value> =
        Saying::ALL.iter().map(|(reason, values, english)| (*reason, json!({ "english": english, "values": values }))).collect();
    format!("{}\n", serde_json::to_string_pretty(&all).expect("it is JSON"))
}

/// `PAIFANG_ACCEPT=1` writes the list anew.
#[test]
fn the_application_knows_everything_that_is_said() {
    if std::env::var_os("PAIFANG_ACCEPT").is_some() {
        std::fs::write(Path::new(LIST), listed()).expect("the list is written");
    }
    let kept = std::fs::read_to_string(LIST).unwrap_or_default();
    assert!(kept == listed(), "{LIST} is not what is said: run this test with PAIFANG_ACCEPT=1, and translate what is new");
}

#[test]
fn a_sentence_has_its_values() {
    let said = Saying::PortSilent { socket: "10.0.0.1:80".into(), seconds: "3".into() };
    assert_eq!(said.to_string(), "10.0.0.1:80 does not answer within 3 s");
    assert_eq!((said.reason(), said.values()), ("PortSilent", json!({ "socket": "10.0.0.1:80", "seconds": "3" })));
    assert_eq!(Saying::NotTried {}.values(), json!({}));
}
