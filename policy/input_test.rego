package attestry.input_test

import data.attestry.input as judged
import data.attestry.lib.fixtures_test as fixtures

ids := fixtures.ids(judged.deny)

test_a_good_build_passes if ids == set() with input as fixtures.good

test_another_schema_is_denied if ids == {"INPUT-001"} with input as fixtures.but({"schema": "attestry.policy-input/v2"})

test_no_input_at_all_is_denied if ids == {"INPUT-001", "INPUT-002", "INPUT-003"} with input as {}

test_another_environment_is_denied if ids == {"INPUT-002"} with input as fixtures.but({"environment": "moon"})

test_pull_requests_are_known if ids == set() with input as fixtures.but({"environment": "pr"})

test_no_artifacts_are_denied if ids == {"INPUT-003"} with input as fixtures.but({"build": {"artifacts": []}})

test_an_artifact_without_digest_is_denied if {
	ids == {"INPUT-003"} with input as fixtures.but({"build": {"artifacts": [
		fixtures.good.build.artifacts[0],
		{"name": "naked"},
	]}})
}

test_an_artifact_with_another_digest_is_denied if {
	ids == {"INPUT-003"} with input as fixtures.but({"build": {"artifacts": [{"name": "a", "digest": "md5:00"}]}})
}

test_missing_data_is_denied if {
	ids == {"INPUT-004"} with input as fixtures.good with data.banned_components as null
	ids == {"INPUT-004"} with input as fixtures.good with data.allowed_builders as []
}

test_an_sbom_without_index_is_denied if {
	ids == {"INPUT-001"} with input as object.remove(fixtures.good, ["index"])
	every part in ["sha256", "packages", "repeated", "lacking"] {
		changed := object.union(fixtures.good, {"index": {part: null}})
		ids == {"INPUT-001"} with input as changed
	}
	every part in ["name", "version", "purl", "sha256"] {
		changed := object.union(fixtures.good, {"index": {"lacking": {part: null}}})
		ids == {"INPUT-001"} with input as changed
	}
	ids == set() with input as object.union(fixtures.good, {"sbom": null, "index": null})
}

test_findings_that_are_no_list_are_denied if {
	ids == {"INPUT-001"} with input as fixtures.but({"findings": null})
	ids == {"INPUT-001"} with input as object.remove(fixtures.good, ["findings"])
	ids == {"INPUT-001"} with input as fixtures.but({"finding_count": "0"})
}

test_severities_that_there_are_can_be_denied if {
	every severity in ["critical", "high", "medium", "low", "unknown"] {
		ids == set() with input as fixtures.good with data.denied_severities as [severity]
	}
}

test_a_severity_that_there_is_not_is_denied if {
	ids == {"INPUT-004"} with input as fixtures.good with data.denied_severities as ["critical", "High"]
	ids == {"INPUT-004"} with input as fixtures.good with data.denied_severities as [5]
	ids == {"INPUT-004"} with input as fixtures.good with data.denied_severities as null
}

test_logged_environments_that_there_are_pass if {
	ids == set() with input as fixtures.good with data.logged_environments as ["pr", "release"]
}

test_logged_environments_that_there_are_not_are_denied if {
	ids == {"INPUT-004"} with input as fixtures.good with data.logged_environments as ["release", "staging"]
	ids == {"INPUT-004"} with input as fixtures.good with data.logged_environments as "release"
	ids == {"INPUT-004"} with input as fixtures.good with data.logged_environments as null
	ids == {"INPUT-004"} with input as fixtures.good with data.logged_environments as {"release": "staging"}
}

said := {finding.message | some finding in judged.deny}

test_a_wrong_type_and_a_wrong_name_are_told_apart if {
	no_list := "logged_environments in data.json is no list"
	said == {no_list} with input as fixtures.good with data.logged_environments as {"release": "staging"}
	wrong := "logged_environments in data.json names staging, which is no environment"
	said == {wrong} with input as fixtures.good with data.logged_environments as ["staging"]
}
