use super::*;

/// A workspace in a folder that goes when this does.
struct Workspace(tempfile::TempDir);

impl Workspace {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in files {
            let path = folder.path().join("crates").join(path);
            fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        Self(folder)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join("crates").join(path)).expect("the file is there")
    }
}

fn produced(model: &str) -> Produced {
    Produced { model: model.into(), status: "s: 1\n".into() }
}

#[test]
fn a_case_is_found_and_compared() {
    let files = [
        ("t/golden/family/a-story/in.yaml", "# why\na: 1\n"),
        ("t/golden/family/a-story/model.yaml", "m: 1\n"),
        ("t/golden/family/a-story/status.yaml", "s: 1\n"),
    ];
    let workspace = Workspace::with(&files);
    let (cases, errors) = cases(workspace.0.path());
    assert_eq!((cases.len(), errors), (1, Vec::new()));
    let case = &cases[0];
    assert_eq!((case.name.as_str(), case.input.as_str()), ("t/golden/family/a-story", "# why\na: 1\n"));
    assert_eq!(case.check(&produced("m: 1\n"), Mode::Compare), Vec::<String>::new());
    let differences = case.check(&produced("m: 2\n"), Mode::Compare);
    assert_eq!(differences.len(), 1);
    assert!(differences[0].contains("-m: 1\n+m: 2\n"), "{}", differences[0]);
}

#[test]
fn accepting_writes() {
    let workspace = Workspace::with(&[("t/golden/a-story/in.yaml", "# why\n")]);
    let case = cases(workspace.0.path()).0.remove(0);
    assert_eq!(case.check(&produced("m: 1\n"), Mode::Compare).len(), 2, "missing files differ");
    assert_eq!(case.check(&produced("m: 1\n"), Mode::Accept), Vec::<String>::new());
    assert_eq!(workspace.read("t/golden/a-story/model.yaml"), "m: 1\n");
    assert_eq!(case.check(&produced("m: 1\n"), Mode::Compare), Vec::<String>::new());
}

#[test]
fn bad_folders_are_named() {
    for (files, expect) in [
        (&[("t/golden/x/in.yaml", "a: 1\n")][..], "the first line must be a comment"),
        (&[("t/golden/x/in.yaml", "#  \na: 1\n")], "the first line must be a comment"),
        (&[("t/golden/x/model.yaml", "m: 1\n")], "has no in.yaml"),
        (&[("t/golden/x/in.yaml", "# why\n"), ("t/golden/x/modle.yaml", "")], "not a file of a case"),
        (&[("t/golden/x/in.yaml", "# why\n"), ("t/golden/x/probe.http", "nonsense")], "probe.http:1"),
    ] {
        let (_, errors) = cases(Workspace::with(files).0.path());
        assert!(errors.len() == 1 && errors[0].contains(expect), "{expect}: {errors:?}");
    }
}

#[test]
#[should_panic(expected = "no golden case")]
fn a_workspace_without_cases_fails() {
    check_all(Workspace::with(&[]).0.path(), |_| Produced::default());
}

#[test]
#[should_panic(expected = "differs")]
fn a_difference_fails() {
    check_all(Workspace::with(&[("t/golden/x/in.yaml", "# why\n")]).0.path(), |_| produced("m: 1\n"));
}

#[test]
fn a_probe_that_passes_without_a_model_is_not_alive() {
    let files = [("t/golden/x/in.yaml", "# why\n"), ("t/golden/x/probe.http", "GET http://h/\n< 404\n")];
    let case = cases(Workspace::with(&files).0.path()).0.remove(0);
    let not_found = |_: &Request| Ok(Answer { status: 404, ..Answer::default() });
    assert_eq!(case.probe(not_found), Vec::<String>::new());
    assert!(case.prove_alive(not_found).is_some());
    assert_eq!(case.prove_alive(|_| Ok(Answer { status: 200, ..Answer::default() })), None);
}
