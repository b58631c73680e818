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
	"kev": false,
	"epss": null,
	"published": "2026-11-12T18:15:12Z",
	"malicious": false,
	"new": true,
	"rule": "range",
	"confidence": "high",
	"doubts": [],
	"vex": null,
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

but(severity, changes) := with_findings([object.union(object.remove(vulnerability(severity), [key | some key, _ in changes]), changes)])

lacking(severity, key) := with_findings([object.remove(vulnerability(severity), [key])])

messages(findings) := {finding.message | some finding in findings}

test_exploited_vulnerabilities_can_be_denied if {
	exploited := but("low", {"kev": true})
	warned == set() with input as exploited
	expected := {"CVE-2026-1, severity low, known to be exploited"}
	told := messages(judged.deny) with input as exploited with data.vulnerabilities as {"deny_kev": true}
	told == expected
	every no in [false, null, "true"] {
		denied == set() with input as exploited with data.vulnerabilities as {"deny_kev": no}
	}
	denied == set() with input as but("low", {"kev": false}) with data.vulnerabilities as {"deny_kev": true}
	plain := messages(judged.deny) with input as but("low", {}) with data.vulnerabilities as {"deny_kev": true} with data.denied_severities as ["low"]
	plain == {"CVE-2026-1, severity low"}
}

test_what_does_not_say_whether_it_is_exploited_is_denied if {
	every changed in [lacking("low", "kev"), but("low", {"kev": "no"}), but("low", {"kev": null})] {
		told := messages(judged.deny) with input as changed with data.vulnerabilities as {"deny_kev": true}
		told == {"CVE-2026-1, severity low, of which nobody says whether it is exploited"}
	}
	told := messages(judged.warn) with input as lacking("high", "kev")
	told == {"CVE-2026-1, severity high"}
}

test_likely_vulnerabilities_can_be_denied if {
	every epss in [0.5, 0.75, 1, "0.1"] {
		told := messages(judged.deny) with input as but("low", {"epss": epss}) with data.vulnerabilities as {"epss_threshold": 0.5}
		told == {sprintf("CVE-2026-1, severity low, EPSS %v", [epss])}
	}
	every epss in [0.25, 0, null] {
		denied == set() with input as but("low", {"epss": epss}) with data.vulnerabilities as {"epss_threshold": 0.5}
	}
	denied == set() with input as lacking("low", "epss") with data.vulnerabilities as {"epss_threshold": 0}
	every nothing in [null, "0.1"] {
		denied == set() with input as but("low", {"epss": 1}) with data.vulnerabilities as {"epss_threshold": nothing}
	}
}

severe := ["critical", "high"]

waiting(text) := {sprintf("CVE-2026-1, severity high; does not stop the build yet: %s", [text])}

passes_yet(changed, choices, text) if {
	denied == set() with input as changed with data.vulnerabilities as choices with data.denied_severities as severe
	told := messages(judged.warn) with input as changed with data.vulnerabilities as choices with data.denied_severities as severe
	told == waiting(text)
}

stops(changed, choices) if {
	denied == {"VULN-001"} with input as changed with data.vulnerabilities as choices with data.denied_severities as severe
	warned == set() with input as changed with data.vulnerabilities as choices with data.denied_severities as severe
}

test_only_what_can_be_fixed_stops_builds_if_so_said if {
	passes_yet(but("high", {"fixed": null}), {"only_fixable": true}, "no version without it is known")
	stops(but("high", {"fixed": null}), {"only_fixable": false})
	stops(but("high", {"fixed": ""}), {"only_fixable": true})
	stops(lacking("high", "fixed"), {"only_fixable": true})
	stops(but("high", {}), {"only_fixable": true})
}

test_only_what_is_new_stops_builds_if_so_said if {
	passes_yet(but("high", {"new": false}), {"only_new": true}, "it is not new: the build before had the component, too")
	stops(but("high", {"new": false}), {"only_new": null})
	stops(but("high", {"new": null}), {"only_new": true})
	stops(lacking("high", "new"), {"only_new": true})
	stops(but("high", {}), {"only_new": true})
}

doubted(confidence) := but("high", {"confidence": confidence, "doubts": ["no-release", 5, "beyond-last-known"]})

test_only_what_is_sure_enough_stops_builds_if_so_said if {
	every least, confidences in {"medium": ["low"], "high": ["low", "medium"]} {
		every confidence in confidences {
			text := sprintf("CVE-2026-1, severity high, %s confidence (no-release, beyond-last-known); does not stop the build yet: its confidence is below %s", [confidence, least])
			denied == set() with input as doubted(confidence) with data.vulnerabilities as {"minimum_confidence": least} with data.denied_severities as severe
			told := messages(judged.warn) with input as doubted(confidence) with data.vulnerabilities as {"minimum_confidence": least} with data.denied_severities as severe
			told == {text}
		}
	}
	every least, confidences in {"low": ["low", "medium", "high"], "medium": ["medium", "high"], "high": ["high"]} {
		every confidence in confidences {
			stops(doubted(confidence), {"minimum_confidence": least})
		}
	}
}

test_what_does_not_say_how_sure_it_is_stops_builds if {
	every least in ["medium", "high"] {
		every changed in [lacking("high", "confidence"), but("high", {"confidence": "sure"}), but("high", {"confidence": null})] {
			stops(changed, {"minimum_confidence": least})
			told := messages(judged.deny) with input as changed with data.vulnerabilities as {"minimum_confidence": least} with data.denied_severities as severe
			told == {"CVE-2026-1, severity high"}
		}
	}
}

test_a_minimum_that_there_is_not_leaves_out_nothing if {
	every least in [null, "Medium", "", 5, ["medium"]] {
		stops(doubted("low"), {"minimum_confidence": least})
	}
}

test_confidence_is_told_where_it_is_not_high if {
	every confidence in ["low", "medium"] {
		expected := {sprintf("CVE-2026-1, severity high, %s confidence", [confidence])}
		every changed in [but("high", {"confidence": confidence}), but("high", {"confidence": confidence, "doubts": "none"})] {
			told := messages(judged.warn) with input as changed
			told == expected
		}
	}
	excused := but("high", {"confidence": "medium", "doubts": ["name-by-case"], "vex": vex({"status": "fixed"})})
	told := messages(judged.info) with input as excused
	told == {"CVE-2026-1, severity high, medium confidence (name-by-case); Team says: fixed, component_not_present, It is left out."}
}

test_a_grace_period_ends if {
	text := "it is in its grace period, 11 days from 2026-11-12T18:15:12Z"
	passes_yet(but("high", {}), {"grace_days": {"high": 11}}, text)
	stops(but("high", {}), {"grace_days": {"high": 10}})
	stops(but("high", {}), {"grace_days": {"critical": 11}})
	stops(but("high", {}), {"grace_days": {"high": "11"}})
	passes_yet(but("high", {"published": "2026-11-22T18:15:12Z"}), {"grace_days": {"high": 1}}, "it is in its grace period, 1 days from 2026-11-22T18:15:12Z")
	stops(but("high", {"published": "2026-11-22T18:15:13Z"}), {"grace_days": {"high": 1}})
	every nothing in [null, "lately", 5] {
		stops(but("high", {"published": nothing}), {"grace_days": {"high": 99999}})
	}
	stops(lacking("high", "published"), {"grace_days": {"high": 99999}})
	stops(lacking("high", "kev"), {"grace_days": {"high": 99999}})
	stops(but("high", {"kev": true}), {"grace_days": {"high": 99999}})
}

test_what_may_not_stop_a_build_needs_no_excuse if {
	told := messages(judged.warn) with input as but("high", {"new": false}) with data.vulnerabilities as {"only_new": true}
	told == {"CVE-2026-1, severity high"}
	warned == set() with input as but("low", {"new": false}) with data.vulnerabilities as {"only_new": true}
}

test_all_excuses_are_told if {
	text := "its confidence is below medium; no version without it is known; it is not new: the build before had the component, too; it is in its grace period, 11 days from 2026-11-12T18:15:12Z"
	choices := {"only_fixable": true, "only_new": true, "grace_days": {"high": 11}, "minimum_confidence": "medium"}
	changed := but("high", {"fixed": null, "new": false, "confidence": "low"})
	denied == set() with input as changed with data.vulnerabilities as choices with data.denied_severities as severe
	told := messages(judged.warn) with input as changed with data.vulnerabilities as choices with data.denied_severities as severe
	told == {sprintf("CVE-2026-1, severity high, low confidence; does not stop the build yet: %s", [text])}
}

vex(changes) := object.union({"status": "not_affected", "justification": "component_not_present", "statement": "It is left out.", "who": "Team"}, changes)

test_vex_statements_count if {
	expected := {["VULN-003", "pkg:pypi/left@1.0", "CVE-2026-1, severity high; Team says: not_affected, component_not_present, It is left out."]}
	suppressed := but("high", {"vex": vex({})})
	every severities in [[], severe] {
		denied == set() with input as suppressed with data.denied_severities as severities
		warned == set() with input as suppressed with data.denied_severities as severities
		told := {[it.id, it.component, it.message] | some it in judged.info} with input as suppressed with data.denied_severities as severities
		told == expected
	}
	fixed := but("low", {"vex": {"status": "fixed"}})
	told := messages(judged.info) with input as fixed with data.denied_severities as ["low"]
	told == {"CVE-2026-1, severity low; somebody without a name says: fixed"}
	informed == set() with input as fixed
	excused := but("high", {"vex": vex({}), "fixed": null})
	warned == set() with input as excused with data.denied_severities as severe with data.vulnerabilities as {"only_fixable": true}
}

test_other_vex_statements_do_not if {
	every statement in [vex({"status": "affected"}), vex({"status": "under_investigation"}), {}, "not_affected", null] {
		stops(but("high", {"vex": statement}), {})
		informed == set() with input as but("high", {"vex": statement})
	}
}

test_severe_vulnerabilities_are_looked_at_in_time if {
	choices := {"triage_days": 9}
	expected := {["VULN-004", "pkg:pypi/left@1.0", "CVE-2026-1, severity high; nobody has said whether it counts, 9 days after it was published"]}
	told := {[it.id, it.component, it.message] | some it in judged.warn; it.id != "VULN-001"} with input as but("high", {}) with data.vulnerabilities as choices
	told == expected
	denied == set() with input as but("high", {}) with data.vulnerabilities as choices
	every untold in [lacking("high", "published"), lacking("critical", "vex"), but("high", {"vex": "affected"}), but("high", {"published": "2027-01-01T00:00:00Z"})] {
		warned == {"VULN-001", "VULN-004"} with input as untold with data.vulnerabilities as choices
	}
	warned == {"VULN-001"} with input as but("high", {"vex": vex({"status": "under_investigation"})}) with data.vulnerabilities as choices
	warned == set() with input as but("medium", {}) with data.vulnerabilities as choices
	every days in [10, null, "9"] {
		warned == {"VULN-001"} with input as but("high", {"published": "2026-11-12T18:15:12Z"}) with data.vulnerabilities as {"triage_days": days}
	}
	every days in [null, "9"] {
		warned == {"VULN-001"} with input as lacking("high", "published") with data.vulnerabilities as {"triage_days": days}
	}
}

test_malware_is_denied_whatever_is_set if {
	malware := but("unknown", {"id": "MAL-2026-1", "malicious": true, "vex": vex({}), "new": false})
	choices := {"only_new": true, "only_fixable": true, "triage_days": 1, "grace_days": {"unknown": 99999}, "minimum_confidence": "high"}
	every severities in [[], ["unknown"]] {
		told := {[it.id, it.severity, it.component, it.message] | some it in judged.deny} with input as malware with data.vulnerabilities as choices with data.denied_severities as severities
		told == {["VULN-005", "critical", "pkg:pypi/left@1.0", "MAL-2026-1, the component itself is malware"]}
		informed == set() with input as malware with data.denied_severities as severities
	}
	unsure := but("unknown", {"id": "MAL-2026-1", "malicious": true, "confidence": "medium", "doubts": ["name-by-case"]})
	doubts := messages(judged.deny) with input as unsure with data.vulnerabilities as choices
	doubts == {"MAL-2026-1, medium confidence (name-by-case), the component itself is malware"}
	both := fixtures.but({"findings": [vulnerability("high"), object.union(vulnerability("high"), {"malicious": true})], "finding_count": 2})
	denied == {"VULN-005"} with input as both
	{it.id | some it in judged.warn} == {"VULN-001"} with input as both
	every no in [null, "true"] {
		denied == set() with input as but("high", {"malicious": no})
	}
}

test_what_is_left_out_is_denied_if_any_vulnerability_can_be if {
	changed := fixtures.but({"findings": [object.union(vulnerability("low"), {"malicious": true})], "finding_count": 3})
	every choices in [{"deny_kev": true}, {"epss_threshold": 0.5}] {
		denied == {"VULN-001", "VULN-005"} with input as changed with data.vulnerabilities as choices
	}
	every choices in [{"deny_kev": false}, {"epss_threshold": null}] {
		denied == {"VULN-005"} with input as changed with data.vulnerabilities as choices
		told := messages(judged.warn) with input as changed with data.vulnerabilities as choices
		told == {"2 more vulnerabilities, none worse than those that are listed"}
	}
}

test_data_of_another_form_asks_nothing_here if {
	denied == set() with input as but("high", {}) with data.vulnerabilities as null
	warned == {"VULN-001"} with input as but("high", {}) with data.vulnerabilities as []
}

with_advisories(advisories) := object.union(object.remove(fixtures.good, ["advisories"]), {"advisories": advisories})

test_a_list_that_settings_ask_for_and_nobody_brought_is_denied if {
	denied == set() with input as fixtures.good with data.vulnerabilities as {"deny_kev": true, "epss_threshold": 0.5} with data.denied_severities as ["low"]
	every advisories in [null, {}, {"digest": " "}] {
		denied == {"VULN-006"} with input as with_advisories(advisories) with data.denied_severities as ["low"]
		messages(judged.deny) == {"no advisory index was at hand, which denied_severities asks for"} with input as with_advisories(advisories) with data.denied_severities as ["low"]
		denied == set() with input as with_advisories(advisories)
	}
	every number in [0, null, "2"] {
		without_kev := with_advisories({"digest": "x", "kev": number, "epss": 1})
		told := messages(judged.deny) with input as without_kev with data.vulnerabilities as {"deny_kev": true, "epss_threshold": 0.5}
		told == {"the advisory index has no list of exploited vulnerabilities (KEV), which deny_kev asks for"}
		denied == set() with input as without_kev with data.vulnerabilities as {"deny_kev": false, "epss_threshold": 0.5}
		without_epss := with_advisories({"digest": "x", "kev": 1, "epss": number})
		others := messages(judged.deny) with input as without_epss with data.vulnerabilities as {"deny_kev": true, "epss_threshold": 0.5}
		others == {"the advisory index has no list of likelihoods (EPSS), which epss_threshold asks for"}
		denied == set() with input as without_epss with data.vulnerabilities as {"deny_kev": true, "epss_threshold": null}
	}
}
