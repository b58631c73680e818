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
		"remedy": "Name every lockfile among resolvedDependencies, and what tells of artifacts among byproducts, with its SHA-256",
	},
}

predicate := input.provenance.predicate

# What is missing reads as empty here; the rules that ask for it say so.
builder := input.build.builder if is_object(input.build.builder)

else := {}

subjects := input.provenance.subject if is_array(input.provenance.subject)

else := []

deny contains finding if {
	not input.provenance._type == "https://in-toto.io/Statement/v1"
	finding := lib.finding(rules, "PROV-001", "the build has no in-toto statement v1 with provenance", null)
}

deny contains finding if {
	not input.provenance.predicateType == "https://slsa.dev/provenance/v1"
	finding := lib.finding(rules, "PROV-002", "the predicate type is not https://slsa.dev/provenance/v1", null)
}

subject_digests contains digest if {
	some subject in subjects
	is_string(subject.digest.sha256)
	digest := lower(subject.digest.sha256)
}

deny contains finding if {
	some artifact in lib.list(input.build, "artifacts")
	not lib.hex(lib.text(artifact, "digest")) in subject_digests
	message := sprintf("artifact %s (%s) is no subject of the provenance", [lib.shown(artifact, "name", "unnamed"), lib.shown(artifact, "digest", "no digest")])
	finding := lib.finding(rules, "PROV-003", message, null)
}

deny contains finding if {
	some index, subject in subjects
	not is_artifact(subject)
	message := sprintf("subject %d, %s, is no artifact of this build", [index, lib.shown(subject, "name", "unnamed")])
	finding := lib.finding(rules, "PROV-004", message, null)
}

is_artifact(subject) if {
	is_string(subject.digest.sha256)
	lower(subject.digest.sha256) in lib.artifact_digests
}

deny contains finding if {
	not predicate.runDetails.builder.id == input.build.builder.id
	finding := lib.finding(rules, "PROV-005", "the builders of the build and of its provenance differ", null)
}

deny contains finding if {
	count(data.allowed_builders) > 0
	not data.allowed_builders[lib.text(builder, "id")]
	message := sprintf("the builder %s is not allowed", [lib.shown(builder, "id", "without an id")])
	finding := lib.finding(rules, "PROV-006", message, null)
}

warn contains finding if {
	lib.environment in {"staging", "production"}
	not names_source
	finding := lib.finding(rules, "PROV-007", "the release does not say from which commit it was built", null)
}

info contains finding if {
	not lib.environment in {"staging", "production"}
	not names_source
	finding := lib.finding(rules, "PROV-007", "the build does not say from which commit it was made", null)
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

deny contains finding if {
	is_string(input.build.source.commit)
	not input.build.source.commit in commits
	message := sprintf("commit %s is not named by the provenance", [input.build.source.commit])
	finding := lib.finding(rules, "PROV-008", message, null)
}

byproducts := predicate.runDetails.byproducts if is_array(predicate.runDetails.byproducts)

else := []

files contains digest if {
	some document in array.concat(resolved, byproducts)
	is_string(document.digest.sha256)
	digest := lower(document.digest.sha256)
}

# SBOMs of the build's own are named like lockfiles.
uploads contains file if some file in lib.list(input.build, "inputs")

uploads contains file if some file in lib.list(input.build, "sboms")

deny contains finding if {
	some file in uploads
	not lib.hex(lib.text(file, "digest")) in files
	message := sprintf("input %s (%s) is not named by the provenance", [lib.shown(file, "path", "unnamed"), lib.shown(file, "digest", "no digest")])
	finding := lib.finding(rules, "PROV-009", message, null)
}
