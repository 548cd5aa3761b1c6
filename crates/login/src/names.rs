//! Names that no person has.

/// The user that the program's own controllers are, the administrator's certificate, and the console.
const OWN: [&str; 3] = ["paifang", "paifang-admin", "paifang-console"];
const SYSTEM: &str = "system:";

/// Whether a user of this name would be taken for a part of the system.
pub fn is_reserved(user: &str) -> bool {
    is_reserved_group(user) || OWN.contains(&user)
}

pub fn is_reserved_group(group: &str) -> bool {
    group.starts_with(SYSTEM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_names_are_nobody_elses() {
        for name in
            ["system:admin", "system:masters", "system:serviceaccount:a:b", "system:", "paifang", "paifang-admin", "paifang-console"]
        {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["admin", "ann", "oidc:system:admin", "systems", "paifang-user"] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
