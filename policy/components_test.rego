package attestry.components_test

import data.attestry.components
import data.attestry.lib.fixtures_test as fixtures
import data.attestry.lib.versions

said := {[finding.id, finding.component, finding.message] | some finding in components.deny}

left := "pkg:pypi/left@1.0"

test_a_good_build_passes if said == set() with input as fixtures.good

test_a_component_that_must_be_there_is_missed if {
	required := {"pkg:pypi/Left": {"reason": "a test"}, "pkg:npm/%40a/right": {"reason": "checks licences"}, "pkg:npm/x": {}}
	expected := {
		["COMP-001", "pkg:npm/@a/right", "pkg:npm/@a/right is not among the components: checks licences"],
		["COMP-001", "pkg:npm/x", "pkg:npm/x is not among the components: no reason given"],
	}
	said == expected with input as fixtures.good with data.required_components as required
	without := fixtures.but({"sbom": null})
	{finding[1] | some finding in said} == {"pkg:pypi/left", "pkg:npm/@a/right", "pkg:npm/x"} with input as without
		with data.required_components as required
}

versioned(version) := fixtures.listing([object.union(fixtures.left, {"version": version})])

at_least(version) := {"pkg:pypi/left": {"version": version, "reason": "CVE-2026-1"}}

test_a_component_below_its_floor_is_denied if {
	expected := {["COMP-002", left, "pkg:pypi/left@1.0 has version 1.0, below 42.0.5: CVE-2026-1"]}
	said == expected with input as versioned("1.0") with data.minimum_versions as at_least("42.0.5")
	said == set() with input as versioned("42.0.5") with data.minimum_versions as at_least("42.0.5")
	other := object.union(fixtures.left, {"purl": "pkg:npm/%40a/left@1.0"})
	scoped := {"pkg:npm/@a/left": {"version": "2"}}
	denied := {["COMP-002", "pkg:npm/%40a/left@1.0", "pkg:npm/%40a/left@1.0 has version 1.0, below 2: no reason given"]}
	said == denied with input as fixtures.listing([other]) with data.minimum_versions as scoped
}

test_what_cannot_be_compared_is_denied if {
	every version, stated in {"main": "main", "": "none"} {
		message := sprintf("pkg:pypi/left@1.0 has version %s, which begins with no number, so that nobody can tell whether it is below 2: CVE-2026-1", [stated])
		said == {["COMP-002", left, message]} with input as versioned(version) with data.minimum_versions as at_least("2")
	}
	every wrong in ["main", null] {
		count(said) == 1 with input as versioned("1.0") with data.minimum_versions as at_least(wrong)
	}
}

test_data_of_another_form_asks_nothing_here if {
	said == set() with input as fixtures.good with data.minimum_versions as null with data.required_components as []
}

test_versions_that_reach_the_floor if {
	every pair in [
		["1.0", "1.0"], ["1.0.1", "1.0"], ["1", "1.0.0"], ["1.0.0", "1"], ["1.10", "1.9"], ["1.9", "1.09"], ["V2", "v1"], [" 2 ", "2"],
		["99999999999999999999999", "99999999999999999999998"], ["2.0-rc1", "1.9"], ["2.0", "2.0-rc1"], ["2.0-rc1", "2.0-RC1"],
		["2.0+build.5", "2.0"], ["42.2.5.jre7", "42.2.5"], ["5.0.Final", "5.0"], ["1.0.post1", "1.0"], ["1.0.post1", "1.0rc1"], ["1.0-jre", "1.0-android"],
		["20", "3"], ["1.2.0", "1.1.9"],
	] {
		versions.reaches(pair[0], pair[1])
	}
}

below(version, floor) if not versions.reaches(version, floor)

test_versions_below_the_floor if {
	every pair in [
		["1.0", "1.0.1"], ["1.9", "1.10"], ["3", "20"], ["1.1.9", "1.2.0"], ["1", "2"], ["99999999999999999999998", "99999999999999999999999"],
		["2.0rc1", "2.0"], ["2.0-beta", "2.0"], ["2.0.dev1", "2.0"], ["2.0-rc1", "2.0-rc2"], ["2.0rc1", "2"], ["1.0", "1.0.post1"],
		["1.0.post1", "1.0.post2"], ["2.0-SNAPSHOT", "2.0"], ["2.0-postfix", "2.0"], ["2.0-final-rc", "2.0"],
		["x", "1"], ["1", "x"], ["x", "x"], ["", ""], ["-1", "0"],
	] {
		below(pair[0], pair[1])
	}
}
