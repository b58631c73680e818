# The document that is judged is the one that these policies were written for.
package attestry.input

import data.attestry.lib

rules := {
	"INPUT-001": {
		"title": "The input document has the expected form",
		"severity": "critical",
		"remedy": "Judge a document of schema attestry.policy-input/v1, or use policies written for yours",
	},
	"INPUT-002": {
		"title": "The environment is known",
		"severity": "critical",
		"remedy": "Say what the build is for: pr or release",
	},
	"INPUT-003": {
		"title": "The build names what it made",
		"severity": "critical",
		"remedy": "Submit the build with its artifacts, each with its digest",
	},
	"INPUT-004": {
		"title": "The policy data is complete",
		"severity": "critical",
		"remedy": "Put data.json with banned_components, allowed_builders (objects) and denied_severities (a list), empty if need be, beside the policies",
	},
}

deny contains finding if {
	not input.schema == "attestry.policy-input/v1"
	finding := lib.finding(rules, "INPUT-001", "the input is not an attestry.policy-input/v1", null)
}

deny contains finding if {
	not lib.environment in {"pr", "release"}
	finding := lib.finding(rules, "INPUT-002", "the environment is neither pr nor release", null)
}

deny contains finding if {
	count(lib.artifact_digests) == 0
	finding := lib.finding(rules, "INPUT-003", "the build names no artifact", null)
}

deny contains finding if {
	some artifact in lib.list(input.build, "artifacts")
	not regex.match(`^sha256:[0-9a-f]{64}$`, lib.text(artifact, "digest"))
	message := sprintf("artifact %s has no SHA-256 digest", [lib.shown(artifact, "name", "without a name")])
	finding := lib.finding(rules, "INPUT-003", message, null)
}

# An SBOM without an index would look as if nothing were wrong with it.
is_indexed if not has_sbom

is_indexed if {
	is_object(input.index.sha256)
	is_object(input.index.packages)
	is_array(input.index.repeated)
	is_array(input.index.lacking.name)
	is_array(input.index.lacking.version)
	is_array(input.index.lacking.purl)
	is_array(input.index.lacking.sha256)
}

has_sbom if is_object(input.sbom)

deny contains finding if {
	not is_indexed
	finding := lib.finding(rules, "INPUT-001", "the input has no index of its SBOM", null)
}

default findings := null

findings := input.findings

default finding_count := null

finding_count := input.finding_count

deny contains finding if {
	not is_array(findings)
	finding := lib.finding(rules, "INPUT-001", "findings is not a list", null)
}

deny contains finding if {
	not is_number(finding_count)
	finding := lib.finding(rules, "INPUT-001", "finding_count is not a number", null)
}

has_banned_components if is_object(data.banned_components)

has_allowed_builders if is_object(data.allowed_builders)

has_denied_severities if is_array(data.denied_severities)

deny contains finding if {
	not has_banned_components
	finding := lib.finding(rules, "INPUT-004", "data.json has no object banned_components", null)
}

deny contains finding if {
	not has_allowed_builders
	finding := lib.finding(rules, "INPUT-004", "data.json has no object allowed_builders", null)
}

deny contains finding if {
	not has_denied_severities
	finding := lib.finding(rules, "INPUT-004", "data.json has no list denied_severities", null)
}

denied_severities := data.denied_severities if is_array(data.denied_severities)

else := []

# A severity that is misspelt would deny nothing, silently.
deny contains finding if {
	some severity in denied_severities
	not severity in {"critical", "high", "medium", "low", "unknown"}
	message := sprintf("denied_severities in data.json names %v, which is no severity", [severity])
	finding := lib.finding(rules, "INPUT-004", message, null)
}

# Left out by policies of before means none.
default logged_environments := []

logged_environments := data.logged_environments

deny contains finding if {
	not is_array(logged_environments)
	finding := lib.finding(rules, "INPUT-004", "logged_environments in data.json is no list", null)
}

# One that is misspelt would require nothing, silently.
deny contains finding if {
	is_array(logged_environments)
	some environment in logged_environments
	not environment in {"pr", "release"}
	message := sprintf("logged_environments in data.json names %v, which is no environment", [environment])
	finding := lib.finding(rules, "INPUT-004", message, null)
}
