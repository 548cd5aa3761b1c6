//! Claims of the tokens that stand for a login: sessions, and the personal tokens of kubeconfigs.
//!
//! Signing is the embedder's: the key is the one of ServiceAccounts' tokens. Another issuer and another audience keep the two apart.
//!
//! **Invariant:** a token of ours names its kind, and the user by uid and epoch: one made for a user who is gone, or before the password
//! changed, is none.

use serde_json::{Value, json};

/// Who issues these, and nothing else.
pub const ISSUER: &str = "https://paifang.dev/login";
/// Whom they are for, and nobody else.
const AUDIENCE: &str = "https://paifang.dev/api";
const CLAIMS: &str = "paifang.dev";
/// Seconds, from the login on.
pub const SESSION: i64 = 12 * 60 * 60;
pub const PERSONAL: i64 = 90 * 24 * 60 * 60;
pub const LONGEST: i64 = 365 * 24 * 60 * 60;
/// By how much the clock that a token was made by may be ahead: it may have been set back since.
const AHEAD: i64 = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From a login: ends twelve hours later.
    Session,
    /// Asked for, to stand in a file.
    Personal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub kind: Kind,
    pub user: String,
    pub uid: String,
    /// Of the user's password: another one revokes all tickets before it.
    pub epoch: String,
    pub id: String,
    /// Seconds since 1970.
    pub issued: i64,
    pub expires: i64,
}

// === impl Kind ===

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Personal => "personal",
        }
    }

    const fn longest(self) -> i64 {
        match self {
            Self::Session => SESSION,
            Self::Personal => LONGEST,
        }
    }
}

// === impl Ticket ===

impl Ticket {
    pub fn claims(&self) -> Value {
        let mut claims = json!({
            "aud": [AUDIENCE], "exp": self.expires, "iat": self.issued, "iss": ISSUER, "jti": self.id, "nbf": self.issued, "sub": self.user,
        });
        claims[CLAIMS] = json!({ "kind": self.kind.as_str(), "uid": self.uid, "epoch": self.epoch });
        claims
    }

    /// The ticket that verified claims are, at `now` in seconds since 1970.
    ///
    /// # Errors
    /// Why they are none.
    pub fn read(claims: &Value, now: i64) -> Result<Self, &'static str> {
        if claims["iss"] != ISSUER {
            return Err("of another issuer");
        }
        if claims["aud"] != json!([AUDIENCE]) {
            return Err("for another audience");
        }
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let own = &claims[CLAIMS];
        let kind = match own["kind"].as_str() {
            Some("session") => Kind::Session,
            Some("personal") => Kind::Personal,
            _ => return Err("of another kind"),
        };
        let (issued, expires) = (claims["iat"].as_i64().ok_or("without a time")?, claims["exp"].as_i64().ok_or("without an end")?);
        if expires <= now || expires.saturating_sub(issued) > kind.longest() {
            return Err("expired");
        }
        if issued > now + AHEAD {
            return Err("not valid yet");
        }
        let field = |value: &Value| text(value).ok_or("without a user");
        Ok(Self {
            kind,
            user: field(&claims["sub"])?,
            uid: field(&own["uid"])?,
            epoch: field(&own["epoch"])?,
            id: field(&claims["jti"])?,
            issued,
            expires,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn ticket(kind: Kind) -> Ticket {
        Ticket { kind, user: "ann".into(), uid: "u".into(), epoch: "e".into(), id: "i".into(), issued: NOW, expires: NOW + 600 }
    }

    #[test]
    fn claims_come_back_until_they_expire() {
        for kind in [Kind::Session, Kind::Personal] {
            let ticket = ticket(kind);
            let claims = ticket.claims();
            assert_eq!(Ticket::read(&claims, NOW), Ok(ticket.clone()));
            assert_eq!(Ticket::read(&claims, NOW + 599), Ok(ticket.clone()));
            assert_eq!(Ticket::read(&claims, NOW - AHEAD), Ok(ticket));
            assert_eq!(Ticket::read(&claims, NOW + 600), Err("expired"));
            assert_eq!(Ticket::read(&claims, NOW - AHEAD - 1), Err("not valid yet"));
        }
    }

    #[test]
    fn claims_of_others_are_none() {
        let good = ticket(Kind::Session).claims();
        let mut cases = Vec::new();
        for (field, value) in [
            ("iss", json!("https://kubernetes.default.svc.cluster.local")),
            ("aud", json!(["https://kubernetes.default.svc.cluster.local"])),
            ("aud", json!([AUDIENCE, "vault"])),
            ("aud", json!(AUDIENCE)),
            ("exp", json!(NOW + SESSION + 1)),
            ("exp", json!("never")),
            ("exp", Value::Null),
            ("iat", Value::Null),
            ("sub", json!("")),
            ("jti", Value::Null),
            (CLAIMS, json!({ "kind": "service-account", "uid": "u", "epoch": "e" })),
            (CLAIMS, json!({ "kind": "session", "epoch": "e" })),
            (CLAIMS, json!({ "kind": "session", "uid": "u", "epoch": "" })),
            (CLAIMS, Value::Null),
        ] {
            let mut claims = good.clone();
            claims[field] = value;
            cases.push(claims);
        }
        for claims in cases.iter().chain([&Value::Null, &json!({}), &json!([])]) {
            assert!(Ticket::read(claims, NOW).is_err(), "{claims}");
        }
        assert!(Ticket::read(&good, NOW).is_ok());
    }
}
