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
    if verdict.get("isConformant") or verdict.get("isNtiaConformant"):
        return []
    return [f"ntia-conformance-checker: {json.dumps(verdict)[:2000]}"]
