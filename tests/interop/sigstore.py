"""Strangers verify what we sign with a private Sigstore, and we verify what they sign with it.

sigstore.py ATTESTRY SIGN PRIVATE_SIGSTORE TOOLS: the programs of this workspace, and the folder with `sigstore-venv`
(PyPI's sigstore) and `sigstore-npm` (@sigstore/sign, @sigstore/verify). Exits 1 if anybody disagrees.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
EMAIL = "signer@example.com"


def main(attestry, sign, private_sigstore, tools):
    attestry, sign, tools = Path(attestry).resolve(), Path(sign).resolve(), Path(tools).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        command = [private_sigstore, "--listen", "127.0.0.1:0", "--dir", folder, "--identity", EMAIL]
        sigstore = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            url = sigstore.stdout.readline().split()[0]
            wrong = [it for it in checks(attestry, sign, tools, folder, url) if it]
        finally:
            sigstore.terminate()
    for it in wrong:
        print(f"WRONG {it}")
    return 1 if wrong else 0


def checks(attestry, sign, tools, folder, url):
    app = folder / "app"
    app.write_bytes(b"the bytes of an app")
    digest = hashlib.sha256(app.read_bytes()).hexdigest()
    statement = folder / "statement.json"
    statement.write_text(json.dumps({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "app", "digest": {"sha256": digest}}],
        "predicateType": "https://example.com/predicate/v1",
        "predicate": {"checked": True},
    }))
    issuer = f"{url}/oidc"
    root = folder / "trusted_root.json"
    trust = ["--identity", EMAIL, "--issuer", issuer, "--trusted-root", root]
    python = [tools / "sigstore-venv/bin/python", "-m", "sigstore", "--trust-config", folder / "trust_config.json"]
    node = ["node", HERE / "sigstore.mjs"]
    key = folder / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], check=True, capture_output=True)
    key.chmod(0o600)
    public = folder / "key.pub"
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)

    keyless = ["--keyless", "--identity-token-file", folder / "token"]
    for version, config in [(1, "signing_config_v1.json"), (2, "signing_config.json")]:
        ours = folder / f"ours-v{version}.sigstore.json"
        signing = [*keyless, "--signing-config", folder / config, "--trusted-root", root]
        yield told(f"we sign keyless, Rekor v{version}", [sign, statement, ours, *signing])
        yield told("  attestry verifies", [attestry, "verify", app, "--bundle", ours, *trust])
        verify = ["verify", "identity", "--offline", "--cert-identity", EMAIL, "--cert-oidc-issuer", issuer]
        yield told("  sigstore-python verifies", [*python, *verify, "--bundle", ours, app])
        yield told("  @sigstore/verify verifies", [*node, "verify", ours, root, EMAIL, issuer], cwd=tools / "sigstore-npm")
        changed = folder / "changed.sigstore.json"
        changed.write_text(ours.read_text().replace('"payload":"ey', '"payload":"eY'))
        yield refused("  sigstore-python refuses a changed one", [*python, *verify, "--bundle", changed, app])
        yield refused("  @sigstore/verify refuses a changed one", [*node, "verify", changed, root, EMAIL, issuer], cwd=tools / "sigstore-npm")

    ours = folder / "ours-key.sigstore.json"
    signing = ["--signing-key", key, "--signing-config", folder / "signing_config.json", "--trusted-root", root]
    yield told("we sign with a key, Rekor v2", [sign, statement, ours, *signing])
    yield told("  attestry verifies", [attestry, "verify", app, "--bundle", ours, "--key", public, "--trusted-root", root])
    yield told("  @sigstore/verify verifies", [*node, "verify-key", ours, root, public], cwd=tools / "sigstore-npm")

    token = (folder / "token").read_text()
    theirs = folder / "python.sigstore.json"
    yield told("sigstore-python signs a file", [*python, "sign", "--identity-token", token, "--bundle", theirs, app])
    yield told("  attestry verifies", [attestry, "verify", app, "--bundle", theirs, *trust])
    yield told("  attestry verifies its digest", [attestry, "verify", f"sha256:{digest}", "--bundle", theirs, *trust])
    for kind in ["message", "dsse"]:
        theirs = folder / f"node-{kind}.sigstore.json"
        yield told(f"@sigstore/sign signs: {kind}", [*node, "sign", kind, url, folder / "token", app, statement, theirs], cwd=tools / "sigstore-npm")
        yield told("  attestry verifies", [attestry, "verify", app, "--bundle", theirs, *trust])
        other = ["--identity", "other@example.com", *trust[2:]]
        yield refused("  attestry refuses another identity", [attestry, "verify", app, "--bundle", theirs, *other])


def told(what, command, cwd=None):
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    print(f"{what}: {'yes' if done.returncode == 0 else 'NO'}", flush=True)
    return None if done.returncode == 0 else f"{what}: {(done.stdout + done.stderr)[-600:]}"


def refused(what, command, cwd=None):
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    print(f"{what}: {'yes' if done.returncode != 0 else 'NO'}", flush=True)
    return None if done.returncode != 0 else f"{what}: it was accepted"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
