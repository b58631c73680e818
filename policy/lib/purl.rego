# Package URLs, lists by them, and the list of those that are banned.
package attestry.lib.purl

# Without qualifiers and subpath; the `@` of an npm scope as it is.
bare(purl) := replace(lower(split(split(purl, "?")[0], "#")[0]), "%40", "@") if is_string(purl)

# Without the version, too. The `@` of a scope is followed by `/`.
package_of(purl) := concat("@", array.slice(parts, 0, count(parts) - 1)) if {
	parts := split(bare(purl), "@")
	not contains(parts[count(parts) - 1], "/")
} else := bare(purl)

# A list by package, in which the `@` of a scope may be written either way.
by_package(list) := {bare(name): entry | some name, entry in list}

# How packages of a namespace begin, where `/` is written behind them: a namespace ends where a name ends, so that
# pkg:npm/acme holds pkg:npm/acme/x, not pkg:npm/acme-x.
prefix(namespace) := concat("", [trim_suffix(bare(namespace), "/"), "/"])

banned := by_package(data.banned_components) if is_object(data.banned_components)

# Without a list of versions, all are banned.
is_banned(ban, _) if not ban.versions

is_banned(ban, component) if component.version in ban.versions

is_banned(ban, component) if {
	some version in ban.versions
	endswith(bare(component.purl), concat("", ["@", version]))
}
