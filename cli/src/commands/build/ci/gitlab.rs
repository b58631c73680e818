//! GitLab CI's predefined variables, read as its runner's own provenance reads them.

use events::{Commit, Label};

use super::{Surroundings, parameters, uri};
use crate::commands::build::dependency::base_image;

/// Parameters that the platform sets.
const INTERNAL: [(&str, &str); 9] = [
    ("gitlab.pipeline_id", "CI_PIPELINE_ID"),
    ("gitlab.pipeline_source", "CI_PIPELINE_SOURCE"),
    ("gitlab.pipeline_url", "CI_PIPELINE_URL"),
    ("gitlab.project_id", "CI_PROJECT_ID"),
    ("gitlab.project_path", "CI_PROJECT_PATH"),
    ("gitlab.server", "CI_SERVER_URL"),
    ("job.image", "CI_JOB_IMAGE"),
    ("runner.arch", "CI_RUNNER_EXECUTABLE_ARCH"),
    ("runner.id", "CI_RUNNER_ID"),
];

pub(super) fn surroundings(variable: &impl Fn(&str) -> Option<String>) -> Option<Surroundings> {
    if variable("GITLAB_CI")? != "true" {
        return None;
    }
    let project = variable("CI_PROJECT_URL")?;
    let job = variable("CI_JOB_ID")?;
    let pipeline = variable("CI_PIPELINE_ID").unwrap_or_else(|| "-".to_owned());
    let builder = match variable("CI_RUNNER_ID") {
        Some(runner) => format!("{project}/-/runners/{runner}"),
        None => variable("CI_SERVER_URL")?,
    };
    let version = variable("CI_RUNNER_VERSION");
    let image = variable("CI_JOB_IMAGE");
    Some(Surroundings {
        repository: Some(uri(&project)),
        reference: reference(variable).map(|it| Label::of(&it)),
        commit: variable("CI_COMMIT_SHA").and_then(|it| Commit::try_from(it).ok()),
        run: Some(Label::of(&format!("gitlab/{pipeline}/{job}"))),
        builder_id: Some(uri(&builder)),
        builder_version: version
            .map(|it| (Label::of("gitlab-runner"), Label::of(&it)))
            .into_iter()
            .collect(),
        invocation: variable("CI_JOB_URL").map(|it| uri(&it)),
        started_at: variable("CI_JOB_STARTED_AT").and_then(|it| it.parse().ok()),
        parameters: parameters(variable, &[("job", "CI_JOB_NAME")]),
        internal_parameters: parameters(variable, &INTERNAL),
        // Without a digest nobody can tell which image it was.
        dependencies: image.and_then(|it| base_image(&it).ok()).into_iter().collect(),
    })
}

/// What was built, as git names it: GitLab gives the short name, and its kind by another variable.
fn reference(variable: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let long = |prefix: &str, name: &str| variable(name).map(|it| format!("{prefix}{it}"));
    long("refs/tags/", "CI_COMMIT_TAG")
        .or_else(|| long("", "CI_MERGE_REQUEST_REF_PATH"))
        .or_else(|| long("refs/heads/", "CI_COMMIT_BRANCH"))
        .or_else(|| long("", "CI_COMMIT_REF_NAME"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{surroundings, with};

    const IMAGE: &str = "registry.example/ci/rust:1.95@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    const VARIABLES: [(&str, &str); 20] = [
        ("GITLAB_CI", "true"),
        ("CI_SERVER_URL", "https://gitlab.example"),
        ("CI_PROJECT_URL", "https://gitlab.example/acme/hotpass"),
        ("CI_PROJECT_PATH", "acme/hotpass"),
        ("CI_PROJECT_ID", "7"),
        ("CI_COMMIT_SHA", "0123456789012345678901234567890123456789"),
        ("CI_COMMIT_REF_NAME", "main"),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_PIPELINE_ID", "100"),
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_PIPELINE_URL", "https://gitlab.example/acme/hotpass/-/pipelines/100"),
        ("CI_JOB_ID", "200"),
        ("CI_JOB_NAME", "release"),
        ("CI_JOB_URL", "https://gitlab.example/acme/hotpass/-/jobs/200"),
        ("CI_RUNNER_ID", "12"),
        ("CI_RUNNER_VERSION", "17.4.0"),
        ("CI_RUNNER_EXECUTABLE_ARCH", "linux/amd64"),
        ("CI_JOB_STARTED_AT", "2026-11-22T12:00:00+02:00"),
        ("CI_JOB_IMAGE", IMAGE),
        ("CI_JOB_TOKEN", "glcbt-secret"),
    ];

    #[test]
    fn gitlab_ci_describes_the_build() {
        let found = surroundings(&VARIABLES).expect("on GitLab CI");

        let text = |it: &Option<events::Uri>| it.as_ref().expect("there").to_string();
        assert_eq!(text(&found.repository), "https://gitlab.example/acme/hotpass");
        assert_eq!(text(&found.builder_id), "https://gitlab.example/acme/hotpass/-/runners/12");
        assert_eq!(text(&found.invocation), "https://gitlab.example/acme/hotpass/-/jobs/200");
        assert_eq!(found.run.expect("there").as_str(), "gitlab/100/200");
        assert_eq!(found.reference.expect("there").as_str(), "refs/heads/main");
        let started = found.started_at.expect("there").to_string();
        assert_eq!(started, "2026-11-22T10:00:00Z");
        assert_eq!(found.dependencies[0].name.as_ref().expect("there").as_str(), "base-image");
        let told =
            serde_json::json!([found.parameters, found.internal_parameters, found.builder_version]);
        assert_eq!(told[0], serde_json::json!({ "job": "release" }));
        assert_eq!(told[1]["gitlab.pipeline_source"], "push");
        assert_eq!(told[2], serde_json::json!({ "gitlab-runner": "17.4.0" }));
        assert!(!told.to_string().contains("secret"), "{told}");
    }

    #[test]
    fn tags_and_merge_requests_have_their_own_names() {
        let reference = |name, value| {
            let found = surroundings(&with(&VARIABLES, name, value)).expect("on GitLab CI");
            found.reference.expect("there").to_string()
        };
        assert_eq!(reference("CI_COMMIT_TAG", "v1"), "refs/tags/v1");
        let path = "refs/merge-requests/1/head";
        assert_eq!(reference("CI_MERGE_REQUEST_REF_PATH", path), path);
    }

    #[test]
    fn image_without_digest_and_odd_times_are_left_out() {
        let odd = with(&VARIABLES, "CI_JOB_IMAGE", "rust:1.95");
        let odd = with(&odd, "CI_JOB_STARTED_AT", "yesterday");

        let found = surroundings(&odd).expect("on GitLab CI");

        assert!(found.dependencies.is_empty() && found.started_at.is_none());
        let image = &found.internal_parameters[&events::Label::of("job.image")];
        assert_eq!(image.as_str(), "rust:1.95");
    }
}
