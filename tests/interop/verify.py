"""Reads the statements of a dist directory with in-toto's own Python types, and fails on any mismatch.

usage: python verify.py DIST            (pip install in-toto-attestation==0.9.3)

Signatures are not its business: verify.mjs and openssl check those.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.predicates.vsa.v1.vsa_pb2 import VerificationSummary
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.resource_descriptor_pb2 import ResourceDescriptor as ResourceDescriptorProto
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementProto

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD = "application/vnd.in-toto+json"
PROVENANCE = "https://slsa.dev/provenance/v1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
REFERENCE = "https://in-toto.io/attestation/reference/v0.1"


class Mismatch(Exception):
    """What does not fit, for people."""


def require(condition, message):
    if not condition:
        raise Mismatch(message)


def unique(pairs):
    """A JSON object, unless a key comes twice: json.loads alone would keep the last one."""
    require(len(dict(pairs)) == len(pairs), f"duplicate key among {[key for key, _ in pairs]}")
    return dict(pairs)


def loads(text):
    return json.loads(text, object_pairs_hook=unique)


def bundles(dist):
    """Every bundle below `dist`, by path; files that are no bundle are somebody else's."""
    for path in sorted(dist.rglob("*")):
        if not path.is_file():
            continue
        for number, line in enumerate(documents(path), 1):
            if isinstance(line, dict) and "dsseEnvelope" in line:
                yield f"{path.relative_to(dist)}:{number}", line


def documents(path):
    """The JSON documents in a file: one, or one per line."""
    text = path.read_bytes()
    try:
        return [loads(text)]
    except (ValueError, UnicodeDecodeError):
        if path.suffix != ".jsonl":
            return []
        return [loads(line) for line in text.splitlines() if line.strip()]


def statement_of(bundle):
    require(bundle["mediaType"] == BUNDLE, f"mediaType is {bundle['mediaType']}")
    envelope = bundle["dsseEnvelope"]
    require(envelope["payloadType"] == PAYLOAD, f"payloadType is {envelope['payloadType']}")
    require(len(envelope["signatures"]) == 1, f"{len(envelope['signatures'])} signatures")
    payload = base64.b64decode(envelope["payload"], validate=True)
    # ParseDict refuses fields that the types do not know.
    proto = json_format.ParseDict(loads(payload), StatementProto())
    Statement.copy_from_pb(proto).validate()
    for subject in proto.subject:
        hex_digest(subject.digest)
    return proto, loads(payload)["predicate"]


def hex_digest(digest):
    value = digest.get("sha256", "") if isinstance(digest, dict) else digest["sha256"]
    require(len(value) == 64 and set(value) <= set("0123456789abcdef"), f"sha256 is {value!r}")
    return value


def check_provenance(predicate, files):
    provenance = json_format.ParseDict(predicate, Provenance())
    definition, run = provenance.build_definition, provenance.run_details
    require(definition.build_type, "buildDefinition.buildType is empty")
    require(definition.HasField("external_parameters"), "buildDefinition.externalParameters is missing")
    require(run.builder.id, "runDetails.builder.id is empty")
    require(all(run.builder.version.values()), "runDetails.builder.version has an empty version")
    for dependency in [*definition.resolved_dependencies, *run.byproducts]:
        ResourceDescriptor.copy_from_pb(dependency).validate()
        # Of a source without a commit nothing else is known.
        pinned = dependency.digest or dependency.uri.startswith("git+")
        require(pinned, f"{dependency.uri or dependency.name} has no digest")
    if definition.HasField("internal_parameters"):
        texts = json_format.MessageToDict(definition.internal_parameters)
        require(all(isinstance(text, str) and text for text in texts.values()), f"internalParameters are {texts}")
    for byproduct in run.byproducts:
        digest = hex_digest(byproduct.digest)
        # What tells of an artifact's contents stays with the builder.
        known = digest in files or byproduct.name.endswith(".inventory.json")
        require(known, f"no file of the directory is the byproduct {byproduct.name}")
    started, finished = run.metadata.started_on, run.metadata.finished_on
    if run.metadata.HasField("started_on") and run.metadata.HasField("finished_on"):
        require(started.ToNanoseconds() <= finished.ToNanoseconds(), "the build finished before it started")
    counts = f"{len(definition.resolved_dependencies)} dependencies, {len(run.byproducts)} byproducts"
    return f"{definition.build_type}, {counts}"


def check_summary(predicate, _files):
    # in-toto-attestation 0.9.3 has verifiedLevels as one string and no verifier.version, unlike SLSA v1.1 and its own
    # specification, so these two are checked by hand; all else must be known to it.
    predicate = json.loads(json.dumps(predicate))
    levels = predicate.pop("verifiedLevels", None)
    require(isinstance(levels, list) and all(isinstance(level, str) for level in levels), "verifiedLevels is no list")
    version = predicate["verifier"].pop("version", {})
    json_format.ParseDict(version, Struct())
    require(all(isinstance(value, str) for value in version.values()), "verifier.version is no map of strings")
    summary = json_format.ParseDict(predicate, VerificationSummary())
    require(summary.verifier.id, "verifier.id is empty")
    require(summary.HasField("time_verified"), "timeVerified is missing")
    require(summary.resource_uri, "resourceUri is empty")
    require(summary.policy.uri, "policy.uri is empty")
    hex_digest(dict(summary.policy.digest))
    require(summary.verification_result in ("PASSED", "FAILED"), f"verificationResult is {summary.verification_result}")
    for attestation in summary.input_attestations:
        hex_digest(dict(attestation.digest))
    return f"{summary.verification_result}, {len(summary.input_attestations)} input attestations"


def check_reference(predicate, files):
    # The package has no type for this predicate; its parts it knows.
    require(set(predicate) == {"attester", "references"}, f"fields are {sorted(predicate)}")
    require(set(predicate["attester"]) == {"id"} and predicate["attester"]["id"], "attester.id is missing")
    require(predicate["references"], "references is empty")
    for reference in predicate["references"]:
        proto = json_format.ParseDict(reference, ResourceDescriptorProto())
        ResourceDescriptor.copy_from_pb(proto).validate()
        require(proto.download_location, "downloadLocation is missing")
        require(proto.media_type, "mediaType is missing")
        digest = hex_digest(dict(proto.digest))
        require(digest in files, f"no file of the directory has the referenced digest sha256:{digest}")
    return ", ".join(files[hex_digest(reference["digest"])] for reference in predicate["references"])


CHECKS = {PROVENANCE: check_provenance, SUMMARY: check_summary, REFERENCE: check_reference}


def main(dist):
    files = {
        hashlib.sha256(path.read_bytes()).hexdigest(): str(path.relative_to(dist))
        for path in sorted(dist.rglob("*"))
        if path.is_file()
    }
    seen, subjects = {}, set()
    for name, bundle in bundles(dist):
        try:
            statement, predicate = statement_of(bundle)
            check = CHECKS.get(statement.predicate_type)
            require(check, f"predicateType {statement.predicate_type} is not expected here")
            said = check(predicate, files)
        except (Mismatch, KeyError, ValueError, TypeError, json_format.ParseError) as error:
            sys.exit(f"{name}: {type(error).__name__}: {error}")
        seen[statement.predicate_type] = name
        subjects.add(frozenset(subject.digest["sha256"] for subject in statement.subject))
        print(f"{name}: {statement.predicate_type}: {said}")
    for predicate_type in CHECKS:
        if predicate_type not in seen:
            sys.exit(f"{dist}: no bundle carries {predicate_type}")
    if len(subjects) != 1:
        sys.exit(f"{dist}: the bundles speak of {len(subjects)} different sets of subjects")
    print(f"ok: {len(seen)} kinds of statement about the same {len(next(iter(subjects)))} subject(s)")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except Mismatch as mismatch:
        sys.exit(f"{sys.argv[1]}: {mismatch}")
