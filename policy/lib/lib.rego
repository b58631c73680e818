# What the rules share.
package attestry.lib

# A finding of the rule `id`, which `rules` describes. The component is a purl or null.
finding(rules, id, message, component) := object.union(object.union(rules[id], put_off(id)), {
	"id": id,
	"message": message,
	"component": component,
})

# From when on the rule stops builds, where data.json says so. A date that is none puts nothing off.
put_off(id) := {"effective_on": data.effective_on[id]} if {
	can_wait(id)
	seconds(data.effective_on[id])
} else := {}

# What cannot be judged, and malware, stop a build at once.
can_wait(id) if not regex.match(`^(INPUT-|VULN-005$)`, id)

# A text that says something.
present(text) if {
	is_string(text)
	trim_space(text) != ""
}

# Parts of the input that everybody asks for, or null. (`input` itself is no argument of a function everywhere.) By
# `else`, not by `default`: see lib/settings.rego.
project := it if it := input.project

else := null

environment := it if it := named(input.environment)

else := null

# What documents and data of before call release is production.
named(name) := "production" if name == "release"

else := name

judged_at := it if it := input.time

else := null

# What the gate found when it looked through the SBOM once, so that no rule does it again.
index := input.index if is_object(input.index)

else := {}

# Rego ends a rule quietly where the argument of a function is undefined, behind `not` as well. What may be missing is
# therefore asked for by document and key, which are always there.

# Whether the document has a text there that says something.
has(document, key) if present(document[key])

# The text itself, or a stand-in where a document has none, so that no rule falls silent for
# want of a name to report.
shown(document, key, _) := document[key] if has(document, key)

shown(document, key, otherwise) := otherwise if not has(document, key)

# Whatever is there, or null.
value(document, key) := found if {
	found := document[key]
}

else := null

# A text, or an empty one.
as_text(value) := value if is_string(value)

else := ""

# The text that is there, or an empty one: functions of texts take nothing else.
text(document, key) := document[key] if is_string(document[key])

else := ""

# The list that is there, or an empty one.
list(document, key) := document[key] if is_array(document[key])

else := []

# The digest as SBOMs and in-toto write it: hex digits without the algorithm.
hex(digest) := trim_prefix(digest, "sha256:")

# The hex digests of what the build made.
artifact_digests contains digest if {
	some artifact in list(input.build, "artifacts")
	is_string(artifact.digest)
	digest := hex(artifact.digest)
}

# The object at this place of a list, or under this key, or an empty one.
element(list, number) := list[number] if is_object(list[number])

else := {}

day := 86400

# How many seconds ago that was when the input was judged; nothing where either is no time.
age(time) := seconds(judged_at) - seconds(time)

# Not in the future, but for clocks that differ, and within the days, if a number of them is given.
is_recent(time, days) if {
	age(time) >= -3600
	is_young(age(time), days)
}

is_young(age, days) := age <= days * day if is_number(days)

else := true

# The first of many, to be told.
shortened(texts) := concat(", ", array.concat(array.slice(texts, 0, 5), ["…" | count(texts) > 5]))

# Whether a pattern stands for the text: the text itself, or how it begins, with `*` behind.
fits(pattern, text) if pattern == text

fits(pattern, text) if {
	endswith(pattern, "*")
	startswith(text, trim_suffix(pattern, "*"))
	not contains(text, "..")
}

# Seconds since 1970 of a UTC time (RFC 3339), parts of a second left out; nothing for anything else. In Rego, because
# not every engine has a builtin for it, and the builtin ends the whole judgement at a date that there is not.
seconds(text) := (((((days_before_year(year) + days_before_month(year, month)) + date) - 1) * 24 + hour) * 60 + minute) * 60 + second if {
	is_string(text)
	regex.match(`^(19[7-9]|2[01][0-9]|22[0-9])[0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$`, text)
	year := (digits(text, 0) * 100) + digits(text, 2)
	month := digits(text, 5)
	date := digits(text, 8)
	hour := digits(text, 11)
	minute := digits(text, 14)
	second := digits(text, 17)
	date > 0
	date <= days_in_month(year, month)
	hour < 24
	minute < 60
	second < 60
}

# Two digits; a number that begins with 0 is none everywhere.
digits(text, at) := to_number(concat("", ["1", substring(text, at, 2)])) - 100

days_before_year(year) := ((365 * (year - 1970)) + leap_years(year - 1)) - leap_years(1969)

leap_years(year) := (floor(year / 4) - floor(year / 100)) + floor(year / 400)

leap_day(year) := leap_years(year) - leap_years(year - 1)

months := [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

days_in_month(year, 2) := 28 + leap_day(year)

days_in_month(_, month) := months[month - 1] if month != 2

days_before_month(year, month) := sum(array.slice(months, 0, month - 1)) + (leap_day(year) * after_february(month))

after_february(month) := 1 if month > 2

else := 0
