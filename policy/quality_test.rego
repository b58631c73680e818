package attestry.quality_test

import data.attestry.lib.fixtures_test as fixtures
import data.attestry.quality

said := {[finding.id, finding.message] | some finding in quality.deny}

ids := fixtures.ids(quality.deny)

test_without_settings_nobody_asks if {
	said == set() with input as fixtures.good
	said == set() with input as {}
}

measured(result) := fixtures.but({"quality": {"bsi": result}})

test_standards_that_are_met_pass if said == set() with input as fixtures.good with data.required_standards as ["cisa", "ntia"]

test_standards_that_are_not_met_are_denied if {
	expected := {["QUAL-001", "the SBOM lacks minimum elements of bsi: Component hash (0 of 1)"]}
	said == expected with input as fixtures.good with data.required_standards as ["cisa", "bsi"]
	many := measured({"missing": ["a", 5, "b", "c", "d", "e", "f"]})
	shortened := {["QUAL-001", "the SBOM lacks minimum elements of bsi: a, b, c, d, e, …"]}
	said == shortened with input as many with data.required_standards as ["bsi"]
}

test_what_was_not_measured_is_not_met if {
	expected := {["QUAL-001", "the SBOM lacks minimum elements of ntia: nobody knows which"]}
	every nothing in [null, {}, {"ntia": null}, {"ntia": {"met": "yes"}}] {
		unmeasured := object.union(object.remove(fixtures.good, ["quality"]), {"quality": nothing})
		said == expected with input as unmeasured with data.required_standards as ["ntia"]
		ids == {"QUAL-002"} with input as unmeasured with data.minimum_score as {"ntia": 0}
	}
	ids == {"QUAL-001"} with input as {} with data.required_standards as ["ntia"]
}

test_a_score_that_is_high_enough_passes if said == set() with input as fixtures.good with data.minimum_score as {"cisa": 100, "bsi": 60}

test_a_score_that_is_too_low_is_denied if {
	expected := {["QUAL-002", "the score by bsi is 60, at least 61 is asked for; missing: Component hash (0 of 1)"]}
	said == expected with input as fixtures.good with data.minimum_score as {"cisa": 100, "bsi": 61}
	ids == {"QUAL-002"} with input as measured({"score": "99"}) with data.minimum_score as {"bsi": 61}
}

made(time) := fixtures.but({"sbom": {"metadata": {"timestamp": time}}})

test_a_recent_sbom_passes if {
	every time in ["2026-11-21T18:15:12Z", "2026-11-22T19:15:12Z"] {
		said == set() with input as made(time) with data.sbom_max_age_days as 1
	}
	said == set() with input as made("2020-01-01T00:00:00Z") with data.sbom_max_age_days as null
}

test_an_old_sbom_is_denied if {
	expected := {["QUAL-003", "the SBOM was made at 2026-11-21T18:15:11Z; it may be 1 days old, and not of the future"]}
	said == expected with input as made("2026-11-21T18:15:11Z") with data.sbom_max_age_days as 1
	ids == {"QUAL-003"} with input as made("2026-11-22T19:15:13Z") with data.sbom_max_age_days as 1
	undated := {["QUAL-003", "the SBOM was made at a time that is not said; it may be 1 days old, and not of the future"]}
	every nothing in [null, 5] {
		said == undated with input as made(nothing) with data.sbom_max_age_days as 1
	}
	said == undated with input as fixtures.but({"sbom": null}) with data.sbom_max_age_days as 1
}
