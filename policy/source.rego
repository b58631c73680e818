# The build comes from where it may, was started as it may be, by a builder that is trusted so far, and not long ago.
package attestry.source

import data.attestry.lib
import data.attestry.lib.settings

rules := {
	"SRC-001": {
		"title": "The repository is allowed",
		"severity": "high",
		"remedy": "Build from an allowed repository, or add this one to allowed_repositories in data.json",
	},
	"SRC-002": {
		"title": "What is promoted was built from a protected ref",
		"severity": "high",
		"remedy": "Merge the change and build from a ref that protected_refs in data.json names",
	},
	"SRC-003": {
		"title": "The build was started with allowed parameters only",
		"severity": "high",
		"remedy": "Start the build without the parameter, or add it to allowed_parameters in data.json",
	},
	"SRC-004": {
		"title": "The builder has the SLSA level that the environment asks for",
		"severity": "high",
		"remedy": "Build on a builder of that level, or write the level that was shown for this one into builder_levels in data.json",
	},
	"SRC-005": {
		"title": "The build is recent",
		"severity": "medium",
		"remedy": "Build again; provenance_max_age_days in data.json says how old a build may be",
	},
}

build := input.build if is_object(input.build)

else := {}

origin := lib.element(build, "source")

builder := lib.element(build, "builder")

repositories := lib.list(settings.given, "allowed_repositories")

# An address means the same with `.git` or a slash behind it.
address(text) := trim_suffix(trim_suffix(text, "/"), ".git")

is_allowed if {
	lib.has(origin, "repository")
	some pattern in repositories
	lib.fits(address(lib.as_text(pattern)), address(origin.repository))
}

deny contains finding if {
	count(repositories) > 0
	not is_allowed
	message := sprintf("the repository %s is not allowed", [lib.shown(origin, "repository", "is not said, and none")])
	finding := lib.finding(rules, "SRC-001", message, null)
}

refs := lib.list(settings.given, "protected_refs")

is_protected if {
	lib.has(origin, "ref")
	some pattern in refs
	lib.fits(lib.as_text(pattern), origin.ref)
}

# Pull requests come from anywhere.
deny contains finding if {
	lib.environment != "pr"
	count(refs) > 0
	not is_protected
	message := sprintf("%s is not protected", [lib.shown(origin, "ref", "the ref is not said, so it")])
	finding := lib.finding(rules, "SRC-002", message, null)
}

# Null allows any, an empty list none.
deny contains finding if {
	is_array(settings.allowed_parameters)
	some name, _ in lib.element(build, "parameters")
	not name in settings.allowed_parameters
	message := sprintf("the parameter %s is not allowed", [name])
	finding := lib.finding(rules, "SRC-003", message, null)
}

deny contains finding if {
	is_array(settings.allowed_parameters)
	not is_object(lib.value(build, "parameters"))
	finding := lib.finding(rules, "SRC-003", "the build does not say which parameters it was started with", null)
}

levels := lib.element(settings.given, "builder_levels")

# A builder that nobody has looked at shows nothing.
level := levels[lib.text(builder, "id")] if is_number(lib.value(levels, lib.text(builder, "id")))

else := 0

least := lib.value(lib.element(settings.given, "minimum_slsa_level"), lib.environment)

deny contains finding if {
	is_number(least)
	level < least
	message := sprintf("the builder %s has level %v, %s asks for %v", [lib.shown(builder, "id", "without an id"), level, lib.environment, least])
	finding := lib.finding(rules, "SRC-004", message, null)
}

days := settings.provenance_max_age_days

metadata := input.provenance.predicate.runDetails.metadata if is_object(input.provenance.predicate.runDetails.metadata)

else := {}

finished := lib.shown(build, "finished_at", lib.value(metadata, "finishedOn"))

deny contains finding if {
	is_number(days)
	not lib.is_recent(finished, days)
	message := sprintf("the build was finished at %s; it may be %v days old, and not of the future", [lib.shown({"at": finished}, "at", "a time that is not said"), days])
	finding := lib.finding(rules, "SRC-005", message, null)
}
