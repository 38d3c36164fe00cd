"""The image has what every role needs, runs under `restricted`, and carries nothing else."""

import json
import re
import subprocess
from pathlib import Path

import earlier
import inputs
import pytest
from oci.archive import Archive
from oci.container import Container
from oci.plugin import EARLIER, ROOT, build
from release_steps import Release, describing

pytestmark = pytest.mark.node

UNWANTED = re.compile(
    r"(^|/)(bin|sbin)/(pip[\d.]*|uv|cargo|rustc|gcc|cc|c\+\+|ld|as|make|apt\S*|dpkg|perl|curl|wget"
    r"|sh|bash|dash|su|mount)$"
    r"|site-packages/(pip|setuptools|mypy|ruff|pytest|hypothesis|maturin)(/|$)"
    r"|\.(rs|a)$|(^|/)\.git(/|$)"
)
SECRET = re.compile(rb"-----BEGIN (RSA |EC |OPENSSH )?PRIVATE KEY-----\r?\n[A-Za-z0-9+/=]{40}")
EVERY_ROLE = (
    ("mine",),
    ("sidecar",),
    ("supernode", "run"),
    ("operator", "run"),
    ("put",),
    ("plot", "create"),
)


def test_no_layer_has_a_compiler_a_package_tool_or_a_shell(image: Archive) -> None:
    names = [member.name for member, _ in image.members()]
    assert [name for name in names if UNWANTED.search(name)] == []


def test_no_file_gives_its_caller_another_users_rights(image: Archive) -> None:
    modes = [(member.name, member.mode) for member, _ in image.members() if member.isreg()]
    assert [name for name, mode in modes if mode & 0o6000] == []
    writable = [name for name, mode in modes if mode & 0o002]
    assert writable == []


def test_registry_settings_of_the_build_are_in_no_layer_and_no_history(image: Archive) -> None:
    settings = inputs.registry_settings().splitlines()
    hosts = [re.sub(r"^\w+='?(.*?)'?$", r"\1", line) for line in settings if "://" in line]
    wanted = [value.encode() for value in (inputs.REGISTRY_MARKER.partition("=")[2], *hosts)]
    assert [value for value in wanted if value in image.configuration] == []
    found = [m.name for m, content in image.members() for value in wanted if value in content]
    assert found == []


def test_no_private_key_and_no_password_is_inside(image: Archive) -> None:
    found = [m.name for m, content in image.members() if SECRET.search(content)]
    assert found == []
    assert not [name for name in image.config["Env"] if re.search("TOKEN|PASS|SECRET|KEY", name)]


def test_labels_tell_version_licence_and_commit(image: Archive) -> None:
    labels = image.config["Labels"]
    made = inputs.identity()
    told = {name: labels[f"org.opencontainers.image.{name}"] for name in ("title", "licenses")}
    assert told == {"title": "CyberVein", "licenses": "Apache-2.0"}
    assert labels["org.opencontainers.image.version"] == made.version
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", labels["org.opencontainers.image.revision"])
    assert image.config["StopSignal"] == "SIGTERM"


def test_the_earlier_versions_image_is_another_program(
    image: Archive, earlier_image: Archive, tmp_path: Path
) -> None:
    labels = earlier_image.config["Labels"]
    with earlier.unpacked(EARLIER) as (_, made):
        assert labels["org.opencontainers.image.version"] == made.version == "0.2.0"
        assert labels["org.opencontainers.image.revision"] == made.revision
    assert labels["org.opencontainers.image.revision"] != inputs.identity().revision
    assert earlier_image.path != image.path
    earlier_image.unpack(tmp_path / "root")
    old = Container(tmp_path / "root", earlier_image.config, tmp_path / "bundles")
    assert old.cybervein("--version").stdout == "cybervein 0.2.0\n"


def test_its_python_packages_are_those_of_the_bill_of_materials(
    image: Archive, tmp_path: Path
) -> None:
    """As a release lists them (docs/image.md); what other systems need is in the bill alone."""
    made = Release("reg.example/cybervein", inputs.identity(), "my.key", tmp_path)
    exports = describing(made)[0]
    subprocess.run(exports, cwd=ROOT, check=True)
    components = json.loads((tmp_path / "python.cdx.json").read_text())["components"]
    listed = {(each["name"], each["version"]) for each in components}
    folders = re.compile(r"site-packages/([^/]+)-([^-/]+)\.dist-info/METADATA$")
    found = [folders.search(member.name) for member, _ in image.members()]
    held = {
        (each[1].lower().replace("_", "-").replace(".", "-"), each[2]) for each in found if each
    }
    ours = {each for each in held if each[0].startswith("cybervein")}
    assert len(ours) == 2
    assert len(held) > 40
    assert held - ours <= listed


def test_the_licence_is_in_the_image(image: Archive) -> None:
    texts = {member.name: content for member, content in image.members()}
    assert texts["licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert any(name.startswith("usr/share/doc/libc6/") for name in texts)


def test_it_has_the_code_of_this_checkout_and_no_older_one(image: Archive) -> None:
    root, packages = ROOT, "opt/cybervein/lib/python3.11/site-packages/"
    held = {
        member.name.removeprefix(packages): content
        for member, content in image.members()
        if re.match(f"{packages}cybervein_(?!native).*[.]py$", member.name)
    }
    wanted = {
        str(path.relative_to(package.parent)): path.read_bytes()
        for package in root.glob("*/cybervein_*")
        for path in package.rglob("*.py")
    }
    assert set(held) == set(wanted)
    assert [name for name, content in held.items() if content != wanted[name]] == []


def test_its_user_is_a_number_other_than_root(image: Archive) -> None:
    # kubelet's runAsNonRoot cannot check a name
    assert image.config["User"] == "65532:65532"


def test_it_stays_small(image: Archive) -> None:
    print(f"image: {image.packed_bytes / 1e6:.0f} MB packed")
    assert image.packed_bytes < 90e6


@pytest.mark.parametrize("role", EVERY_ROLE, ids=" ".join)
def test_every_role_starts_from_it(container: Container, role: tuple[str, ...]) -> None:
    run = container.cybervein(*role, "--help")
    assert run.returncode == 0, run.stderr
    assert role[-1] in run.stdout


def test_native_code_is_in_use_under_a_read_only_root(container: Container) -> None:
    run = container.cybervein("--json", "doctor")
    checks = {check["name"]: check for check in json.loads(run.stdout)["checks"]}
    assert checks["native code"]["detail"] == "in use"
    assert checks["disk"]["ok"], checks["disk"]


def test_it_plots_and_verifies_as_a_restricted_user(container: Container) -> None:
    script = (
        "import glob, os, subprocess\n"
        "def cv(*a): subprocess.run(['cybervein', 'plot', *a], check=True)\n"
        "os.mkdir('/tmp/p')\n"
        "cv('create', '/tmp/p', '--preset', 'test', '--identity', '/tmp/identity.json')\n"
        "cv('check', *glob.glob('/tmp/p/*.plot'))\n"
    )
    run = container("/usr/bin/python3", "-c", script)
    assert run.returncode == 0, run.stderr + run.stdout


def test_no_start_compiles_anything(container: Container) -> None:
    # `python -v` tells of each module whether its code came from source
    run = container(
        "/opt/cybervein/bin/python", "-v", "-B", "-c", "import cybervein_command, kopf, asyncio"
    )
    compiled = re.findall(r"^# code object from '(.*[.]py)'$", run.stderr, re.MULTILINE)
    assert run.returncode == 0
    assert compiled == []


def test_nothing_writes_bytecode_or_needs_to(container: Container) -> None:
    packages = container.root / "opt/cybervein/lib/python3.11/site-packages"
    for name in ("cybervein_miner/node/node", "cybervein_supernode/node/node", "kopf/__init__"):
        parts = Path(name)
        assert (packages / parts.parent / "__pycache__" / f"{parts.name}.cpython-311.pyc").exists()


def test_building_again_takes_no_build() -> None:
    first = build()
    file = first.path.stat().st_ino
    assert build().path == first.path
    assert first.path.stat().st_ino == file
