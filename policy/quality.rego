# The SBOM tells as much as it must, and is not old.
package attestry.quality

import data.attestry.lib
import data.attestry.lib.settings

rules := {
	"QUAL-001": {
		"title": "The SBOM has the minimum elements",
		"severity": "medium",
		"remedy": "Have the SBOM tool write what is missing, or take the standard out of required_standards in data.json",
	},
	"QUAL-002": {
		"title": "The SBOM's score is high enough",
		"severity": "medium",
		"remedy": "Have the SBOM tool write what is missing, or lower minimum_score in data.json",
	},
	"QUAL-003": {
		"title": "The SBOM is recent",
		"severity": "medium",
		"remedy": "Generate the SBOM again; sbom_max_age_days in data.json says how old it may be",
	},
}

quality := input.quality if is_object(input.quality)

else := {}

missing(result) := lib.shortened([it | some it in lib.list(result, "missing"); is_string(it)])

deny contains finding if {
	some standard in lib.list(settings.given, "required_standards")
	result := lib.element(quality, standard)
	not lib.value(result, "met") == true
	message := sprintf("the SBOM lacks minimum elements of %v: %s", [standard, told(result)])
	finding := lib.finding(rules, "QUAL-001", message, null)
}

told(result) := missing(result) if missing(result) != ""

else := "nobody knows which"

deny contains finding if {
	some standard, least in lib.element(settings.given, "minimum_score")
	result := lib.element(quality, standard)
	not reaches(lib.value(result, "score"), least)
	message := sprintf("the score by %s is %v, at least %v is asked for; missing: %s", [standard, lib.value(result, "score"), least, told(result)])
	finding := lib.finding(rules, "QUAL-002", message, null)
}

reaches(score, least) if {
	is_number(score)
	score >= least
}

days := settings.sbom_max_age_days

metadata := input.sbom.metadata if is_object(input.sbom.metadata)

else := {}

deny contains finding if {
	is_number(days)
	not lib.is_recent(lib.value(metadata, "timestamp"), days)
	message := sprintf("the SBOM was made at %s; it may be %v days old, and not of the future", [lib.shown(metadata, "timestamp", "a time that is not said"), days])
	finding := lib.finding(rules, "QUAL-003", message, null)
}
