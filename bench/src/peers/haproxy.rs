//! HAProxy with one thread, hosts and paths in maps as its own ingress controllers write them.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::certificates;
use crate::processes::{PROXY_CORE, Program};
use crate::table::{Path as RowPath, Table};

pub fn start(folder: &Path, table: &Table, http: SocketAddr, https: SocketAddr) -> Result<(Program, Option<PathBuf>)> {
    let path = folder.join("haproxy.cfg");
    fs::write(&path, configuration(folder, table, http, https)?)?;
    let mut command = Command::new("haproxy");
    command.arg("-W").arg("-db").arg("-f").arg(&path);
    Ok((Program::start(PROXY_CORE, &command, Some(&folder.join("haproxy.err")))?, Some(path)))
}

/// Writes the changed map and backend, and reloads.
pub fn edit(config: &Path, program: &Program, index: usize, origin: SocketAddr) -> Result<()> {
    let folder = config.parent().context("it lies in a folder")?;
    let hosts = folder.join("hosts.map");
    let host = crate::table::host(index);
    let map = fs::read_to_string(&hosts)?;
    let line = map.lines().find(|line| line.starts_with(&format!("{host} "))).context("the host is configured")?;
    fs::write(&hosts, map.replace(line, &format!("{host} edited")))?;
    let text = fs::read_to_string(config)?;
    let text = text.split("backend edited\n").next().unwrap_or_default();
    fs::write(config, format!("{text}backend edited\n  server s {origin}\n"))?;
    let sent = Command::new("kill").args(["-USR2", &program.id().to_string()]).status()?;
    if !sent.success() {
        bail!("haproxy is gone");
    }
    Ok(())
}

fn configuration(folder: &Path, table: &Table, http: SocketAddr, https: SocketAddr) -> Result<String> {
    let (mut hosts, mut expressions, mut certificates) = (String::new(), String::new(), String::new());
    for row in table.rows() {
        let _ = match &row.path {
            RowPath::All => writeln!(hosts, "{} backend{}", row.host, row.backend),
            RowPath::Captured { prefix } => writeln!(expressions, "^{}{prefix}(/|$) backend{}", row.host.replace('.', "\\."), row.backend),
            RowPath::Pattern(pattern) => writeln!(expressions, "^{}{pattern} backend{}", row.host.replace('.', "\\."), row.backend),
        };
    }
    for index in 0..table.size.certificates {
        let _ = writeln!(certificates, "{}", certificates::files(folder, index).both.display());
    }
    fs::write(folder.join("hosts.map"), hosts)?;
    fs::write(folder.join("expressions.map"), expressions)?;
    fs::write(folder.join("certificates.list"), certificates)?;
    let mut out =
        HEAD.replace("@FOLDER@", &folder.display().to_string()).replace("@HTTP@", &http.to_string()).replace("@HTTPS@", &https.to_string());
    if table.size.certificates == 0 {
        out = out.lines().filter(|line| !line.contains(" ssl crt-list ")).map(|line| format!("{line}\n")).collect();
    }
    for backend in 0..table.size.backends {
        let _ = writeln!(out, "backend backend{backend}\n  server s {}", table.origin);
    }
    Ok(out)
}

const HEAD: &str = "\
global
  maxconn 8000
  nbthread 1
  tune.ssl.default-dh-param 2048
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 60s
  http-reuse always
  option forwardfor
frontend f
  bind @HTTP@
  bind @HTTPS@ ssl crt-list @FOLDER@/certificates.list alpn http/1.1
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Real-IP %[src]
  http-request set-var(req.backend) req.hdr(host),field(1,:),lower,map_str(@FOLDER@/hosts.map)
  http-request set-var(req.backend) base,map_reg(@FOLDER@/expressions.map) unless { var(req.backend) -m found }
  http-request replace-path ^/app[0-9]+(/|$)(.*) /\\2 if { path_beg /app }
  use_backend %[var(req.backend)] if { var(req.backend) -m found }
";
