//! What one tells a resolver, so that it asks here.

use std::net::SocketAddr;

/// What resolves names on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolver {
    SystemdResolved,
    /// `/etc/resolv.conf`, or something that reads dnsmasq's configuration.
    Plain,
}

/// The one line: for a shell where systemd-resolved is at work, else for `/etc/resolv.conf`, which knows no ports, or for dnsmasq.
pub fn resolver_line(resolver: Resolver, server: SocketAddr, suffixes: &[String]) -> String {
    match resolver {
        Resolver::SystemdResolved => {
            let domains: Vec<String> = suffixes.iter().map(|it| format!("~{it}")).collect();
            format!(
                "printf '[Resolve]\\nDNS={server}\\nDomains={}\\n' | sudo tee /etc/systemd/resolved.conf.d/paifang.conf && sudo systemctl restart systemd-resolved",
                domains.join(" ")
            )
        }
        Resolver::Plain if server.port() == 53 => format!("nameserver {}", server.ip()),
        Resolver::Plain => format!("server=/{}/{}#{}", suffixes.join("/"), server.ip(), server.port()),
    }
}

impl Resolver {
    /// `there`: whether a path exists.
    pub fn found(there: impl Fn(&str) -> bool) -> Self {
        if there("/run/systemd/resolve/stub-resolv.conf") { Self::SystemdResolved } else { Self::Plain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_in_its_own_form_with_the_real_port() {
        let line = |resolver, server: &str| {
            resolver_line(resolver, server.parse().expect("an address"), &["nip.io".to_owned(), "apps.example".to_owned()])
        };
        assert_eq!(line(Resolver::Plain, "127.0.0.1:53"), "nameserver 127.0.0.1");
        assert_eq!(line(Resolver::Plain, "127.0.0.1:10053"), "server=/nip.io/apps.example/127.0.0.1#10053");
        assert_eq!(
            line(Resolver::found(|_| true), "127.0.0.1:10053"),
            "printf '[Resolve]\\nDNS=127.0.0.1:10053\\nDomains=~nip.io ~apps.example\\n' | sudo tee /etc/systemd/resolved.conf.d/paifang.conf && sudo systemctl restart systemd-resolved"
        );
        assert_eq!(Resolver::found(|_| false), Resolver::Plain);
    }
}
