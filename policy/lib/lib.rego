# What the rules share.
package attestry.lib

# A finding of the rule `id`, which `rules` describes. The component is a purl or null.
finding(rules, id, message, component) := object.union(rules[id], {
	"id": id,
	"message": message,
	"component": component,
})

# A text that says something.
present(text) if {
	is_string(text)
	trim_space(text) != ""
}

# The text itself, or a stand-in where a document has none, so that no rule falls silent for
# want of a name to report.
shown(document, key, _) := document[key] if present(document[key])

shown(document, key, otherwise) := otherwise if not present(document[key])

# The digest as SBOMs and in-toto write it: hex digits without the algorithm.
hex(digest) := trim_prefix(digest, "sha256:")

# The hex digests of what the build made.
artifact_digests contains digest if {
	some artifact in input.build.artifacts
	digest := hex(artifact.digest)
}

day := 86400000000000

# A UTC time in nanoseconds, in which the engine can count until the year 2261.
nanoseconds(text) := time.parse_rfc3339_ns(text) if {
	is_string(text)
	regex.match(`^(19[7-9]|2[01][0-9]|22[0-5])[0-9]-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$`, text)
}
