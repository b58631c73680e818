# The SBOM is there, describes this build, and holds nothing that must not be shipped.
package attestry.sbom

import data.attestry.lib

rules := {
	"SBOM-001": {
		"title": "An SBOM is present",
		"severity": "critical",
		"remedy": "Generate a CycloneDX SBOM for the build: attestry sbom generate",
	},
	"SBOM-002": {
		"title": "The root component is the project",
		"severity": "high",
		"remedy": "Set metadata.component.name to the name of the project",
	},
	"SBOM-003": {
		"title": "The SBOM lists components",
		"severity": "high",
		"remedy": "Generate the SBOM from the lockfile that the build used; an empty list means that none was found",
	},
	"SBOM-004": {
		"title": "The SBOM covers every artifact",
		"severity": "high",
		"remedy": "Generate the SBOM after the build, from the artifacts that were submitted, with their SHA-256",
	},
	"SBOM-005": {
		"title": "Components are named and pinned",
		"severity": "high",
		"remedy": "Pin the component to one version in the lockfile and generate the SBOM again",
	},
	"SBOM-006": {
		"title": "Components have a package URL",
		"severity": "medium",
		"remedy": "Give the component its purl, so that advisories can be matched",
	},
	"SBOM-007": {
		"title": "No banned components",
		"severity": "critical",
		"remedy": "Remove the component, rotate the secrets of machines that installed it, and see banned_components in data.json",
	},
	"SBOM-008": {
		"title": "References are unique",
		"severity": "medium",
		"remedy": "Give every component its own bom-ref (CycloneDX: unique within the BOM)",
	},
	"SBOM-009": {
		"title": "File components have a digest",
		"severity": "medium",
		"remedy": "Record the SHA-256 of the file; nothing else identifies it",
	},
}

# What is missing or of another type reads as empty here; the rules that ask for it say so.
root := input.sbom.metadata.component if is_object(input.sbom.metadata.component)

else := {}

components := input.sbom.components if is_array(input.sbom.components)

else := []

# Files are known by their digest, everything else by its package URL.
packages[index] := component if {
	some index, component in components
	not component.type == "file"
}

files[index] := component if {
	some index, component in components
	component.type == "file"
}

purl_of(component) := component.purl if is_string(component.purl)

else := null

project_names contains name if name := input.project

# A project may be named with its owner: acme/hotpass.
project_names contains last if {
	parts := split(input.project, "/")
	last := parts[count(parts) - 1]
}

deny contains finding if {
	not input.sbom.bomFormat == "CycloneDX"
	finding := lib.finding(rules, "SBOM-001", "the build has no CycloneDX SBOM", null)
}

deny contains finding if {
	not root.name in project_names
	name := lib.shown(root, "name", "missing")
	message := sprintf("the root component is %s, the project %s", [name, lib.shown(input, "project", "missing")])
	finding := lib.finding(rules, "SBOM-002", message, null)
}

deny contains finding if {
	count(components) == 0
	finding := lib.finding(rules, "SBOM-003", "the SBOM lists no component", null)
}

# Artifacts may be listed as the root, as parts of it, or among the components.
sha256 contains digest if {
	some hash in root.hashes
	hash.alg == "SHA-256"
	digest := lower(hash.content)
}

sha256 contains digest if {
	some part in root.components
	some hash in part.hashes
	hash.alg == "SHA-256"
	digest := lower(hash.content)
}

sha256 contains digest if {
	some component in components
	some hash in component.hashes
	hash.alg == "SHA-256"
	digest := lower(hash.content)
}

deny contains finding if {
	some artifact in input.build.artifacts
	not lib.hex(artifact.digest) in sha256
	message := sprintf("artifact %s (%s) is not in the SBOM", [lib.shown(artifact, "name", "unnamed"), lib.shown(artifact, "digest", "no digest")])
	finding := lib.finding(rules, "SBOM-004", message, null)
}

deny contains finding if {
	some index, component in components
	not lib.present(component.name)
	message := sprintf("component %d has no name", [index])
	finding := lib.finding(rules, "SBOM-005", message, purl_of(component))
}

deny contains finding if {
	some index, component in packages
	not lib.present(component.version)
	message := sprintf("component %d, %s, has no version", [index, lib.shown(component, "name", "unnamed")])
	finding := lib.finding(rules, "SBOM-005", message, purl_of(component))
}

deny contains finding if {
	some index, component in packages
	not startswith(component.purl, "pkg:")
	message := sprintf("component %d, %s, has no purl", [index, lib.shown(component, "name", "unnamed")])
	finding := lib.finding(rules, "SBOM-006", message, null)
}

# Package URL without version, qualifiers and subpath. The `@` of an npm scope is followed by `/`.
package_of(purl) := concat("@", array.slice(parts, 0, count(parts) - 1)) if {
	parts := split(bare(purl), "@")
	not contains(parts[count(parts) - 1], "/")
} else := bare(purl)

bare(purl) := lower(split(split(purl, "?")[0], "#")[0])

deny contains finding if {
	some component in components
	banned := data.banned_components[package_of(component.purl)]
	is_banned(banned, component)
	message := sprintf("%s is banned: %s", [component.purl, lib.shown(banned, "reason", "no reason given")])
	finding := lib.finding(rules, "SBOM-007", message, component.purl)
}

# Without a list of versions, all are banned.
is_banned(banned, _) if not banned.versions

is_banned(banned, component) if component.version in banned.versions

is_banned(banned, component) if {
	some version in banned.versions
	endswith(bare(component.purl), concat("", ["@", version]))
}

references := sort(array.concat(
	[root["bom-ref"] | root["bom-ref"]],
	[component["bom-ref"] | some component in components],
))

deny contains finding if {
	some index, reference in references
	references[index + 1] == reference
	message := sprintf("the bom-ref %s stands for more than one component", [reference])
	finding := lib.finding(rules, "SBOM-008", message, null)
}

deny contains finding if {
	some index, component in files
	not has_sha256(component)
	message := sprintf("file %d, %s, has no SHA-256", [index, lib.shown(component, "name", "unnamed")])
	finding := lib.finding(rules, "SBOM-009", message, null)
}

has_sha256(component) if {
	some hash in component.hashes
	hash.alg == "SHA-256"
}
