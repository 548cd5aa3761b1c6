//! What helps those who fill in forms, from the code that does the work.

use super::chinese;
use console::{Catalogues, Entry, Permission, Support};
use tenancy::catalogue::{self, Place};
use translate::Setting;

/// Said of what ingress-nginx has and is not followed here.
const NOT_YET: (&str, &str) = ("Known to ingress-nginx; not followed here yet.", "ingress-nginx 支持，这里暂不支持。");

pub fn all() -> Catalogues {
    let mut annotations: Vec<Entry> = translate::annotations().iter().map(|it| entry(it, chinese::ANNOTATIONS)).collect();
    annotations.insert(0, host());
    let options = translate::settings().iter().map(|it| entry(it, chinese::OPTIONS)).collect();
    let permissions = catalogue::PERMISSIONS.iter().map(permission).collect();
    Catalogues { annotations, options, permissions }
}

/// Of our own annotations the one that routes have.
fn host() -> Entry {
    Entry {
        name: resources::HOST_ANNOTATION.to_owned(),
        value: "auto".to_owned(),
        values: vec!["auto".to_owned()],
        default: String::new(),
        support: Support::Yes,
        english: "Rules without a host get one that is made of the Service, the project and the gateway's address.".to_owned(),
        chinese: "没有填写域名的规则会得到一个自动生成的域名，由服务、项目和网关地址组成。".to_owned(),
    }
}

fn entry(setting: &Setting, chinese: &[(&str, &str)]) -> Entry {
    let short = setting.name.rsplit('/').next().unwrap_or(&setting.name);
    let said = chinese.iter().find(|(name, _)| *name == short).map(|(_, said)| *said);
    let (english, chinese) = match setting.is_followed {
        true => (setting.meaning, said.unwrap_or(setting.meaning)),
        false => NOT_YET,
    };
    Entry {
        name: setting.name.clone(),
        value: setting.value.replace('`', ""),
        values: if setting.value == "boolean" { vec!["true".to_owned(), "false".to_owned()] } else { Vec::new() },
        default: setting.default.replace('`', ""),
        support: if setting.is_followed { Support::Yes } else { Support::No },
        english: english.to_owned(),
        chinese: chinese.to_owned(),
    }
}

fn permission(it: &catalogue::Permission) -> Permission {
    let place = match it.place {
        Place::Platform => "platform",
        Place::Workspace => "workspace",
        Place::Project => "project",
    };
    let rules = |level| catalogue::rules(it.place, &[(it.name, level)].into()).iter().map(catalogue::Rule::to_value).collect();
    let word = |level| match level {
        catalogue::Level::View => "view",
        catalogue::Level::Create => "create",
        catalogue::Level::Manage => "manage",
    };
    let said = chinese::PERMISSIONS.iter().find(|(of, name, _)| *of == place && *name == it.name).map(|(.., said)| *said);
    Permission {
        name: it.name.to_owned(),
        place,
        english: it.about.to_owned(),
        chinese: said.unwrap_or(it.about).to_owned(),
        levels: it.levels().into_iter().map(|level| (word(level), rules(level))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_followed_is_said_in_chinese() {
        let is_chinese = |text: &str| text.chars().any(|it| ('\u{4e00}'..='\u{9fff}').contains(&it));
        let Catalogues { annotations, options, permissions } = all();
        for entry in annotations.iter().chain(&options) {
            assert!(is_chinese(&entry.chinese) && !is_chinese(&entry.english), "{}", entry.name);
        }
        for permission in &permissions {
            assert!(is_chinese(&permission.chinese), "{}", permission.name);
            assert!(permission.levels.iter().all(|(_, rules)| !rules.is_empty()), "{}", permission.name);
        }
        let named = |list: &[(&str, &str)], of: &[Entry]| {
            list.iter().filter(|(name, _)| !of.iter().any(|it| it.name.ends_with(name) && it.support == Support::Yes)).count()
        };
        assert_eq!((named(chinese::ANNOTATIONS, &annotations), named(chinese::OPTIONS, &options)), (0, 0), "words without a setting");
    }
}
