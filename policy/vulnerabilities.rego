# No component has a known vulnerability that is severe.
#
# `findings` is what an advisory index says of the SBOM's components, the worst first. VEX is not
# asked: whether a vulnerability counts for what was built is kept in the backlog.
package attestry.vulnerabilities

import data.attestry.lib

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
}

# What is missing or of another type reads as empty here; rules of attestry.input say so.
vulnerabilities := input.findings if is_array(input.findings)

else := []

denied := {severity | some severity in data.denied_severities} if is_array(data.denied_severities)

else := set()

warned := {"critical", "high"} - denied

# Whatever does not say how bad it is may be as bad as any.
severity_of(vulnerability) := vulnerability.severity if {
	vulnerability.severity in {"critical", "high", "medium", "low"}
}

else := "unknown"

deny contains finding if {
	some vulnerability in vulnerabilities
	severity_of(vulnerability) in denied
	finding := found(vulnerability)
}

warn contains finding if {
	some vulnerability in vulnerabilities
	severity_of(vulnerability) in warned
	finding := found(vulnerability)
}

found(vulnerability) := object.union(
	lib.finding(rules, "VULN-001", message_of(vulnerability), lib.shown(vulnerability, "purl", null)),
	{
		"severity": object.get({"unknown": "medium"}, severity_of(vulnerability), severity_of(vulnerability)),
		"remedy": remedy_of(vulnerability),
	},
)

message_of(vulnerability) := sprintf("%s, severity %s", [
	lib.shown(vulnerability, "id", "a vulnerability without id"),
	severity_of(vulnerability),
])

remedy_of(vulnerability) := sprintf("Update the component to %s or later", [vulnerability.fixed]) if {
	lib.present(vulnerability.fixed)
} else := "No fixed version is known: replace the component, or do without it"

# Those that are left out are no worse than the last one, but they may be of a denied severity.
left_out := input.finding_count - count(vulnerabilities) if is_number(input.finding_count)

left_out_message := sprintf("%v more vulnerabilities, none worse than those that are listed", [left_out])

deny contains finding if {
	left_out > 0
	count(denied) > 0
	finding := lib.finding(rules, "VULN-001", left_out_message, null)
}

warn contains finding if {
	left_out > 0
	count(denied) == 0
	finding := lib.finding(rules, "VULN-001", left_out_message, null)
}

is_matched if lib.present(input.advisories.digest)

info contains finding if {
	not is_matched
	message := "no advisory index was at hand, so no vulnerability is known, whatever there may be"
	finding := lib.finding(rules, "VULN-002", message, null)
}
