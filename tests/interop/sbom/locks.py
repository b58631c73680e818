"""Lockfiles read anew, as the judge between SBOM makers: which packages a file names, and why one may leave them out.

`read(name, path)` gives {(purl type, name, version): set of marks}; marks are `root` (the project itself, or a member of its
workspace), `local` (a folder beside it), `dev`, `optional`, `indirect`, `platform`, `git`, `url`, `unversioned`.
"""

import json
import re
import tomllib
import xml.etree.ElementTree as xml

import yaml


def pep503(name):
    return re.sub(r"[-_.]+", "-", name).lower()


class Found(dict):
    def add(self, kind, name, version, *marks):
        """Notes a package; a mark stays only if every mention has it, but `dev` and `optional` must be on all."""
        key = (kind, name, version or "")
        self[key] = self[key] & set(marks) if key in self else set(marks)


# Python


def uv(text, _):
    found = Found()
    for package in tomllib.loads(text).get("package", []):
        source = package.get("source", {})
        marks = []
        if source.get("virtual") or source.get("editable") or source.get("directory"):
            marks.append("local")
            if (source.get("virtual") or source.get("editable")) == ".":
                marks.append("root")
        if "git" in source:
            marks.append("git")
        if "url" in source:
            marks.append("url")
        found.add("pypi", pep503(package["name"]), package.get("version"), *marks)
    return found


def poetry(text, companions):
    found = Found()
    for package in tomllib.loads(text).get("package", []):
        groups = package.get("groups") or [package.get("category", "main")]
        marks = ["dev"] if "main" not in groups else []
        marks += ["optional"] if package.get("optional") else []
        marks += [(package.get("source") or {}).get("type", "")]
        found.add("pypi", pep503(package["name"]), package["version"], *filter(None, marks))
    return python_root(found, companions)


def python_root(found, companions):
    """The project that `pyproject.toml` names belongs to the SBOM too."""
    text = next((text for name, text in companions.items() if name.endswith("pyproject.toml")), "")
    manifest = tomllib.loads(text)
    tool = manifest.get("tool", {}).get("poetry", {})
    project = manifest.get("project") or tool
    if project.get("name"):
        version = project.get("version") or tool.get("version")
        found.add("pypi", pep503(project["name"]), version, "root")
    return found


def pdm(text, companions):
    found = Found()
    for package in tomllib.loads(text).get("package", []):
        marks = ["dev"] if "default" not in package.get("groups", ["default"]) else []
        marks += ["local"] if package.get("path") else []
        found.add("pypi", pep503(package["name"]), package.get("version"), *marks)
    return python_root(found, companions)


def pylock(text, companions):
    found = Found()
    for package in tomllib.loads(text).get("packages", []):
        marks = ["local"] if "directory" in package else []
        marks += ["platform"] if package.get("marker") else []
        found.add("pypi", pep503(package["name"]), package.get("version"), *marks)
    return python_root(found, companions)


def pipenv(text, _):
    found = Found()
    lock = json.loads(text)
    for section, packages in lock.items():
        if section == "_meta":
            continue
        for name, package in packages.items():
            version = package.get("version", "").removeprefix("==")
            marks = ["dev"] if section == "develop" else []
            found.add("pypi", pep503(name), version, *marks)
    return found


REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(===?\s*([^\s;,#\\]+))?")


def requirements(text, _):
    found = Found()
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.split(r"(?:^|\s)#", line.strip())[0].strip()
        if egg := re.search(r"#(?:.*&)?egg=([A-Za-z0-9._-]+)", line):
            found.add("pypi", pep503(egg[1]), None, "unversioned")
            continue
        match = REQUIREMENT.match(line)
        if not line or line.startswith("-") or not match or "://" in line.split(";")[0].split(" @ ")[0]:
            continue
        version = match[3] if match[3] and "*" not in match[3] else None
        found.add("pypi", pep503(match[1]), version, *([] if version else ["unversioned"]))
    # `bleach==6.3.0` and `bleach[css]` ask for one package.
    pinned = {key[:2] for key in found if key[2]}
    return Found({key: marks for key, marks in found.items() if key[2] or key[:2] not in pinned})


# Rust, Go


def cargo(text, _):
    found = Found()
    lock = tomllib.loads(text)
    for package in lock.get("package", []) + ([lock["root"]] if "root" in lock else []):
        source = package.get("source", "")
        marks = ["local", "root"] if not source else []
        marks += ["git"] if source.startswith("git+") else []
        found.add("cargo", package["name"], package["version"], *marks)
    return found


def go(text, _):
    found = Found()
    replaced = {}
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    lines, block = [], None
    for line in text.splitlines():
        line = line.strip()
        if match := re.match(r"(require|replace|exclude|retract|tool)\s*\($", line):
            block = match[1]
        elif line == ")":
            block = None
        elif line and not line.startswith("//"):
            lines.append(f"{block} {line}" if block else line)
    for line in lines:
        words = line.split("//")[0].split()
        if words[0] == "module":
            found.add("golang", words[1].strip('"'), None, "root")
        if words[0] == "replace":
            arrow = words.index("=>")
            replaced[words[1], words[2] if arrow == 3 else None] = words[arrow + 1 :]
    for line in lines:
        words = line.split("//")[0].split()
        if words[0] != "require":
            continue
        path, version = words[1:3]
        instead = replaced.get((path, version)) or replaced.get((path, None))
        marks = ["indirect"] if "// indirect" in line else []
        if instead and len(instead) == 1:
            found.add("golang", path, version, "local", *marks)
        else:
            found.add("golang", *(instead or (path, version)), *marks)
    return found


# JavaScript


def npm(text, _):
    lock, found = json.loads(text), Found()
    if "packages" in lock:
        for path, package in lock["packages"].items():
            folder = re.search(r"(@[^/]+/)?[^/]*$", path)[0]
            installed = path.rpartition("node_modules/")[2] if "node_modules/" in path else folder
            name = package.get("name") or installed or lock.get("name")
            marks = [mark for mark in ("dev", "optional") if package.get(mark)]
            marks += ["dev", "optional"] if package.get("devOptional") else []
            if package.get("link"):
                continue
            if "node_modules/" not in path:
                marks += ["root", "local"]
            found.add("npm", name or ".", package.get("version"), *marks)
        return found
    found.add("npm", lock.get("name", "."), lock.get("version"), "root")

    def tree(packages):
        for name, package in (packages or {}).items():
            version = package["version"]
            if match := re.match(r"npm:(.+)@(.+)$", version):
                name, version = match[1], match[2]
            elif "/" in version or ":" in version:
                version = None
            marks = [mark for mark in ("dev", "optional") if package.get(mark)]
            found.add("npm", name, version, *marks)
            tree(package.get("dependencies"))

    tree(lock.get("dependencies"))
    return found


def pnpm(text, companions):
    documents = [it for it in yaml.safe_load_all(text) if it]
    found = Found()
    for lock in documents:
        version = float(str(lock["lockfileVersion"]).split("-")[0])
        for key, package in (lock.get("packages") or {}).items():
            package = package or {}
            bare = re.sub(r"\(.*$", "", key).lstrip("/") if version >= 6 else key.lstrip("/")
            if version >= 6:
                name, _, number = bare.rpartition("@")
            else:
                parts = bare.split("/")
                count = 2 if bare.startswith("@") else 1
                name, number = "/".join(parts[:count]), "/".join(parts[count:]).split("_")[0]
            resolution = package.get("resolution", {})
            marks = [mark for mark in ("dev", "optional") if package.get(mark)]
            if "tarball" in resolution and "integrity" not in resolution or resolution.get("type") in ("git", "directory"):
                marks.append("url")
            name, number = package.get("name", name), package.get("version", number)
            if number.startswith(("file:", "link:")):
                number = None
                marks.append("local")
            found.add("npm", name, number, *marks)
    return js_root(found, companions)


def js_root(found, companions):
    for name, text in companions.items():
        if name.endswith("package.json"):
            manifest = json.loads(text)
            if manifest.get("name"):
                found.add("npm", manifest["name"], manifest.get("version"), "root")
    return found


def yarn(text, companions):
    found = Found()
    if "__metadata" in text:
        for key, package in yaml.safe_load(text).items():
            if key == "__metadata":
                continue
            name, _, locator = package["resolution"].rpartition("@") if "@" not in package["resolution"][1:].split(":", 1)[0] else (
                package["resolution"][0] + package["resolution"][1:].split("@", 1)[0], "@", package["resolution"][1:].split("@", 1)[1])
            marks = ["root", "local"] if locator.startswith("workspace:") else []
            marks += ["local"] if re.match(r"(link|portal|file):", locator) else []
            found.add("npm", name, str(package["version"]), *marks)
        return found
    entry = None
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            entry = line.rstrip(":").split(", ")[0].strip('"')
        elif match := re.match(r'  version "?([^"]+)"?$', line):
            name = entry[0] + entry[1:].split("@", 1)[0]
            if alias := re.match(r".+?@npm:((?:@[^/]+/)?[^@]+)", entry):
                name = alias[1]
            found.add("npm", name, match[1], *(["local"] if "@link:" in entry else []))
    return js_root(found, companions)


# Ruby, PHP, .NET, Java


def gemfile(text, _):
    found, section = Found(), None
    for line in text.splitlines():
        if re.match(r"^[A-Z]", line):
            section = line.strip()
        elif match := re.match(r"^    ([^\s(]+) \(([^)]+)\)$", line):
            if section in ("GEM", "GIT", "PATH", "PLUGIN SOURCE"):
                version = re.split(r"-(?=[a-z])", match[2], maxsplit=1)[0]
                found.add("gem", match[1], version, *({"PATH": ["local"], "GIT": ["git"]}.get(section, [])))
    return found


def composer(text, companions):
    lock, found = json.loads(text), Found()
    for section in ("packages", "packages-dev"):
        for package in lock.get(section) or []:
            found.add("composer", package["name"].lower(), package["version"], *(["dev"] if section != "packages" else []))
    for text in companions.values():
        manifest = json.loads(text)
        if manifest.get("name"):
            found.add("composer", manifest["name"].lower(), manifest.get("version"), "root")
    return found


def nuget(text, _):
    found = Found()
    for packages in json.loads(text)["dependencies"].values():
        for name, package in packages.items():
            is_local = package["type"] == "Project"
            found.add("nuget", name, package.get("resolved"), *(["local"] if is_local else []))
    return found


def deps_json(text, _):
    found = Found()
    for key, library in json.loads(text)["libraries"].items():
        name, _, version = key.partition("/")
        if library["type"] == "runtimepack":
            # The SDK's own mark before the name of the package.
            name = name.removeprefix("runtimepack.")
        found.add("nuget", name, version, *(["local"] if library["type"] == "project" else []))
    return found


def gradle(text, _):
    found = Found()
    for line in text.splitlines():
        if not line.startswith(("#", "empty=")) and line.count(":") >= 2:
            group, name, version = line.split("=")[0].split(":")
            marks = ["dev"] if all("test" in it.lower() for it in line.split("=")[1].split(",")) else []
            found.add("maven", f"{group}/{name}", version, *marks)
    return found


def pom(text, _):
    """Only what stands in the file itself: dependencies whose version is written there, or is one of its properties."""
    tree = xml.fromstring(re.sub(r'\sxmlns="[^"]+"', "", text, count=1))
    properties = {it.tag: (it.text or "").strip() for it in tree.find("properties") or []}
    parent = tree.find("parent")

    def own(tag):
        found = tree.findtext(tag) or (parent.findtext(tag) if parent is not None else None)
        return (found or "").strip()

    for tag in ("version", "groupId", "artifactId"):
        properties[f"project.{tag}"] = own(tag)

    def resolved(text):
        for _ in range(20):
            text, count = re.subn(r"\$\{([^}]+)\}", lambda it: properties.get(it[1], it[0]), text or "")
            if not count:
                break
        return None if "${" in text else text.strip() or None

    def exact(version):
        """What a range or a keyword leaves open is no version; `[1.0]` is one."""
        if only := re.fullmatch(r"\[([^,\]]+)\]", version or ""):
            return only[1]
        return None if not version or re.search(r"[\[(,]", version) or version in ("RELEASE", "LATEST") else version

    managed = {}
    for it in tree.findall("dependencyManagement/dependencies/dependency"):
        managed[it.findtext("groupId"), it.findtext("artifactId")] = it.findtext("version")
    found = Found()
    found.add("maven", f"{own('groupId')}/{own('artifactId')}", own("version"), "root")
    for it in tree.findall("dependencies/dependency"):
        group, name = resolved(it.findtext("groupId")), resolved(it.findtext("artifactId"))
        if not group or not name:
            continue
        version = it.findtext("version") or managed.get((it.findtext("groupId"), it.findtext("artifactId")))
        version = exact(resolved(version)) if version else None
        marks = ["dev"] if it.findtext("scope") == "test" else []
        marks += ["optional"] if it.findtext("scope") == "provided" or it.findtext("optional") == "true" else []
        found.add("maven", f"{group}/{name}", version, *marks, *([] if version else ["unversioned"]))
    return found


# What each format is called, and what lies with it.
FORMATS = {
    "uv.lock": (uv, ["pyproject.toml"]),
    "poetry.lock": (poetry, ["pyproject.toml"]),
    "pdm.lock": (pdm, ["pyproject.toml"]),
    "pylock.toml": (pylock, ["pyproject.toml"]),
    "Pipfile.lock": (pipenv, ["Pipfile"]),
    "requirements.txt": (requirements, []),
    "Cargo.lock": (cargo, ["Cargo.toml"]),
    "go.mod": (go, ["go.sum"]),
    "package-lock.json": (npm, ["package.json"]),
    "npm-shrinkwrap.json": (npm, ["package.json"]),
    "pnpm-lock.yaml": (pnpm, ["package.json"]),
    "yarn.lock": (yarn, ["package.json"]),
    "Gemfile.lock": (gemfile, ["Gemfile"]),
    "composer.lock": (composer, ["composer.json"]),
    "packages.lock.json": (nuget, []),
    "project.deps.json": (deps_json, []),
    "gradle.lockfile": (gradle, []),
    "pom.xml": (pom, []),
}


def format_of(path):
    """The format's own name for the file at `path`, or None."""
    for name in FORMATS:
        if path.name == name or path.name.endswith(f".{name}"):
            return name
    if path.name.endswith(".deps.json"):
        return "project.deps.json"
    return "requirements.txt" if path.suffix == ".txt" else None


def read(format_name, text, companions):
    return FORMATS[format_name][0](text, companions)
