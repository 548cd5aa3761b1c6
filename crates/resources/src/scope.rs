//! Whose objects a gateway serves.

use model::Text;

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every namespace.
    #[default]
    Cluster,
    /// A project's own gateway.
    Namespace(Text),
}

// === impl Scope ===

impl Scope {
    pub fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::Cluster => true,
            Self::Namespace(own) => own == namespace,
        }
    }
}
