# The evidence is signed, by someone who may.
package attestry.signatures

import data.attestry.lib

rules := {
	"SIG-001": {
		"title": "Required evidence is signed",
		"severity": "critical",
		"remedy": "Let the signer sign the statement and submit its bundle with the evidence",
	},
	"SIG-002": {
		"title": "Every signature is valid",
		"severity": "critical",
		"remedy": "Find out who signed this statement; sign it again with a trusted identity",
	},
	"SIG-003": {
		"title": "No development keys",
		"severity": "high",
		"remedy": "Sign with the production identity, or allow development keys in the gate's configuration for a trial",
	},
	"SIG-004": {
		"title": "Signatures are logged, with a proven time",
		"severity": "high",
		"remedy": "Wait until Sigstore is back and build again, or take the environment out of logged_environments in data.json",
	},
}

# Here and not in data.json, so that no empty list can take the requirement away.
required := {
	"https://slsa.dev/provenance/v1": "provenance",
	"https://in-toto.io/attestation/reference/v0.1": "reference to the SBOM",
}

# What is missing reads as empty here; the rule that asks for it says so.
signatures := input.signatures if is_array(input.signatures)

else := []

verified contains type if {
	some signature in signatures
	signature.verified == true
	type := signature.predicate_type
}

deny contains finding if {
	some type, title in required
	not type in verified
	message := sprintf("the %s (%s) has no verified signature", [title, type])
	finding := lib.finding(rules, "SIG-001", message, null)
}

deny contains finding if {
	some signature in signatures
	not signature.verified == true
	message := sprintf("a signature over a %s is not verified: %s", [
		lib.shown(signature, "predicate_type", "statement without a type"),
		lib.shown(signature, "reason", "no reason given"),
	])
	finding := lib.finding(rules, "SIG-002", message, null)
}

# Whatever does not say that it is no development key is one.
by_development_key contains signature if {
	some signature in signatures
	not signature.development_key == false
}

development_key_message(signature) := sprintf("the statement %s is signed with a development key (%s)", [
	lib.shown(signature, "predicate_type", "without a type"),
	lib.shown(signature, "key", "without a hint"),
])

deny contains finding if {
	some signature in by_development_key
	not development_keys_allowed
	finding := lib.finding(rules, "SIG-003", development_key_message(signature), null)
}

warn contains finding if {
	some signature in by_development_key
	development_keys_allowed
	finding := lib.finding(rules, "SIG-003", development_key_message(signature), null)
}

development_keys_allowed if input.config.allow_development_key == true

logged_environments := {lib.named(it) | some it in data.logged_environments} if is_array(data.logged_environments)

else := set()

# A key that stands in while Sigstore is away signs without log and time.
pending contains signature if {
	count(logged_environments) > 0
	some signature in signatures
	not is_logged(signature)
}

is_logged(signature) if {
	signature.logged == true
	lib.present(signature.proven_time)
}

pending_message(signature) := sprintf("the signature over a %s by %s is in no log, or has no proven time", [
	lib.shown(signature, "predicate_type", "statement without a type"),
	lib.shown(signature, "label", "somebody without a name"),
])

deny contains finding if {
	some signature in pending
	lib.environment in logged_environments
	finding := lib.finding(rules, "SIG-004", pending_message(signature), null)
}

warn contains finding if {
	some signature in pending
	not lib.environment in logged_environments
	finding := lib.finding(rules, "SIG-004", pending_message(signature), null)
}
