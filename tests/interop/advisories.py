"""Matches lockfiles with OSV records by PyPA's and semver's own version rules, and compares with `attestry advisories match`.

usage: python advisories.py ATTESTRY OSV LOCKS...        (pip install packaging==26.3 semver==3.1.1)

ATTESTRY is the program, OSV a directory of records (.json, .jsonl), LOCKS are lockfiles or directories of them: uv,
poetry, pdm, pylock, Pipenv, requirements and Cargo. Records and lockfiles are read here anew. After the lockfiles comes
a probe: an SBOM with the versions at and beside every event of every record. What is compared is who is affected by
which record; each difference is printed, and fails the run unless it has an explanation.
"""

import functools
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from urllib.parse import quote

import semver
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

PURL_TYPES = {"PyPI": "pypi", "crates.io": "cargo"}


class Unreadable(Exception):
    """A version that the oracle's library refuses."""


# Records


def records(osv):
    """Every record below `osv` that was not withdrawn, by (ecosystem, name), as (id, affected entry)."""
    found = {}
    for path in sorted(Path(osv).rglob("*")):
        for record in documents(path):
            if not isinstance(record, dict) or "id" not in record or record.get("withdrawn"):
                continue
            for affected in record.get("affected") or []:
                package = affected.get("package") or {}
                ecosystem = package.get("ecosystem", "").split(":")[0]
                if ecosystem in PURL_TYPES:
                    key = (ecosystem, normal(ecosystem, package["name"]))
                    found.setdefault(key, []).append((record["id"], affected))
    return found


def documents(path):
    if path.suffix == ".json":
        yield json.loads(path.read_bytes())
    elif path.suffix == ".jsonl":
        for line in path.read_bytes().splitlines():
            if line.strip():
                yield json.loads(line)


def normal(ecosystem, name):
    return canonicalize_name(name) if ecosystem == "PyPI" else name


# The oracle: https://ossf.github.io/osv-schema/#evaluation


@functools.cache
def parse(ecosystem, text):
    try:
        return Version(text) if ecosystem == "PyPI" else semver.Version.parse(text)
    except (InvalidVersion, ValueError) as error:
        raise Unreadable(text) from error


def affects(ecosystem, affected, version):
    found = parse(ecosystem, version)
    ranges = [it for it in affected.get("ranges") or [] if it["type"] != "GIT"]
    listed = affected.get("versions") or []
    listed = listed if isinstance(listed, list) else []
    return any(within(ecosystem, it["events"], found) for it in ranges) or any(
        is_same(ecosystem, it, found) for it in listed
    )


def is_same(ecosystem, text, found):
    try:
        return parse(ecosystem, text) == found
    except Unreadable:
        return False


def within(ecosystem, events, found):
    """Whether the last thing that happened up to `found` made it affected."""
    happened = []
    limits = []
    for event in events:
        for kind, text in event.items():
            if kind == "limit":
                limits.append(text)
            elif kind == "introduced" and text == "0":
                happened.append((0, None, kind))
            else:
                happened.append((1, parse(ecosystem, text), kind))
    if limits and not any(it == "*" or found < parse(ecosystem, it) for it in limits):
        return False
    first = [it for it in happened if it[0] == 0]
    rest = sorted((it for it in happened if it[0] == 1), key=lambda it: SortKey(it[1]))
    affected = False
    for _, at, kind in first + rest:
        if kind == "introduced":
            affected = affected or at is None or found >= at
        elif kind == "fixed":
            affected = affected and not found >= at
        elif kind == "last_affected":
            affected = affected and not found > at
    return affected


class SortKey:
    def __init__(self, version):
        self.version = version

    def __lt__(self, other):
        return self.version < other.version


# Lockfiles


def packages(path):
    """(ecosystem, {(name, version)}) of a lockfile, or None if it is none of ours."""
    name = path.name
    if name.endswith("Cargo.lock"):
        return "crates.io", {(it["name"], it["version"]) for it in tomllib.loads(path.read_text())["package"]}
    if name.endswith(("uv.lock", "poetry.lock", "pdm.lock")):
        locked = tomllib.loads(path.read_text()).get("package", [])
        return "PyPI", {(it["name"], it["version"]) for it in locked if "version" in it}
    if re.fullmatch(r"(.*\.)?pylock(\.[^.]+)?\.toml", name):
        locked = tomllib.loads(path.read_text()).get("packages", [])
        return "PyPI", {(it["name"], it["version"]) for it in locked if "version" in it}
    if name.endswith("Pipfile.lock"):
        groups = json.loads(path.read_text())
        locked = [it for key, group in groups.items() if key != "_meta" for it in group.items()]
        return "PyPI", {(key, it["version"].removeprefix("==")) for key, it in locked if "version" in it}
    if path.suffix == ".txt":
        return "PyPI", set(requirements(path.read_text()))
    return None


def requirements(text):
    for line in text.replace("\\\n", " ").splitlines():
        line = re.split(r"(?:^|\s)#|\s--", line.strip())[0].strip()
        if not line or line.startswith("-"):
            continue
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        pins = [it for it in requirement.specifier if it.operator in ("==", "===")]
        if len(pins) == 1 and not pins[0].version.endswith(".*"):
            yield requirement.name, pins[0].version


# The probe


def probe(ecosystem, found):
    """Versions at, before and after every event and some listed ones, as {(name, version)}."""
    wanted = set()
    for (family, name), entries in found.items():
        if family != ecosystem:
            continue
        for _, affected in entries:
            texts = [text for it in affected.get("ranges") or [] if it["type"] != "GIT" for event in it["events"] for text in event.values()]
            listed = affected.get("versions") or []
            texts += listed[:3] + listed[-3:] if isinstance(listed, list) else []
            for text in set(texts) - {"0", "*"}:
                beside = [text, f"{text}.1", f"{text}a1", f"{text}.post1", f"{text}.dev1", f"{text}+local"]
                if ecosystem == "crates.io":
                    core = text.split("-")[0].split("+")[0]
                    beside = [text, f"{core}-alpha.1", f"{core}-zz", f"{core}9", core]
                wanted.update((name, it) for it in beside if it == text or is_readable(ecosystem, it))
    return wanted


def is_readable(ecosystem, text):
    try:
        parse(ecosystem, text)
    except Unreadable:
        return False
    return True


def sbom(ecosystem, wanted):
    kind = PURL_TYPES[ecosystem]
    components = [
        {"type": "library", "bom-ref": str(number), "name": name, "version": version, "purl": f"pkg:{kind}/{name}@{quote(version, safe='')}"}
        for number, (name, version) in enumerate(sorted(wanted))
    ]
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components})


# The comparison


def ours(attestry, osv, path):
    """What attestry finds: {(name, version, record)}."""
    command = [attestry, "advisories", "match", str(path), "--from", str(osv)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode not in (0, 1):
        raise SystemExit(f"{path}: exit code {said.returncode}: {said.stderr}")
    findings = [json.loads(line) for line in said.stdout.splitlines()]
    rows = [(it["name"], it["version"], record) for it in findings for record in it["advisories"]]
    if len(rows) != len(set(rows)) and path.suffix != ".json":
        print(f"  note: {path.name} holds a package several times")
    return set(rows)


def compare(attestry, osv, found, path, ecosystem, locked):
    """Prints every difference; returns how many findings agree, and how many differences nothing explains."""
    locked = {(normal(ecosystem, name), version) for name, version in locked}
    theirs, refused = set(), {}
    for name, version in locked:
        for record, affected in found.get((ecosystem, name), []):
            row = (name, version, record)
            try:
                if affects(ecosystem, affected, version):
                    theirs.add(row)
            except Unreadable as error:
                refused[row] = str(error)
    mine = ours(attestry, osv, path)
    unexplained = 0
    explained = {}
    for row in sorted(mine ^ theirs):
        why = explanation(row, mine, refused)
        explained.setdefault(why, []).append(row)
        if why is None:
            unexplained += 1
            print(f"  DIFFERS: {row} {'only ours' if row in mine else 'only the oracle'}")
    print(f"{path.name}: {len(locked)} packages, {len(mine & theirs)} findings agree, {unexplained} differences unexplained")
    for why, rows in explained.items():
        if why is not None:
            print(f"  {len(rows)} explained: {why}; such as {rows[0]}")
    return len(mine & theirs), unexplained


def explanation(row, mine, refused):
    if row in refused:
        return "the oracle's library refuses the version; ours gives every text a place"
    if row in mine and "+" in row[1]:
        return "a local build counts as the version it was built from (PEP 440, Version specifiers)"
    return None


def main(attestry, osv, *locks):
    found = records(osv)
    paths = [path for lock in map(Path, locks) for path in (sorted(lock.rglob("*")) if lock.is_dir() else [lock])]
    agree = unexplained = 0
    for path in paths:
        read = packages(path) if path.is_file() else None
        if read is not None:
            result = compare(attestry, osv, found, path, *read)
            agree, unexplained = agree + result[0], unexplained + result[1]
    with tempfile.TemporaryDirectory() as folder:
        for ecosystem in PURL_TYPES:
            path = Path(folder, f"probe-{PURL_TYPES[ecosystem]}.json")
            wanted = probe(ecosystem, found)
            path.write_text(sbom(ecosystem, wanted))
            result = compare(attestry, osv, found, path, ecosystem, wanted)
            agree, unexplained = agree + result[0], unexplained + result[1]
    print(f"{agree} findings agree, {unexplained} differences unexplained")
    return 1 if unexplained or not agree else 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
