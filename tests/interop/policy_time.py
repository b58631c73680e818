"""How long OPA takes for the policy library over one input, reading included, in milliseconds: the median of three.

usage: python policy_time.py OPA_LIBRARY POLICY_DIR INPUT
"""

import json
import sys
import time
from pathlib import Path

OPA, POLICY, INPUT = (Path(it).resolve() for it in sys.argv[1:4])
sys.path.insert(0, str(OPA))
from opa_bindings import OpaEngine  # noqa: E402

engine = OpaEngine()
judges = []
for path in sorted(POLICY.rglob("*.rego")):
    if not path.name.endswith("_test.rego"):
        text = path.read_text()
        engine.add_policy(path.name, text)
        package = next(line.split()[1] for line in text.splitlines() if line.startswith("package "))
        rules = [it for it in ("deny", "warn", "info") if f"\n{it} contains" in text]
        judges += [f"data.{package}.{rule}" for rule in rules if not package.startswith("attestry.lib")]
engine.add_data(json.loads((POLICY / "data.json").read_text()))
query = "x := [" + ", ".join(judges) + "]"
document = json.loads(INPUT.read_text())
engine.eval_query(query, {})


def once():
    begun = time.perf_counter()
    [answer] = engine.eval_query(query, document)
    assert not any(it for it, name in zip(answer["x"], judges) if name.endswith("deny")), answer
    return (time.perf_counter() - begun) * 1000


print(f"{sorted(once() for _ in range(3))[1]:.1f}")
