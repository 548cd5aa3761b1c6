//! `paifang up`: the console; and `paifang console`, where it is alone.

use super::sign_in::IssuerArgs;
use super::{OptionalAddress, ServerArgs, gateway_names, optional_address};
use clap::Args;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use translate::Naming;

/// The port where the console listens unless said otherwise.
const PORT: u16 = 9443;

/// Where the console is.
#[derive(Args, Clone, Debug)]
pub struct ConsoleArgs {
    /// Where the console listens: an address with its port, or `none` [default: 127.0.0.1, port 9443 and the port offset]
    #[arg(long, value_name = "ADDRESS", value_parser = optional_address)]
    pub console_address: Option<OptionalAddress>,
    /// How browsers reach the console, where they do it by another name: an OIDC issuer sends them back there
    #[arg(long, value_name = "URL", value_parser = origin)]
    pub console_url: Option<String>,
    /// Serve the console without TLS, which can be done on loopback alone
    #[arg(long)]
    pub console_plain: bool,
    /// Hand out the application in this folder in place of the one in this program
    #[arg(long, value_name = "DIR", hide = true)]
    pub console_dir: Option<PathBuf>,
}

/// The console alone, in front of a cluster.
#[derive(Args, Clone, Debug)]
pub struct AloneArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub console: ConsoleArgs,
    /// The console's certificate, its own first (PEM) [default: one that is made at each start, which no browser trusts]
    #[arg(long, value_name = "FILE", requires = "console_key", conflicts_with = "console_plain")]
    pub console_certificate: Option<PathBuf>,
    /// The private key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "console_certificate")]
    pub console_key: Option<PathBuf>,
    #[command(flatten)]
    pub issuer: IssuerArgs,
    /// Where the cluster's gateways run, and what their names begin with, as `paifang control` was told
    #[arg(long, value_name = "NAMESPACE/PREFIX", default_value = "kubesphere-controls-system/kubesphere-router", value_parser = gateway_names)]
    pub gateway_names: Naming,
}

/// A scheme, a host and perhaps a port.
fn origin(text: &str) -> Result<String, String> {
    let origin = text.trim_end_matches('/');
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).unwrap_or("");
    let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | ':' | '[' | ']');
    if host.is_empty() || !host.chars().all(plain) {
        return Err("write it without a path, for example https://console.example.com".into());
    }
    Ok(origin.to_owned())
}

// === impl ConsoleArgs ===

impl ConsoleArgs {
    /// Where it listens. `offset` moves the usual port, so that two on one machine can stand beside each other.
    pub fn address(&self, offset: u16) -> Option<SocketAddr> {
        let usual = || SocketAddr::from((Ipv4Addr::LOCALHOST, PORT.checked_add(offset).unwrap_or(PORT)));
        match self.console_address {
            Some(OptionalAddress(address)) => address,
            None => Some(usual()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn where_it_listens() {
        let check = |more: &[&str], expect: Option<&str>| {
            let all = ["paifang", "up"].iter().chain(more);
            let Ok(Cli { command: Command::Up(up), .. }) = Cli::try_parse_from(all) else { panic!("{more:?} is not understood") };
            assert_eq!(up.console.address(up.port_offset).map(|it| it.to_string()).as_deref(), expect, "{more:?}");
        };
        check(&[], Some("127.0.0.1:9443"));
        check(&["--port-offset", "10000"], Some("127.0.0.1:19443"));
        check(&["--port-offset", "60000"], Some("127.0.0.1:9443"));
        check(&["--console-address", "10.0.0.1:443", "--port-offset", "10000"], Some("10.0.0.1:443"));
        check(&["--console-address", "none"], None);
        assert!(Cli::try_parse_from(["paifang", "up", "--console-address", "localhost"]).is_err());
    }

    #[test]
    fn alone_it_takes_what_it_needs() {
        let check = |more: &[&str], expect: Result<(), &str>| {
            let all = ["paifang", "console"].iter().chain(more);
            match (Cli::try_parse_from(all), expect) {
                (Ok(Cli { command: Command::Console(_), .. }), Ok(())) => {}
                (Err(error), Err(flag)) => assert!(error.to_string().contains(flag), "{error}"),
                (parsed, _) => panic!("{more:?}: {parsed:?}"),
            }
        };
        check(&[], Ok(()));
        check(&["--kubeconfig", "a", "--context", "b", "--console-address", "0.0.0.0:9443"], Ok(()));
        check(&["--console-certificate", "a.crt", "--console-key", "a.key"], Ok(()));
        check(&["--gateway-names", "edge/gw"], Ok(()));
        check(&["--gateway-names", "edge"], Err("--gateway-names"));
        check(&["--console-certificate", "a.crt"], Err("--console-key"));
        check(&["--console-key", "a.key"], Err("--console-certificate"));
        check(&["--console-certificate", "a.crt", "--console-key", "a.key", "--console-plain"], Err("--console-plain"));
        check(&["--oidc-issuer", "https://id.example", "--oidc-client-id", "paifang"], Ok(()));
        check(&["--oidc-issuer", "https://id.example"], Err("--oidc-client-id"));
        // There is nobody to give a password to.
        check(&["--admin-password-file", "a"], Err("--admin-password-file"));
    }

    #[test]
    fn how_browsers_reach_it() {
        let read = |text: &str| super::origin(text).ok();
        assert_eq!(read("https://console.example.com/").as_deref(), Some("https://console.example.com"));
        assert_eq!(read("http://[::1]:9443").as_deref(), Some("http://[::1]:9443"));
        for bad in ["console.example.com", "https://", "https://a/b", "https://user@a", "ftp://a", "https://a?b"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
