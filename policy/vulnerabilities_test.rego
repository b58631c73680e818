package attestry.vulnerabilities_test

import data.attestry.lib.fixtures_test as fixtures
import data.attestry.vulnerabilities as judged

denied := fixtures.ids(judged.deny)

warned := fixtures.ids(judged.warn)

informed := fixtures.ids(judged.info)

# What is said of which component.
said(findings) := {[finding.component, finding.severity, finding.message, finding.remedy] | some finding in findings}

vulnerability(severity) := {
	"id": "CVE-2026-1",
	"aliases": ["GHSA-xxxx-xxxx-xxxx"],
	"severity": severity,
	"purl": "pkg:pypi/left@1.0",
	"fixed": "1.1",
}

with_findings(list) := fixtures.but({"findings": list, "finding_count": count(list)})

test_a_build_without_vulnerabilities_passes_silently if {
	denied == set() with input as fixtures.good
	warned == set() with input as fixtures.good
	informed == set() with input as fixtures.good
}

test_severe_vulnerabilities_are_warned_of if {
	every severity in ["critical", "high"] {
		changed := with_findings([vulnerability(severity)])
		denied == set() with input as changed
		warned == {"VULN-001"} with input as changed
		told := said(judged.warn) with input as changed
		told == {["pkg:pypi/left@1.0", severity, sprintf("CVE-2026-1, severity %s", [severity]), "Update the component to 1.1 or later"]}
	}
}

test_other_vulnerabilities_are_not_reported if {
	every severity in ["medium", "low", "unknown"] {
		warned == set() with input as with_findings([vulnerability(severity)])
	}
}

test_denied_severities_are_denied_and_not_warned_of_too if {
	changed := with_findings([vulnerability("critical"), vulnerability("high"), vulnerability("low")])
	told := said(judged.deny) with input as changed with data.denied_severities as ["critical", "low"]
	{entry[1] | some entry in told} == {"critical", "low"}
	others := said(judged.warn) with input as changed with data.denied_severities as ["critical", "low"]
	{entry[1] | some entry in others} == {"high"}
}

test_a_vulnerability_of_unknown_severity_can_be_denied if {
	every changed in [
		with_findings([vulnerability("unknown")]),
		with_findings([object.remove(vulnerability("low"), ["severity"])]),
	] {
		told := said(judged.deny) with input as changed with data.denied_severities as ["unknown"]
		told == {["pkg:pypi/left@1.0", "medium", "CVE-2026-1, severity unknown", "Update the component to 1.1 or later"]}
	}
}

test_without_a_fixed_version_the_remedy_says_so if {
	every fixed in [null, "", 2] {
		told := said(judged.warn) with input as with_findings([object.union(vulnerability("high"), {"fixed": fixed})])
		told == {["pkg:pypi/left@1.0", "high", "CVE-2026-1, severity high", "No fixed version is known: replace the component, or do without it"]}
	}
}

test_a_vulnerability_that_says_little_is_reported_all_the_same if {
	told := said(judged.warn) with input as with_findings([{"severity": "high"}])
	told == {[null, "high", "a vulnerability without id, severity high", "No fixed version is known: replace the component, or do without it"]}
}

test_vulnerabilities_that_are_left_out_are_warned_of if {
	changed := fixtures.but({"findings": [vulnerability("low")], "finding_count": 3})
	denied == set() with input as changed
	told := said(judged.warn) with input as changed
	{entry[2] | some entry in told} == {"2 more vulnerabilities, none worse than those that are listed"}
}

test_vulnerabilities_that_are_left_out_are_denied_if_any_are if {
	changed := fixtures.but({"findings": [vulnerability("high")], "finding_count": 3})
	denied == {"VULN-001"} with input as changed with data.denied_severities as ["low"]
	told := said(judged.warn) with input as changed with data.denied_severities as ["low"]
	{entry[2] | some entry in told} == {"CVE-2026-1, severity high"}
	denied == set() with input as with_findings([vulnerability("high")]) with data.denied_severities as ["low"]
}

test_findings_that_are_no_list_are_left_to_the_rules_on_the_input if {
	every findings in [null, "none", {"left": vulnerability("high")}] {
		changed := fixtures.but({"findings": findings, "finding_count": 0})
		denied == set() with input as changed with data.denied_severities as "high"
		warned == set() with input as changed with data.denied_severities as "high"
	}
}

test_a_build_that_was_matched_with_nothing_is_told if {
	every advisories in [null, {}, {"digest": " "}] {
		changed := object.union(object.remove(fixtures.good, ["advisories"]), {"advisories": advisories})
		informed == {"VULN-002"} with input as changed
		denied == set() with input as changed
		warned == set() with input as changed
	}
}
