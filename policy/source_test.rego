package attestry.source_test

import data.attestry.lib.fixtures_test as fixtures
import data.attestry.source

denied := {finding.id | some finding in source.deny}

said := {finding.message | some finding in source.deny}

test_without_settings_nobody_asks if {
	denied == set() with input as fixtures.good
	denied == set() with input as {}
}

from(changes) := fixtures.but({"build": {"source": changes}})

test_allowed_repositories_pass if {
	every pattern in ["https://git.example/hotpass", "https://git.example/hotpass/", "https://git.example/*", "https://git.example/hotpass.git", "*"] {
		denied == set() with input as fixtures.good with data.allowed_repositories as ["https://other.example/*", pattern]
	}
	denied == set() with input as from({"repository": "https://git.example/hotpass.git"}) with data.allowed_repositories as ["https://git.example/hotpass"]
}

test_other_repositories_are_denied if {
	every pattern in ["https://git.example/hot", "https://git.example/hotpass/x*", "git.example/hotpass", 5] {
		said == {"the repository https://git.example/hotpass is not allowed"} with input as fixtures.good with data.allowed_repositories as [pattern]
	}
	allowed := ["https://git.example/*"]
	denied == {"SRC-001"} with input as from({"repository": "https://git.example/../evil"}) with data.allowed_repositories as allowed
	every nothing in [null, 5, ""] {
		said == {"the repository is not said, and none is not allowed"} with input as from({"repository": nothing}) with data.allowed_repositories as ["*", "/"]
	}
	denied == {"SRC-001"} with input as {} with data.allowed_repositories as allowed
}

test_protected_refs_pass if {
	every pattern in ["refs/heads/main", "refs/heads/*"] {
		denied == set() with input as fixtures.good with data.protected_refs as ["refs/tags/v*", pattern]
	}
}

test_other_refs_are_denied_where_builds_are_promoted if {
	refs := ["refs/heads/main", "refs/tags/v*"]
	every environment in ["staging", "production", "release", null] {
		changed := object.union(from({"ref": "refs/heads/fix"}), {"environment": environment})
		said == {"refs/heads/fix is not protected"} with input as changed with data.protected_refs as refs
	}
	pull := object.union(from({"ref": "refs/heads/fix"}), {"environment": "pr"})
	denied == set() with input as pull with data.protected_refs as refs
	every nothing in [null, 5, ""] {
		said == {"the ref is not said, so it is not protected"} with input as from({"ref": nothing}) with data.protected_refs as ["*", "", 5]
	}
	denied == {"SRC-002"} with input as from({"ref": "refs/tags/v1/../x"}) with data.protected_refs as refs
	denied == {"SRC-002"} with input as from({"ref": "refs/tags"}) with data.protected_refs as refs
}

test_parameters_that_are_not_allowed_are_denied if {
	started := fixtures.but({"build": {"parameters": {"run": "1", "debug": "yes"}}})
	said == {"the parameter debug is not allowed"} with input as started with data.allowed_parameters as ["run"]
	count(said) == 2 with input as started with data.allowed_parameters as []
	denied == {"SRC-003"} with input as started with data.allowed_parameters as []
	denied == set() with input as started with data.allowed_parameters as ["run", "debug"]
	every any in [null, {"run": "debug"}] {
		denied == set() with input as started with data.allowed_parameters as any
	}
}

test_parameters_that_nobody_knows_are_denied if {
	every nothing in [null, ["run"]] {
		started := fixtures.but({"build": {"parameters": nothing}})
		said == {"the build does not say which parameters it was started with"} with input as started with data.allowed_parameters as ["run"]
		denied == set() with input as started with data.allowed_parameters as null
	}
}

test_the_builder_has_the_level_that_is_asked_for if {
	levels := {"https://ci.example/builder": 2}
	every least in [0, 1, 2] {
		denied == set() with input as fixtures.good with data.builder_levels as levels with data.minimum_slsa_level as {"production": least}
	}
	denied == set() with input as fixtures.good with data.builder_levels as levels with data.minimum_slsa_level as {"staging": 3}
	every wrong in [null, "2"] {
		denied == set() with input as fixtures.good with data.minimum_slsa_level as {"production": wrong}
	}
}

test_a_builder_of_a_lower_level_is_denied if {
	least := {"production": 3}
	expected := "the builder https://ci.example/builder has level 2, production asks for 3"
	said == {expected} with input as fixtures.good with data.builder_levels as {"https://ci.example/builder": 2} with data.minimum_slsa_level as least
	every levels in [{}, {"https://ci.example/builder": "3"}, null] {
		denied == {"SRC-004"} with input as fixtures.good with data.builder_levels as levels with data.minimum_slsa_level as {"production": 1}
	}
	nameless := fixtures.but({"build": {"builder": {"id": null}}, "environment": "release"})
	expected_then := "the builder without an id has level 0, production asks for 3"
	said == {expected_then} with input as nameless with data.minimum_slsa_level as least
}

finished(time) := fixtures.but({"build": {"finished_at": time}})

test_a_recent_build_passes if {
	every time in ["2026-11-22T18:15:12Z", "2026-11-21T18:15:12Z", "2026-11-22T19:15:12Z"] {
		denied == set() with input as finished(time) with data.provenance_max_age_days as 1
	}
	denied == set() with input as finished("2020-01-01T00:00:00Z") with data.provenance_max_age_days as null
}

test_an_old_build_and_one_of_the_future_are_denied if {
	expected := "the build was finished at 2026-11-21T18:15:11Z; it may be 1 days old, and not of the future"
	said == {expected} with input as finished("2026-11-21T18:15:11Z") with data.provenance_max_age_days as 1
	every time in ["2026-11-22T19:15:13Z", "yesterday"] {
		denied == {"SRC-005"} with input as finished(time) with data.provenance_max_age_days as 1
	}
}

test_the_provenance_says_it_if_the_build_does_not if {
	by_provenance := {"provenance": {"predicate": {"runDetails": {"metadata": {"finishedOn": "2026-11-22T18:15:12Z"}}}}}
	denied == set() with input as object.union(finished(null), by_provenance) with data.provenance_max_age_days as 1
	expected := "the build was finished at a time that is not said; it may be 1 days old, and not of the future"
	said == {expected} with input as finished(null) with data.provenance_max_age_days as 1
	denied == {"SRC-005"} with input as {} with data.provenance_max_age_days as 1
}
