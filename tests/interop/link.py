"""in-toto's own verifier, with a layout that it signed, takes our links and refuses them once changed.

usage: python link.py ATTESTRY            (pip install in-toto==3.0.0)
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from in_toto.exceptions import RuleVerificationError, SignatureVerificationError, ThresholdVerificationError
from in_toto.models.layout import Layout, Step
from in_toto.models.metadata import Metablock, Metadata
from in_toto.verifylib import in_toto_verify
from securesystemslib.signer import CryptoSigner, SSlibKey

ATTESTRY = Path(sys.argv[1]).resolve()


def run(*words, cwd):
    subprocess.run([str(word) for word in words], cwd=cwd, check=True)


def functionary(pem):
    """The key as a layout names it, by the library's own rules."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    return SSlibKey.from_crypto(load_pem_public_key(pem.read_bytes()))


def layout_for(key, owner):
    pubkey = key.to_dict() | {"keyid": key.keyid}
    build = Step(
        name="build",
        pubkeys=[key.keyid],
        expected_command=["uv", "build"],
        expected_materials=[["ALLOW", "uv.lock"], ["DISALLOW", "*"]],
        expected_products=[["CREATE", "dist/café-1.whl"], ["DISALLOW", "*"]],
        threshold=1,
    )
    layout = Layout(steps=[build], keys={key.keyid: pubkey})
    layout.set_relative_expiration(days=1)
    block = Metablock(signed=layout)
    block.create_signature(owner)
    return block


def verify(place, key, owner):
    block = layout_for(key, owner)
    public = owner.public_key
    trusted = {public.keyid: public.to_dict() | {"keyid": public.keyid}}
    in_toto_verify(block, trusted, link_dir_path=str(place))


def main():
    owner = CryptoSigner.generate_ed25519()
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        run("openssl", "genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key.pem", cwd=place)
        run("chmod", "600", "key.pem", cwd=place)
        run("openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "key.pub", cwd=place)
        (place / "uv.lock").write_text("lock")
        (place / "dist").mkdir()
        (place / "dist/café-1.whl").write_text("wheel")
        files = ["--material", "uv.lock", "--product", "dist/café-1.whl"]
        run(ATTESTRY, "link", "--step", "build", "--signing-key", "key.pem", *files, "--bundle", "link.sigstore.json", "--", "uv", "build", cwd=place)
        key = functionary(place / "key.pub")
        [path] = place.glob("build.*.link")
        assert path.name == f"build.{key.keyid[:8]}.link", (path.name, key.keyid)
        link = Metadata.load(str(path))
        assert link.signed.products["dist/café-1.whl"] == {"sha256": hashlib.sha256(b"wheel").hexdigest()}
        verify(place, key, owner)
        print("in-toto-verify takes the link")
        text = path.read_text()
        for old, new in [("dist/café-1.whl", "dist/other.whl"), (hashlib.sha256(b"lock").hexdigest(), "0" * 64)]:
            assert old in text or old.encode("unicode_escape").decode() in text, old
            path.write_text(text.replace(old, new))
            try:
                verify(place, key, owner)
            except (RuleVerificationError, SignatureVerificationError, ThresholdVerificationError) as error:
                print(f"and refuses it with another {old[:20]}: {type(error).__name__}")
            else:
                raise SystemExit(f"a link with {new} for {old} was accepted")
        run(ATTESTRY, "verify", "dist/café-1.whl", "--bundle", "link.sigstore.json", "--key", "key.pub", cwd=place)


main()
