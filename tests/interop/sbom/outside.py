"""Judges from outside: what cdx-validate says of our SBOMs, and ntia-conformance-checker of their SPDX."""

import json
import re
import subprocess
from pathlib import Path


def judge(program, tools, folder, bom):
    """What they find wrong with an SBOM of ours."""
    file = Path(folder) / ".attestry.cdx.json"
    file.write_text(json.dumps(bom))
    faults = cdx_validate(tools, file) + ntia(program, tools, folder, file)
    file.unlink()
    return faults


def cdx_validate(tools, file):
    command = [tools / "sbom-npm/node_modules/.bin/cdx-validate", "-i", file, "--strict", "-r", "json", "--fail-severity", "critical"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return []
    # The program's own words stand before the report.
    words = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return [f"cdx-validate: exit {done.returncode}: {' | '.join(lines[:6])[:400]}"]


def only_long_domains(verdict):
    """Whether all elements are there, and all that is said is of hosts that the checker cannot know: its
    SPDX library takes top-level domains of two to five letters for valid, `git.example` is not among them."""
    elements = ["authorNameProvided", "timestampProvided", "dependencyRelationshipsProvided"]
    parts = ["componentNames", "componentVersions", "componentIdentifiers", "componentSuppliers"]
    complete = all(verdict[it] for it in elements) and all(verdict[it]["allProvided"] for it in parts)
    of_location = "package download_location must be a valid URL or download location"
    long_domain = re.compile(r"but is: [a-z+]+://[^/ ]+\.[a-z]{6,}(/|$)")
    said = [it["message"] for it in verdict["validationMessages"]]
    return complete and all(it.startswith(of_location) and long_domain.search(it) for it in said)


def ntia(program, tools, folder, file):
    spdx = Path(folder) / ".attestry.spdx.json"
    done = subprocess.run([program, "sbom", "convert", file, "--to", "spdx-2.3", "-o", spdx], capture_output=True, text=True)
    if done.returncode != 0:
        return [f"no SPDX: {done.stderr.strip()[:200]}"]
    command = [tools / "sbom-venv/bin/ntia-checker", "--output", "json", spdx]
    done = subprocess.run(command, capture_output=True, text=True)
    spdx.unlink()
    try:
        verdict = json.loads(done.stdout[done.stdout.index("{") :])
    except ValueError:
        return [f"ntia-conformance-checker: no verdict: {(done.stdout + done.stderr)[-300:]}"]
    if verdict.get("isConformant") or verdict.get("isNtiaConformant") or only_long_domains(verdict):
        return []
    return [f"ntia-conformance-checker: {json.dumps(verdict)[:2000]}"]
