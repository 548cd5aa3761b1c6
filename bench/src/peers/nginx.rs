//! nginx, set up as a gateway's nginx is: kept upstream connections, forwarded headers, no access log.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::certificates;
use crate::processes::{PROXY_CORE, Program};
use crate::table::{Path as RowPath, Row, Table};

pub fn start(folder: &Path, table: &Table, http: SocketAddr, https: SocketAddr) -> Result<(Program, Option<PathBuf>)> {
    let path = folder.join("nginx.conf");
    fs::write(&path, configuration(folder, table, http, https))?;
    let mut command = Command::new("nginx");
    command.arg("-e").arg(folder.join("nginx.log")).arg("-c").arg(&path);
    Ok((Program::start(PROXY_CORE, &command, Some(&folder.join("nginx.err")))?, Some(path)))
}

/// Writes the changed configuration and reloads.
pub fn edit(config: &Path, program: &Program, index: usize, origin: SocketAddr) -> Result<()> {
    let text = fs::read_to_string(config)?;
    let begin = text.find(&format!("# host {index}\n")).context("the host is configured")?;
    let at = begin + text[begin..].find("proxy_pass ").context("and forwarded")?;
    let end = at + text[at..].find(';').context("to somewhere")?;
    fs::write(config, format!("{}proxy_pass http://{origin}{}", &text[..at], &text[end..]))?;
    let sent = Command::new("kill").args(["-HUP", &program.id().to_string()]).status()?;
    if !sent.success() {
        bail!("nginx is gone");
    }
    Ok(())
}

fn configuration(folder: &Path, table: &Table, http: SocketAddr, https: SocketAddr) -> String {
    let mut out = HEAD.replace("@FOLDER@", &folder.display().to_string());
    for backend in 0..table.size.backends {
        let origin = table.origin;
        let _ = writeln!(out, "  upstream backend{backend} {{ server {origin}; keepalive 320; keepalive_requests 1000000; }}");
    }
    for (index, row) in table.rows().enumerate() {
        server(&mut out, folder, index, &row, http, https);
    }
    out + "}\n"
}

fn server(out: &mut String, folder: &Path, index: usize, row: &Row, http: SocketAddr, https: SocketAddr) {
    let _ = writeln!(out, "  # host {index}\n  server {{ listen {http}; server_name {};", row.host);
    if let Some(certificate) = row.certificate {
        let files = certificates::files(folder, certificate);
        let (chain, key) = (files.chain.display(), files.key.display());
        let _ = writeln!(out, "    listen {https} ssl; ssl_certificate {chain}; ssl_certificate_key {key};");
    }
    let (location, rewrite) = match &row.path {
        RowPath::All => ("/".to_owned(), String::new()),
        RowPath::Captured { prefix } => (format!("~* \"^{prefix}(/|$)(.*)\""), format!("rewrite \"(?i){prefix}(/|$)(.*)\" /$2 break; ")),
        RowPath::Pattern(pattern) => (format!("~* \"^{pattern}\""), String::new()),
    };
    let _ = writeln!(out, "    location {location} {{ {rewrite}proxy_pass http://backend{}; }}\n  }}", row.backend);
}

const HEAD: &str = "\
daemon off; master_process on; worker_processes 1; pid @FOLDER@/nginx.pid;
events { worker_connections 8192; }
http {
  access_log off; error_log @FOLDER@/nginx.log crit;
  client_body_temp_path @FOLDER@/body; proxy_temp_path @FOLDER@/proxy; fastcgi_temp_path @FOLDER@/f; uwsgi_temp_path @FOLDER@/u; scgi_temp_path @FOLDER@/s;
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128; variables_hash_max_size 4096;
  keepalive_requests 100000000; keepalive_timeout 600s;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:10m;
  proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $host;
  proxy_set_header X-Request-ID $request_id; proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Host $host; proxy_set_header X-Forwarded-Port $server_port; proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Scheme $scheme; proxy_set_header X-Scheme $scheme;
  proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_busy_buffers_size 32k; proxy_max_temp_file_size 0;
";
