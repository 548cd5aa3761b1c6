//! The application: files that were made by `npm run build`, as they are, and one page for every other path.
//!
//! **Invariant:** the page may load what is of this origin alone; styles that the application makes carry a nonce that no two answers share.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::SystemTime;
use std::{fs, io};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY};
use http::request::Parts;
use http::{Response, StatusCode};

use crate::app::App;
use crate::reply::{self, Refusal, Reply};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

const PAGE: &str = "/index.html";
/// What the page has where a nonce belongs.
const NONCE: &str = "__NONCE__";
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Of all files together, and of how many.
const LARGEST: u64 = 64 << 20;
const MOST: usize = 4096;

/// Where the application is.
#[derive(Clone, Debug, Default)]
pub enum Assets {
    /// In this program.
    #[default]
    Embedded,
    /// In a folder, which is read again whenever its page is another: for those who work on it.
    Folder(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum AssetsError {
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: there is no index.html in it", path.display())]
    NoPage { path: PathBuf },
    #[error("{}: it is larger than an application", path.display())]
    TooLarge { path: PathBuf },
}

/// The files by the paths they are asked for with.
pub(crate) struct Pages {
    folder: Option<PathBuf>,
    files: RwLock<Arc<Files>>,
}

#[derive(Default)]
struct Files {
    by_path: HashMap<String, Bytes>,
    /// Of the page.
    changed: Option<SystemTime>,
}

/// Whether the application is in this program; if not, a plain page stands in.
pub const fn is_built() -> bool {
    cfg!(console_is_built)
}

// === impl Pages ===

impl Pages {
    pub(crate) fn new(assets: &Assets) -> Result<Self, AssetsError> {
        let (folder, files) = match assets {
            Assets::Embedded => (None, Files::embedded()),
            Assets::Folder(path) => (Some(path.clone()), Files::read(path)?),
        };
        Ok(Self { folder, files: RwLock::new(Arc::new(files)) })
    }

    /// The files as they are now.
    fn files(&self) -> Arc<Files> {
        let known = self.files.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let Some(folder) = &self.folder else { return known };
        if changed(folder) == known.changed {
            return known;
        }
        match Files::read(folder) {
            Ok(files) => {
                let files = Arc::new(files);
                *self.files.write().unwrap_or_else(std::sync::PoisonError::into_inner) = files.clone();
                files
            }
            // A build is under way.
            Err(_) => known,
        }
    }
}

// === impl Files ===

impl Files {
    fn embedded() -> Self {
        let mut by_path: HashMap<String, Bytes> =
            EMBEDDED.iter().map(|(path, octets)| ((*path).to_owned(), Bytes::from_static(octets))).collect();
        by_path.entry(PAGE.to_owned()).or_insert_with(|| Bytes::from_static(include_bytes!("page/not_built.html")));
        Self { by_path, changed: None }
    }

    fn read(folder: &Path) -> Result<Self, AssetsError> {
        let path = || folder.to_owned();
        let mut files = Self { by_path: HashMap::new(), changed: changed(folder) };
        let mut left = LARGEST;
        let done = files.gather(folder, "", &mut left).map_err(|source| AssetsError::Unreadable { path: path(), source })?;
        if !done {
            return Err(AssetsError::TooLarge { path: path() });
        }
        if !files.by_path.contains_key(PAGE) {
            return Err(AssetsError::NoPage { path: path() });
        }
        Ok(files)
    }

    /// `false`: there is too much.
    fn gather(&mut self, folder: &Path, name: &str, left: &mut u64) -> io::Result<bool> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (kind, name) = (entry.file_type()?, format!("{name}/{}", entry.file_name().to_string_lossy()));
            if kind.is_dir() {
                if !self.gather(&entry.path(), &name, left)? {
                    return Ok(false);
                }
            } else if kind.is_file() {
                let size = entry.metadata()?.len();
                if size > *left || self.by_path.len() >= MOST {
                    return Ok(false);
                }
                *left -= size;
                self.by_path.insert(name, fs::read(entry.path())?.into());
            }
        }
        Ok(true)
    }
}

fn changed(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder.join(&PAGE[1..])).and_then(|file| file.modified()).ok()
}

/// A file, or the page.
pub(crate) fn answer(app: &App, head: &Parts) -> Result<Reply, Refusal> {
    let files = app.pages.files();
    let path = head.uri.path();
    // What the build says of itself is for tests of it.
    let hidden = path == PAGE || path.ends_with(".br") || path.starts_with("/.");
    match files.by_path.get(path).filter(|_| !hidden) {
        Some(octets) => Ok(file(path, octets, files.by_path.get(&format!("{path}.br")), head)),
        None if path.starts_with("/assets/") => Err(Refusal::not_found("There is no such file.")),
        None => page(app, files.by_path.get(PAGE)),
    }
}

fn file(path: &str, octets: &Bytes, brotli: Option<&Bytes>, head: &Parts) -> Reply {
    let mut reply = Response::new(reply::empty());
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(if path.starts_with("/assets/") { FOREVER } else { "no-cache" }));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let chosen = brotli.filter(|_| takes_brotli(head));
    if chosen.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    *reply.body_mut() = reply::full(chosen.unwrap_or(octets).clone());
    reply
}

fn page(app: &App, page: Option<&Bytes>) -> Result<Reply, Refusal> {
    let nonce = crate::session::text(&app.chance()?);
    let text = String::from_utf8_lossy(page.map_or(&[][..], |page| page)).replace(NONCE, &nonce);
    let mut reply = reply::bytes(StatusCode::OK, "text/html; charset=utf-8", text);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; img-src 'self' data:; \
         font-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    );
    let policy = HeaderValue::from_str(&policy).map_err(|_| Refusal::not_found("There is no page."))?;
    reply.headers_mut().insert("content-security-policy", policy);
    Ok(reply)
}

fn takes_brotli(head: &Parts) -> bool {
    let lines = head.headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let mut codings = lines.flat_map(|line| line.split(',')).map(|coding| coding.split_once(';').unwrap_or((coding, "")));
    codings.any(|(name, weight)| name.trim().eq_ignore_ascii_case("br") && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
}

/// By the end of the name; what is not known is not shown, but kept as a file.
fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
