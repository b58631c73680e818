package attestry.licenses_test

import data.attestry.lib.fixtures_test as fixtures
import data.attestry.licenses as judged

left := "pkg:pypi/left@1.0"

denied := {[finding.id, finding.component, finding.message] | some finding in judged.deny}

warned := {[finding.id, finding.component, finding.message] | some finding in judged.warn}

ids := fixtures.ids(judged.deny)

expression(alternatives) := fixtures.licensed({"as written": {"components": [0], "alternatives": alternatives}}, [])

named(text) := fixtures.licensed({text: {"components": [0], "alternatives": null}}, [])

lists := {"allowed": ["MIT", "Apache-2.0", "GPL-2.0 WITH Classpath-exception-2.0"], "forbidden": ["GPL-2.0", "AGPL-3.0-only"]}

test_without_lists_nobody_asks if {
	every settings in [{}, null, {"allowed": [], "forbidden": [], "fail_on_unknown": true}, {"allowed": "MIT"}] {
		denied == set() with input as fixtures.licensed({"x": {"components": [0], "alternatives": null}}, [0]) with data.licenses as settings
		warned == set() with input as fixtures.licensed({"x": {"components": [0], "alternatives": null}}, [0]) with data.licenses as settings
	}
}

test_an_allowed_licence_passes if {
	every alternatives in [
		[["MIT"]], [["mit "]], [["MIT", "Apache-2.0"]], [["Apache-2.0+"]], [["Apache-2.0 WITH LLVM-exception"]], [["X"], ["MIT"]],
		[["GPL-2.0-only"], ["MIT"]], [["GPL-2.0-only WITH Classpath-exception-2.0"]], [["GPL-2.0-or-later with classpath-exception-2.0"]],
	] {
		denied == set() with input as expression(alternatives) with data.licenses as lists
		warned == set() with input as expression(alternatives) with data.licenses as lists
	}
}

test_a_forbidden_licence_is_denied if {
	message := "pkg:pypi/left@1.0 has the licence as written, which is forbidden"
	every alternatives in [
		[["GPL-2.0"]], [["GPL-2.0-only"]], [["GPL-2.0-or-later"]], [["GPL-2.0+"]], [["MIT", "gpl-2.0-ONLY"]], [["GPL-2.0"], ["AGPL-3.0-only"]],
		[["AGPL-3.0"]], [["GPL-2.0-only WITH GCC-exception-2.0"]],
	] {
		denied == {["LIC-001", left, message]} with input as expression(alternatives) with data.licenses as lists
		warned == set() with input as expression(alternatives) with data.licenses as lists
	}
}

test_what_is_forbidden_with_an_exception_is_so_by_name_alone if {
	named_so := {"allowed": ["X WITH Y"], "forbidden": ["X WITH Y"]}
	ids == {"LIC-001"} with input as expression([["X WITH Y"]]) with data.licenses as named_so
	ids == set() with input as expression([["X"]]) with data.licenses as {"forbidden": ["X WITH Y"]}
	ids == {"LIC-001"} with input as expression([["X WITH Y"]]) with data.licenses as {"forbidden": ["X"]}
}

test_a_licence_that_is_not_allowed_is_denied if {
	message := "pkg:pypi/left@1.0 has the licence as written, which is not allowed"
	every alternatives in [[["X"]], [["MIT", "X"]], [["X"], ["GPL-2.0-only"]], [["AGPL-3.0-or-later"]], [["MITX"]]] {
		denied == {["LIC-002", left, message]} with input as expression(alternatives) with data.licenses as lists
	}
}

test_what_is_allowed_and_forbidden_is_not_allowed if {
	both := {"allowed": ["X"], "forbidden": ["X WITH Y"]}
	ids == {"LIC-002"} with input as expression([["X WITH Y"], ["Z"]]) with data.licenses as both
}

test_without_allowed_licences_all_others_are if {
	denied == set() with input as expression([["X"]]) with data.licenses as {"forbidden": ["GPL-3.0"]}
	ids == {"LIC-001"} with input as expression([["GPL-3.0"]]) with data.licenses as {"forbidden": ["GPL-3.0-only"]}
	ids == {"LIC-001"} with input as expression([["GPL-3.0+"]]) with data.licenses as {"forbidden": ["GPL-3.0-or-later"]}
	ids == set() with input as expression([["GPL-3.0-or-later"]]) with data.licenses as {"forbidden": ["GPL-3.0-only"]}
	ids == set() with input as expression([["GPL-3.0-only"]]) with data.licenses as {"forbidden": [5]}
}

strict := object.union(lists, {"fail_on_unknown": true})

test_an_unknown_licence_is_warned_of_or_denied if {
	unknown := {["LIC-003", left, "pkg:pypi/left@1.0 has the licence as written, and nobody can tell what it is"]}
	every alternatives in [null, [], "MIT", [[]], ["MIT"], [["MIT"], 5], [["MIT", " "]], [["MIT"], []]] {
		warned == unknown with input as expression(alternatives) with data.licenses as lists
		denied == set() with input as expression(alternatives) with data.licenses as lists
		denied == unknown with input as expression(alternatives) with data.licenses as strict
		warned == set() with input as expression(alternatives) with data.licenses as strict
	}
}

test_a_missing_licence_is_warned_of_or_denied if {
	without := fixtures.licensed({}, [0, 9])
	missing := {["LIC-003", left, "pkg:pypi/left@1.0 has no licence"], ["LIC-003", null, "a component without a name has no licence"]}
	warned == missing with input as without with data.licenses as lists
	denied == missing with input as without with data.licenses as strict
	denied == missing with input as without with data.licenses as {"forbidden": ["X"], "fail_on_unknown": true}
}

test_a_name_that_is_listed_is_known if {
	own := {"allowed": ["Our own"], "forbidden": ["Theirs"], "fail_on_unknown": true}
	ids == set() with input as named("our own ") with data.licenses as own
	ids == {"LIC-001"} with input as named("Theirs") with data.licenses as own
	ids == {"LIC-003"} with input as named("Somebody's") with data.licenses as own
}

test_exceptions_pass if {
	excepted := object.union(strict, {"except": {"pkg:pypi/Left": {"reason": "bought"}}})
	denied == set() with input as expression([["GPL-2.0"]]) with data.licenses as excepted
	denied == set() with input as fixtures.licensed({}, [0]) with data.licenses as excepted
	other := object.union(strict, {"except": {"pkg:pypi/right": {"reason": "bought"}}})
	ids == {"LIC-001"} with input as expression([["GPL-2.0"]]) with data.licenses as other
}

test_every_component_with_the_licence_is_named if {
	right := object.union(fixtures.left, {"bom-ref": "right", "purl": "pkg:pypi/right@1.0"})
	both := object.union(fixtures.listing([fixtures.left, right]), {"index": {"licenses": {"X": {"components": [0, 1], "alternatives": [["X"]]}}}})
	{finding[1] | some finding in denied} == {left, "pkg:pypi/right@1.0"} with input as both with data.licenses as lists
}
