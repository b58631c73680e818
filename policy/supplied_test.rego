package attestry.supplied_test

import data.attestry.lib.fixtures_test as fixtures
import data.attestry.supplied

said := {[finding.component, finding.message] | some finding in supplied.deny}

left := "pkg:pypi/left@1.0"

ours := {"pkg:pypi/Left": {"supplier": "acme", "max_age_days": 1}}

accepted := {
	"supplier": "acme",
	"product": "left",
	"document": "sha256:00",
	"accepted_at": "2026-11-22T10:00:00Z",
	"signed": true,
}

with_suppliers(list) := object.union(object.remove(fixtures.good, ["suppliers"]), {"suppliers": list})

test_without_settings_nobody_asks if said == set() with input as fixtures.good

test_an_accepted_sbom_of_the_supplier_is_enough if {
	said == set() with input as with_suppliers([{"supplier": "other"}, accepted]) with data.supplied_components as ours
	old := object.union(accepted, {"accepted_at": "2020-01-01T00:00:00Z"})
	said == set() with input as with_suppliers([old]) with data.supplied_components as {"pkg:pypi/left": {"supplier": "acme"}}
}

test_any_other_is_not if {
	expected := {[left, "pkg:pypi/left@1.0 comes from acme: no signed SBOM was accepted in the last 1 days"]}
	every change in [
		{"supplier": "other"},
		{"signed": false},
		{"signed": null},
		{"accepted_at": "2026-11-21T18:15:11Z"},
		{"accepted_at": "2026-11-23T10:00:00Z"},
		{"accepted_at": null},
	] {
		said == expected with input as with_suppliers([object.union(accepted, change)]) with data.supplied_components as ours
	}
	ageless := {[left, "pkg:pypi/left@1.0 comes from acme: no signed SBOM was accepted"]}
	every days in [null, "1"] {
		said == ageless with input as with_suppliers([]) with data.supplied_components as {"pkg:pypi/left": {"supplier": "acme", "max_age_days": days}}
	}
}

test_when_nobody_was_asked_it_says_so if {
	expected := {[left, "pkg:pypi/left@1.0 comes from acme: nobody was asked for the SBOMs of suppliers"]}
	every nothing in [null, "acme", {"acme": accepted}] {
		said == expected with input as with_suppliers(nothing) with data.supplied_components as ours
	}
	said == expected with input as object.remove(fixtures.good, ["suppliers"]) with data.supplied_components as ours
}

test_a_namespace_ends_where_a_name_ends if {
	scoped := fixtures.listing([object.union(fixtures.left, {"purl": "pkg:npm/%40acme/left@1.0"})])
	every namespace in ["pkg:npm/@acme", "pkg:npm/%40acme/", "pkg:npm/@Acme/left", "pkg:npm/"] {
		count(said) == 1 with input as scoped with data.supplied_components as {namespace: {"supplier": "acme"}}
	}
	every namespace in ["pkg:npm/@acm", "pkg:npm/@acme/lef", "pkg:npm/@acme/left/x", "pkg:pypi/left"] {
		said == set() with input as scoped with data.supplied_components as {namespace: {"supplier": "acme"}}
	}
}

test_an_entry_without_a_supplier_is_met_by_nobody if {
	expected := {[left, "pkg:pypi/left@1.0 comes from nobody: no signed SBOM was accepted"]}
	said == expected with input as with_suppliers([object.remove(accepted, ["supplier"])]) with data.supplied_components as {"pkg:pypi/left": {}}
}
