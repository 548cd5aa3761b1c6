//! What matching and filters see of a request, whatever protocol it came by.

use model::Scheme;

/// Looks up header fields. Names are asked for in lower case.
pub trait Headers {
    /// The first field of this name.
    fn first(&self, lower_name: &str) -> Option<&[u8]>;
    /// Every field of this name, in the order received.
    fn each(&self, lower_name: &str, f: &mut dyn FnMut(&[u8]));
}

/// A request as routes and filters see it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// As sent; methods are case-sensitive.
    pub method: &'a str,
    pub scheme: Scheme,
    /// The port users asked for: their listener's.
    pub port: u16,
    /// Lower case, without port and trailing dot; empty if there is none.
    pub host: &'a str,
    /// Host and port as sent, in lower case; empty if there is none.
    pub authority: &'a str,
    /// Canonical (see [`model::PathMatch`]).
    pub path: &'a str,
    /// Without `?`, as sent.
    pub query: Option<&'a str>,
    pub headers: &'a dyn Headers,
}

/// A request without any header.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHeaders;

impl Headers for NoHeaders {
    fn first(&self, _: &str) -> Option<&[u8]> {
        None
    }
    fn each(&self, _: &str, _: &mut dyn FnMut(&[u8])) {}
}

/// Pairs of a lower-case name and a value.
impl Headers for [(&str, &str)] {
    fn first(&self, lower_name: &str) -> Option<&[u8]> {
        self.iter().find(|(name, _)| *name == lower_name).map(|(_, value)| value.as_bytes())
    }
    fn each(&self, lower_name: &str, f: &mut dyn FnMut(&[u8])) {
        self.iter().filter(|(name, _)| *name == lower_name).for_each(|(_, value)| f(value.as_bytes()));
    }
}

impl<H: Headers + ?Sized> Headers for &H {
    fn first(&self, lower_name: &str) -> Option<&[u8]> {
        (**self).first(lower_name)
    }
    fn each(&self, lower_name: &str, f: &mut dyn FnMut(&[u8])) {
        (**self).each(lower_name, f);
    }
}
