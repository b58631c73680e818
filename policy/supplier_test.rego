package attestry.supplier_test

import data.attestry.lib.fixtures_test as fixtures
import data.attestry.sbom

refused := fixtures.ids(sbom.supplier)

warned := fixtures.ids(sbom.supplier_warn)

# What is said, and where.
said := {[finding.message, finding.field] | some finding in sbom.supplier | sbom.supplier_warn}

with_passport(changes) := fixtures.supplied_but({"supplier": changes})

with_document(changes) := fixtures.supplied_but({"document": changes})

with_signature(changes) := fixtures.supplied_but({"signature": changes})

vex := {
	"supplier": {"formats": ["cyclonedx", "openvex"], "vex": true},
	"document": {
		"kind": "vex",
		"format": "openvex",
		"spec_version": "0.2.0",
		"subject": null,
		"declared_supplier": null,
		"components": [],
		"statements": 2,
	},
}

test_a_good_sbom_passes if {
	refused == set() with input as fixtures.supplied
	warned == set() with input as fixtures.supplied
}

test_a_good_vex_document_passes if {
	refused == set() with input as fixtures.supplied_but(vex)
	warned == set() with input as fixtures.supplied_but(vex)
}

test_csaf_passes_where_the_passport_lists_it if {
	csaf := object.union(vex, {"document": {"format": "csaf", "spec_version": "2.0"}})
	refused == {"SUP-006"} with input as fixtures.supplied_but(csaf)
	listed := object.union(csaf, {"supplier": {"formats": ["csaf"]}})
	refused == set() with input as fixtures.supplied_but(listed)
}

test_another_schema_is_refused if {
	refused == {"SUP-001"} with input as fixtures.supplied_but({"schema": "attestry.policy-input/v1"})
}

test_another_kind_is_refused if {
	refused == {"SUP-001"} with input as with_document({"kind": "poem"})
}

test_a_build_is_refused if {
	{"SUP-001", "SUP-003", "SUP-006", "SUP-010"} & refused == {"SUP-001", "SUP-003", "SUP-006", "SUP-010"} with input as fixtures.good
}

test_no_input_at_all_is_refused if {
	refused == {"SUP-001", "SUP-003", "SUP-005", "SUP-006", "SUP-010", "SUP-019"} with input as {}
}

test_a_list_that_is_none_is_refused if {
	every changed in [
		with_passport({"namespaces": "pkg:npm/%40acme/"}),
		with_passport({"products": null}),
		with_document({"problems": {}}),
	] {
		refused == {"SUP-001"} with input as changed
	}
	as_object := with_document({"components": {"left": fixtures.supplied.document.components[0]}})
	refused == {"SUP-001", "SUP-012"} with input as as_object
	["supplier.products is not a list", "supplier.products"] in said with input as with_passport({"products": null})
}

test_no_index_is_refused if {
	refused == {"SUP-001"} with input as object.remove(fixtures.supplied, ["index"])
	every wrong in [null, [], "pkg:pypi/left"] {
		refused == {"SUP-001"} with input as object.union(fixtures.supplied, {"index": {"packages": wrong}})
	}
	["index.packages is not an object", "index.packages"] in said with input as object.remove(fixtures.supplied, ["index"])
}

test_an_age_that_is_no_number_is_refused if {
	refused == {"SUP-001"} with input as with_passport({"max_age_days": "365"})
	refused == {"SUP-001"} with input as with_passport({"max_age_days": null})
}

test_no_time_is_refused if refused == {"SUP-001"} with input as fixtures.supplied_but({"time": "today"})

test_missing_data_is_refused if {
	refused == {"SUP-001"} with input as fixtures.supplied with data.banned_components as null
}

unsigned := {"signature": {
	"present": false,
	"verified": false,
	"key": null,
	"development_key": null,
	"covers_document": false,
}}

test_an_unsigned_document_is_refused if {
	refused == {"SUP-002"} with input as fixtures.supplied_but(unsigned)
	warned == set() with input as fixtures.supplied_but(unsigned)
}

test_an_unsigned_document_is_refused_unless_the_passport_says_otherwise if {
	silent := fixtures.supplied_but(object.union(unsigned, {"supplier": {"require_signature": null}}))
	refused == {"SUP-002"} with input as silent
	warned == set() with input as silent
	allowed := fixtures.supplied_but(object.union(unsigned, {"supplier": {"require_signature": false}}))
	refused == set() with input as allowed
	warned == {"SUP-002"} with input as allowed
}

test_a_signature_that_is_not_needed_is_checked_all_the_same if {
	changed := object.union(with_passport({"require_signature": false}), {"signature": {"verified": false}})
	refused == {"SUP-003"} with input as changed
	warned == set() with input as changed
}

test_a_signature_that_is_not_verified_is_refused_with_the_reason if {
	changed := with_signature({"verified": false, "reason": "no trusted key"})
	refused == {"SUP-003"} with input as changed
	["the signature is not verified: no trusted key", "signature.verified"] in said with input as changed
}

test_a_signature_that_says_nothing_is_refused if {
	refused == {"SUP-003", "SUP-005"} with input as object.remove(fixtures.supplied, ["signature"])
}

test_a_signature_over_another_document_is_refused if {
	refused == {"SUP-004"} with input as with_signature({"covers_document": false})
	refused == {"SUP-004"} with input as with_signature({"covers_document": null})
}

test_a_development_key_is_refused if {
	refused == {"SUP-005"} with input as with_signature({"development_key": true})
	refused == {"SUP-005"} with input as with_signature({"development_key": null})
	warned == set() with input as with_signature({"development_key": true})
}

test_an_allowed_development_key_is_warned_of if {
	changed := with_signature({"development_key": true})
	allowed := {"acme": {"reason": "a trial"}}
	refused == set() with input as changed with data.development_key_suppliers as allowed
	warned == {"SUP-005"} with input as changed with data.development_key_suppliers as allowed
	refused == {"SUP-005"} with input as changed with data.development_key_suppliers as {"other": {}}
	warned == set() with input as fixtures.supplied with data.development_key_suppliers as allowed
}

test_another_format_is_refused if {
	refused == {"SUP-006"} with input as with_document({"format": "spdx"})
	refused == {"SUP-006"} with input as with_document({"format": null})
	refused == {"SUP-006"} with input as with_passport({"formats": []})
	["the format is unknown", "document.format"] in said with input as with_document({"format": null})
}

test_another_version_of_the_format_is_refused if {
	refused == {"SUP-006"} with input as with_document({"spec_version": "1.4"})
	refused == {"SUP-006"} with input as with_document({"spec_version": null})
	refused == {"SUP-006"} with input as with_passport({"spec_versions": []})
}

test_an_sbom_about_nothing_is_refused if {
	refused == {"SUP-007"} with input as with_document({"subject": null})
	refused == {"SUP-007"} with input as with_document({"subject": {"version": " "}})
	refused == {"SUP-007"} with input as with_document({"subject": {"name": null, "purl": null}})
	["the SBOM does not tell the version of what it is about", "/metadata/component/version"] in said with input as with_document({"subject": {"version": null}})
}

test_another_product_is_refused if {
	changed := with_document({"subject": {"name": "gadget"}})
	refused == {"SUP-008"} with input as changed
	refused == set() with input as object.union(changed, {"supplier": {"products": []}})
	refused == set() with input as object.union(changed, {"supplier": {"products": ["widget", "gadget"]}})
}

test_a_vex_document_about_another_product_is_refused if {
	refused == {"SUP-008"} with input as object.union(fixtures.supplied_but(vex), {"document": {"subject": {"name": "gadget", "purl": "pkg:npm/%40acme/gadget"}}})
}

# The input with that package URL as its subject.
about(purl) := with_document({"subject": {"purl": purl}})

test_a_package_url_of_others_is_refused if {
	every purl in [
		"pkg:pypi/widget@1.0",
		"pkg:pypi/acme-widget-evil@1.0",
		"pkg:npm/widget@1.0",
		"pkg:npm/%40acme-evil/widget@1.0",
		"pkg:cargo/acme-widget@1.0?ns=pkg:npm/%40acme/",
		"widget",
	] {
		refused == {"SUP-009"} with input as about(purl)
		warned == set() with input as about(purl)
	}
	sbom.supplier[_].component == "widget" with input as about("widget")
}

test_a_package_url_of_the_supplier_passes if {
	every purl in [
		"pkg:pypi/acme-widget@1.0",
		"pkg:pypi/Acme-Widget",
		"pkg:pypi/acme-widget@1.0?arch=any#src",
		"pkg:npm/@acme/widget@1.0",
		"pkg:npm/%40acme/widgets/deep@1.0",
	] {
		refused == set() with input as about(purl)
	}
}

test_no_namespaces_allow_all if {
	changed := object.union(about("pkg:pypi/other@1"), {"supplier": {"namespaces": []}})
	refused == set() with input as changed
	nameless := object.union(about(null), {"supplier": {"namespaces": []}})
	refused == set() with input as nameless
	warned == set() with input as nameless
}

test_without_package_url_the_name_must_be_listed if {
	refused == set() with input as about(null)
	warned == {"SUP-009"} with input as about(null)
	unlisted := object.union(about(null), {"supplier": {"products": []}})
	refused == {"SUP-009"} with input as unlisted
	warned == set() with input as unlisted
}

test_a_document_without_date_is_refused if {
	refused == {"SUP-010"} with input as with_document({"timestamp": null})
	refused == {"SUP-010"} with input as with_document({"timestamp": "9999-12-31T00:00:00Z"})
	["the timestamp of the document is missing", "document.timestamp"] in said with input as with_document({"timestamp": null})
}

test_a_document_from_the_future_is_refused if {
	refused == {"SUP-010"} with input as with_document({"timestamp": "2026-11-23T18:15:13Z"})
	refused == set() with input as with_document({"timestamp": "2026-11-23T18:15:12Z"})
}

test_an_old_document_is_refused if {
	refused == {"SUP-011"} with input as with_document({"timestamp": "2025-11-22T18:15:11Z"})
	refused == set() with input as with_document({"timestamp": "2025-11-22T18:15:12Z"})
	refused == {"SUP-011"} with input as object.union(with_document({"timestamp": "2026-11-20T18:15:11Z"}), {"supplier": {"max_age_days": 2}})
}

test_no_components_are_refused if {
	refused == {"SUP-012"} with input as with_document({"components": []})
}

problem(code) := {"code": code, "pointer": "/dependencies/3", "message": "it is wrong"}

with_problems(problems, number) := with_document({"problems": problems, "problem_count": number})

test_problems_are_refused_by_their_rules if {
	every code, id in {
		"dependency-cycle": "SUP-014",
		"self-dependency": "SUP-014",
		"dangling-reference": "SUP-015",
		"duplicate-bom-ref": "SUP-016",
		"invalid-purl": "SUP-017",
		"purl-bomb": "SUP-017",
		"control-character": "SUP-023",
		"look-alike-product": "SUP-024",
		"malicious-package": "SUP-025",
	} {
		refused == {id} with input as with_problems([problem(code)], 1)
		warned == set() with input as with_problems([problem(code)], 1)
	}
	said == {["purl-bomb: it is wrong", "/dependencies/3"]} with input as with_problems([problem("purl-bomb")], 1)
	said == {["purl-bomb: no message", "document.problems"]} with input as with_problems([{"code": "purl-bomb"}], 1)
}

tolerating(codes, problems) := object.union(with_problems(problems, count(problems)), {"supplier": {"tolerates": codes}})

test_problems_that_the_passport_tolerates_are_warned_of if {
	every code, id in {
		"dependency-cycle": "SUP-014",
		"self-dependency": "SUP-014",
		"dangling-reference": "SUP-015",
		"duplicate-bom-ref": "SUP-016",
		"invalid-purl": "SUP-017",
	} {
		tolerated := tolerating([code], [problem(code)])
		refused == set() with input as tolerated
		warned == {id} with input as tolerated
		found := said with input as tolerated
		found == {[sprintf("it is wrong (%s, which the passport tolerates)", [code]), "/dependencies/3"]}
	}
}

test_only_what_the_passport_names_is_tolerated if {
	problems := [problem("dependency-cycle"), problem("dangling-reference")]
	one := tolerating(["dangling-reference"], problems)
	refused == {"SUP-014"} with input as one
	warned == {"SUP-015"} with input as one
	every codes in [[], null, "dependency-cycle", {"code": "dependency-cycle"}] {
		refused == {"SUP-014", "SUP-015"} with input as tolerating(codes, problems)
		warned == set() with input as tolerating(codes, problems)
	}
}

test_what_hides_something_is_never_tolerated if {
	every code, id in {
		"purl-bomb": "SUP-017",
		"control-character": "SUP-023",
		"look-alike-product": "SUP-024",
		"malicious-package": "SUP-025",
	} {
		refused == {id} with input as tolerating([code], [problem(code)])
		warned == set() with input as tolerating([code], [problem(code)])
	}
}

test_tolerated_problems_without_message_are_named if {
	found := said with input as tolerating(["invalid-purl"], [{"code": "invalid-purl"}])
	found == {["a problem without a message (invalid-purl, which the passport tolerates)", "document.problems"]}
}

test_other_problems_are_warned_of if {
	every code, id in {
		"component-without-identity": "SUP-013",
		"component-without-name": "SUP-013",
		"component-without-version": "SUP-013",
		"non-canonical-purl": "SUP-017",
		"look-alike-component": "SUP-024",
		"odd": "SUP-018",
	} {
		refused == set() with input as with_problems([problem(code)], 1)
		warned == {id} with input as with_problems([problem(code)], 1)
	}
	said == {["it is wrong", "/dependencies/3"]} with input as with_problems([problem("odd")], 1)
	said == {["a problem without a message", "document.problems"]} with input as with_problems([{}], 1)
	warned == {"SUP-018"} with input as with_problems([{}], 1)
}

test_problems_that_are_not_listed_are_warned_of if {
	changed := with_problems([problem("component-without-name")], 12)
	refused == set() with input as changed
	warned == {"SUP-013", "SUP-018"} with input as changed
	["11 more problems of the kinds that are listed", "document.problem_count"] in said with input as changed
}

test_vex_without_authority_is_refused if {
	refused == {"SUP-019"} with input as object.union(fixtures.supplied_but(vex), {"supplier": {"vex": false}})
	refused == {"SUP-019"} with input as object.union(fixtures.supplied_but(vex), {"supplier": {"vex": "true"}})
	silent := object.union(vex, {"supplier": {"vex": false}, "document": {"statements": 0}})
	refused == {"SUP-019", "SUP-020"} with input as fixtures.supplied_but(silent)
}

test_statements_in_an_sbom_need_authority_too if {
	changed := with_document({"statements": 1})
	refused == {"SUP-019"} with input as changed
	refused == {"SUP-019"} with input as with_document({"statements": null})
	refused == set() with input as object.union(changed, {"supplier": {"vex": true}})
}

test_vex_that_states_nothing_is_refused if {
	refused == {"SUP-020"} with input as object.union(fixtures.supplied_but(vex), {"document": {"statements": 0}})
}

test_banned_components_are_refused if {
	every purl in ["pkg:pypi/Colourama@0.1", "pkg:npm/event-stream@3.3.6", "pkg:pypi/ctx"] {
		changed := with_document({"components": [{"name": "left", "version": "1", "purl": purl}]})
		refused == {"SUP-021"} with input as changed
		sbom.supplier[_].component == purl with input as changed
		sbom.supplier[_].field == "document.components[0]" with input as changed
	}
	refused == set() with input as with_document({"components": [{"name": "left", "purl": "pkg:npm/event-stream@3.3.5"}]})
}

test_another_supplier_in_the_document_is_warned_of if {
	changed := with_document({"declared_supplier": "Bolt Ltd"})
	refused == set() with input as changed
	warned == {"SUP-022"} with input as changed
	warned == {"SUP-022"} with input as with_passport({"name": null})
	["the document names Bolt Ltd as the supplier, the passport Acme Ltd", "/metadata/supplier/name"] in said with input as changed
}

test_the_suppliers_name_may_be_missing_or_written_otherwise if {
	warned == set() with input as with_document({"declared_supplier": null})
	warned == set() with input as with_document({"declared_supplier": " ACME ltd "})
}

test_a_component_without_purl_is_judged_like_any_other if {
	unnamed := with_document({"components": [{"name": "left", "version": "1", "purl": null}]})
	refused == set() with input as unnamed
}

test_a_number_of_problems_that_is_none_is_not_compared if {
	warned == set() with input as with_document({"problems": [], "problem_count": "many"})
	refused == set() with input as with_document({"problems": [], "problem_count": "many"})
}

graded(grade) := fixtures.supplied_but({
	"supplier": {"grades": ["A", "B"]},
	"document": {"grade": {"standard": "ntia", "score": 84, "grade": grade}},
})

test_a_grade_that_is_asked_for_is_needed if {
	refused == set() with input as graded("A")
	refused == set() with input as graded("B")
	refused == {"SUP-026"} with input as graded("C")
	["the grade of the SBOM is C; the passport asks for A, B", "document.grade"] in said with input as graded("C")
	ungraded := with_passport({"grades": ["A", "B"]})
	refused == {"SUP-026"} with input as ungraded
	["the grade of the SBOM is missing; the passport asks for A, B", "document.grade"] in said with input as ungraded
	odd := with_passport({"grades": [5, "A"]})
	["the grade of the SBOM is missing; the passport asks for A", "document.grade"] in said with input as odd
}

test_no_grade_is_needed_if_none_is_asked_for if {
	refused == set() with input as with_document({"grade": {"standard": "ntia", "score": 3, "grade": "F"}})
	refused == set() with input as object.union(graded("F"), {"supplier": {"grades": null}})
	refused == set() with input as object.union(fixtures.supplied_but(vex), {"supplier": {"grades": ["A"]}})
}

standing(timestamp) := with_document({"standing": {
	"document": concat("", ["sha256:", "0"]),
	"timestamp": timestamp,
	"accepted_at": "2026-11-21T10:00:00Z",
}})

test_a_document_that_is_older_than_the_one_that_stands_is_warned_of if {
	older := standing("2026-11-21T09:00:01Z")
	refused == set() with input as older
	warned == {"SUP-027"} with input as older
	message := "an SBOM of this product of 2026-11-21T09:00:01Z was accepted before; this one is of 2026-11-21T09:00:00Z"
	[message, "document.timestamp"] in said with input as older
	warned == set() with input as standing("2026-11-21T09:00:00Z")
	warned == set() with input as standing(null)
}
