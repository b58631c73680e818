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
