package attestry.lib.lib_test

import data.attestry.lib

test_times_are_seconds_since_1970 if {
	every text, seconds in {
		"1970-01-01T00:00:00Z": 0,
		"1972-02-29T12:30:00Z": 68214600,
		"1999-12-31T23:59:59Z": 946684799,
		"2000-02-29T00:00:01Z": 951782401,
		"2000-03-01T00:00:00Z": 951868800,
		"2024-12-31T00:00:00Z": 1735603200,
		"2026-01-31T05:06:07Z": 1769835967,
		"2026-11-30T01:22:28Z": 1796001748,
		"2100-02-28T00:00:00Z": 4107456000,
		"2100-03-01T00:00:00Z": 4107542400,
		"2299-12-31T23:59:59Z": 10413791999,
	} {
		lib.seconds(text) == seconds
	}
	lib.seconds("2026-11-30T01:22:28.987654321Z") == lib.seconds("2026-11-30T01:22:28Z")
}

no_time(text) if not lib.seconds(text)

test_what_is_no_time_has_no_seconds if {
	every text in [
		"2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-32T00:00:00Z",
		"2026-00-10T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-11-30T24:00:00Z",
		"2026-11-30T00:60:00Z", "2026-11-30T00:00:60Z", "2026-11-30T00:00:00+01:00", "2026-11-30", "1969-12-31T23:59:59Z",
		"2300-01-01T00:00:00Z", " 2026-11-30T00:00:00Z", "2026-11-30T00:00:00Zx", "", 5, null, [],
	] {
		no_time(text)
	}
}

test_what_is_there_is_found_and_what_is_not_has_its_stand_in if {
	document := {"text": "x", "empty": " ", "list": [1], "no": false, "null": null}
	lib.has(document, "text")
	not lib.has(document, "empty")
	not lib.has(document, "missing")
	not lib.has(5, "text")
	lib.value(document, "no") == false
	lib.value(document, "missing") == null
	lib.value("text", "text") == null
	lib.text(document, "text") == "x"
	lib.text(document, "list") == ""
	lib.text(document, "missing") == ""
	lib.list(document, "list") == [1]
	lib.list(document, "text") == []
	lib.list(document, "missing") == []
	lib.as_text("x") == "x"
	lib.as_text(5) == ""
	lib.shown(document, "missing", "otherwise") == "otherwise"
	lib.shown(document, "empty", "otherwise") == "otherwise"
	lib.shown(document, "text", "otherwise") == "x"
}

now := {"time": "2026-11-22T18:15:12Z"}

old(time, days) if not lib.is_recent(time, days)

test_what_is_recent_is_neither_old_nor_of_the_future if {
	lib.age("2026-11-22T18:15:10Z") == 2 with input as now
	every time in ["2026-11-22T18:15:12Z", "2026-11-21T18:15:12Z", "2026-11-22T19:15:12Z"] {
		lib.is_recent(time, 1) with input as now
		lib.is_recent(time, null) with input as now
	}
	lib.is_recent("2020-01-01T00:00:00Z", null) with input as now
	every time in ["2026-11-21T18:15:11Z", "2026-11-22T19:15:13Z", "yesterday", null] {
		old(time, 1) with input as now
	}
	every nothing in ["yesterday", null] {
		old("2026-11-22T18:15:12Z", 1) with input as {"time": nothing}
	}
	old("2026-11-22T19:15:13Z", null) with input as now
}

other(pattern, text) if not lib.fits(pattern, text)

test_patterns_stand_for_texts if {
	lib.fits("a", "a")
	lib.fits("a*", "a")
	lib.fits("a/*", "a/b/c")
	lib.fits("*", "a")
	other("a", "ab")
	other("a/*", "b/a")
	other("a/*", "a/../b")
	other("a*", "a..")
}

test_only_the_first_of_many_are_told if {
	lib.shortened([]) == ""
	lib.shortened(["a", "b", "c", "d", "e"]) == "a, b, c, d, e"
	lib.shortened(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d, e, …"
}

test_release_is_another_word_for_production if {
	lib.named("release") == "production"
	lib.named("staging") == "staging"
	lib.environment == "production" with input as {"environment": "release"}
	lib.environment == "pr" with input as {"environment": "pr"}
	lib.environment == null with input as {}
}

rules := {"A-001": {"title": "a"}, "INPUT-001": {"title": "b"}, "VULN-005": {"title": "c"}, "VULN-0051": {"title": "d"}}

test_findings_say_from_when_on_they_count if {
	finding := {"id": "A-001", "title": "a", "message": "m", "component": null}
	time := "2027-01-01T00:00:00Z"
	lib.finding(rules, "A-001", "m", null) == finding
	lib.finding(rules, "A-001", "m", null) == object.union(finding, {"effective_on": time}) with data.effective_on as {"A-001": time}
	every nothing in [{}, null, {"A-002": time}, {"A-001": "soon"}, {"A-001": null}] {
		lib.finding(rules, "A-001", "m", null) == finding with data.effective_on as nothing
	}
	lib.finding(rules, "VULN-0051", "m", null).effective_on == time with data.effective_on as {"VULN-0051": time}
}

test_what_cannot_be_judged_and_malware_are_not_put_off if {
	time := "2027-01-01T00:00:00Z"
	lib.finding(rules, "INPUT-001", "m", null) == {"id": "INPUT-001", "title": "b", "message": "m", "component": null} with data.effective_on as {"INPUT-001": time}
	lib.finding(rules, "VULN-005", "m", null) == {"id": "VULN-005", "title": "c", "message": "m", "component": null} with data.effective_on as {"VULN-005": time}
}
