//! The commands for people, workspaces, projects and roles.
//!
//! They write the objects that kubectl would, as who asks: RBAC decides. What becomes of the objects is the crate `tenancy`'s.
//!
//! | command | objects |
//! |---|---|
//! | `user` | Users; their subresources `password` and `token`, CertificateSigningRequests in a cluster |
//! | `workspace`, `project` | Workspaces, Projects; your own User's status says which are yours |
//! | `invite` | RoleBindings, ClusterRoleBindings |
//! | `role` | Roles |
//! | `login` | no object: a kubeconfig |

/// A line for whoever asked; nobody may be reading any more.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

mod ask;
mod certificate;
mod invite;
mod kubeconfig;
mod login;
mod members;
mod mine;
mod project;
mod role;
mod secret;
mod show;
mod user;
mod workspace;

pub use invite::run as invite;
pub use login::run as login;
pub use project::run as project;
pub use role::run as role;
pub use user::run as user;
pub use workspace::run as workspace;

/// The projects that somebody is a member of, as far as they may be known.
pub(crate) async fn own_projects(client: &kube::Client, config: &kube::Config) -> Vec<String> {
    let asker = ask::Asker { client: client.clone(), config: config.clone() };
    let user = asker.own().await.ok().flatten().unwrap_or_default();
    let projects = user["status"]["projects"].as_array().into_iter().flatten();
    projects.map(|it| show::text(it, "/name")).filter(|it| !it.is_empty()).collect()
}
