# Components of suppliers come with an SBOM that the supplier signed, and that was accepted.
package attestry.supplied

import data.attestry.lib
import data.attestry.lib.purl
import data.attestry.lib.settings

rules := {
	"SUPPLY-001": {
		"title": "Supplied components have an SBOM of their supplier",
		"severity": "high",
		"remedy": "Have the supplier send a signed SBOM that is accepted; supplied_components in data.json says whose it is",
	},
}

namespaces := lib.element(settings.given, "supplied_components")

suppliers := input.suppliers if is_array(input.suppliers)

else := []

was_asked if is_array(input.suppliers)

packages := lib.element(lib.index, "packages")

deny contains finding if {
	some namespace, entry in namespaces
	not is_covered(entry)
	prefix := purl.prefix(namespace)
	some name, numbers in packages
	startswith(concat("", [name, "/"]), prefix)
	some number in numbers
	component := lib.element(lib.list(input.sbom, "components"), number)
	message := sprintf("%s comes from %s: %s", [lib.shown(component, "purl", name), lib.shown(entry, "supplier", "nobody"), why(entry)])
	finding := lib.finding(rules, "SUPPLY-001", message, lib.shown(component, "purl", name))
}

is_covered(entry) if {
	some document in suppliers
	document.supplier == entry.supplier
	document.signed == true
	lib.is_recent(document.accepted_at, lib.value(entry, "max_age_days"))
}

why(entry) := "nobody was asked for the SBOMs of suppliers" if not was_asked

else := sprintf("no signed SBOM was accepted in the last %v days", [entry.max_age_days]) if is_number(entry.max_age_days)

else := "no signed SBOM was accepted"
