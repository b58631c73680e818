package attestry.input_test

import data.attestry.input as judged
import data.attestry.lib.fixtures_test as fixtures

ids := fixtures.ids(judged.deny)

test_a_good_build_passes if ids == set() with input as fixtures.good

test_another_schema_is_denied if ids == {"INPUT-001"} with input as fixtures.but({"schema": "attestry.policy-input/v2"})

test_no_input_at_all_is_denied if ids == {"INPUT-001", "INPUT-002", "INPUT-003"} with input as {}

test_another_environment_is_denied if ids == {"INPUT-002"} with input as fixtures.but({"environment": "moon"})

test_environments_are_known if {
	every environment in ["pr", "staging", "production", "release"] {
		ids == set() with input as fixtures.but({"environment": environment})
	}
}

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

test_an_sbom_without_index_is_denied if {
	ids == {"INPUT-001"} with input as object.remove(fixtures.good, ["index"])
	every part in ["sha256", "packages", "licenses", "repeated", "lacking"] {
		changed := object.union(fixtures.good, {"index": {part: null}})
		ids == {"INPUT-001"} with input as changed
	}
	every part in ["name", "version", "purl", "sha256", "license"] {
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
