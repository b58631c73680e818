package attestry.settings_test

import data.attestry.lib.fixtures_test as fixtures
import data.attestry.settings

said := {finding.message | some finding in settings.deny}

test_the_data_that_ships_passes if {
	said == set() with input as fixtures.good
	fixtures.ids(settings.deny) == {"INPUT-004"} with data.allowed_builders as []
}

test_missing_data_is_denied if {
	said == {"data.json has no object banned_components"} with data.banned_components as null
	said == {"data.json has no object allowed_builders"} with data.allowed_builders as []
	said == {"data.json has no list denied_severities"} with data.denied_severities as null
	said == {"data.json has no list logged_environments"} with data.logged_environments as {"pr": "staging"}
	said == {"data.json has no list allowed_parameters"} with data.allowed_parameters as {"pr": "staging"}
}

# Settings that say all that there is to say.
test_settings_pass if {
	every severity in ["critical", "high", "medium", "low", "unknown"] {
		said == set() with data.denied_severities as [severity]
	}
	said == set() with data.logged_environments as ["pr", "staging", "production", "release"]
	said == set() with data.effective_on as {"LIC-001": "2027-01-01T00:00:00Z"}
	said == set() with data.licenses as {
		"allowed": ["MIT"],
		"forbidden": ["GPL-3.0"],
		"fail_on_unknown": true,
		"except": {"pkg:npm/@a/left": {"reason": "bought"}, "pkg:npm/%40a/right": {}},
	}
	said == set() with data.licenses as {"allowed": null, "except": null, "fail_on_unknown": null}
	said == set() with data.required_components as {"pkg:npm/left": {"reason": "a test"}}
	said == set() with data.minimum_versions as {"pkg:npm/left": {"version": "v4.0-rc.1", "reason": null}, "pkg:npm/Right": {"version": "42"}}
	said == set() with data.supplied_components as {
		"pkg:npm/%40acme/": {"supplier": "acme", "max_age_days": 30},
		"pkg:pypi/acme": {"supplier": "acme"},
	}
	said == set() with data.allowed_repositories as ["https://git.example/*", "*"]
	said == set() with data.protected_refs as ["refs/heads/main"]
	said == set() with data.allowed_parameters as ["run"]
	said == set() with data.allowed_parameters as null
	said == set() with data.builder_levels as {"a": 0, "b": 1, "c": 2, "d": 3}
	said == set() with data.minimum_slsa_level as {"pr": 0, "staging": 2, "production": 3}
	said == set() with data.provenance_max_age_days as 0
	said == set() with data.required_standards as ["cisa", "ntia", "bsi"]
	said == set() with data.minimum_score as {"cisa": 0, "ntia": 80.5, "bsi": 100}
	said == set() with data.sbom_max_age_days as 36500
	said == set() with data.vulnerabilities as {
		"deny_kev": true,
		"epss_threshold": 0.5,
		"grace_days": {"high": 30, "unknown": 0},
		"only_new": false,
		"only_fixable": true,
		"triage_days": 7,
		"minimum_confidence": "high",
	}
	said == set() with data.vulnerabilities as {"epss_threshold": null}
	every least in ["low", "medium", null] {
		said == set() with data.vulnerabilities as {"minimum_confidence": least}
	}
}

names(place, value, kind) := {sprintf("%s in data.json names %v, which is no %s", [place, value, kind])}

test_lists_name_what_there_is if {
	said == names("denied_severities", "High", "severity") with data.denied_severities as ["critical", "High"]
	said == names("denied_severities", 5, "severity") with data.denied_severities as [5]
	said == names("logged_environments", "moon", "environment") with data.logged_environments as ["release", "moon"]
	said == names("required_standards", "CISA", "standard") with data.required_standards as ["CISA"]
	said == names("licenses.allowed", " ", "text") with data.licenses as {"allowed": ["MIT", " "]}
	said == names("licenses.forbidden", 5, "text") with data.licenses as {"forbidden": [5]}
	said == names("allowed_parameters", 5, "text") with data.allowed_parameters as [5]
	every wrong in ["a*b", "*b", "a**", 5, "", null] {
		said == names("protected_refs", wrong, "pattern") with data.protected_refs as ["a*", wrong]
	}
	said == names("allowed_repositories", "a*b", "pattern") with data.allowed_repositories as ["a*b"]
}

test_numbers_are_in_their_range if {
	every wrong in [-1, 36501, "5"] {
		said == names("provenance_max_age_days", wrong, "days") with data.provenance_max_age_days as wrong
		said == names("sbom_max_age_days", wrong, "days") with data.sbom_max_age_days as wrong
		said == names("vulnerabilities.triage_days", wrong, "days") with data.vulnerabilities as {"triage_days": wrong}
		said == names("vulnerabilities.grace_days", wrong, "days") with data.vulnerabilities as {"grace_days": {"low": wrong}}
		said == names("vulnerabilities.epss_threshold", wrong, "probability") with data.vulnerabilities as {"epss_threshold": wrong}
	}
	every wrong in [-1, 101, "5", null] {
		said == names("minimum_score", wrong, "score") with data.minimum_score as {"cisa": wrong}
	}
	said == names("vulnerabilities.epss_threshold", 1.5, "probability") with data.vulnerabilities as {"epss_threshold": 1.5}
	every wrong in [4, 1.5, "1", null] {
		said == names("builder_levels", wrong, "level") with data.builder_levels as {"a": wrong}
		said == names("minimum_slsa_level", wrong, "level") with data.minimum_slsa_level as {"pr": wrong}
	}
}

test_keys_are_what_can_be_found if {
	every wrong in ["npm/left", "pkg:npm/left@1.0", "pkg:npm/left?a=b"] {
		said == names("required_components", wrong, "package") with data.required_components as {wrong: {}}
		said == names("licenses.except", wrong, "package") with data.licenses as {"except": {wrong: {}}}
	}
	said == names("minimum_versions", "left", "package") with data.minimum_versions as {"left": {"version": "1"}}
	said == names("supplied_components", "npm/left", "namespace") with data.supplied_components as {"npm/left": {"supplier": "acme"}}
	said == names("builder_levels", "", "text") with data.builder_levels as {"": 1}
	said == names("minimum_slsa_level", "release", "environment of now") with data.minimum_slsa_level as {"release": 1}
	said == names("minimum_score", "acme", "standard") with data.minimum_score as {"acme": 1}
	said == names("vulnerabilities.grace_days", "High", "severity") with data.vulnerabilities as {"grace_days": {"High": 1}}
}

test_entries_have_what_they_need if {
	said == {"data.json has no object required_components"} with data.required_components as ["pkg:npm/left"]
	every wrong in ["1.0", null, []] {
		said == {"data.json has no object minimum_versions"} with data.minimum_versions as {"pkg:npm/left": wrong}
	}
	every wrong in ["", "x1", "1:2", "1!2", "1 2", ">=1", 1, null] {
		at := "minimum_versions[pkg:npm/left].version"
		denied := names(at, wrong, "version")
		said == denied with data.minimum_versions as {"pkg:npm/left": {"version": wrong}}
	}
	every wrong in ["", 5, null] {
		at := "supplied_components[pkg:npm/left].supplier"
		denied := names(at, wrong, "text")
		said == denied with data.supplied_components as {"pkg:npm/left": {"supplier": wrong}}
	}
	said == names("licenses.except[pkg:npm/left].reason", "", "text") with data.licenses as {"except": {"pkg:npm/left": {"reason": ""}}}
}

test_fields_are_of_their_kind if {
	every field in ["deny_kev", "only_new", "only_fixable"] {
		place := concat(".", ["vulnerabilities", field])
		said == names(place, "yes", "switch") with data.vulnerabilities as {field: "yes"}
	}
	every wrong in ["Medium", "sure", "", 0.5, true] {
		said == names("vulnerabilities.minimum_confidence", wrong, "confidence") with data.vulnerabilities as {"minimum_confidence": wrong}
	}
	said == {"data.json has no object vulnerabilities.grace_days"} with data.vulnerabilities as {"grace_days": [30]}
	said == {"data.json has no list licenses.allowed"} with data.licenses as {"allowed": "MIT"}
	said == {"data.json has no object licenses"} with data.licenses as null
}

has_field(place, field) := {sprintf("%s in data.json has a field %s, which there is not", [place, field])}

test_fields_that_there_are_not_are_denied if {
	said == has_field("licenses", "alowed") with data.licenses as {"alowed": ["MIT"]}
	said == has_field("vulnerabilities", "deny_kevs") with data.vulnerabilities as {"deny_kevs": true}
	said == has_field("minimum_versions[pkg:npm/left]", "why") with data.minimum_versions as {"pkg:npm/left": {"version": "1", "why": "a"}}
}

test_what_cannot_be_judged_and_malware_are_not_put_off if {
	every id in ["INPUT-001", "INPUT-004", "VULN-005"] {
		denied := names("effective_on", id, "rule that can be put off")
		said == denied with data.effective_on as {id: "2027-01-01T00:00:00Z"}
	}
	said == names("effective_on", "soon", "time") with data.effective_on as {"LIC-001": "soon"}
}
