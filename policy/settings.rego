# The policy data is as the rules expect it. What is misspelt would otherwise ask for nothing, silently.
package attestry.settings

import data.attestry.lib
import data.attestry.lib.purl
import data.attestry.lib.settings as set

rules := {
	"INPUT-004": {
		"title": "The policy data is complete",
		"severity": "critical",
		"remedy": "Put data.json beside the policies, with banned_components and allowed_builders (objects), denied_severities (a list), and settings as README.md has them",
	},
}

# What each setting is. A question mark allows null.
kinds := {
	"banned_components": "object",
	"allowed_builders": "object",
	"denied_severities": "list",
	"logged_environments": "list",
	"effective_on": "object",
	"licenses": "object",
	"required_components": "object",
	"minimum_versions": "object",
	"supplied_components": "object",
	"allowed_repositories": "list",
	"protected_refs": "list",
	"allowed_parameters": "list?",
	"builder_levels": "object",
	"minimum_slsa_level": "object",
	"provenance_max_age_days": "days?",
	"required_standards": "list",
	"minimum_score": "object",
	"sbom_max_age_days": "days?",
	"vulnerabilities": "object",
}

# What the fields of a setting are, and there are no others.
fields := {
	"licenses": {"allowed": "list?", "forbidden": "list?", "fail_on_unknown": "switch?", "except": "object?"},
	"vulnerabilities": {
		"deny_kev": "switch?",
		"epss_threshold": "probability?",
		"grace_days": "object?",
		"only_new": "switch?",
		"only_fixable": "switch?",
		"triage_days": "days?",
		"minimum_confidence": "confidence?",
	},
}

# What the fields of its entries are.
fields_of_entries := {
	"licenses.except": {"reason": "text?"},
	"required_components": {"reason": "text?"},
	"minimum_versions": {"version": "version", "reason": "text?"},
	"supplied_components": {"supplier": "text", "max_age_days": "days?"},
}

# What its entries are.
entries := {
	"denied_severities": "severity",
	"logged_environments": "environment",
	"effective_on": "time",
	"licenses.allowed": "text",
	"licenses.forbidden": "text",
	"licenses.except": "object",
	"required_components": "object",
	"minimum_versions": "object",
	"supplied_components": "object",
	"allowed_repositories": "pattern",
	"protected_refs": "pattern",
	"allowed_parameters": "text",
	"builder_levels": "level",
	"minimum_slsa_level": "level",
	"required_standards": "standard",
	"minimum_score": "score",
	"vulnerabilities.grace_days": "days",
}

# What its keys are.
keys := {
	"effective_on": "rule that can be put off",
	"licenses.except": "package",
	"required_components": "package",
	"minimum_versions": "package",
	"supplied_components": "namespace",
	"builder_levels": "text",
	"minimum_slsa_level": "environment of now",
	"minimum_score": "standard",
	"vulnerabilities.grace_days": "severity",
}

is_a("object", value) if is_object(value)

is_a("list", value) if is_array(value)

is_a("text", value) if lib.present(value)

is_a("switch", value) if is_boolean(value)

is_a("days", value) if in_range(value, 0, 36500)

is_a("score", value) if in_range(value, 0, 100)

is_a("probability", value) if in_range(value, 0, 1)

is_a("level", value) if value in {0, 1, 2, 3}

is_a("severity", value) if value in {"critical", "high", "medium", "low", "unknown"}

is_a("confidence", value) if value in {"low", "medium", "high"}

is_a("standard", value) if value in {"cisa", "ntia", "bsi"}

is_a("environment", value) if lib.named(value) in {"pr", "staging", "production"}

is_a("environment of now", value) if value in {"pr", "staging", "production"}

is_a("time", value) if lib.seconds(value)

is_a("rule that can be put off", value) if lib.can_wait(value)

# A floor with an epoch would be compared by the epoch alone.
is_a("version", value) if {
	is_string(value)
	regex.match(`^[vV]?[0-9]+([.][0-9]+)*([-+._a-zA-Z][-+._a-zA-Z0-9]*)?$`, value)
}

is_a("namespace", value) if startswith(value, "pkg:")

is_a("package", value) if {
	startswith(value, "pkg:")
	purl.package_of(value) == replace(lower(value), "%40", "@")
}

# A `*` anywhere but at the end would stand for itself.
is_a("pattern", value) if {
	lib.present(value)
	not contains(trim_suffix(value, "*"), "*")
}

in_range(value, least, most) if count([1 | is_number(value); value >= least; value <= most]) == 1

is_right(kind, value) if is_a(trim_suffix(kind, "?"), value)

is_right(kind, value) if {
	value == null
	endswith(kind, "?")
}

licenses := lib.element(set.given, "licenses")

vulnerabilities := lib.element(set.given, "vulnerabilities")

nested := {
	"licenses.allowed": lib.list(licenses, "allowed"),
	"licenses.forbidden": lib.list(licenses, "forbidden"),
	"licenses.except": lib.element(licenses, "except"),
	"vulnerabilities.grace_days": lib.element(vulnerabilities, "grace_days"),
}

# Lists and objects whose entries can be looked at.
collections := object.union(nested, {name: value |
	some name, value in set.given
	not startswith(kinds[name], "days")
	is_right(kinds[name], value)
	value != null
})

# Objects whose fields are known: where each is, and what it may have.
records contains [name, known, record] if {
	some name, known in fields
	record := lib.element(set.given, name)
}

records contains [place, known, record] if {
	some name, known in fields_of_entries
	some key, record in collections[name]
	is_object(record)
	place := sprintf("%s[%v]", [name, key])
}

# What is checked: where it is, what it should be, and what it is.
checked contains [name, kind, value] if {
	some name, kind in kinds
	value := set.given[name]
}

checked contains [place, kind, value] if {
	some [name, known, record] in records
	some field, kind in known
	value := lib.value(record, field)
	place := concat(".", [name, field])
}

checked contains [name, kind, value] if {
	some name, kind in entries
	some value in collections[name]
}

checked contains [name, kind, key] if {
	some name, kind in keys
	some key, _ in collections[name]
}

containers := {"list", "object"}

deny contains finding if {
	some [place, kind, value] in checked
	not is_right(kind, value)
	trim_suffix(kind, "?") in containers
	message := sprintf("data.json has no %s %s", [trim_suffix(kind, "?"), place])
	finding := lib.finding(rules, "INPUT-004", message, null)
}

deny contains finding if {
	some [place, kind, value] in checked
	not is_right(kind, value)
	not trim_suffix(kind, "?") in containers
	message := sprintf("%s in data.json names %v, which is no %s", [place, value, trim_suffix(kind, "?")])
	finding := lib.finding(rules, "INPUT-004", message, null)
}

deny contains finding if {
	some [place, known, record] in records
	some field, _ in record
	not known[field]
	message := sprintf("%s in data.json has a field %v, which there is not", [place, field])
	finding := lib.finding(rules, "INPUT-004", message, null)
}
