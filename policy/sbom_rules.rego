# What the rules on SBOMs ask for: SBOM of a build's, SUP of a supplier's document.
package attestry.sbom

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
	"SUP-001": {
		"title": "The input document has the expected form",
		"severity": "critical",
		"remedy": "Judge a document of schema attestry.supplier-input/v1, or use policies written for yours",
	},
	"SUP-002": {
		"title": "The document is signed",
		"severity": "critical",
		"remedy": "Sign an in-toto statement that names the SHA-256 of the document, and send its bundle along",
	},
	"SUP-003": {
		"title": "The signature is valid",
		"severity": "critical",
		"remedy": "Sign with a key that the passport lists, or have the operator add yours",
	},
	"SUP-004": {
		"title": "The signature covers this document",
		"severity": "critical",
		"remedy": "Name the SHA-256 of exactly these bytes as a subject of the signed statement",
	},
	"SUP-005": {
		"title": "No development keys",
		"severity": "high",
		"remedy": "Sign with the release key, or have the operator list the supplier in development_key_suppliers in data.json for a trial",
	},
	"SUP-006": {
		"title": "Format and version are agreed",
		"severity": "high",
		"remedy": "Send a format and version that the passport lists, or have the operator add them",
	},
	"SUP-007": {
		"title": "The SBOM says what it is about",
		"severity": "high",
		"remedy": "Set name and version of metadata.component to the product and its version",
	},
	"SUP-008": {
		"title": "The product is the supplier's",
		"severity": "critical",
		"remedy": "Send documents about products that the passport lists, or have the operator add this one",
	},
	"SUP-009": {
		"title": "The package URL is the supplier's",
		"severity": "critical",
		"remedy": "Give metadata.component a purl within a namespace that the passport lists, or have the operator add its namespace",
	},
	"SUP-010": {
		"title": "The document is dated",
		"severity": "high",
		"remedy": "Set the timestamp of the document to the time when it was made, by a clock that is right",
	},
	"SUP-011": {
		"title": "The document is recent",
		"severity": "medium",
		"remedy": "Generate the document again; max_age_days in the passport says how old it may be",
	},
	"SUP-012": {
		"title": "The SBOM lists components",
		"severity": "high",
		"remedy": "List the components of the product; one without any lists itself",
	},
	"SUP-013": {
		"title": "Components can be identified",
		"severity": "low",
		"remedy": "Give the component its purl, or name and version, so that advisories can be matched",
	},
	"SUP-014": {
		"title": "Dependencies form no circle",
		"severity": "medium",
		"remedy": "Remove the dependency that leads back to where the circle begins",
	},
	"SUP-015": {
		"title": "Every reference has a target",
		"severity": "medium",
		"remedy": "Add the component that is referred to, or remove the reference",
	},
	"SUP-016": {
		"title": "References are unique",
		"severity": "medium",
		"remedy": "Give every component its own bom-ref (CycloneDX: unique within the BOM)",
	},
	"SUP-017": {
		"title": "Package URLs are valid",
		"severity": "high",
		"remedy": "Write the purl as the package-url specification says: pkg:type/namespace/name@version",
	},
	"SUP-018": {
		"title": "Nothing else is wrong with the document",
		"severity": "medium",
		"remedy": "Correct what the message names, and send the document again",
	},
	"SUP-019": {
		"title": "VEX comes from those who may make it",
		"severity": "critical",
		"remedy": "Leave the VEX statements out, or have the operator set vex in the passport",
	},
	"SUP-020": {
		"title": "A VEX document makes statements",
		"severity": "medium",
		"remedy": "State at least one vulnerability with its status and product",
	},
	"SUP-021": {
		"title": "No banned components",
		"severity": "critical",
		"remedy": "Remove the component from the product; banned_components in data.json says why",
	},
	"SUP-022": {
		"title": "The document names the supplier",
		"severity": "low",
		"remedy": "Write the name that the passport has into metadata.supplier.name",
	},
	"SUP-023": {
		"title": "Names show as what they are",
		"severity": "high",
		"remedy": "Remove control characters and marks that change the direction of writing",
	},
	"SUP-024": {
		"title": "Names are what they look like",
		"severity": "high",
		"remedy": "Write the product as the passport has it; check a component whose name only looks like it",
	},
	"SUP-025": {
		"title": "No malware among the components",
		"severity": "critical",
		"remedy": "Remove the package, rotate the secrets of machines that installed it, and see the record that the message names",
	},
	"SUP-026": {
		"title": "The SBOM tells enough",
		"severity": "medium",
		"remedy": "Add what is missing: attestry sbom score FILE lists it; minimum_grade in the passport says how much is asked",
	},
	"SUP-027": {
		"title": "The document is newer than the one that stands",
		"severity": "medium",
		"remedy": "Send the current document; an older one is kept as history and replaces nothing",
	},
}
