//! The cases as they are written down.

use serde_json::Value;
use std::fmt;

pub struct Case {
    pub id: String,
    pub class: String,
    pub expect: Expect,
    /// What we choose where the RFC leaves it open.
    pub policy: String,
    pub level: String,
    pub note: String,
    /// Statuses a refusal may have; empty: any.
    pub status: Vec<u16>,
    pub origin_check: Option<String>,
    /// The octets to send.
    pub octets: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Reject,
    Forward,
    Either,
}

/// All cases.
///
/// # Panics
///
/// If the file is not as its README says.
pub fn load() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/http1.json");
    let text = std::fs::read_to_string(path).expect("the cases are part of the tree");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list of cases");
    assert!(cases.len() >= 60, "{} cases are fewer than there were", cases.len());
    cases.iter().map(Case::read).collect()
}

impl Case {
    fn read(from: &Value) -> Self {
        let text = |key: &str| from[key].as_str().unwrap_or_else(|| panic!("{key} of {from}")).to_owned();
        Self {
            id: text("id"),
            class: text("class"),
            expect: match text("expect").as_str() {
                "reject" => Expect::Reject,
                "forward" => Expect::Forward,
                "either" => Expect::Either,
                other => panic!("expect {other}"),
            },
            policy: text("policy"),
            level: text("level"),
            note: text("note"),
            status: from["status"].as_array().into_iter().flatten().filter_map(Value::as_u64).filter_map(|n| n.try_into().ok()).collect(),
            origin_check: from["origin_check"].as_str().map(str::to_owned),
            octets: expand(&text("raw")),
        }
    }
}

/// C-style escapes, and `{{REP n HEX}}`.
fn expand(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some((before, macro_and_rest)) = rest.split_once("{{REP ") {
        let (body, behind) = macro_and_rest.split_once("}}").expect("a closed macro");
        let (count, hex) = body.split_once(' ').expect("a count and octets");
        unescape(before, &mut octets);
        octets.extend(unhex(hex).repeat(count.parse().expect("a count")));
        rest = behind;
    }
    unescape(rest, &mut octets);
    octets
}

fn unhex(hex: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex digits");
    hex.as_bytes().chunks(2).map(pair).collect()
}

fn unescape(text: &str, octets: &mut Vec<u8>) {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            octets.push(u8::try_from(character).expect("an octet"));
            continue;
        }
        octets.push(match characters.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('\\') => b'\\',
            Some('x') => {
                let digits: String = characters.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16).expect("two hex digits")
            }
            other => panic!("unknown escape {other:?}"),
        });
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reject => "reject",
            Self::Forward => "forward",
            Self::Either => "either",
        })
    }
}

#[test]
fn escapes_and_repetitions_are_read() {
    assert_eq!(expand(r"a\r\n\t\\\x00\xff{{REP 3 6162}}z"), b"a\r\n\t\\\x00\xffabababz");
}
