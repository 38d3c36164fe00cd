"""Sources of an earlier version: an archive that says what it is, and what is built from it."""

import subprocess
import tarfile
from pathlib import Path

import earlier
import inputs
import pytest
from oci.plugin import EARLIER, ROOT

COMMITS = {
    "0.1.0": "b9833d5a1c14ea0df47c3eb15db564d6a43670e8",
    "0.2.0": "127237c2335a83d9f1580cf6e2fc01790525f088",
}


def archive_of(version: str) -> Path:
    return EARLIER.with_name(f"cybervein-{version}-source.tar.gz")


def succeeds(*command: str) -> bool:
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_every_archive_is_of_a_release_and_the_last_one_is_what_upgrades_begin_with() -> None:
    found = EARLIER.parent.glob("*-source.tar.gz")
    assert sorted(found) == sorted(map(archive_of, COMMITS))
    assert archive_of(max(COMMITS)) == EARLIER


@pytest.mark.parametrize("version", COMMITS)
def test_the_archive_is_of_the_earlier_version_and_names_its_commit(version: str) -> None:
    with earlier.unpacked(archive_of(version)) as (root, made):
        assert made.version == version
        assert made.revision == COMMITS[version] != inputs.identity().revision
        assert inputs.dockerfile(root).is_file()
        assert (root / "client" / "cybervein_client").is_dir()


@pytest.mark.parametrize("version", COMMITS)
def test_it_is_what_git_makes_of_that_commit(version: str) -> None:
    commit = COMMITS[version]
    if succeeds("git", "cat-file", "-e", f"{commit}^{{commit}}"):
        with tarfile.open(archive_of(version)) as tar:
            assert tar.fileobj is not None
            tar.fileobj.seek(0)
            assert tar.fileobj.read() == earlier.packed(commit, form="tar")
    else:
        assert (ROOT / ".git" / "shallow").exists(), "only a shallow clone lacks the commit"


def test_an_archive_of_this_commit_has_all_that_its_image_is_built_from(tmp_path: Path) -> None:
    archive = tmp_path / "sources.tar.gz"
    archive.write_bytes(earlier.packed("HEAD", form="tar.gz"))
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    with earlier.unpacked(archive) as (root, made):
        assert made.revision == head
        names = {str(path.relative_to(root)) for path in inputs.files(root)}
    assert {"Dockerfile", "uv.lock", "native/Cargo.lock"} <= names
    assert inputs.IGNORE not in names


def test_other_sources_are_another_build() -> None:
    with earlier.unpacked(EARLIER) as (root, _):
        before = inputs.digest(root=root)
        assert before != inputs.digest()
        (root / "uv.lock").write_text("")
        assert inputs.digest(root=root) != before


def test_an_archive_that_names_no_commit_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "anonymous.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(ROOT / "LICENSE", "LICENSE")
    with pytest.raises(SystemExit, match="names no commit"), earlier.unpacked(archive):
        pass


def test_a_commit_that_is_not_there_is_an_error_in_words() -> None:
    with pytest.raises(SystemExit, match="git show"):
        earlier.packed("0" * 40, form="tar")
