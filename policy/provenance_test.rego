package attestry.provenance_test

import data.attestry.lib.fixtures_test as fixtures
import data.attestry.provenance

denied := fixtures.ids(provenance.deny)

warned := fixtures.ids(provenance.warn)

noted := fixtures.ids(provenance.info)

test_a_good_build_passes if {
	denied == set() with input as fixtures.good
	warned == set() with input as fixtures.good
	noted == set() with input as fixtures.good
}

test_no_provenance_is_denied if {
	found := denied with input as fixtures.but({"provenance": null})
	found == {"PROV-001", "PROV-002", "PROV-003", "PROV-005", "PROV-008", "PROV-009"}
}

test_another_statement_type_is_denied if {
	denied == {"PROV-001"} with input as fixtures.but({"provenance": {"_type": "https://in-toto.io/Statement/v0.1"}})
}

test_another_predicate_type_is_denied if {
	denied == {"PROV-002"} with input as fixtures.but({"provenance": {"predicateType": "https://slsa.dev/provenance/v0.2"}})
}

test_an_artifact_that_is_no_subject_is_denied if {
	denied == {"PROV-003"} with input as fixtures.but({"provenance": {"subject": []}})
}

test_a_subject_that_is_no_artifact_is_denied if {
	own := fixtures.good.provenance.subject[0]
	foreign := {"name": "foreign", "digest": {"sha256": fixtures.lockfile}}
	naked := {"name": "naked"}
	denied == {"PROV-004"} with input as fixtures.but({"provenance": {"subject": [own, foreign]}})
	denied == {"PROV-004"} with input as fixtures.but({"provenance": {"subject": [own, naked]}})
}

test_another_builder_is_denied if {
	denied == {"PROV-005"} with input as fixtures.but({"build": {"builder": {"id": "https://ci.example/other"}}})
}

test_a_builder_that_is_not_listed_is_denied if {
	listed := {"https://ci.example/other": {}}
	denied == {"PROV-006"} with input as fixtures.good with data.allowed_builders as listed
}

test_a_listed_builder_passes if {
	listed := {"https://ci.example/builder": {}}
	denied == set() with input as fixtures.good with data.allowed_builders as listed
}

test_no_list_of_builders_allows_all if denied == set() with input as fixtures.good with data.allowed_builders as {}

sourceless := fixtures.but({"build": {"source": null}})

test_a_release_without_source_is_warned_of if {
	warned == {"PROV-007"} with input as sourceless
	noted == set() with input as sourceless
	denied == set() with input as sourceless
}

test_what_is_promoted_without_source_is_warned_of if {
	every environment in ["staging", "production", "release"] {
		changed := object.union(sourceless, {"environment": environment})
		warned == {"PROV-007"} with input as changed
		noted == set() with input as changed
	}
}

test_a_release_without_commit_or_repository_is_warned_of if {
	warned == {"PROV-007"} with input as fixtures.but({"build": {"source": {"commit": ""}}})
	warned == {"PROV-007"} with input as fixtures.but({"build": {"source": {"repository": ""}}})
}

test_a_pull_request_without_source_is_noted if {
	changed := object.union(sourceless, {"environment": "pr"})
	noted == {"PROV-007"} with input as changed
	warned == set() with input as changed
}

test_a_pull_request_with_source_is_not_noted if noted == set() with input as fixtures.but({"environment": "pr"})

resolving(dependencies) := fixtures.but({"provenance": {"predicate": {"buildDefinition": {"resolvedDependencies": dependencies}}}})

test_another_commit_is_denied if {
	lockfile := {"digest": {"sha256": fixtures.lockfile}}
	denied == {"PROV-008"} with input as resolving([lockfile, {"digest": {"gitCommit": "00"}}])
	denied == {"PROV-008"} with input as resolving([lockfile, {"digest": {"other": fixtures.commit}}])
	denied == set() with input as resolving([lockfile, {"digest": {"sha1": fixtures.commit}}])
}

test_an_input_that_is_not_named_is_denied if {
	commit := {"digest": {"gitCommit": fixtures.commit}}
	denied == {"PROV-009"} with input as resolving([commit])
	byproduct := {"runDetails": {"byproducts": [{"digest": {"sha256": fixtures.lockfile}}]}}
	denied == set() with input as object.union(resolving([commit]), {"provenance": {"predicate": byproduct}})
	sbom := {"path": "bom.json", "digest": concat("", ["sha256:", fixtures.artifact])}
	denied == {"PROV-009"} with input as fixtures.but({"build": {"sboms": [sbom]}})
	denied == set() with input as fixtures.supplying([sbom], null)
}

test_a_digest_that_is_no_text_is_none if {
	own := fixtures.good.provenance.subject[0]
	denied == {"PROV-004"} with input as fixtures.but({"provenance": {"subject": [own, {"name": "x", "digest": {"sha256": 5}}]}})
	wrong := [{"name": "uv.lock", "digest": {"sha256": 5}}, fixtures.good.provenance.predicate.buildDefinition.resolvedDependencies[0]]
	changed := {"provenance": {"predicate": {"buildDefinition": {"resolvedDependencies": wrong}}}}
	denied == {"PROV-009"} with input as fixtures.but(changed)
}

test_a_commit_that_is_no_text_is_none if {
	denied == set() with input as fixtures.but({"build": {"source": {"commit": 5}}})
}

test_an_artifact_whose_digest_is_no_text_is_no_artifact if {
	artifacts := array.concat(fixtures.good.build.artifacts, [{"name": "x", "digest": 5}])
	denied == {"PROV-003"} with input as fixtures.but({"build": {"artifacts": artifacts}})
}
