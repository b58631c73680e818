"""Compares `attestry advisories match` with cargo-audit over the same records, written as a database of RustSec's layout.

usage: python audit.py ATTESTRY CARGO-AUDIT OSV LOCKS...

ATTESTRY and CARGO-AUDIT are programs, OSV a directory of records (.json, .jsonl), LOCKS are Cargo.lock files or
directories of them; one more is made up, with every crate at, before and after every version that a record names. Only records of RustSec are compared: each becomes `crates/<name>/<id>.md`, its ranges written as the
versions that are patched and unaffected. Each difference is printed, and fails the run unless it has an explanation.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from advisories import documents, is_readable, ours, probe, records

KINDS = ("unmaintained", "unsound", "notice")


# The database


def advisories(osv):
    """Every record of RustSec below `osv`, in the order of ids."""
    found = {}
    for path in sorted(Path(osv).rglob("*")):
        for record in documents(path):
            if isinstance(record, dict) and str(record.get("id", "")).startswith("RUSTSEC-"):
                found[record["id"]] = record
    return [found[it] for it in sorted(found)]


def outside(affected):
    """The version requirements of what is not affected: (patched, unaffected)."""
    patched, unaffected = [], []
    for it in affected.get("ranges") or []:
        fixed = None
        for event in it["events"]:
            if "introduced" in event:
                start = event["introduced"]
                if fixed is not None:
                    patched.append(f">= {fixed}, < {start}")
                elif start not in ("0", "0.0.0-0"):
                    unaffected.append(f"< {start}")
                fixed = None
            else:
                fixed = event["fixed"]
        if fixed is not None:
            patched.append(f">= {fixed}")
    return patched, unaffected


def front_matter(record, affected):
    patched, unaffected = outside(affected)
    informational = (affected.get("database_specific") or {}).get("informational")
    fields = [
        ("id", record["id"]),
        ("package", affected["package"]["name"]),
        ("date", record["published"][:10]),
        ("informational", informational),
        ("withdrawn", (record.get("withdrawn") or "")[:10]),
    ]
    lines = ["[advisory]", *(f"{key} = {json.dumps(value)}" for key, value in fields if value)]
    lines += ["[versions]", f"patched = {json.dumps(patched)}", f"unaffected = {json.dumps(unaffected)}"]
    return "\n".join(lines)


def database(records, folder):
    """Writes the layout; returns ids that it cannot express."""
    left_out = set()
    for record in records:
        named = [it for it in record["affected"] if it["package"]["ecosystem"] == "crates.io"]
        if len(named) != 1 or len(named[0].get("ranges") or []) > 1:
            left_out.add(record["id"])
            continue
        path = Path(folder, "crates", named[0]["package"]["name"], f"{record['id']}.md")
        path.parent.mkdir(parents=True, exist_ok=True)
        title = record.get("summary") or record["id"]
        path.write_text(f"```toml\n{front_matter(record, named[0])}\n```\n\n# {title}\n\nAs the record has it.\n")
    return left_out


def probe_lock(osv, path):
    """Writes a lockfile of versions around those that records name."""
    wanted = sorted(it for it in probe("crates.io", records(osv)) if is_readable("crates.io", it[1]))
    source = "registry+https://github.com/rust-lang/crates.io-index"
    packages = [f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = "{source}"\n' for name, version in wanted]
    path.write_text("\n".join(["version = 4\n", *packages]))
    return path


# The comparison


def theirs(audit, folder, lock):
    """What cargo-audit finds: {(name, version, record)}."""
    command = [audit, "audit", "--db", folder, "--no-fetch", "--stale", "--json", "--file", str(lock)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report = json.loads(said.stdout)
    except ValueError:
        raise SystemExit(f"{lock}: cargo-audit, exit code {said.returncode}: {said.stderr}") from None
    found = list(report["vulnerabilities"]["list"])
    for kind in KINDS:
        found += report["warnings"].get(kind, [])
    return {(it["package"]["name"], it["package"]["version"], it["advisory"]["id"]) for it in found}


def explanation(row, left_out, foreign):
    if row[2] in left_out:
        return "RustSec's layout has one crate and one range of versions for each advisory"
    if row[:2] in foreign:
        return "cargo-audit looks up what comes from crates.io only; a copy has the flaws of what it was copied from"
    return None


def main(attestry, audit, osv, *locks):
    rustsec = advisories(osv)
    paths = [path for lock in map(Path, locks) for path in (sorted(lock.rglob("*Cargo.lock")) if lock.is_dir() else [lock])]
    agree = unexplained = 0
    with tempfile.TemporaryDirectory() as folder:
        left_out = database(rustsec, folder)
        paths.append(probe_lock(osv, Path(folder, "probe.Cargo.lock")))
        print(f"{len(rustsec)} advisories of RustSec, {len(left_out)} cannot be written in its own layout")
        for path in paths:
            locked = tomllib.loads(path.read_text())["package"]
            foreign = {(it["name"], it["version"]) for it in locked if not re.match("registry\\+.*crates.io", it.get("source", ""))}
            mine = {row for row in ours(attestry, osv, path) if row[2].startswith("RUSTSEC-")}
            others = theirs(audit, folder, path)
            agree += len(mine & others)
            for row in sorted(mine ^ others):
                why = explanation(row, left_out, foreign)
                unexplained += why is None
                side = "only ours" if row in mine else "only cargo-audit's"
                print(f"  {'DIFFERS' if why is None else 'explained'}: {row} {side}{'' if why is None else f': {why}'}")
            print(f"{path.name}: {len(locked)} packages, {len(mine & others)} findings agree")
    print(f"{agree} findings agree, {unexplained} differences unexplained")
    return 1 if unexplained or not agree else 0


if __name__ == "__main__":
    if len(sys.argv) < 5:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
