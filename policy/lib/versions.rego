# Which of two versions is the later one.
package attestry.lib.versions

# Versions are compared by the numbers that they begin with, as texts: numbers may be longer than an engine can count.
numbers(version) := [trim_left(part, "0") | some part in split(leading(version), ".")] if is_comparable(version)

is_comparable(version) if regex.match(`^[0-9]`, plain(version))

plain(version) := trim_prefix(lower(trim_space(version)), "v")

# What follows the numbers: `rc1` of 4.0rc1, `-beta` of 4.0-beta.
suffix(version) := trim_left(plain(version), "0123456789.")

leading(version) := trim_suffix(trim_suffix(plain(version), suffix(version)), ".")

# Whether a version is the floor or above it. Of two suffixes of one kind, nobody can tell which is the later.
reaches(version, floor) if first_difference(version, floor) > 0

reaches(version, floor) if {
	first_difference(version, floor) == 0
	suffix(version) == suffix(floor)
}

reaches(version, floor) if {
	first_difference(version, floor) == 0
	[stage(version), stage(floor)] in {["release", "before"], ["after", "before"], ["release", "release"], ["after", "release"]}
}

# A release may be marked as one, as built from something, or for some platform; what is not known comes before it.
stage(version) := "release" if regex.match(`^([+].*|[-._]?(android|final|ga|jre|release)[-._]?[0-9]*|)$`, suffix(version))

else := "after" if regex.match(`^[-._]?post[-._]?[0-9]*$`, suffix(version))

else := "before"

# 1 where the first number that differs is greater than the floor's, -1 where it is less, 0 where all are equal.
first_difference(version, floor) := array.concat(differences, [0])[0] if {
	ours := numbers(version)
	theirs := numbers(floor)
	places := array.concat(ours, theirs)
	differences := [it | places[place]; it := compared(at(ours, place), at(theirs, place)); it != 0]
}

# What is not there is 0, and that is written as nothing.
at(list, place) := list[place] if place < count(list)

else := ""

compared(number, other) := 0 if number == other

else := 1 if is_longer(number, other)

else := 1 if {
	count(number) == count(other)
	number > other
}

else := -1

is_longer(number, other) if count(number) > count(other)
