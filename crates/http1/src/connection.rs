//! What `Connection` and `Upgrade` say, in either direction.

use crate::Fault;
use crate::octet::is_token;

/// Gathered over all fields of a head.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    pub close: bool,
    pub keep: bool,
    upgrade: bool,
    to_websocket: bool,
    upgrades: u8,
}

impl Said {
    /// One `Connection` field. What it names goes to `nominate`.
    pub fn read(&mut self, value: &[u8], mut nominate: impl FnMut(&[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
        for token in members(value) {
            match () {
                () if token.eq_ignore_ascii_case(b"close") => self.close = true,
                () if token.eq_ignore_ascii_case(b"keep-alive") => self.keep = true,
                () if token.eq_ignore_ascii_case(b"upgrade") => self.upgrade = true,
                () if is_token(token) => nominate(token)?,
                () => return Err(Fault::FieldLine),
            }
        }
        Ok(())
    }

    /// One `Upgrade` field.
    pub fn read_upgrade(&mut self, value: &[u8]) {
        self.upgrades = self.upgrades.saturating_add(1);
        self.to_websocket = value.eq_ignore_ascii_case(b"websocket");
    }

    /// `Connection: upgrade`, and `websocket` as the one protocol there is.
    pub fn websocket(&self) -> bool {
        self.upgrade && self.to_websocket && self.upgrades == 1
    }
}

/// The members of a comma-separated list, without white space around them; empty members left out.
fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&octet| octet == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}
