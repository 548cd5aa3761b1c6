//! A copy of the store put in the place of what is served, while it is served.
//!
//! The store makes it one write, which watches tell of like any other. What an API needs to be there, of this version, is
//! made again after it: a copy may be older.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use store::{BackupError, Revision, Store};

use crate::access::MASTERS;
use crate::api::Api;
use crate::audit::Log;
use crate::{pki, start};

/// Makes copies of what an API serves, and puts them back. It is for who may read the data directory, and so may do
/// everything. Cheap to copy.
#[derive(Clone)]
pub struct Copies {
    api: Arc<Api>,
    audit: Option<Log>,
    definitions: Arc<[Value]>,
}

// === impl Copies ===

impl Copies {
    pub(crate) fn new(api: Arc<Api>, audit: Option<Log>, definitions: Arc<[Value]>) -> Self {
        Self { api, audit, definitions }
    }

    pub fn store(&self) -> &Store {
        &self.api.store
    }

    /// Makes what a copy holds all there is, and returns the revision of the last change.
    ///
    /// # Errors
    /// As [`Store::restore`]: nothing has changed.
    pub async fn restore(&self, from: PathBuf) -> Result<Revision, BackupError> {
        let file = from.display().to_string();
        let restored = self.api.store.restore(from).await;
        if restored.is_ok()
            && let Err(error) = start::settle_in(&self.api, &self.definitions).await
        {
            tracing::error!(%error, "what every start makes is missing in what was restored; the next start makes it");
        }
        self.tell(&file, if restored.is_ok() { 200 } else { 400 });
        restored
    }

    fn tell(&self, file: &str, code: u16) {
        let Some(audit) = &self.audit else { return };
        let user = json!({ "name": pki::ADMIN, "groups": [MASTERS] });
        audit.tell(json!({ "user": user, "verb": "restore", "object": { "name": file }, "code": code }));
    }
}
