# A build that passes, and ways to spoil it.
package attestry.lib.fixtures_test

import data.attestry.lib
import data.attestry.lib.purl

artifact := "1f148121b804b2d30f7b87856b0840eba32af90607328a5756802771f8dbff57"

lockfile := "cae0556b4ddfb4ba92984cfcd16e3d5624b9528e7eda289a66dfc7447d5cca91"

commit := "da39a3ee5e6b4b0d3255bfef95601890afd80709"

left := {
	"bom-ref": "left",
	"type": "library",
	"name": "left",
	"version": "1.0",
	"purl": "pkg:pypi/left@1.0",
}

good := indexed({
	"schema": "attestry.policy-input/v1",
	"time": "2026-11-22T18:15:12Z",
	"environment": "production",
	"project": "acme/hotpass",
	"build": {
		"project": "acme/hotpass",
		"kind": "release",
		"run": "1",
		"source": {"repository": "https://git.example/hotpass", "ref": "refs/heads/main", "commit": commit},
		"builder": {"id": "https://ci.example/builder"},
		"artifacts": [{"name": "hotpass.whl", "digest": concat("", ["sha256:", artifact]), "size": 5}],
		"parameters": {"run": "1"},
		"finished_at": "2026-11-22T18:00:00Z",
		"inputs": [{"path": "uv.lock", "digest": concat("", ["sha256:", lockfile]), "size": 5, "chunks": 1}],
	},
	"sbom": sbom([left]),
	"sbom_digest": concat("", ["sha256:", lockfile]),
	"sbom_comparison": null,
	"provenance": {
		"_type": "https://in-toto.io/Statement/v1",
		"subject": [{"name": "hotpass.whl", "digest": {"sha256": artifact}}],
		"predicateType": "https://slsa.dev/provenance/v1",
		"predicate": {
			"buildDefinition": {"buildType": "https://ci.example/type", "resolvedDependencies": [
				{"uri": "git+https://git.example/hotpass", "digest": {"gitCommit": commit}},
				{"name": "uv.lock", "digest": {"sha256": lockfile}},
			]},
			"runDetails": {"builder": {"id": "https://ci.example/builder"}},
		},
	},
	"signatures": [
		signature("https://slsa.dev/provenance/v1"),
		signature("https://in-toto.io/attestation/reference/v0.1"),
	],
	"findings": [],
	"finding_count": 0,
	"advisories": {"digest": concat("", ["sha256:", lockfile]), "records": 3, "kev": 2, "epss": 9},
	"quality": {
		"cisa": {"score": 100, "grade": "A", "met": true, "missing": []},
		"ntia": {"score": 100, "grade": "A", "met": true, "missing": []},
		"bsi": {"score": 60, "grade": "D", "met": false, "missing": ["Component hash (0 of 1)"]},
	},
	"previous": null,
	"difference": null,
	"suppliers": null,
	"config": {"allow_development_key": false},
})

# The input with an index of its SBOM, as the gate makes it.
indexed(document) := object.union(object.remove(document, ["index"]), {"index": index_of(document.sbom)})

index_of(sbom) := {
	"components": count(components),
	"sha256": {lower(hash.content): true |
		some component in array.concat([root], array.concat(parts, components))
		some hash in lib.list(component, "hashes")
		hash.alg == "SHA-256"
		is_string(hash.content)
	},
	"packages": packages_of(components),
	"lacking": {
		"name": [number | some number, component in components; not lib.has(component, "name")],
		"version": [number | some number, component in packages; not lib.has(component, "version"); not is_local(component)],
		"purl": [number | some number, component in packages; not startswith(lib.text(component, "purl"), "pkg:")],
		"sha256": [number | some number, component in files; not is_hashed(component)],
		"license": [],
	},
	"licenses": {},
	"repeated": sort({reference |
		reference := references[_]
		count([1 | some other in references; other == reference]) > 1
	}),
} if {
	is_object(sbom)
	components := lib.list(sbom, "components")
	root := lib.element([lib.value(lib.value(sbom, "metadata"), "component")], 0)
	parts := lib.list(root, "components")
	references := [component["bom-ref"] | some component in array.concat([root], components); is_string(component["bom-ref"])]
	packages := {number: component | some number, component in components; not component.type == "file"}
	files := {number: component | some number, component in components; component.type == "file"}
}

else := null

is_local(component) if {
	some property in lib.list(component, "properties")
	property.name == "attestry:package:source"
	property.value == "local"
}

is_hashed(component) if {
	some hash in lib.list(component, "hashes")
	hash.alg == "SHA-256"
}

sbom(components) := {
	"bomFormat": "CycloneDX",
	"specVersion": "1.6",
	"metadata": {
		"timestamp": "2026-11-22T18:05:00Z",
		"component": {
			"bom-ref": "root",
			"type": "application",
			"name": "hotpass",
			"version": "0.1.0",
			"components": [{"type": "file", "name": "hotpass.whl", "hashes": [{"alg": "SHA-256", "content": artifact}]}],
		},
	},
	"components": components,
}

signature(type) := {
	"predicate_type": type,
	"statement": concat("", ["sha256:", lockfile]),
	"verified": true,
	"key": "release@ci.example",
	"development_key": false,
}

# The good build with parts replaced: objects are merged, everything else is exchanged.
but(changes) := indexed(object.union(good, changes))

# The good build with other components.
listing(components) := but({"sbom": {"components": components}})

# The good build with SBOMs of its own, and how they compare with ours.
supplying(sboms, comparison) := but({
	"build": {"sboms": sboms},
	"sbom_comparison": comparison,
	"provenance": {"predicate": {"runDetails": {"byproducts": [{"digest": {"sha256": trim_prefix(own.digest, "sha256:")}} |
		some own in sboms
	]}}},
})

# The good build with other licences than none: by their texts, and the components that lack one.
licensed(licenses, lacking) := object.union(good, {"index": {"licenses": licenses, "lacking": {"license": lacking}}})

# Ids of findings.
ids(findings) := {finding.id | some finding in findings}

# A supplier's SBOM that passes.
supplied := listed({
	"schema": "attestry.supplier-input/v1",
	"time": "2026-11-22T18:15:12.5Z",
	"supplier": {
		"id": "acme",
		"name": "Acme Ltd",
		"namespaces": ["pkg:pypi/acme-widget", "pkg:npm/%40acme/"],
		"products": ["widget"],
		"formats": ["cyclonedx"],
		"spec_versions": ["1.5", "1.6"],
		"max_age_days": 365,
		"grades": null,
		"require_signature": true,
		"mode": "enforce",
		"vex": false,
		"tolerates": [],
	},
	"document": {
		"digest": concat("", ["sha256:", lockfile]),
		"size": 2048,
		"kind": "sbom",
		"format": "cyclonedx",
		"spec_version": "1.6",
		"serial": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
		"timestamp": "2026-11-21T09:00:00Z",
		"subject": {"name": "widget", "version": "1.0", "purl": "pkg:npm/%40acme/widget@1.0"},
		"declared_supplier": "Acme Ltd",
		"grade": null,
		"standing": null,
		"components": [{"ref": "left", "name": "left", "version": "1.0", "purl": "pkg:pypi/left@1.0"}],
		"statements": 0,
		"problems": [],
		"problem_count": 0,
	},
	"signature": {
		"present": true,
		"verified": true,
		"key": "release",
		"label": "acme release 2026",
		"development_key": false,
		"covers_document": true,
		"predicate_type": "https://cyclonedx.org/bom",
		"reason": null,
	},
})

# The input with an index of its components, as supplier-ingest makes it.
listed(document) := object.union(object.remove(document, ["index"]), {"index": {"packages": packages_of(lib.list(document.document, "components"))}})

packages_of(components) := {name: numbers |
	name := purl.package_of(components[_].purl)
	numbers := [number | some number, component in components; purl.package_of(component.purl) == name]
}

# The good document of a supplier with parts replaced.
supplied_but(changes) := listed(object.union(supplied, changes))
