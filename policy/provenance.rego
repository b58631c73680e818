# The provenance is there, and says of this build what CI said of it.
package attestry.provenance

import data.attestry.lib

rules := {
	"PROV-001": {
		"title": "Provenance is present",
		"severity": "critical",
		"remedy": "Have the build's provenance generated as an in-toto statement v1",
	},
	"PROV-002": {
		"title": "Provenance is SLSA v1",
		"severity": "high",
		"remedy": "Write the predicate as https://slsa.dev/provenance/v1",
	},
	"PROV-003": {
		"title": "Provenance covers every artifact",
		"severity": "critical",
		"remedy": "Name every artifact of the build as a subject with its SHA-256",
	},
	"PROV-004": {
		"title": "Provenance speaks of this build only",
		"severity": "high",
		"remedy": "Name no subject but the artifacts of this build, each with its SHA-256",
	},
	"PROV-005": {
		"title": "Provenance names the builder that submitted",
		"severity": "critical",
		"remedy": "Set runDetails.builder.id to the builder that CI names in build.completed",
	},
	"PROV-006": {
		"title": "The builder is allowed",
		"severity": "critical",
		"remedy": "Build on an allowed builder, or add this one to allowed_builders in data.json",
	},
	"PROV-007": {
		"title": "The source is known",
		"severity": "medium",
		"remedy": "Submit the build with repository and commit: --source in a git work tree",
	},
	"PROV-008": {
		"title": "Provenance names the source that was built",
		"severity": "high",
		"remedy": "Name the commit among resolvedDependencies, digest gitCommit",
	},
	"PROV-009": {
		"title": "Provenance names every input",
		"severity": "high",
		"remedy": "Name every lockfile of the build among resolvedDependencies with its SHA-256",
	},
}

predicate := input.provenance.predicate

subjects := input.provenance.subject if is_array(input.provenance.subject)

else := []

deny contains lib.finding(rules, "PROV-001", "the build has no in-toto statement v1 with provenance", null) if {
	not input.provenance._type == "https://in-toto.io/Statement/v1"
}

deny contains lib.finding(rules, "PROV-002", "the predicate type is not https://slsa.dev/provenance/v1", null) if {
	not input.provenance.predicateType == "https://slsa.dev/provenance/v1"
}

subject_digests contains lower(subject.digest.sha256) if some subject in subjects

deny contains lib.finding(rules, "PROV-003", message, null) if {
	some artifact in input.build.artifacts
	not lib.hex(artifact.digest) in subject_digests
	message := sprintf("artifact %s (%s) is no subject of the provenance", [artifact.name, artifact.digest])
}

deny contains lib.finding(rules, "PROV-004", message, null) if {
	some index, subject in subjects
	not is_artifact(subject)
	message := sprintf("subject %d, %s, is no artifact of this build", [index, lib.shown(subject, "name", "unnamed")])
}

is_artifact(subject) if lower(subject.digest.sha256) in lib.artifact_digests

deny contains lib.finding(rules, "PROV-005", "the builders of the build and of its provenance differ", null) if {
	not predicate.runDetails.builder.id == input.build.builder.id
}

deny contains lib.finding(rules, "PROV-006", message, null) if {
	count(data.allowed_builders) > 0
	not data.allowed_builders[input.build.builder.id]
	message := sprintf("the builder %s is not allowed", [lib.shown(input.build.builder, "id", "without an id")])
}

warn contains lib.finding(rules, "PROV-007", "the release does not say from which commit it was built", null) if {
	input.environment == "release"
	not names_source
}

info contains lib.finding(rules, "PROV-007", "the build does not say from which commit it was made", null) if {
	input.environment != "release"
	not names_source
}

names_source if {
	lib.present(input.build.source.repository)
	lib.present(input.build.source.commit)
}

# What is missing reads as empty here; the rules that ask for it say so.
resolved := predicate.buildDefinition.resolvedDependencies if is_array(predicate.buildDefinition.resolvedDependencies)

else := []

commits contains commit if {
	some dependency in resolved
	some algorithm in ["gitCommit", "sha1", "sha256"]
	commit := dependency.digest[algorithm]
}

deny contains lib.finding(rules, "PROV-008", message, null) if {
	not input.build.source.commit in commits
	message := sprintf("commit %s is not named by the provenance", [input.build.source.commit])
}

files contains digest if {
	some dependency in resolved
	digest := lower(dependency.digest.sha256)
}

deny contains lib.finding(rules, "PROV-009", message, null) if {
	some file in input.build.inputs
	not lib.hex(file.digest) in files
	message := sprintf("input %s (%s) is not named by the provenance", [file.path, file.digest])
}
