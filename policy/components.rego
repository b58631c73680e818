# The components that must be there are, and none is older than it may be.
package attestry.components

import data.attestry.lib
import data.attestry.lib.purl
import data.attestry.lib.settings
import data.attestry.lib.versions

rules := {
	"COMP-001": {
		"title": "Required components are present",
		"severity": "high",
		"remedy": "Add the component to the build, or take it out of required_components in data.json",
	},
	"COMP-002": {
		"title": "No component is below its minimum version",
		"severity": "high",
		"remedy": "Update the component to the version that minimum_versions in data.json asks for, or a later one",
	},
}

packages := lib.element(lib.index, "packages")

required := purl.by_package(lib.element(settings.given, "required_components"))

floors := purl.by_package(lib.element(settings.given, "minimum_versions"))

because(entry) := lib.shown(entry, "reason", "no reason given")

deny contains finding if {
	some name, entry in required
	count(lib.list(packages, name)) == 0
	message := sprintf("%s is not among the components: %s", [name, because(entry)])
	finding := lib.finding(rules, "COMP-001", message, name)
}

deny contains finding if {
	some name, entry in floors
	floor := lib.text(entry, "version")
	some number in lib.list(packages, name)
	component := lib.element(lib.list(input.sbom, "components"), number)
	not versions.reaches(lib.text(component, "version"), floor)
	problem := comparison(lib.text(component, "version"), floor)
	message := sprintf("%s %s: %s", [lib.shown(component, "purl", name), problem, because(entry)])
	finding := lib.finding(rules, "COMP-002", message, lib.shown(component, "purl", name))
}

comparison(version, floor) := sprintf("has version %s, below %s", [version, floor]) if {
	versions.is_comparable(version)
} else := sprintf("has version %s, which begins with no number, so that nobody can tell whether it is below %s", [stated(version), floor])

stated("") := "none"

stated(version) := version if version != ""
