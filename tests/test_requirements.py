"""The lock that the test set-up installs from, beside the pins and the extras that it was made of."""

import re
from configparser import ConfigParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPO = Path(__file__).resolve().parents[1]


def locked() -> dict[str, list[Requirement]]:
    """Entries of the lock by name; several where they depend on the Python."""
    entries: dict[str, list[Requirement]] = {}
    for entry in re.findall(r"^\S[^\\]*", (REPO / "requirements.lock").read_text(), re.MULTILINE):
        requirement = Requirement(entry)
        entries.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return entries


def test_every_file_has_a_checksum() -> None:
    text = (REPO / "requirements.lock").read_text()
    for entry in re.split(r"\n(?=\S)", text.strip()):
        first, *hashes = entry.splitlines()
        assert re.fullmatch(r"[\w.-]+==[^\\]+ \\", first), first
        assert hashes, first
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes), first


def test_the_lock_has_the_versions_of_the_constraints() -> None:
    entries, pins = locked(), []
    for line in (REPO / "constraints.txt").read_text().splitlines():
        if pin := line.partition("#")[0].strip():
            pins.append(Requirement(pin))
    assert len(pins) > 100
    for pin in pins:
        assert pin.specifier in [entry.specifier for entry in entries[canonicalize_name(pin.name)]], str(pin)


def test_the_lock_has_what_the_package_and_its_extras_need() -> None:
    parser = ConfigParser()
    parser.read(REPO / "setup.cfg")
    extras = ("test", "report", "video", "gallery", "export", "timm", "slurm")
    wanted = [
        parser["options"]["install_requires"],
        *(parser["options.extras_require"][extra] for extra in extras),
    ]
    entries, checked = locked(), 0
    for line in "\n".join(wanted).splitlines():
        if line.strip() and not line.strip().startswith("#"):
            need = Requirement(line.strip())
            for entry in entries[canonicalize_name(need.name)]:
                version = next(iter(entry.specifier)).version
                assert need.specifier.contains(version, prereleases=True), line
            checked += 1
    assert checked > 30
