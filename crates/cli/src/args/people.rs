//! What the commands for people, workspaces and projects take.

use super::ServerArgs;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::str::FromStr;

/// Whom to ask, and as whom.
#[derive(Args, Debug)]
pub struct AskArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// Ask as this user, as kubectl's `--as` does
    #[arg(long = "as", value_name = "USER")]
    pub impersonate: Option<String>,
}

/// How objects are printed.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// Another form than the table
    #[arg(short, long, value_enum)]
    pub output: Option<ObjectOutput>,
    /// Without the first line
    #[arg(long)]
    pub no_headers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ObjectOutput {
    Json,
    Yaml,
    Name,
    Wide,
}

/// Words for people, as KubeSphere keeps them.
#[derive(Args, Debug)]
pub struct WordArgs {
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    pub alias: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
}

#[derive(Args, Debug)]
pub struct UserArgs {
    #[command(subcommand)]
    pub command: UserCommand,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user; they get a one-time password where the API is `paifang up`'s
    Create(UserCreateArgs),
    /// All users
    List(ListArgs),
    /// One user, and where they are a member
    Get(UserGetArgs),
    /// Delete users, with their passwords, tokens and memberships
    Delete(NamesArgs),
    /// Refuse somebody until `resume`: their sessions and tokens end
    Suspend(NamesArgs),
    /// Take a suspension back
    Resume(NamesArgs),
    /// Choose another password, or give somebody one
    Password(PasswordArgs),
    /// Write a kubeconfig of somebody's own
    Kubeconfig(KubeconfigArgs),
}

#[derive(Args, Debug)]
pub struct UserCreateArgs {
    /// What they log in with, and roles are bound to
    pub name: String,
    /// How the person is called
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// A name of the OpenID Connect issuer that is this user
    #[arg(long = "identity", value_name = "NAME")]
    pub identities: Vec<String>,
    #[command(flatten)]
    pub words: WordArgs,
    /// Take the password from standard input in place of making one up
    #[arg(long)]
    pub password_stdin: bool,
    /// Without a password: for who signs in elsewhere, or has a kubeconfig
    #[arg(long, conflicts_with = "password_stdin")]
    pub no_password: bool,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    pub show: ShowArgs,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct UserGetArgs {
    /// You, where absent
    pub name: Option<String>,
    #[command(flatten)]
    pub show: ShowArgs,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct NamesArgs {
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct PasswordArgs {
    /// You, where absent
    pub name: Option<String>,
    /// Take passwords from standard input, a line each: the present one where it is your own, then the new one
    #[arg(long)]
    pub password_stdin: bool,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct KubeconfigArgs {
    pub name: String,
    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How long it is good for: hours or days, for example 12h or 90d
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = lifetime)]
    pub valid_for: u64,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct WorkspaceArgs {
    #[command(subcommand)]
    pub command: WorkspaceCommand,
}

#[derive(Debug, Subcommand)]
pub enum WorkspaceCommand {
    /// Make a workspace
    Create(WorkspaceCreateArgs),
    /// The workspaces you are a member of
    List(MineArgs),
    /// Delete a workspace with all its projects
    Delete(WorkspaceDeleteArgs),
    /// Who is a member, and as what
    Members(MembersArgs),
}

#[derive(Args, Debug)]
pub struct WorkspaceCreateArgs {
    pub name: String,
    /// A user who is its admin; you, where absent
    #[arg(long = "admin", value_name = "USER")]
    pub admins: Vec<String>,
    #[command(flatten)]
    pub words: WordArgs,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct WorkspaceDeleteArgs {
    pub name: String,
    /// Keep its projects as plain namespaces
    #[arg(long)]
    pub keep_projects: bool,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct MineArgs {
    /// All there are, in place of yours
    #[arg(short = 'A', long)]
    pub all: bool,
    #[command(flatten)]
    pub show: ShowArgs,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct MembersArgs {
    pub name: String,
    #[command(flatten)]
    pub show: ShowArgs,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct ProjectArgs {
    #[command(subcommand)]
    pub command: ProjectCommand,
}

#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Make a project: a namespace of this name
    Create(ProjectCreateArgs),
    /// The projects you are a member of
    List(MineArgs),
    /// Delete a project and all that is in it
    Delete(ProjectDeleteArgs),
    /// Who is a member, and as what
    Members(MembersArgs),
}

#[derive(Args, Debug)]
pub struct ProjectCreateArgs {
    pub name: String,
    /// Whose project it is; yours, where you are a member of one alone
    #[arg(short, long, value_name = "NAME")]
    pub workspace: Option<String>,
    /// A user who is its admin; you, where absent
    #[arg(long = "admin", value_name = "USER")]
    pub admins: Vec<String>,
    #[command(flatten)]
    pub words: WordArgs,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct ProjectDeleteArgs {
    pub name: String,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct RoleArgs {
    #[command(subcommand)]
    pub command: RoleCommand,
}

#[derive(Debug, Subcommand)]
pub enum RoleCommand {
    /// What roles there are: built-in ones, and those of a project or workspace
    List(RoleListArgs),
    /// The permissions that own roles are put together from
    Permissions(PermissionsArgs),
    /// Put together a role
    Create(RoleCreateArgs),
    /// Delete a role of a project or workspace
    Delete(RoleDeleteArgs),
}

/// A project or a workspace.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub struct PlaceArgs {
    #[arg(short, long, value_name = "NAME")]
    pub project: Option<String>,
    #[arg(short, long, value_name = "NAME")]
    pub workspace: Option<String>,
}

#[derive(Args, Debug)]
pub struct RoleListArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    #[command(flatten)]
    pub show: ShowArgs,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct PermissionsArgs {
    #[command(flatten)]
    pub show: ShowArgs,
}

#[derive(Args, Debug)]
pub struct RoleCreateArgs {
    pub name: String,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// What it allows, for example routes=manage; again for more
    #[arg(long = "permission", value_name = "NAME=LEVEL", required = true)]
    pub permissions: Vec<Given>,
    #[command(flatten)]
    pub words: WordArgs,
    #[command(flatten)]
    pub ask: AskArgs,
}

/// `routes=manage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub name: String,
    pub level: tenancy::catalogue::Level,
}

#[derive(Args, Debug)]
pub struct RoleDeleteArgs {
    pub name: String,
    #[command(flatten)]
    pub place: PlaceArgs,
    #[command(flatten)]
    pub ask: AskArgs,
}

#[derive(Args, Debug)]
pub struct InviteArgs {
    pub user: String,
    #[command(flatten)]
    pub place: InvitePlaceArgs,
    /// As what; needed, but for taking all away
    #[arg(short, long, value_name = "NAME", required_unless_present = "remove")]
    pub role: Option<String>,
    /// Take the role away again; without --role, every one they have there
    #[arg(long)]
    pub remove: bool,
    #[command(flatten)]
    pub ask: AskArgs,
}

/// A project, a workspace, or all of the platform.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct InvitePlaceArgs {
    #[arg(short, long, value_name = "NAME")]
    pub project: Option<String>,
    #[arg(short, long, value_name = "NAME")]
    pub workspace: Option<String>,
    /// The platform as a whole: platform-admin, platform-self-provisioner
    #[arg(long)]
    pub platform: bool,
}

#[derive(Args, Debug)]
pub struct LoginArgs {
    /// Who you are; asked for where absent
    pub user: Option<String>,
    /// Where the API is [default: that of the kubeconfig]
    #[arg(long, value_name = "URL", conflicts_with = "context")]
    pub server_url: Option<String>,
    /// Whom to trust as that API
    #[arg(long, value_name = "FILE", requires = "server_url")]
    pub certificate_authority: Option<PathBuf>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Take the password from standard input, and a new one from its second line
    #[arg(long)]
    pub password_stdin: bool,
    /// Where to write your kubeconfig [default: ~/.kube/paifang-USER]
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, level) = text.split_once(['=', ':']).ok_or("write a permission and a level, for example routes=manage")?;
        Ok(Self { name: name.trim().to_owned(), level: level.trim().parse()? })
    }
}

/// Seconds.
fn lifetime(text: &str) -> Result<u64, String> {
    let wrong = || "write hours or days, for example 12h or 90d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "h" => number.checked_mul(3600),
        "d" => number.checked_mul(86_400),
        _ => None,
    };
    seconds.filter(|it| (600..=1 << 32).contains(it)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["paifang"].into_iter().chain(line.split(' ')))
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "user create",
            "user delete",
            "user create kim --no-password --password-stdin",
            "user kubeconfig kim --valid-for 5m",
            "user kubeconfig kim --valid-for 0h",
            "user kubeconfig kim --valid-for 99999999999999999999d",
            "invite kim --role admin",
            "invite kim --project shop",
            "invite kim --project shop --workspace demo --role admin",
            "invite kim --project shop --platform --role admin",
            "role create r --project shop",
            "role create r --project shop --permission routes",
            "role create r --project shop --permission routes=everything",
            "role create r --project shop --workspace demo --permission routes=view",
            "login kim --certificate-authority ca.crt",
            "login kim --password secret",
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn what_is_given_is_read() {
        let Command::Invite(invite) = parse("invite kim -p shop --remove --as wendy").expect("no role is needed").command else {
            panic!("invite is invite");
        };
        assert_eq!((invite.place.project.as_deref(), invite.role, invite.ask.impersonate.as_deref()), (Some("shop"), None, Some("wendy")));
        assert_eq!(lifetime("12h"), Ok(43_200));
        assert_eq!(lifetime("90d"), Ok(7_776_000));
        let given: Given = "routes=manage".parse().expect("a permission");
        assert_eq!((given.name.as_str(), given.level), ("routes", tenancy::catalogue::Level::Manage));
    }
}
