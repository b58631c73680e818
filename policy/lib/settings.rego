# What data.json says. What it leaves out is off; attestry.settings denies what is not as it should be.
# By `else`, not by `default`: a `default` of another package makes the engine (regorus 0.14.1) mistake expressions of
# the rule that asks for it for others.
package attestry.lib.settings

banned_components := it if it := data.banned_components

else := null

allowed_builders := it if it := data.allowed_builders

else := null

denied_severities := it if it := data.denied_severities

else := null

logged_environments := it if it := data.logged_environments

else := []

effective_on := it if it := data.effective_on

else := {}

licenses := it if it := data.licenses

else := {}

required_components := it if it := data.required_components

else := {}

minimum_versions := it if it := data.minimum_versions

else := {}

supplied_components := it if it := data.supplied_components

else := {}

allowed_repositories := it if it := data.allowed_repositories

else := []

protected_refs := it if it := data.protected_refs

else := []

allowed_parameters := it if it := data.allowed_parameters

else := null

builder_levels := it if it := data.builder_levels

else := {}

minimum_slsa_level := it if it := data.minimum_slsa_level

else := {}

provenance_max_age_days := it if it := data.provenance_max_age_days

else := null

required_standards := it if it := data.required_standards

else := []

minimum_score := it if it := data.minimum_score

else := {}

sbom_max_age_days := it if it := data.sbom_max_age_days

else := null

vulnerabilities := it if it := data.vulnerabilities

else := {}

# All of it by key, so that a rule can ask for a list or an object of it.
given := {
	"banned_components": banned_components,
	"allowed_builders": allowed_builders,
	"denied_severities": denied_severities,
	"logged_environments": logged_environments,
	"effective_on": effective_on,
	"licenses": licenses,
	"required_components": required_components,
	"minimum_versions": minimum_versions,
	"supplied_components": supplied_components,
	"allowed_repositories": allowed_repositories,
	"protected_refs": protected_refs,
	"allowed_parameters": allowed_parameters,
	"builder_levels": builder_levels,
	"minimum_slsa_level": minimum_slsa_level,
	"provenance_max_age_days": provenance_max_age_days,
	"required_standards": required_standards,
	"minimum_score": minimum_score,
	"sbom_max_age_days": sbom_max_age_days,
	"vulnerabilities": vulnerabilities,
}
