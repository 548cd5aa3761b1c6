//! Generated hosts, and the DNS server that answers for them.

use clap::{Args, ValueEnum};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// What generated hosts look like, and where names are answered.
#[derive(Args, Clone, Debug)]
pub struct NamesArgs {
    /// What names that hold an address end in, with commas between several; generated hosts end in the first
    #[arg(long, value_name = "SUFFIX", value_delimiter = ',', default_value = "nip.io", value_parser = suffix)]
    pub dns_suffix: Vec<String>,
    /// How an address stands in generated hosts
    #[arg(long, value_name = "FORM", value_enum, default_value_t = HostForm::Dotted)]
    pub host_form: HostForm,
    /// How long a generated host is served once its gateway has another address
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub host_grace: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HostForm {
    /// 10.0.0.1
    Dotted,
    /// 10-0-0-1
    Dashed,
}

/// Where names are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsAddress {
    Nowhere,
    /// On the port of DNS, with the offset.
    Ip(IpAddr),
    Socket(SocketAddr),
}

/// The port of DNS.
const PORT: u16 = 53;

/// The longest suffix: before it there must be room for a service, a project and an address.
const LONGEST_SUFFIX: usize = 80;

impl DnsAddress {
    pub fn socket(self, port_offset: u16) -> Option<SocketAddr> {
        match self {
            Self::Nowhere => None,
            Self::Ip(ip) => Some(SocketAddr::new(ip, PORT.saturating_add(port_offset))),
            Self::Socket(socket) => Some(socket),
        }
    }
}

impl FromStr for DnsAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::Nowhere);
        }
        let ip = || text.parse().map(Self::Ip).ok();
        let found = text.parse().map(Self::Socket).ok().or_else(ip);
        found.ok_or_else(|| "it is neither an address such as 127.0.0.1 or 127.0.0.1:53 nor `none`".to_owned())
    }
}

fn suffix(text: &str) -> Result<String, String> {
    let name = model::Hostname::parse(text).map_err(|error| format!("it is no name: {error}"))?;
    let name = name.as_str();
    if name.len() > LONGEST_SUFFIX {
        return Err(format!("a suffix may have {LONGEST_SUFFIX} characters"));
    }
    // The digits after an address would be taken for a part of it.
    if name.split('.').all(|label| label.bytes().all(|it| it.is_ascii_digit())) || name.contains(':') {
        return Err("a suffix is a name, not a number".to_owned());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_names_are_answered() {
        let socket = |text: &str| text.parse::<DnsAddress>().expect("it is understood").socket(10_000).map(|it| it.to_string());
        assert_eq!(socket("none"), None);
        assert_eq!(socket("127.0.0.5").as_deref(), Some("127.0.0.5:10053"));
        assert_eq!(socket("127.0.0.5:5353").as_deref(), Some("127.0.0.5:5353"));
        assert_eq!(socket("[::1]:5353").as_deref(), Some("[::1]:5353"));
        assert!("localhost".parse::<DnsAddress>().is_err());
    }

    #[test]
    fn what_names_end_in() {
        assert_eq!(suffix("Apps.Example.").as_deref(), Ok("apps.example"));
        for bad in ["", "a..b", "10.0", "::1", &"a.".repeat(41)] {
            assert!(suffix(bad).is_err(), "{bad}");
        }
    }
}
