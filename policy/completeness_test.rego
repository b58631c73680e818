package attestry.completeness_test

import data.attestry.completeness
import data.attestry.lib.fixtures_test as fixtures
import data.attestry.provenance

denied := fixtures.ids(completeness.deny)

warned := fixtures.ids(completeness.warn)

messages := {finding.message | some finding in completeness.deny | completeness.warn}

test_a_good_build_passes if {
	denied == set() with input as fixtures.good
	warned == set() with input as fixtures.good
}

missing(properties) := fixtures.but({"sbom": {"metadata": {"properties": properties}}})

test_a_file_that_could_not_be_read_is_denied if {
	conflict := {"name": "attestry:missing", "value": "uv.lock:12: an unresolved merge conflict; run uv lock"}
	other := {"name": "attestry:note", "value": "uv.lock:12: a remark"}
	denied == {"SBOM-010"} with input as missing([other, conflict])
	expected := "uv.lock:12: an unresolved merge conflict; run uv lock; what it lists is missing from the SBOM"
	messages == {expected} with input as missing([other, conflict])
	denied == set() with input as missing([other])
	denied == {"SBOM-010"} with input as missing([{"name": "attestry:missing"}])
}

digest := concat("", ["sha256:", fixtures.artifact])

own := {"path": "bom.json", "digest": digest, "size": 5, "chunks": 1}

same := {
	"name": "sbom/supplied/bom.json",
	"digest": digest,
	"valid": true,
	"only_ours": {"count": 0, "listed": []},
	"only_theirs": {"count": 0, "listed": []},
	"other_version": {"count": 0, "listed": []},
}

comparison(entries) := {
	"schema": "attestry.sbom-comparison/v1",
	"sbom": fixtures.good.sbom_digest,
	"packages": 1,
	"supplied": entries,
}

comparing(changes) := fixtures.supplying([own], comparison([object.union(same, changes)]))

test_an_sbom_that_says_the_same_passes if {
	denied == set() with input as comparing({})
	warned == set() with input as comparing({})
	provenance.deny == set() with input as comparing({})
}

test_an_sbom_that_is_not_valid_is_denied if {
	broken := {"valid": false, "reason": "no CycloneDX"}
	denied == {"SBOM-011"} with input as comparing(broken)
	messages == {"bom.json is not valid: no CycloneDX"} with input as comparing(broken)
	denied == {"SBOM-011"} with input as comparing({"valid": null})
}

test_an_sbom_that_was_not_compared_is_denied if {
	expected := {"bom.json is not valid: it was not compared with the SBOM"}
	every compared in [null, [], comparison([]), comparison(null), comparison([object.remove(same, ["digest"])])] {
		denied == {"SBOM-011"} with input as fixtures.supplying([own], compared)
		messages == expected with input as fixtures.supplying([own], compared)
	}
	other := concat("", ["sha256:", fixtures.lockfile])
	denied == {"SBOM-011"} with input as comparing({"digest": other})
	nameless := fixtures.supplying([{"digest": other}], comparison([same]))
	messages == {"an SBOM without a name is not valid: it was not compared with the SBOM"} with input as nameless
	denied == {"SBOM-011"} with input as fixtures.supplying([object.remove(own, ["digest"])], comparison([same]))
}

test_a_comparison_of_another_kind_or_with_another_sbom_does_not_count if {
	every change in [{"schema": "attestry.sbom-comparison/v2"}, {"sbom": digest}] {
		changed := fixtures.supplying([own], object.union(comparison([same]), change))
		denied == {"SBOM-011"} with input as changed
	}
}

test_components_that_ours_lacks_are_warned_of if {
	theirs := {"only_theirs": {"count": 2, "listed": ["pkg:npm/a", "pkg:npm/b"]}}
	denied == set() with input as comparing(theirs)
	warned == {"SBOM-012"} with input as comparing(theirs)
	expected := "sbom/supplied/bom.json names 2 components that the SBOM lacks: pkg:npm/a, pkg:npm/b"
	messages == {expected} with input as comparing(theirs)
}

test_only_the_first_of_many_are_named if {
	many := {"only_theirs": {"count": 6, "listed": ["a", "b", "c", "d", "e", "f"]}}
	expected := "sbom/supplied/bom.json names 6 components that the SBOM lacks: a, b, c, d, e, …"
	messages == {expected} with input as comparing(many)
}

test_other_versions_are_warned_of if {
	difference := {"package": "pkg:npm/a", "ours": ["1"], "theirs": ["2", "3"]}
	others := {"other_version": {"count": 1, "listed": [difference]}}
	denied == set() with input as comparing(others)
	warned == {"SBOM-013"} with input as comparing(others)
	expected := "sbom/supplied/bom.json names other versions of 1 components: pkg:npm/a 2, 3 instead of 1"
	messages == {expected} with input as comparing(others)
}

test_a_count_that_is_no_number_counts_nothing if {
	strange := {"only_theirs": {"count": "many", "listed": ["a"]}, "other_version": {"count": "many", "listed": [{}]}}
	denied == set() with input as comparing(strange)
	warned == set() with input as comparing(strange)
}
