# Components have licences that may be shipped.
#
# The index has each licence as the SBOM writes it, and as alternatives: having one of them is enough, and a licence of
# an alternative applies with the others of it.
package attestry.licenses

import data.attestry.lib
import data.attestry.lib.purl
import data.attestry.lib.settings

rules := {
	"LIC-001": {
		"title": "No forbidden licences",
		"severity": "high",
		"remedy": "Replace the component, or give the reason why it may stay under licenses.except in data.json",
	},
	"LIC-002": {
		"title": "Licences are allowed",
		"severity": "medium",
		"remedy": "Have the licence approved and add it to licenses.allowed in data.json, or replace the component",
	},
	"LIC-003": {
		"title": "Licences are known",
		"severity": "medium",
		"remedy": "Have the component's licence written into the SBOM as an SPDX expression, or give a reason under licenses.except in data.json",
	},
}

given := lib.element(settings.given, "licenses")

texts(key) := {lower(trim_space(it)) | some it in lib.list(given, key); is_string(it)}

allowed := texts("allowed")

forbidden := texts("forbidden")

excepted := purl.by_package(lib.element(given, "except"))

# Without a list, nobody asks.
licenses := lib.element(lib.index, "licenses") if count(allowed | forbidden) > 0

else := {}

unlicensed := lib.list(lib.element(lib.index, "lacking"), "license") if count(allowed | forbidden) > 0

else := []

# The names that a list may have for a licence: GPL-3.0-only, or GPL-3.0 for all its kinds. `+` is an older way to say
# -or-later, and nothing one to say -only.
names(licence) := {licence, family, concat("", [family, kind(licence)])} if {
	family := trim_suffix(trim_suffix(trim_suffix(licence, "+"), "-only"), "-or-later")
}

kind(licence) := "-or-later" if regex.match(`([+]|-or-later)$`, licence)

else := "-only"

# The licence and what is written behind it: ` with classpath-exception-2.0`, or nothing.
base(licence) := split(lower(trim_space(licence)), " with ")[0]

exception(licence) := trim_prefix(lower(trim_space(licence)), base(licence))

whole(licence) := {concat("", [name, exception(licence)]) | some name in names(base(licence))}

# An exception only permits more, so an allowed licence is allowed with any.
is_allowed(licence) if count(allowed & (whole(licence) | names(base(licence)))) > 0

is_forbidden(licence) if count(forbidden & whole(licence)) > 0

# What is forbidden may be allowed with an exception, by name.
is_forbidden(licence) if {
	count(forbidden & names(base(licence))) > 0
	count(allowed & whole(licence)) == 0
}

is_expression(alternatives) if {
	is_array(alternatives)
	count([1 | some it in alternatives; not is_all_text(it)]) == 0
}

is_all_text(alternative) if {
	is_array(alternative)
	count(alternative) > 0
	count([1 | some it in alternative; not lib.present(it)]) == 0
}

# A name that is no expression is known if a list has it.
choices_of(text, licence) := licence.alternatives if is_expression(lib.value(licence, "alternatives"))

else := [[text]] if lower(trim_space(text)) in (allowed | forbidden)

else := []

permitted(choices) := [it | some it in choices; count([1 | some licence in it; is_forbidden(licence)]) == 0]

listed(choices) := [it | some it in choices; count([1 | some licence in it; not is_allowed(licence)]) == 0]

verdict(choices) := "LIC-003" if count(choices) == 0

else := "LIC-001" if count(permitted(choices)) == 0

else := "LIC-002" if {
	count(allowed) > 0
	count(listed(permitted(choices))) == 0
}

phrases := {
	"LIC-001": "has the licence %s, which is forbidden",
	"LIC-002": "has the licence %s, which is not allowed",
	"LIC-003": "has the licence %s, and nobody can tell what it is",
}

# What is said of which component, by its position.
said contains [id, number, phrase] if {
	some text, licence in licenses
	id := verdict(choices_of(text, licence))
	some number in lib.list(licence, "components")
	phrase := sprintf(phrases[id], [text])
}

said contains ["LIC-003", number, "has no licence"] if some number in unlicensed

is_excepted(component) if excepted[purl.package_of(component.purl)]

found contains finding if {
	some [id, number, phrase] in said
	component := lib.element(lib.list(input.sbom, "components"), number)
	not is_excepted(component)
	name := lib.shown(component, "purl", lib.shown(component, "name", "a component without a name"))
	finding := lib.finding(rules, id, concat(" ", [name, phrase]), lib.shown(component, "purl", null))
}

tolerated := {"LIC-003"} if not given.fail_on_unknown == true

else := set()

deny contains finding if {
	some finding in found
	not finding.id in tolerated
}

warn contains finding if {
	some finding in found
	finding.id in tolerated
}
