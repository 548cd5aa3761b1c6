//! Annotations and options for those who offer them in a form: what each is, as data.

use crate::annotation::{Fate, PREFIX, TABLE};
use crate::settings::FAMILIES;

/// Something that may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// In full, as it is written.
    pub name: String,
    /// What its value is like; empty where it is not followed.
    pub value: &'static str,
    pub default: &'static str,
    pub meaning: &'static str,
    pub is_followed: bool,
}

/// Every annotation that ingress-nginx has, followed ones first.
pub fn annotations() -> Vec<Setting> {
    let followed = FAMILIES.iter().copied().flatten().map(|doc| Setting {
        name: format!("{PREFIX}{}", doc.key),
        value: doc.value,
        default: doc.default,
        meaning: doc.meaning,
        is_followed: true,
    });
    let others = TABLE
        .iter()
        .filter(|(key, fate)| !matches!(fate, Fate::Removed(_)) && !FAMILIES.iter().copied().flatten().any(|doc| doc.key == *key));
    followed.chain(others.map(|(key, _)| Setting::other(format!("{PREFIX}{key}")))).collect()
}

/// Every option that ingress-nginx has.
pub fn options() -> Vec<Setting> {
    let of = |(name, followed): (&'static str, Option<(&'static str, &'static str, &'static str)>)| match followed {
        Some((value, default, meaning)) => Setting { name: name.to_owned(), value, default, meaning, is_followed: true },
        None => Setting::other(name.to_owned()),
    };
    let mut options: Vec<Setting> = crate::config::all().map(of).collect();
    options.sort_by_key(|it| !it.is_followed);
    options
}

// === impl Setting ===

impl Setting {
    fn other(name: String) -> Self {
        Self { name, value: "", default: "", meaning: "", is_followed: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_there_once() {
        for settings in [annotations(), options()] {
            let mut names: Vec<&str> = settings.iter().map(|it| it.name.as_str()).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count);
            assert!(settings.iter().all(|it| it.is_followed != it.meaning.is_empty()));
            assert!(settings[0].is_followed && settings.iter().any(|it| !it.is_followed));
        }
    }
}
