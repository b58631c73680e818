"""Three engines judge alike: ours, rego-cpp, and OPA itself, over the library and made-up inputs.

usage: python policy.py ATTESTRY OPA_LIBRARY POLICY_DIR [INPUTS]

OPA_LIBRARY is where opa-golib-python-bindings lies, unpacked. Inputs are made from the samples that every policy is
tried on, by seeded changes of their fields; each is judged by `attestry policy eval`, by OPA and by rego-cpp, and
every set of findings must be the same. Half of them are judged with the settings of policy_settings.json, which turn on
what the library leaves off (effective_on apart, which is no matter of the engines).
"""

import base64
import copy
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ATTESTRY, OPA, POLICY = (Path(it).resolve() for it in sys.argv[1:4])
COUNT = int(sys.argv[4]) if len(sys.argv) > 4 else 200
sys.path.insert(0, str(OPA))
from opa_bindings import OpaEngine  # noqa: E402
from regopy import Interpreter  # noqa: E402

SAMPLES = Path("shared/policy/src")
SETTINGS = Path(__file__).with_name("policy_settings.json")
LISTS = {"deny": "violations", "warn": "warnings", "info": "infos", "supplier": "violations", "supplier_warn": "warnings"}
VALUES = [None, True, False, 0, -1, 7.5, "", " ", "x", "pkg:pypi/colourama@1.0", "2026-11-22T18:15:12Z", [], {}, [None], {"a": 1}, "sha256:" + "0" * 64]


def policies():
    for path in sorted(POLICY.rglob("*.rego")):
        if not path.name.endswith("_test.rego"):
            yield str(path.relative_to(POLICY)), path.read_text()


def judges(is_supplier):
    """Packages and their rules that judge."""
    found = []
    for name, text in policies():
        package = next(line.split()[1] for line in text.splitlines() if line.startswith("package "))
        if package.startswith("attestry.lib"):
            continue
        for rule in ("supplier", "supplier_warn") if is_supplier else ("deny", "warn", "info"):
            if any(line.startswith(f"{rule} contains") for line in text.splitlines()):
                found.append((package, rule))
    return sorted(set(found))


class Opa:
    def __init__(self, data):
        self.engine = OpaEngine()
        for name, text in policies():
            self.engine.add_policy(name, text)
        self.engine.add_data(data)

    def findings(self, document, package, rule):
        return self.engine.eval_document(f"{package}.{rule}", document)


class RegoCpp:
    def __init__(self, data):
        self.engine = Interpreter()
        for name, text in policies():
            self.engine.add_module(name, text)
        self.engine.add_data(data)

    def findings(self, document, package, rule):
        self.engine.set_input(document)
        # Its own output of texts with quotes in them is no JSON, so they leave it in another coat.
        field = 'concat(":", [k, base64.encode(sprintf("%v", [v]))])'
        query = f'x = [concat(",", [{field} | v = f[k]]) | f = data.{package}.{rule}[_]]'
        answer = self.engine.query(query)
        return [dict(plain(it) for it in text.split(",")) for text in answer[0]["x"]]


def plain(field):
    name, text = field.split(":")
    text = base64.b64decode(text).decode()
    return name, None if name in ("component", "field") and text == "null" else text


def ours(document, place):
    path = place.parent / "input.json"
    path.write_text(json.dumps(document))
    words = [ATTESTRY, "policy", "eval", "--input", path, "--policy", place, "--report", "json"]
    said = subprocess.run([str(it) for it in words], capture_output=True, text=True, check=False)
    if said.returncode not in (0, 1):
        raise SystemExit(f"attestry: {said.stderr}")
    return json.loads(said.stdout)


def paths(value, here=()):
    yield here
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(inner, (*here, key))


def changed(document, dice):
    """The document with one to four of its fields taken away or made something else."""
    document = copy.deepcopy(document)
    for _ in range(dice.randint(1, 4)):
        path = dice.choice([it for it in paths(document) if len(it) > 1 or it == () or it[0] != "schema"] or [()])
        if not path:
            continue
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        what = dice.random()
        if what < 0.35:
            del holder[path[-1]]
        elif what < 0.5 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[path[-1]]))
        else:
            holder[path[-1]] = copy.deepcopy(dice.choice(VALUES))
    return document


def good_build():
    """The build that the library's own tests let pass."""
    engine = OpaEngine()
    for path in POLICY.rglob("*.rego"):
        engine.add_policy(path.name, path.read_text())
    return engine.eval_document("attestry.lib.fixtures_test.good")


def key(finding):
    return json.dumps(finding, sort_keys=True, ensure_ascii=False)


def form(finding):
    """A finding as reports have it: what is null may be left out. rego-cpp puts quotation marks around texts that a
    function gave to sprintf, so nobody's are compared."""
    return key({name: value.replace('"', "") for name, value in finding.items() if value is not None})


def with_data(data, place):
    """The library beside this data.json, and the other engines with both."""
    shutil.copytree(POLICY, place)
    (place / "data.json").write_text(json.dumps(data))
    engines = {"OPA": Opa, "rego-cpp": RegoCpp}
    wanted = sys.argv[5:] or engines
    return place, {name: engines[name](data) for name in wanted}


def main():
    dice = random.Random(20261130)
    shipped = json.loads((POLICY / "data.json").read_text())
    settings = shipped | json.loads(SETTINGS.read_text())
    samples = {name: json.loads((SAMPLES / f"{name}_sample.json").read_text()) for name in ("build", "supplier")}
    samples["good"] = good_build()
    counted, differences = Counter(), 0
    with tempfile.TemporaryDirectory() as temporary:
        ways = [with_data(data, Path(temporary) / name) for name, data in (("off", shipped), ("on", settings))]
        for number in range(COUNT):
            place, engines = ways[number // 3 % 2]
            kind = ("build", "good", "supplier")[number % 3]
            document = samples[kind] if number < 6 else changed(samples[kind], dice)
            report = ours(document, place)
            counted[report["result"]] += 1
            if report["errors"]:
                differences += 1
                print(f"input {number} ({kind}): we cannot judge it: {report['errors']}")
                continue
            mine = {name: {form(it) for it in report[name]} for name in ("violations", "warnings", "infos")}
            for name, engine in engines.items():
                theirs = {list_name: set() for list_name in mine}
                for package, rule in judges(kind == "supplier"):
                    theirs[LISTS[rule]] |= {form(it) for it in engine.findings(document, package, rule)}
                for list_name, findings in mine.items():
                    if findings != theirs[list_name]:
                        differences += 1
                        print(f"input {number} ({kind}), {list_name}: {name} says otherwise")
                        for it in sorted(findings - theirs[list_name])[:3]:
                            print(f"  ours alone:  {it}")
                        for it in sorted(theirs[list_name] - findings)[:3]:
                            print(f"  theirs alone: {it}")
                        print(f"  input: {json.dumps(document)[:2000]}")
            counted["findings"] += sum(len(it) for it in mine.values())
    print(f"{COUNT} inputs, {dict(counted)}: {differences} differences")
    sys.exit(differences > 0)


main()
