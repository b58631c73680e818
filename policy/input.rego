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
		"remedy": "Say what the build is for: pr, staging or production",
	},
	"INPUT-003": {
		"title": "The build names what it made",
		"severity": "critical",
		"remedy": "Submit the build with its artifacts, each with its digest",
	},
}

deny contains finding if {
	not input.schema == "attestry.policy-input/v1"
	finding := lib.finding(rules, "INPUT-001", "the input is not an attestry.policy-input/v1", null)
}

deny contains finding if {
	not lib.environment in {"pr", "staging", "production"}
	finding := lib.finding(rules, "INPUT-002", "the environment is none of pr, staging and production", null)
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
	is_object(input.index.licenses)
	is_array(input.index.repeated)
	is_array(input.index.lacking.name)
	is_array(input.index.lacking.version)
	is_array(input.index.lacking.purl)
	is_array(input.index.lacking.sha256)
	is_array(input.index.lacking.license)
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
