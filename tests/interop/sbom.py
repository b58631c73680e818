"""SBOMs of lockfiles by Attestry and by others, each difference judged by reading the lockfile anew.

usage: python sbom.py ATTESTRY TOOLS REPORT PATHS...

ATTESTRY is the program, TOOLS where the peers are installed, REPORT a directory for what was found, PATHS lockfiles or
directories of them, under their own names or `<anything>.<name>`. For every lockfile the set of (purl type, name, version)
is compared: Attestry's with the judge's (`sbom/locks.py`) must be equal; where a peer differs, the judge says who is right.
A package that all peers who speak find, and the judge does not, is a failure too: then the judge may be wrong. Every SBOM
of ours is also shown to cdx-validate and, as SPDX 2.3, to ntia-conformance-checker.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from sbom import locks, outside, peers  # noqa: E402


def main(attestry, tools, report, *paths):
    tools, report = Path(tools).resolve(), Path(report).resolve()
    report.mkdir(parents=True, exist_ok=True)
    program = Path(attestry).resolve()
    faults, rows = [], []
    for lock in lockfiles(paths):
        row, wrong = judge(program, tools, report, lock)
        rows.append(row)
        faults += [f"{lock}: {it}" for it in wrong]
    (report / "differences.md").write_text("\n".join(rows) + "\n")
    print(f"\nEvery difference by name: {report / 'differences.md'}")
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"{len(rows)} lockfiles, {len(faults)} faults")
    return 1 if faults or not rows else 0


def lockfiles(paths):
    for path in map(Path, paths):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "node_modules" not in file.parts and locks.format_of(file):
                yield file


def judge(program, tools, report, lock):
    name = locks.format_of(lock)
    beside = companions(lock, name)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        peers.lay_out(folder, name, lock, beside)
        text = lock.read_text(encoding="utf-8")
        truth = normalized(locks.read(name, text, {it.name: it.read_text() for it in folder.iterdir() if it.is_file() and it.name != name}))
        try:
            bom = peers.attestry(program, folder, name)
        except peers.Away as away:
            return f"## {lock}\n\nours: {away}", [f"Attestry made no SBOM: {away}"]
        ours = peers.components(bom)
        theirs = ask(tools, folder, name)
        faults = outside.judge(program, tools, folder, bom)
    lines, wrong = differences(truth, ours, peers.local(bom), theirs)
    counts = ", ".join(f"{peer} {len(found) if isinstance(found, dict) else '-'}" for peer, found in theirs.items())
    print(f"{lock.name}: judge {len(truth)}, ours {len(ours)}, {counts}{'' if not wrong + faults else '  <-- FAULT'}", flush=True)
    return "\n".join([f"## {lock.name}", "", *lines, ""]), wrong + faults


def companions(lock, name):
    """Files that lie with the lock: `hotpass.pyproject.toml` beside `hotpass.uv.lock`."""
    prefix = lock.name[: len(lock.name) - len(name)] if lock.name.endswith(name) else None
    wanted = locks.FORMATS[name][1]
    return [lock.parent / f"{prefix}{it}" for it in wanted if prefix is not None and (lock.parent / f"{prefix}{it}").is_file()]


def ask(tools, folder, name):
    answers = {}
    for peer, make in peers.PEERS.items():
        try:
            answers[peer] = peers.components(make(tools, folder, name))
        except peers.Away as away:
            if str(away) != "another format":
                answers[peer] = str(away)
    return answers


def normalized(truth):
    """The judge's keys as purls write them."""
    keys = {}
    for (kind, name, version), marks in truth.items():
        name = name.lower() if kind in peers.ANY_CASE else name
        keys[kind, name, version] = keys.get((kind, name, version), marks) & marks
    return keys


def differences(truth, ours, local, theirs):
    """What each peer has otherwise, and what is wrong with ours; `local` are folders of the project, which we list."""
    lines, wrong = [], []
    optional = {key for key, marks in truth.items() if "root" in marks or "local" in marks}
    for key in sorted(set(truth) - set(ours) - optional):
        wrong.append(f"we lack {label(key)}, which the lockfile names")
    for key in sorted(set(ours) - set(truth) - local):
        wrong.append(f"we have {label(key)}, which the lockfile does not name")
    spoken = {peer: found for peer, found in theirs.items() if isinstance(found, dict) and found}
    for peer, found in theirs.items():
        if isinstance(found, str):
            lines.append(f"- {peer}: says nothing ({found})")
            continue
        reasons = Counter()
        examples = {}
        for key in set(truth) - set(found):
            note(reasons, examples, lacks(truth[key]), key)
        for key in set(found) - set(truth):
            note(reasons, examples, has(peer, key, truth), key)
        equal = len(set(found) & set(truth))
        lines.append(f"- {peer}: {equal} packages as ours" + "".join(
            f"; {count} {reason} (such as {label(examples[reason])})" for reason, count in sorted(reasons.items())))
    if len(spoken) > 1:
        everyone = set.intersection(*(set(found) for found in spoken.values())) - set(truth) - set(ours)
        # A folder is no module, whatever others call it.
        everyone = {key for key in everyone if not key[1].startswith(".")}
        wrong += [f"all of {', '.join(spoken)} have {label(key)}, the judge and we have not" for key in sorted(everyone)]
    return lines, wrong


def note(reasons, examples, reason, key):
    reasons[reason] += 1
    examples.setdefault(reason, key)
    examples[reason] = min(examples[reason], key)


def lacks(marks):
    for mark, reason in (
        ("root", "left out, the project itself or a member of its workspace; we are right, the lockfile names it"),
        ("local", "left out, a folder of the project; we are right, the lockfile names it"),
        ("unversioned", "left out, of no version; we are right, it is asked for and we say that its version is open"),
        ("dev", "left out, only for development; we have it as scope excluded, a reader may leave it out"),
        ("optional", "left out, optional; we have it as scope optional, a reader may leave it out"),
        ("platform", "left out, for another platform; we are right, the lockfile installs it there"),
        ("git", "left out or written otherwise, from git; we are right, the lockfile names it"),
        ("url", "left out or written otherwise, from a URL; we are right, the lockfile names it"),
        ("indirect", "left out, indirect; we are right, it is built in"),
    ):
        if mark in marks:
            return reason
    return "left out without a reason that the lockfile gives; we are right, the lockfile names it"


def has(peer, key, truth):
    kind, name, version = key
    same = [other for other in truth if other[:2] == (kind, name)]
    if same and not version:
        return "without the version that the lockfile gives; we are right"
    if same and any(other[2] == "" for other in same):
        return "of a version that the lockfile leaves open; we are right not to guess"
    if same:
        return "of another version than the lockfile's; we are right"
    if kind == "golang" and (name.endswith("/v2") or "stdlib" in name):
        return "of Go itself or another path; we are right, go.mod names no such module"
    return f"that the lockfile does not name; {peer} is wrong here, or took it from elsewhere"


def label(key):
    kind, name, version = key
    return f"{kind}:{name} {version}".strip()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
