"""Other makers of SBOMs, each run in a folder that holds one lockfile and what lies with it."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import unquote

PYTHON = {"uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock", "requirements.txt"}
NPM = {"package-lock.json", "npm-shrinkwrap.json"}
CDXGEN_TYPES = {
    **dict.fromkeys(PYTHON, "python"),
    **dict.fromkeys(NPM, "js"),
    "pnpm-lock.yaml": "js",
    "yarn.lock": "js",
    "Cargo.lock": "rust",
    "go.mod": "go",
    "Gemfile.lock": "ruby",
    "composer.lock": "php",
    "packages.lock.json": "dotnet",
    "project.deps.json": "dotnet",
    "gradle.lockfile": "java",
    "pom.xml": "java",
}
# Names and namespaces that their registries compare without case, or that purl once put in lower case.
ANY_CASE = {"pypi", "composer", "golang", "nuget"}


class Away(Exception):
    """The peer does not read this, or did not answer."""


def run(command, folder, timeout=180, **environment):
    """Runs a peer without any network, so that it says what the files say."""
    nowhere = "http://127.0.0.1:9"
    proxies = {name: nowhere for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "npm_config_registry")}
    environment = {**os.environ, **proxies, "FETCH_LICENSE": "false", "CDXGEN_NO_BANNER": "1", **environment}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Away(f"no answer within {timeout} s") from None
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines() or ["no word"]
        raise Away(f"exit {done.returncode}: {lines[-1][:160]}")
    return done.stdout


def components(bom):
    """{(purl type, name, version): purl} of an SBOM, nested components and its subject included."""
    found = {}

    def take(component):
        purl = component.get("purl")
        if purl and component.get("type") != "file":
            key = key_of(purl)
            if key:
                found.setdefault(key, purl)
        for part in component.get("components") or []:
            take(part)

    take(bom.get("metadata", {}).get("component") or {})
    for component in bom.get("components") or []:
        take(component)
    return found


def local(bom):
    """Those of an SBOM of ours that are the project itself, or folders of it."""
    subject = key_of(bom["metadata"]["component"].get("purl", "")) if "component" in bom.get("metadata", {}) else None
    found = {subject} if subject else set()
    for component in bom.get("components") or []:
        properties = {it["name"]: it.get("value") for it in component.get("properties") or []}
        if properties.get("attestry:package:source") == "local" and component.get("purl"):
            found.add(key_of(component["purl"]))
    return found


def key_of(purl):
    match = re.match(r"pkg:/*([^/]+)/(.+)$", purl.split("#")[0].split("?")[0])
    if not match:
        return None
    kind, rest = match[1].lower(), match[2]
    at = rest.rfind("@")
    if at <= 0 or "/" in rest[at:]:
        at = len(rest)
    name, version = unquote(rest[:at]), unquote(rest[at + 1 :])
    if kind == "pypi":
        name = re.sub(r"[-_.]+", "-", name)
    return kind, name.lower() if kind in ANY_CASE else name, version


def attestry(program, folder, _):
    out = run([program, "sbom", "generate", ".", "--source-date-epoch", "1763856000"], folder)
    return json.loads(out)


def cdxgen(tools, folder, name):
    kind = CDXGEN_TYPES[name]
    out = Path(folder) / ".cdxgen.json"
    command = [tools / "sbom-npm/node_modules/.bin/cdxgen", "-t", kind, "--no-install-deps", "--no-recurse", "--no-banner"]
    run([*command, "-o", out, "."], folder)
    if not out.exists():
        raise Away("wrote nothing")
    bom = json.loads(out.read_bytes())
    out.unlink()
    return bom


def syft(tools, folder, name):
    if name in {"uv.lock", "pylock.toml"}:
        raise Away("1.18 does not read this format")
    out = run([tools / "sbom-venv/bin/syft", "scan", "dir:.", "-o", "cyclonedx-json", "-q"], folder)
    return json.loads(out)


def uv_export(tools, folder, name):
    if name != "uv.lock":
        raise Away("another format")
    if not (Path(folder) / "pyproject.toml").exists():
        raise Away("needs pyproject.toml")
    command = [tools / "sbom-venv/bin/uv", "export", "--format", "cyclonedx1.5", "--frozen", "--offline", "-q"]
    return json.loads(run([*command, "--all-extras", "--all-groups", "--all-packages"], folder))


def cyclonedx_py(tools, folder, name):
    kinds = {"poetry.lock": ["poetry", "--all-extras"], "Pipfile.lock": ["pipenv", "--dev"], "requirements.txt": ["requirements"]}
    if name not in kinds:
        raise Away("another format")
    if name == "poetry.lock" and not (Path(folder) / "pyproject.toml").exists():
        raise Away("needs pyproject.toml")
    if name == "poetry.lock":
        kinds[name] += poetry_groups(folder)
    target = "requirements.txt" if name == "requirements.txt" else "."
    out = run([tools / "sbom-venv/bin/cyclonedx-py", *kinds[name], "--of", "JSON", target], folder)
    return json.loads(out)


def poetry_groups(folder):
    manifest = tomllib.loads((Path(folder) / "pyproject.toml").read_text())
    groups = manifest.get("tool", {}).get("poetry", {}).get("group", {})
    return ["--with", ",".join(groups)] if groups else []


def cyclonedx_npm(tools, folder, name):
    if name not in NPM:
        raise Away("another format")
    lock = json.loads((Path(folder) / name).read_bytes())
    manifest = Path(folder) / "package.json"
    made = not manifest.exists()
    if made:
        if "packages" not in lock:
            raise Away("needs package.json, which version 1 of the lock does not hold")
        manifest.write_text(json.dumps(lock["packages"][""]))
    try:
        command = [tools / "sbom-npm/node_modules/.bin/cyclonedx-npm", "--package-lock-only", "--ignore-npm-errors"]
        return json.loads(run([*command, "--output-format", "JSON", "--output-file", "-"], folder))
    finally:
        if made:
            manifest.unlink()


def cargo_cyclonedx(tools, folder, name):
    if name != "Cargo.lock":
        raise Away("another format")
    if not any(Path(folder).rglob("*.rs")):
        raise Away("needs the sources of the project")
    # One document for each member of the workspace, beside its manifest.
    command = ["cargo", "cyclonedx", "--format", "json", "--all", "--target", "all", "--override-filename", ".cargo-cyclonedx"]
    path = f"{Path(tools).resolve() / 'cargo/bin'}{os.pathsep}{os.environ['PATH']}"
    run(command, folder, CARGO_NET_OFFLINE="true", PATH=path)
    documents = sorted(Path(folder).rglob(".cargo-cyclonedx.json"))
    if not documents:
        raise Away("wrote nothing")
    parts = [json.loads(document.read_bytes()) for document in documents]
    for document in documents:
        document.unlink()
    return {"components": [it for part in parts for it in [part["metadata"]["component"], *(part.get("components") or [])]]}


PEERS = {
    "cargo-cyclonedx": cargo_cyclonedx,
    "syft": syft,
    "cdxgen": cdxgen,
    "uv": uv_export,
    "cyclonedx-py": cyclonedx_py,
    "cyclonedx-npm": cyclonedx_npm,
}


def lay_out(folder, name, lock, companions):
    """Puts a lockfile under its own name, with its companions; and of a Rust checkout the sources, which Cargo wants to see."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if name == "Cargo.lock" and lock.name == name and (lock.parent / "Cargo.toml").is_file():
        lay_out_sources(folder, lock.parent)
    shutil.copy(lock, folder / name)
    for companion in companions:
        own = next((it for it in ("pyproject.toml", "package.json", "go.sum") if companion.name.endswith(it)), companion.name)
        shutil.copy(companion, folder / own)


def lay_out_sources(folder, checkout):
    for path in [*checkout.rglob("Cargo.toml"), *checkout.rglob("*.rs")]:
        inside = path.relative_to(checkout)
        if not {"target", "node_modules", ".git"} & set(inside.parts):
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / inside)
