//! Names, labels and annotations that others may look for.

pub const GROUP: &str = "paifang.dev";
pub const VERSION: &str = "paifang.dev/v1alpha1";
pub const RBAC: &str = "rbac.authorization.k8s.io";
pub const RBAC_VERSION: &str = "rbac.authorization.k8s.io/v1";

/// What belongs to the system and nobody else may read: passwords, records.
pub const SYSTEM_NAMESPACE: &str = "paifang-system";
/// Where the namespace of a workspace's own begins.
pub const WORKSPACE_PREFIX: &str = "workspace-";
/// A namespace with this label is a project of that workspace. KubeSphere's.
pub const WORKSPACE_LABEL: &str = "kubesphere.io/workspace";
/// What people call an object. KubeSphere's.
pub const ALIAS: &str = "kubesphere.io/alias-name";
pub const DESCRIPTION: &str = "kubesphere.io/description";

/// On the namespace of a workspace's own: whose it is.
pub const HOME_LABEL: &str = "paifang.dev/workspace";
/// On what the controller keeps, and nobody else's.
pub const KEPT_LABEL: &str = "paifang.dev/kept-for";
/// On built-in roles.
pub const BUILT_IN_LABEL: &str = "paifang.dev/built-in";
/// On an own role: what it was put together from, `{"routes":"manage"}`.
pub const PERMISSIONS: &str = "paifang.dev/permissions";
/// On a namespace: the uid of the Workspace it belongs to.
pub const WORKSPACE_UID: &str = "paifang.dev/workspace-uid";
/// On a namespace: the uid of the Project it was made for.
pub const PROJECT_UID: &str = "paifang.dev/project-uid";

pub const USER_FINALIZER: &str = "paifang.dev/user";
pub const PROJECT_FINALIZER: &str = "paifang.dev/project";

/// The namespace in which a workspace's roles, members and Projects are.
pub fn workspace_namespace(workspace: &str) -> String {
    format!("{WORKSPACE_PREFIX}{workspace}")
}

/// The Secret, in [`SYSTEM_NAMESPACE`], that holds a user's password.
pub fn password_secret(user: &str) -> String {
    format!("password-{user}")
}

/// The name of the binding that an invitation makes. User names have no colon, so no two invitations share it.
pub fn invitation(user: &str, role: &str) -> String {
    format!("{user}:{role}")
}

/// The ClusterRole, and its binding, by which a user may read themselves.
pub fn own_role(user: &str) -> String {
    format!("paifang:user:{user}")
}

/// Whether a namespace of this name belongs to the system: no Project may have it.
pub fn is_reserved(namespace: &str) -> bool {
    let beginnings = ["kube-", "kubesphere-", "paifang-", "istio-", "openshift-", WORKSPACE_PREFIX];
    namespace == "default" || namespace.ends_with("-system") || beginnings.iter().any(|it| namespace.starts_with(it))
}
