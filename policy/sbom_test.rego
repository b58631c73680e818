package attestry.sbom_test

import data.attestry.lib.fixtures_test as fixtures
import data.attestry.sbom

ids := fixtures.ids(sbom.deny)

messages := {finding.message | some finding in sbom.deny}

test_a_good_build_passes if ids == set() with input as fixtures.good

test_no_sbom_is_denied if {
	found := ids with input as fixtures.but({"sbom": null})
	{"SBOM-001", "SBOM-002", "SBOM-003", "SBOM-004"} == found
}

test_another_format_is_denied if ids == {"SBOM-001"} with input as fixtures.but({"sbom": {"bomFormat": "SPDX"}})

test_another_root_is_denied if {
	changed := fixtures.but({"sbom": {"metadata": {"component": {"name": "coldpass"}}}})
	ids == {"SBOM-002"} with input as changed
	"the root component is coldpass, the project acme/hotpass" in messages with input as changed
}

test_no_root_is_denied if {
	changed := fixtures.but({"sbom": {"metadata": null}})
	ids == {"SBOM-002", "SBOM-004"} with input as changed
	"the root component is missing, the project acme/hotpass" in messages with input as changed
}

test_a_root_may_have_the_whole_name_of_the_project_or_its_last_part if {
	ids == set() with input as fixtures.but({"sbom": {"metadata": {"component": {"name": "acme/hotpass"}}}})
	ids == set() with input as fixtures.but({"project": "hotpass"})
	ids == set() with input as fixtures.but({"project": "acme/tools/hotpass"})
	ids == {"SBOM-002"} with input as fixtures.but({"project": "hotpass/other"})
}

test_no_components_are_denied if {
	ids == {"SBOM-003"} with input as fixtures.listing([])
	ids == {"SBOM-003"} with input as fixtures.listing(null)
	ids == {"SBOM-003"} with input as fixtures.listing({"left": fixtures.left})
}

test_an_artifact_that_the_sbom_does_not_know_is_denied if {
	ids == {"SBOM-004"} with input as fixtures.but({"sbom": {"metadata": {"component": {"components": []}}}})
}

hashed := {"hashes": [{"alg": "SHA-256", "content": upper(fixtures.artifact)}]}

unhashed := {"sbom": {"metadata": {"component": {"components": []}}}}

test_the_root_may_be_the_artifact if {
	changed := object.union(unhashed, {"sbom": {"metadata": {"component": hashed}}})
	ids == set() with input as fixtures.but(changed)
}

test_a_component_may_be_the_artifact if {
	changed := object.union(unhashed, {"sbom": {"components": [object.union(fixtures.left, hashed)]}})
	ids == set() with input as fixtures.but(changed)
}

test_a_part_of_the_root_may_be_the_artifact if {
	parts := [object.union({"type": "file"}, hashed)]
	ids == set() with input as fixtures.but({"sbom": {"metadata": {"component": {"components": parts}}}})
}

test_a_digest_of_another_algorithm_does_not_count if {
	other := {"hashes": [{"alg": "SHA-512", "content": fixtures.artifact}]}
	changes := [
		{"sbom": {"metadata": {"component": object.union(other, {"components": []})}}},
		{"sbom": {"metadata": {"component": {"components": [other]}}}},
		object.union(unhashed, {"sbom": {"components": [object.union(fixtures.left, other)]}}),
	]
	every change in changes {
		ids == {"SBOM-004"} with input as fixtures.but(change)
	}
}

test_a_component_without_name_is_denied if {
	ids == {"SBOM-005"} with input as fixtures.listing([object.union(fixtures.left, {"name": " "})])
	ids == {"SBOM-005"} with input as fixtures.listing([object.remove(fixtures.left, ["name"])])
	ids == {"SBOM-005"} with input as fixtures.listing([object.union(fixtures.left, {"name": 5})])
}

test_a_component_without_version_is_denied if {
	changed := fixtures.listing([object.remove(fixtures.left, ["version"])])
	ids == {"SBOM-005"} with input as changed
	sbom.deny[_].component == "pkg:pypi/left@1.0" with input as changed
}

test_a_local_component_needs_no_version if {
	local := object.union(object.remove(fixtures.left, ["version"]), {"properties": [
		{"name": "attestry:lockfile:path", "value": "uv.lock"},
		{"name": "attestry:package:source", "value": "local"},
	]})
	ids == set() with input as fixtures.listing([local])
	ids == {"SBOM-006"} with input as fixtures.listing([object.remove(local, ["purl"])])
	every property in [
		{"name": "attestry:package:source", "value": "registry"},
		{"name": "attestry:dependency:group", "value": "local"},
	] {
		ids == {"SBOM-005"} with input as fixtures.listing([object.union(local, {"properties": [property]})])
	}
}

test_a_component_without_name_and_version_is_denied_for_both if {
	changed := fixtures.listing([object.remove(fixtures.left, ["name", "version"])])
	messages == {"component 0 has no name", "component 0, unnamed, has no version"} with input as changed
}

test_a_component_without_purl_is_denied if {
	ids == {"SBOM-006"} with input as fixtures.listing([object.remove(fixtures.left, ["purl"])])
	ids == {"SBOM-006"} with input as fixtures.listing([object.union(fixtures.left, {"purl": "left"})])
}

test_a_component_that_is_no_object_is_denied if {
	ids == {"SBOM-005", "SBOM-006"} with input as fixtures.listing(["left"])
}

test_a_file_needs_a_digest_only if {
	file := {"type": "file", "name": "left.py"}
	ids == {"SBOM-009"} with input as fixtures.listing([file])
	ids == {"SBOM-009"} with input as fixtures.listing([object.union(file, {"hashes": [{"alg": "MD5", "content": "00"}]})])
	ids == set() with input as fixtures.listing([object.union(file, hashed)])
}

# The ids found when `purl` is a component.
with_purl(purl) := fixtures.listing([object.union(fixtures.left, {"purl": purl, "version": "3.3.6"})])

test_banned_components_are_denied if {
	every purl in [
		"pkg:pypi/colourama@0.1.6",
		"pkg:pypi/Colourama",
		"pkg:pypi/jeIlyfish@0.7.1?arch=any#src",
		"pkg:npm/event-stream@3.3.6",
		"pkg:npm/event-stream",
		"pkg:cargo/rustdecimal@1.23.1",
	] {
		ids == {"SBOM-007"} with input as with_purl(purl)
	}
}

test_other_components_pass if {
	every purl in [
		"pkg:pypi/colorama@0.4.6",
		"pkg:npm/colourama@1.0",
		"pkg:pypi/colourama-clean@1.0",
		"pkg:npm/@scope/colourama@1.0",
	] {
		ids == set() with input as with_purl(purl)
	}
}

test_a_version_that_is_not_banned_passes if {
	component := object.union(fixtures.left, {"purl": "pkg:npm/event-stream@3.3.5", "version": "3.3.5"})
	ids == set() with input as fixtures.listing([component])
}

test_a_banned_version_in_the_purl_alone_is_denied if {
	component := object.union(fixtures.left, {"purl": "pkg:npm/event-stream@3.3.6", "version": "3.3.5"})
	ids == {"SBOM-007"} with input as fixtures.listing([component])
}

test_a_scoped_package_can_be_banned if {
	banned := {"pkg:npm/@scope/left": {"reason": "a test"}}
	ids == {"SBOM-007"} with input as with_purl("pkg:npm/@scope/left@3.3.6") with data.banned_components as banned
	ids == {"SBOM-007"} with input as with_purl("pkg:npm/@scope/left") with data.banned_components as banned
	ids == {"SBOM-007"} with input as with_purl("pkg:npm/%40scope/left@3.3.6") with data.banned_components as banned
	encoded := {"pkg:npm/%40scope/left": {"reason": "a test"}}
	ids == {"SBOM-007"} with input as with_purl("pkg:npm/%40scope/left@3.3.6") with data.banned_components as encoded
}

test_a_reference_used_twice_is_denied if {
	ids == {"SBOM-008"} with input as fixtures.listing([fixtures.left, fixtures.left])
	ids == {"SBOM-008"} with input as fixtures.listing([object.union(fixtures.left, {"bom-ref": "root"})])
}

test_different_references_pass if {
	right := object.union(fixtures.left, {"bom-ref": "right"})
	ids == set() with input as fixtures.listing([fixtures.left, right])
}

test_a_digest_that_is_no_text_is_none if {
	wrong := {"hashes": [{"alg": "SHA-256", "content": 5}]}
	root := object.union(fixtures.good.sbom.metadata.component, object.union(wrong, {"components": [wrong]}))
	changed := fixtures.but({"sbom": {"metadata": {"component": root}, "components": [object.union(fixtures.left, wrong)]}})
	ids == {"SBOM-004"} with input as changed
}
