//! Who somebody is, from the claims of a token that has been verified.

use serde_json::{Map, Value};

use super::Options;
use crate::names;

/// The longest name, in octets.
const LONGEST: usize = 512;
/// Seconds that a token lasts at most, whatever it says.
const FAR: i64 = 365 * 24 * 60 * 60;

/// Somebody whom an issuer knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// With its prefix.
    pub user: String,
    /// With theirs.
    pub groups: Vec<String>,
    /// Seconds since 1970.
    pub expires: i64,
    /// Of the token, if it has one.
    pub id: Option<String>,
}

pub(super) fn read(options: &Options, claims: &Map<String, Value>, now: i64) -> Result<Person, &'static str> {
    for (name, value) in &options.required {
        if claims.get(name).and_then(Value::as_str) != Some(value) {
            return Err("without a claim that is required");
        }
    }
    // One that is for several audiences says who asked for it.
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|list| list.len() > 1);
    if several && claims.get("azp").is_some_and(|azp| *azp != *options.client_id) {
        return Err("given to another client");
    }
    if options.username_claim == "email" && claims.get("email_verified").is_some_and(|verified| *verified != true) {
        return Err("its email address is not verified");
    }
    let name = claims.get(&options.username_claim).and_then(Value::as_str).filter(|name| is_plain(name));
    let user = format!("{}{}", options.username_prefix, name.ok_or("without a user name")?);
    if names::is_reserved(&user) {
        return Err("its user name is one of the system's");
    }
    let groups = options.groups_claim.as_ref().and_then(|claim| claims.get(claim));
    let expires = claims.get("exp").and_then(Value::as_f64).ok_or("without an end")?;
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    let expires = (expires as i64).min(now.saturating_add(FAR));
    let id = claims.get("jti").and_then(Value::as_str).filter(|id| is_plain(id)).map(str::to_owned);
    Ok(Person { user, groups: read_groups(options, groups)?, expires, id })
}

fn read_groups(options: &Options, groups: Option<&Value>) -> Result<Vec<String>, &'static str> {
    let list = match groups {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(list)) => list.iter().map(Value::as_str).collect::<Option<_>>().ok_or("its groups are no texts")?,
        Some(_) => return Err("its groups are no list"),
    };
    // A group of the system gives rights that only this program gives: it is left out, and the person is in the others.
    let groups = list.into_iter().filter(|group| is_plain(group)).map(|group| format!("{}{group}", options.groups_prefix));
    Ok(groups.filter(|group| !names::is_reserved_group(group)).collect())
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options() -> Options {
        Options { groups_claim: Some("groups".into()), ..Options::new("https://id.example", "paifang") }
    }

    fn read_with(options: &Options, more: Value) -> Result<Person, &'static str> {
        let mut claims = Map::from_iter([("sub".to_owned(), json!("ann")), ("exp".to_owned(), json!(2_000))]);
        claims.extend(more.as_object().cloned().unwrap_or_default());
        read(options, &claims, 1_000)
    }

    #[test]
    fn names_and_groups_have_their_prefixes() {
        let person = read_with(&options(), json!({ "groups": ["dev", "ops"], "jti": "1" })).expect("somebody");
        let groups = vec!["oidc:dev".to_owned(), "oidc:ops".to_owned()];
        assert_eq!(person, Person { user: "oidc:ann".into(), groups, expires: 2_000, id: Some("1".into()) });
        assert_eq!(read_with(&options(), json!({ "groups": "dev" })).expect("somebody").groups, ["oidc:dev"]);
        assert_eq!(
            read_with(&Options { groups_claim: None, ..options() }, json!({ "groups": ["dev"] })).expect("somebody").groups,
            [""; 0]
        );
    }

    #[test]
    fn names_of_the_system_come_from_nowhere_else() {
        let open = Options { username_prefix: String::new(), groups_prefix: String::new(), ..options() };
        for name in ["system:admin", "system:serviceaccount:a:b", "paifang", "paifang-admin"] {
            assert!(read_with(&open, json!({ "sub": name })).is_err(), "{name}");
        }
        let groups = read_with(&open, json!({ "groups": ["system:masters", "dev", "", "a\nb"] })).expect("somebody").groups;
        assert_eq!(groups, ["dev"]);
        let joined = Options { username_prefix: "sys".into(), ..options() };
        assert!(read_with(&joined, json!({ "sub": "tem:masters" })).is_err());
    }

    #[test]
    fn what_is_required_must_be_there() {
        let mut options = options();
        options.required.insert("hd".into(), "example.com".into());
        assert!(read_with(&options, json!({})).is_err());
        assert!(read_with(&options, json!({ "hd": "example.org" })).is_err());
        assert!(read_with(&options, json!({ "hd": ["example.com"] })).is_err());
        assert!(read_with(&options, json!({ "hd": "example.com" })).is_ok());
    }

    #[test]
    fn claims_that_cannot_be_read_are_refused() {
        for more in [
            json!({ "sub": 1 }),
            json!({ "sub": "" }),
            json!({ "sub": "a\u{0}b" }),
            json!({ "sub": "x".repeat(LONGEST + 1) }),
            json!({ "groups": [1] }),
            json!({ "groups": { "a": true } }),
            json!({ "exp": "soon" }),
            json!({ "aud": ["paifang", "other"], "azp": "other" }),
        ] {
            assert!(read_with(&options(), more.clone()).is_err(), "{more}");
        }
        assert!(read_with(&options(), json!({ "aud": ["paifang", "other"], "azp": "paifang" })).is_ok());
    }

    #[test]
    fn an_email_address_that_is_not_verified_is_nobodys() {
        let options = Options { username_claim: "email".into(), ..options() };
        let email = json!({ "email": "ann@example.com" });
        assert!(read_with(&options, email).is_ok());
        for (verified, expect) in [(json!(true), true), (json!(false), false), (json!("true"), false)] {
            let claims = json!({ "email": "ann@example.com", "email_verified": verified });
            assert_eq!(read_with(&options, claims).is_ok(), expect);
        }
    }
}
