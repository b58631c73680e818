package attestry.signatures_test

import data.attestry.lib.fixtures_test as fixtures
import data.attestry.signatures

denied := fixtures.ids(signatures.deny)

warned := fixtures.ids(signatures.warn)

provenance := fixtures.signature("https://slsa.dev/provenance/v1")

reference := fixtures.signature("https://in-toto.io/attestation/reference/v0.1")

signed(list) := fixtures.but({"signatures": list})

test_a_good_build_passes if {
	denied == set() with input as fixtures.good
	warned == set() with input as fixtures.good
}

test_unsigned_evidence_is_denied if {
	denied == {"SIG-001"} with input as signed([])
	denied == {"SIG-001"} with input as signed(null)
	denied == {"SIG-001"} with input as signed([provenance])
	denied == {"SIG-001"} with input as signed([reference])
}

test_a_signature_that_is_not_verified_is_denied if {
	spoilt := object.union(provenance, {"verified": false})
	denied == {"SIG-001", "SIG-002"} with input as signed([spoilt, reference])
	denied == {"SIG-002"} with input as signed([provenance, spoilt, reference])
	denied == {"SIG-002"} with input as signed([provenance, reference, {"development_key": false}])
}

said := {finding.message | some finding in signatures.deny}

test_a_signature_that_is_not_verified_says_why if {
	spoilt := object.union(provenance, {"verified": false, "reason": "nobody trusts it"})
	message := "a signature over a https://slsa.dev/provenance/v1 is not verified: nobody trusts it"
	message in said with input as signed([provenance, reference, spoilt])
}

developer := object.union(provenance, {"development_key": true})

test_a_development_key_is_denied if {
	denied == {"SIG-003"} with input as signed([developer, reference])
	warned == set() with input as signed([developer, reference])
}

test_a_key_that_does_not_say_what_it_is_is_denied if {
	silent := object.remove(provenance, ["development_key"])
	denied == {"SIG-003"} with input as signed([silent, reference])
}

test_an_allowed_development_key_is_warned_of if {
	allowed := object.union(signed([developer, reference]), {"config": {"allow_development_key": true}})
	denied == set() with input as allowed
	warned == {"SIG-003"} with input as allowed
}

logged(signature) := object.union(signature, {"logged": true, "proven_time": "2026-11-22T18:15:00Z"})

unlogged := signed([logged(provenance), reference])

test_a_signature_without_log_is_denied_where_it_must_be_logged if {
	denied == {"SIG-004"} with input as unlogged with data.logged_environments as ["production"]
	warned == set() with input as unlogged with data.logged_environments as ["production"]
	untimed := signed([logged(provenance), object.remove(logged(reference), ["proven_time"])])
	denied == {"SIG-004"} with input as untimed with data.logged_environments as ["release"]
	stamped := signed([logged(provenance), object.union(logged(reference), {"logged": false})])
	denied == {"SIG-004"} with input as stamped with data.logged_environments as ["release"]
}

test_release_is_another_word_for_production if {
	every environments in [["release"], ["production"], ["staging", "release"]] {
		every environment in ["release", "production"] {
			changed := object.union(unlogged, {"environment": environment})
			denied == {"SIG-004"} with input as changed with data.logged_environments as environments
			warned == set() with input as changed with data.logged_environments as environments
		}
	}
	warned == {"SIG-004"} with input as object.union(unlogged, {"environment": "staging"}) with data.logged_environments as ["release"]
}

test_elsewhere_it_is_warned_of if {
	denied == set() with input as unlogged with data.logged_environments as ["pr"]
	warned == {"SIG-004"} with input as unlogged with data.logged_environments as ["pr"]
}

test_logged_signatures_pass_and_nobody_else_is_asked if {
	both := signed([logged(provenance), logged(reference)])
	denied == set() with input as both with data.logged_environments as ["release"]
	warned == set() with input as both with data.logged_environments as ["release"]
	denied == set() with input as unlogged with data.logged_environments as []
	warned == set() with input as unlogged with data.logged_environments as []
}

test_data_of_another_form_asks_nothing_here if {
	denied == set() with input as unlogged with data.logged_environments as null
	warned == set() with input as unlogged with data.logged_environments as {"release": "release"}
}
