# No component has a known vulnerability that is severe, or that is used to attack.
#
# `findings` is what an advisory index says of the SBOM's components, the worst first, with what VEX statements that
# count say of each. Which vulnerabilities stop a build, and which do not yet, is in data.json.
package attestry.vulnerabilities

import data.attestry.lib
import data.attestry.lib.settings

rules := {
	"VULN-001": {
		"title": "No severe vulnerability is known",
		"severity": "high",
		"remedy": "Update the component to a version without the vulnerability; without one, replace the component",
	},
	"VULN-002": {
		"title": "Components are matched with advisories",
		"severity": "info",
		"remedy": "Run attestry advisories sync, and give the gate --advisories with the directory that it writes",
	},
	"VULN-003": {
		"title": "VEX statements count",
		"severity": "info",
		"remedy": "Nothing is to be done as long as the statement is true",
	},
	"VULN-004": {
		"title": "Severe vulnerabilities are looked at in time",
		"severity": "medium",
		"remedy": "Find out whether the vulnerability counts for what was built, and say so in a VEX statement",
	},
	"VULN-005": {
		"title": "No component is malware",
		"severity": "critical",
		"remedy": "Remove the component, and rotate the secrets of machines that installed it",
	},
	"VULN-006": {
		"title": "What settings ask for is known",
		"severity": "high",
		"remedy": "Run attestry advisories sync with what is missing, or take the setting out of data.json",
	},
}

# What is missing or of another type reads as empty here; rules of attestry.input say so.
known := input.findings if is_array(input.findings)

else := []

malicious := [it | some it in known; lib.value(it, "malicious") == true]

vulnerabilities := [it | some it in known; not lib.value(it, "malicious") == true]

denied := {severity | some severity in data.denied_severities} if is_array(data.denied_severities)

else := set()

choices := lib.element(settings.given, "vulnerabilities")

# Whatever does not say how bad it is may be as bad as any.
severity_of(vulnerability) := vulnerability.severity if {
	vulnerability.severity in {"critical", "high", "medium", "low"}
}

else := "unknown"

is_severe(vulnerability) if severity_of(vulnerability) in {"critical", "high"}

# Why a vulnerability may stop a build. What does not say that nobody uses it may be used.
is_exploited(vulnerability) if not lib.value(vulnerability, "kev") == false

is_likely(vulnerability) if {
	is_number(choices.epss_threshold)
	not is_below(lib.value(vulnerability, "epss"), choices.epss_threshold)
}

# Most vulnerabilities have no EPSS.
is_below(epss, threshold) := epss < threshold if is_number(epss)

else := epss == null

is_deniable(vulnerability) if severity_of(vulnerability) in denied

is_deniable(vulnerability) if {
	choices.deny_kev == true
	is_exploited(vulnerability)
}

is_deniable(vulnerability) if is_likely(vulnerability)

# Why one that may stop a build does not, as yet. What is missing excuses nothing.
excuses(vulnerability) := array.concat(
	array.concat(doubtful(vulnerability), unfixable(vulnerability)),
	array.concat(old(vulnerability), grace(vulnerability)),
)

# What each minimum_confidence leaves out. Whatever does not say how sure it is may be as sure as any.
too_low := {"medium": {"low"}, "high": {"low", "medium"}}

doubtful(vulnerability) := [sprintf("its confidence is below %s", [choices.minimum_confidence])] if {
	vulnerability.confidence in too_low[choices.minimum_confidence]
} else := []

unfixable(vulnerability) := ["no version without it is known"] if {
	choices.only_fixable == true
	vulnerability.fixed == null
} else := []

old(vulnerability) := ["it is not new: the build before had the component, too"] if {
	choices.only_new == true
	vulnerability.new == false
} else := []

grace(vulnerability) := [sprintf("it is in its grace period, %v days from %s", [days, vulnerability.published])] if {
	days := lib.element(choices, "grace_days")[severity_of(vulnerability)]
	is_number(days)
	not is_exploited(vulnerability)
	age := lib.age(lib.value(vulnerability, "published"))
	age >= 0
	age < days * lib.day
} else := []

is_suppressed(vulnerability) if vulnerability.vex.status in {"not_affected", "fixed"}

deny contains finding if {
	some vulnerability in vulnerabilities
	is_deniable(vulnerability)
	not is_suppressed(vulnerability)
	count(excuses(vulnerability)) == 0
	finding := found(vulnerability, message_of(vulnerability))
}

warn contains finding if {
	some vulnerability in vulnerabilities
	is_deniable(vulnerability)
	not is_suppressed(vulnerability)
	count(excuses(vulnerability)) > 0
	message := sprintf("%s; does not stop the build yet: %s", [message_of(vulnerability), concat("; ", excuses(vulnerability))])
	finding := found(vulnerability, message)
}

warn contains finding if {
	some vulnerability in vulnerabilities
	is_severe(vulnerability)
	not is_deniable(vulnerability)
	not is_suppressed(vulnerability)
	finding := found(vulnerability, message_of(vulnerability))
}

is_reported(vulnerability) if is_severe(vulnerability)

is_reported(vulnerability) if is_deniable(vulnerability)

info contains finding if {
	some vulnerability in vulnerabilities
	is_suppressed(vulnerability)
	is_reported(vulnerability)
	said := [it | some key in ["status", "justification", "statement"]; it := lib.text(vulnerability.vex, key); it != ""]
	message := sprintf("%s; %s says: %s", [message_of(vulnerability), lib.shown(vulnerability.vex, "who", "somebody without a name"), concat(", ", said)])
	finding := lib.finding(rules, "VULN-003", message, component_of(vulnerability))
}

# One that nobody has judged, for longer than that may take. Without a date it is as old as any.
warn contains finding if {
	is_number(choices.triage_days)
	some vulnerability in vulnerabilities
	is_severe(vulnerability)
	not is_object(lib.value(vulnerability, "vex"))
	not lib.is_recent(lib.value(vulnerability, "published"), choices.triage_days)
	message := sprintf("%s; nobody has said whether it counts, %v days after it was published", [message_of(vulnerability), choices.triage_days])
	finding := lib.finding(rules, "VULN-004", message, component_of(vulnerability))
}

deny contains finding if {
	some vulnerability in malicious
	parts := array.concat([id_of(vulnerability)], unsure(vulnerability))
	message := sprintf("%s, the component itself is malware", [concat(", ", parts)])
	finding := lib.finding(rules, "VULN-005", message, component_of(vulnerability))
}

component_of(vulnerability) := lib.shown(vulnerability, "purl", null)

id_of(vulnerability) := lib.shown(vulnerability, "id", "a vulnerability without id")

found(vulnerability, message) := object.union(
	lib.finding(rules, "VULN-001", message, component_of(vulnerability)),
	{
		"severity": object.get({"unknown": "medium"}, severity_of(vulnerability), severity_of(vulnerability)),
		"remedy": remedy_of(vulnerability),
	},
)

# It begins with the id and a comma: waivers go by that.
message_of(vulnerability) := concat(", ", array.concat(
	[id_of(vulnerability), sprintf("severity %s", [severity_of(vulnerability)])],
	array.concat(array.concat(exploited(vulnerability), likely(vulnerability)), unsure(vulnerability)),
))

exploited(vulnerability) := ["known to be exploited"] if vulnerability.kev == true

else := ["of which nobody says whether it is exploited"] if {
	choices.deny_kev == true
	is_exploited(vulnerability)
} else := []

likely(vulnerability) := [sprintf("EPSS %v", [lib.value(vulnerability, "epss")])] if is_likely(vulnerability)

else := []

# What is sure goes without saying.
unsure(vulnerability) := [sprintf("%s confidence%s", [vulnerability.confidence, doubts_of(vulnerability)])] if {
	vulnerability.confidence in {"low", "medium"}
} else := []

doubts_of(vulnerability) := sprintf(" (%s)", [concat(", ", doubts)]) if {
	doubts := [it | some it in lib.list(vulnerability, "doubts"); is_string(it)]
	count(doubts) > 0
} else := ""

remedy_of(vulnerability) := sprintf("Update the component to %s or later", [vulnerability.fixed]) if {
	lib.present(vulnerability.fixed)
} else := "No fixed version is known: replace the component, or do without it"

# Those that are left out are no worse than the last one, but they may be of those that stop builds.
left_out := input.finding_count - count(known) if is_number(input.finding_count)

left_out_message := sprintf("%v more vulnerabilities, none worse than those that are listed", [left_out])

any_stops if count(denied) > 0

any_stops if choices.deny_kev == true

any_stops if is_number(choices.epss_threshold)

deny contains finding if {
	left_out > 0
	any_stops
	finding := lib.finding(rules, "VULN-001", left_out_message, null)
}

warn contains finding if {
	left_out > 0
	not any_stops
	finding := lib.finding(rules, "VULN-001", left_out_message, null)
}

is_matched if lib.present(input.advisories.digest)

default advisories := null

advisories := input.advisories

has_some(list) if {
	number := lib.value(advisories, list)
	is_number(number)
	number > 0
}

# Where a list is missing, nothing is on it: what it would stop would pass.
missing contains "no advisory index was at hand, which denied_severities asks for" if {
	count(denied) > 0
	not is_matched
}

missing contains "the advisory index has no list of exploited vulnerabilities (KEV), which deny_kev asks for" if {
	choices.deny_kev == true
	not has_some("kev")
}

missing contains "the advisory index has no list of likelihoods (EPSS), which epss_threshold asks for" if {
	is_number(choices.epss_threshold)
	not has_some("epss")
}

deny contains finding if {
	some message in missing
	finding := lib.finding(rules, "VULN-006", message, null)
}

info contains finding if {
	not is_matched
	message := "no advisory index was at hand, so no vulnerability is known, whatever there may be"
	finding := lib.finding(rules, "VULN-002", message, null)
}
