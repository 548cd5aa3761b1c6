//! What a filter decided.

use model::{Reason, Text};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on to the next step.
    Continue,
    /// Answer now.
    Respond(Reply),
}

/// An answer made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub reason: Reason,
    /// Value of `Location`; visible ASCII.
    pub location: Option<String>,
    /// `None`: as the route's [`model::Replies`] say.
    pub body: Option<Text>,
    /// Further fields; names and values are good ones.
    pub fields: Vec<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn redirect(status: u16, location: String) -> Self {
        Self { location: Some(location), ..Self::refuse(status, Reason::Redirect) }
    }

    pub(crate) fn refuse(status: u16, reason: Reason) -> Self {
        Self { status, reason, location: None, body: None, fields: Vec::new() }
    }
}
