# An SBOM is there, describes what it should, and holds nothing that must not be shipped.
#
# A build is judged by `deny`. A supplier's document, SBOM or VEX, is judged by `supplier`, which
# refuses it, and by `supplier_warn`: the supplier trust policy. Neither set sees the other's input.
package attestry.sbom

import data.attestry.lib
import data.attestry.lib.purl

# What is missing or of another type reads as empty here; the rules that ask for it say so.
root := input.sbom.metadata.component if is_object(input.sbom.metadata.component)

else := {}

components := input.sbom.components if is_array(input.sbom.components)

else := []

# Numbers of components that lack something, as the index has them.
default lacking := {}

lacking := lib.index.lacking if is_object(lib.index.lacking)

purl_of(component) := component.purl if is_string(component.purl)

else := null

project_names contains name if name := input.project

# A project may be named with its owner: acme/hotpass.
project_names contains last if {
	parts := split(lib.as_text(lib.project), "/")
	last := parts[count(parts) - 1]
}

deny contains finding if {
	not input.sbom.bomFormat == "CycloneDX"
	finding := lib.finding(rules, "SBOM-001", "the build has no CycloneDX SBOM", null)
}

deny contains finding if {
	not lib.value(root, "name") in project_names
	name := lib.shown(root, "name", "missing")
	message := sprintf("the root component is %s, the project %s", [name, lib.shown({"project": lib.project}, "project", "missing")])
	finding := lib.finding(rules, "SBOM-002", message, null)
}

deny contains finding if {
	count(components) == 0
	finding := lib.finding(rules, "SBOM-003", "the SBOM lists no component", null)
}

# Artifacts may be listed as the root, as parts of it, or among the components.
deny contains finding if {
	some artifact in lib.list(input.build, "artifacts")
	not lib.value(lib.value(lib.index, "sha256"), lib.hex(lib.text(artifact, "digest"))) == true
	message := sprintf("artifact %s (%s) is not in the SBOM", [lib.shown(artifact, "name", "unnamed"), lib.shown(artifact, "digest", "no digest")])
	finding := lib.finding(rules, "SBOM-004", message, null)
}

deny contains finding if {
	some number in lib.list(lacking, "name")
	message := sprintf("component %d has no name", [number])
	finding := lib.finding(rules, "SBOM-005", message, purl_of(lib.element(components, number)))
}

# A member of a workspace may have no version: nothing but the project itself depends on it. The index leaves it out.
deny contains finding if {
	some number in lib.list(lacking, "version")
	component := lib.element(components, number)
	message := sprintf("component %d, %s, has no version", [number, lib.shown(component, "name", "unnamed")])
	finding := lib.finding(rules, "SBOM-005", message, purl_of(component))
}

# Files are known by their digest, everything else by its package URL.
deny contains finding if {
	some number in lib.list(lacking, "purl")
	message := sprintf("component %d, %s, has no purl", [number, lib.shown(lib.element(components, number), "name", "unnamed")])
	finding := lib.finding(rules, "SBOM-006", message, null)
}

deny contains finding if {
	some name, ban in purl.banned
	some number in lib.list(lib.value(lib.index, "packages"), name)
	component := lib.element(components, number)
	purl.is_banned(ban, component)
	message := sprintf("%s is banned: %s", [component.purl, lib.shown(ban, "reason", "no reason given")])
	finding := lib.finding(rules, "SBOM-007", message, component.purl)
}

deny contains finding if {
	some reference in lib.list(lib.index, "repeated")
	message := sprintf("the bom-ref %s stands for more than one component", [reference])
	finding := lib.finding(rules, "SBOM-008", message, null)
}

deny contains finding if {
	some number in lib.list(lacking, "sha256")
	message := sprintf("file %d, %s, has no SHA-256", [number, lib.shown(lib.element(components, number), "name", "unnamed")])
	finding := lib.finding(rules, "SBOM-009", message, null)
}

# The supplier trust policy. `passport` is what was agreed with the supplier: what may come, about
# which products, signed or not. What is missing reads as empty; the rules that ask for it say so.
default passport := {}

passport := input.supplier

default document := {}

document := input.document

default subject := {}

subject := input.document.subject

default signature := {}

signature := input.signature

products := passport.products if is_array(passport.products)

else := []

namespaces := passport.namespaces if is_array(passport.namespaces)

else := []

# A finding at `field`: a JSON pointer into the document, or the path of a field of the input.
found(id, message, component, field) := object.union(
	lib.finding(rules, id, message, component),
	{"field": field},
)

supplier contains finding if {
	not input.schema == "attestry.supplier-input/v1"
	finding := found("SUP-001", "the input is not an attestry.supplier-input/v1", null, "schema")
}

supplier contains finding if {
	not lib.value(document, "kind") in {"sbom", "vex"}
	finding := found("SUP-001", "the document is neither an SBOM nor VEX", null, "document.kind")
}

supplier contains finding if {
	parts := {"supplier": passport, "document": document}
	some [part, name] in [
		["supplier", "namespaces"],
		["supplier", "products"],
		["document", "components"],
		["document", "problems"],
	]
	not is_array(lib.value(parts[part], name))
	field := concat(".", [part, name])
	finding := found("SUP-001", sprintf("%s is not a list", [field]), null, field)
}

# Without it banned components would pass unseen.
supplier contains finding if {
	not is_object(lib.value(lib.index, "packages"))
	finding := found("SUP-001", "index.packages is not an object", null, "index.packages")
}

supplier contains finding if {
	not is_number(lib.value(passport, "max_age_days"))
	finding := found("SUP-001", "max_age_days is not a number", null, "supplier.max_age_days")
}

supplier contains finding if {
	not lib.seconds(lib.judged_at)
	finding := found("SUP-001", "the input does not say when it is judged", null, "time")
}

has_banned_components if is_object(data.banned_components)

supplier contains finding if {
	not has_banned_components
	finding := found("SUP-001", "data.json has no object banned_components", null, "data.banned_components")
}

# Whatever does not say that it has no signature is checked as one.
signed if not signature.present == false

supplier contains finding if {
	not signed
	not passport.require_signature == false
	finding := found("SUP-002", "the document came without a signature", null, "signature.present")
}

supplier_warn contains finding if {
	not signed
	passport.require_signature == false
	finding := found("SUP-002", "the document came without a signature, as the passport allows", null, "signature.present")
}

supplier contains finding if {
	signed
	not signature.verified == true
	message := sprintf("the signature is not verified: %s", [lib.shown(signature, "reason", "no reason given")])
	finding := found("SUP-003", message, null, "signature.verified")
}

supplier contains finding if {
	signature.verified == true
	not signature.covers_document == true
	message := sprintf("the signed statement does not name %s", [lib.shown(document, "digest", "the document")])
	finding := found("SUP-004", message, null, "signature.covers_document")
}

# Whatever does not say that it is no development key is one.
by_development_key if {
	signed
	not signature.development_key == false
}

development_key_allowed if data.development_key_suppliers[passport.id]

development_key_message := sprintf("the document is signed with a development key (%s)", [lib.shown(signature, "key", "without a hint")])

supplier contains finding if {
	by_development_key
	not development_key_allowed
	finding := found("SUP-005", development_key_message, null, "signature.development_key")
}

supplier_warn contains finding if {
	by_development_key
	development_key_allowed
	finding := found("SUP-005", development_key_message, null, "signature.development_key")
}

supplier contains finding if {
	not lib.value(document, "format") in lib.list(passport, "formats")
	message := sprintf("the format is %s", [lib.shown(document, "format", "unknown")])
	finding := found("SUP-006", message, null, "document.format")
}

# Of the other formats every version that can be read may be sent.
supplier contains finding if {
	document.format == "cyclonedx"
	not lib.value(document, "spec_version") in lib.list(passport, "spec_versions")
	message := sprintf("the version of the format is %s", [lib.shown(document, "spec_version", "unknown")])
	finding := found("SUP-006", message, null, "document.spec_version")
}

supplier contains finding if {
	document.kind == "sbom"
	some key in ["name", "version"]
	not lib.has(subject, key)
	message := sprintf("the SBOM does not tell the %s of what it is about", [key])
	finding := found("SUP-007", message, null, concat("/", ["/metadata/component", key]))
}

# An empty list of products or namespaces allows all. Third parties' components are not asked.
supplier contains finding if {
	count(products) > 0
	lib.present(subject.name)
	not subject.name in products
	message := sprintf("%s is no product of %s", [subject.name, lib.shown(passport, "id", "the supplier")])
	finding := found("SUP-008", message, null, "/metadata/component/name")
}

supplier contains finding if {
	count(namespaces) > 0
	lib.present(subject.purl)
	not within_namespaces(subject.purl)
	message := sprintf("%s is in no namespace of %s", [subject.purl, lib.shown(passport, "id", "the supplier")])
	finding := found("SUP-009", message, subject.purl, "/metadata/component/purl")
}

# Without a purl the name alone tells whose product it is, if the passport lists it.
supplier contains finding if {
	named_only
	not subject.name in products
	message := sprintf("%s has no purl that shows whose product it is", [subject.name])
	finding := found("SUP-009", message, null, "/metadata/component/purl")
}

supplier_warn contains finding if {
	named_only
	subject.name in products
	message := sprintf("%s has no purl; its name alone is in the passport", [subject.name])
	finding := found("SUP-009", message, null, "/metadata/component/purl")
}

named_only if {
	count(namespaces) > 0
	lib.present(subject.name)
	not lib.has(subject, "purl")
}

within_namespaces(name) if {
	some namespace in namespaces
	startswith(concat("", [purl.package_of(name), "/"]), purl.prefix(namespace))
}

supplier contains finding if {
	not lib.seconds(lib.value(document, "timestamp"))
	message := sprintf("the timestamp of the document is %s", [lib.shown(document, "timestamp", "missing")])
	finding := found("SUP-010", message, null, "document.timestamp")
}

supplier contains finding if {
	lib.seconds(document.timestamp) > lib.seconds(input.time) + lib.day
	message := sprintf("the document is dated %s; today is %s", [document.timestamp, input.time])
	finding := found("SUP-010", message, null, "document.timestamp")
}

supplier contains finding if {
	is_number(passport.max_age_days)
	age := lib.seconds(input.time) - lib.seconds(document.timestamp)
	age > passport.max_age_days * lib.day
	message := sprintf("the document is of %s; it may be %v days old", [document.timestamp, passport.max_age_days])
	finding := found("SUP-011", message, null, "document.timestamp")
}

supplier contains finding if {
	document.kind == "sbom"
	count(lib.list(document, "components")) == 0
	finding := found("SUP-012", "the SBOM lists no component", null, "/components")
}

# What the reader of the document found, by the codes that it has for it.
refused_problems := {
	"dependency-cycle": "SUP-014",
	"self-dependency": "SUP-014",
	"dangling-reference": "SUP-015",
	"duplicate-bom-ref": "SUP-016",
	"invalid-purl": "SUP-017",
	"purl-bomb": "SUP-017",
	"control-character": "SUP-023",
	"look-alike-product": "SUP-024",
	"malicious-package": "SUP-025",
}

noted_problems := {
	"component-without-identity": "SUP-013",
	"component-without-name": "SUP-013",
	"component-without-version": "SUP-013",
	"non-canonical-purl": "SUP-017",
	"look-alike-component": "SUP-024",
}

# What a passport may let pass; the other problems hide something from a reader.
tolerable := {
	"dependency-cycle",
	"self-dependency",
	"dangling-reference",
	"duplicate-bom-ref",
	"invalid-purl",
}

is_tolerated(code) if {
	code in tolerable
	is_array(passport.tolerates)
	code in passport.tolerates
}

supplier contains finding if {
	some problem in lib.list(document, "problems")
	id := refused_problems[problem.code]
	not is_tolerated(problem.code)
	message := sprintf("%s: %s", [problem.code, lib.shown(problem, "message", "no message")])
	finding := found(id, message, null, lib.shown(problem, "pointer", "document.problems"))
}

supplier_warn contains finding if {
	some problem in lib.list(document, "problems")
	id := refused_problems[problem.code]
	is_tolerated(problem.code)
	message := sprintf("%s (%s, which the passport tolerates)", [lib.shown(problem, "message", "a problem without a message"), problem.code])
	finding := found(id, message, null, lib.shown(problem, "pointer", "document.problems"))
}

supplier_warn contains finding if {
	some problem in lib.list(document, "problems")
	not refused_problems[lib.text(problem, "code")]
	id := object.get(noted_problems, lib.text(problem, "code"), "SUP-018")
	message := lib.shown(problem, "message", "a problem without a message")
	finding := found(id, message, null, lib.shown(problem, "pointer", "document.problems"))
}

supplier_warn contains finding if {
	is_number(document.problem_count)
	more := document.problem_count - count(lib.list(document, "problems"))
	more > 0
	message := sprintf("%v more problems of the kinds that are listed", [more])
	finding := found("SUP-018", message, null, "document.problem_count")
}

supplier contains finding if {
	makes_statements
	not passport.vex == true
	message := sprintf("%s may make no VEX statements", [lib.shown(passport, "id", "the supplier")])
	finding := found("SUP-019", message, null, "supplier.vex")
}

makes_statements if document.kind == "vex"

# An SBOM can hold statements, too.
makes_statements if not document.statements == 0

states_something if document.statements > 0

supplier contains finding if {
	document.kind == "vex"
	not states_something
	finding := found("SUP-020", "the VEX document makes no statement", null, "document.statements")
}

supplier contains finding if {
	some name, ban in purl.banned
	some number in lib.list(lib.value(lib.index, "packages"), name)
	component := lib.element(lib.list(document, "components"), number)
	purl.is_banned(ban, component)
	message := sprintf("%s is banned: %s", [component.purl, lib.shown(ban, "reason", "no reason given")])
	finding := found("SUP-021", message, component.purl, sprintf("document.components[%d]", [number]))
}

supplier_warn contains finding if {
	lib.present(document.declared_supplier)
	not lower(trim_space(document.declared_supplier)) == lower(trim_space(lib.shown(passport, "name", "")))
	message := sprintf("the document names %s as the supplier, the passport %s", [document.declared_supplier, lib.shown(passport, "name", "nobody")])
	finding := found("SUP-022", message, null, "/metadata/supplier/name")
}

# Grades that are good enough, if the passport asks for any: what cannot be graded is none of them.
supplier contains finding if {
	document.kind == "sbom"
	is_array(passport.grades)
	not lib.value(lib.value(document, "grade"), "grade") in passport.grades
	grade := lib.shown(lib.value(document, "grade"), "grade", "missing")
	asked := concat(", ", [it | some it in passport.grades; is_string(it)])
	message := sprintf("the grade of the SBOM is %s; the passport asks for %s", [grade, asked])
	finding := found("SUP-026", message, null, "document.grade")
}

# It is kept, and does not replace the one that stands.
supplier_warn contains finding if {
	stands := lib.value(document, "standing")
	lib.seconds(lib.value(stands, "timestamp")) > lib.seconds(document.timestamp)
	message := sprintf("an SBOM of this product of %s was accepted before; this one is of %s", [stands.timestamp, document.timestamp])
	finding := found("SUP-027", message, null, "document.timestamp")
}
