# The SBOM lacks nothing that it should tell, and does not contradict what the build says of itself.
package attestry.completeness

import data.attestry.lib

rules := {
	"SBOM-010": {
		"title": "Nothing is missing from the SBOM",
		"severity": "high",
		"remedy": "Mend the file that the message names, or take it out of the build's inputs, and build again",
	},
	"SBOM-011": {
		"title": "SBOMs of the build's own are valid",
		"severity": "high",
		"remedy": "Have the build's SBOM tool write CycloneDX 1.2 to 1.7 as JSON, or SPDX 2.3, or submit without --sbom",
	},
	"SBOM-012": {
		"title": "SBOMs of the build's own name nothing else",
		"severity": "medium",
		"remedy": "Find out where the components come from: submit the lockfile or artifact that holds them",
	},
	"SBOM-013": {
		"title": "SBOMs of the build's own name the same versions",
		"severity": "medium",
		"remedy": "Make both from the same build: what is installed is not what the lockfile says",
	},
}

# What is missing or of another type reads as empty here.
properties := input.sbom.metadata.properties if is_array(input.sbom.metadata.properties)

else := []

supplied := input.build.sboms if is_array(input.build.sboms)

else := []

compared := input.sbom_comparison.supplied if is_array(input.sbom_comparison.supplied)

else := []

deny contains finding if {
	some property in properties
	property.name == "attestry:missing"
	message := sprintf("%s; what it lists is missing from the SBOM", [lib.shown(property, "value", "a file that is not named")])
	finding := lib.finding(rules, "SBOM-010", message, null)
}

# Valid, and compared with this very SBOM.
sound contains digest if {
	input.sbom_comparison.schema == "attestry.sbom-comparison/v1"
	input.sbom_comparison.sbom == input.sbom_digest
	some entry in compared
	entry.valid == true
	digest := entry.digest
}

# Why a supplied SBOM does not count.
why(sbom) := concat("; ", reasons) if {
	reasons := {entry.reason | some entry in compared; entry.digest == sbom.digest; not entry.valid == true; is_string(entry.reason)}
	count(reasons) > 0
} else := "it was not compared with the SBOM"

deny contains finding if {
	some sbom in supplied
	not lib.value(sbom, "digest") in sound
	message := sprintf("%s is not valid: %s", [lib.shown(sbom, "path", "an SBOM without a name"), why(sbom)])
	finding := lib.finding(rules, "SBOM-011", message, null)
}

warn contains finding if {
	some entry in compared
	is_number(entry.only_theirs.count)
	entry.only_theirs.count > 0
	message := sprintf("%s names %v components that the SBOM lacks: %s", [
		lib.shown(entry, "name", "an SBOM without a name"),
		entry.only_theirs.count,
		shortened(entry.only_theirs),
	])
	finding := lib.finding(rules, "SBOM-012", message, null)
}

warn contains finding if {
	some entry in compared
	is_number(entry.other_version.count)
	entry.other_version.count > 0
	message := sprintf("%s names other versions of %v components: %s", [
		lib.shown(entry, "name", "an SBOM without a name"),
		entry.other_version.count,
		shortened({"count": entry.other_version.count, "listed": [other_version(it) | some it in lib.list(entry.other_version, "listed")]}),
	])
	finding := lib.finding(rules, "SBOM-013", message, null)
}

other_version(found) := sprintf("%s %s instead of %s", [
	lib.shown(found, "package", "a package without a name"),
	concat(", ", texts(found, "theirs")),
	concat(", ", texts(found, "ours")),
])

texts(document, key) := [it | some it in lib.list(document, key); is_string(it)]

# The first of many; the comparison has more of them.
shortened(many) := concat(", ", array.concat(first, rest)) if {
	first := array.slice(texts(many, "listed"), 0, 5)
	rest := ["…" | many.count > 5]
}
