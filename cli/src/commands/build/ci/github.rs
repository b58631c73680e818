//! GitHub Actions' default variables, read as its own build type reads its context
//! (`https://actions.github.io/buildtypes/workflow/v1`).

use std::collections::BTreeMap;

use events::{Commit, Label, Uri};

use super::{Surroundings, parameters, uri};

/// The platform where the workflow is not known.
const RUNNER: &str = "https://github.com/actions/runner";
/// Parameters that the platform sets.
const INTERNAL: [(&str, &str); 7] = [
    ("github.event_name", "GITHUB_EVENT_NAME"),
    ("github.job", "GITHUB_JOB"),
    ("github.repository_id", "GITHUB_REPOSITORY_ID"),
    ("github.repository_owner_id", "GITHUB_REPOSITORY_OWNER_ID"),
    ("runner.arch", "RUNNER_ARCH"),
    ("runner.environment", "RUNNER_ENVIRONMENT"),
    ("runner.os", "RUNNER_OS"),
];

pub(super) fn surroundings(variable: &impl Fn(&str) -> Option<String>) -> Option<Surroundings> {
    if variable("GITHUB_ACTIONS")? != "true" {
        return None;
    }
    let server = variable("GITHUB_SERVER_URL")?;
    let repository = format!("{server}/{}", variable("GITHUB_REPOSITORY")?);
    let run = variable("GITHUB_RUN_ID")?;
    let attempt = variable("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
    let invocation = format!("{repository}/actions/runs/{run}/attempts/{attempt}");
    // One run may submit several builds: its job tells them apart.
    let job = variable("GITHUB_JOB").unwrap_or_default();
    let workflow = variable("GITHUB_WORKFLOW_REF");
    let builder = workflow.as_ref().map(|it| format!("{server}/{it}"));
    Some(Surroundings {
        reference: variable("GITHUB_REF").map(|it| Label::of(&it)),
        commit: variable("GITHUB_SHA").and_then(|it| Commit::try_from(it).ok()),
        run: Some(Label::of(&format!("github/{run}/{attempt}/{job}"))),
        builder_id: Some(uri(builder.as_deref().unwrap_or(RUNNER))),
        builder_version: runner_image(variable),
        invocation: Some(uri(&invocation)),
        repository: Some(uri(&repository)),
        parameters: workflow.map(|it| workflow_parameters(&server, &it)).unwrap_or_default(),
        internal_parameters: parameters(variable, &INTERNAL),
        ..Surroundings::default()
    })
}

/// The image of GitHub's own runners, such as `ubuntu24` of `20241016.1.0`.
fn runner_image(variable: &impl Fn(&str) -> Option<String>) -> BTreeMap<Label, Label> {
    let image = variable("ImageOS").zip(variable("ImageVersion"));
    image.map(|(os, version)| (Label::of(&os), Label::of(&version))).into_iter().collect()
}

/// `<owner>/<repository>/<path>@<ref>` taken apart.
fn workflow_parameters(server: &str, workflow: &str) -> BTreeMap<Label, Uri> {
    let parts = || {
        let (owner, rest) = workflow.split_once('/')?;
        let (name, rest) = rest.split_once('/')?;
        let (path, reference) = rest.split_once('@')?;
        Some([
            ("workflow.path", path.to_owned()),
            ("workflow.ref", reference.to_owned()),
            ("workflow.repository", format!("{server}/{owner}/{name}")),
        ])
    };
    let parts = parts().into_iter().flatten();
    parts.map(|(name, value)| (Label::of(name), uri(&value))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{surroundings, with};

    const VARIABLES: [(&str, &str); 18] = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/hotpass"),
        ("GITHUB_REPOSITORY_ID", "123"),
        ("GITHUB_REPOSITORY_OWNER_ID", "45"),
        ("GITHUB_RUN_ID", "42"),
        ("GITHUB_RUN_ATTEMPT", "2"),
        ("GITHUB_JOB", "release"),
        ("GITHUB_REF", "refs/tags/v1"),
        ("GITHUB_SHA", "0123456789012345678901234567890123456789"),
        ("GITHUB_WORKFLOW_REF", "acme/hotpass/.github/workflows/release.yml@refs/tags/v1"),
        ("GITHUB_EVENT_NAME", "push"),
        ("RUNNER_OS", "Linux"),
        ("RUNNER_ARCH", "X64"),
        ("RUNNER_ENVIRONMENT", "github-hosted"),
        ("ImageOS", "ubuntu24"),
        ("ImageVersion", "20241016.1.0"),
        ("GITHUB_TOKEN", "ghs_secret"),
    ];

    #[test]
    fn github_actions_describe_the_build() {
        let found = surroundings(&VARIABLES).expect("on GitHub Actions");

        let text = |it: &Option<events::Uri>| it.as_ref().expect("there").to_string();
        assert_eq!(text(&found.repository), "https://github.com/acme/hotpass");
        let workflow = "https://github.com/acme/hotpass/.github/workflows/release.yml@refs/tags/v1";
        assert_eq!(text(&found.builder_id), workflow);
        let run = "https://github.com/acme/hotpass/actions/runs/42/attempts/2";
        assert_eq!(text(&found.invocation), run);
        assert_eq!(found.run.expect("there").as_str(), "github/42/2/release");
        assert!(found.commit.is_some());
        let json = serde_json::json!({
            "parameters": found.parameters,
            "internal": found.internal_parameters,
            "version": found.builder_version,
        });
        assert_eq!(
            json,
            serde_json::json!({
                "parameters": {
                    "workflow.path": ".github/workflows/release.yml",
                    "workflow.ref": "refs/tags/v1",
                    "workflow.repository": "https://github.com/acme/hotpass",
                },
                "internal": {
                    "github.event_name": "push", "github.job": "release",
                    "github.repository_id": "123", "github.repository_owner_id": "45",
                    "runner.arch": "X64", "runner.environment": "github-hosted",
                    "runner.os": "Linux",
                },
                "version": { "ubuntu24": "20241016.1.0" },
            })
        );
    }

    #[test]
    fn odd_variables_do_no_harm() {
        let odd = with(&VARIABLES, "GITHUB_WORKFLOW_REF", "nonsense\n");
        let odd = with(&odd, "GITHUB_SHA", "HEAD");
        let odd = with(&odd, "GITHUB_SERVER_URL", "https://me:secret@ghe.example");

        let found = surroundings(&odd).expect("on GitHub Actions");

        assert!(found.parameters.is_empty() && found.commit.is_none());
        let repository = found.repository.expect("there");
        assert_eq!(repository.as_str(), "https://ghe.example/acme/hotpass");
        assert_eq!(found.builder_id.expect("there").as_str(), "https://ghe.example/nonsense");
    }
}
