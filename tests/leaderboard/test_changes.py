"""What a request changes: one new folder passes, everything else is one clear line."""

import subprocess
from pathlib import Path

import pytest

from loihi_gym.errors import SubmissionError
from loihi_gym.leaderboard.changes import new_submission

GOOD = "leaderboard/submissions/2026-11-25-mine"
OLD = "leaderboard/submissions/2026-11-01-old"


def git(where: Path, *arguments: str) -> str:
    settings = ("user.name=t", "user.email=t@example.org", "commit.gpgsign=false")
    flags = [word for setting in settings for word in ("-c", setting)]
    done = subprocess.run(
        ["git", *flags, *arguments], cwd=where, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def write(repository: Path, path: str, text: str = "x") -> None:
    (repository / path).parent.mkdir(parents=True, exist_ok=True)
    (repository / path).write_text(text)


def commit(repository: Path) -> None:
    git(repository, "add", "-A", "--force")
    git(repository, "commit", "-q", "--allow-empty", "-m", "change")


@pytest.fixture
def repository(tmp_path) -> Path:
    """A board with one submission on `main`; checked out is a branch off it, `head`."""
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    write(repository, f"{OLD}/submission.toml")
    write(repository, "code.py")
    commit(repository)
    git(repository, "checkout", "-q", "-b", "head")
    return repository


def add_good(repository: Path) -> None:
    write(repository, f"{GOOD}/submission.toml", "about")
    write(repository, f"{GOOD}/mappings.json", "mappings")


def test_one_new_folder_is_named_and_copied(repository, tmp_path):
    add_good(repository)
    commit(repository)
    git(repository, "checkout", "-q", "main")
    assert new_submission(repository, "main", "head") == "2026-11-25-mine"
    submissions = repository / "leaderboard/submissions"
    out = submissions / new_submission(repository, "main", "head", submissions)
    assert {path.name: path.read_text() for path in out.iterdir()} == {
        "submission.toml": "about",
        "mappings.json": "mappings",
    }
    assert not any(path.stat().st_mode & 0o111 for path in out.iterdir())


def test_what_the_base_did_meanwhile_is_not_the_requests(repository):
    add_good(repository)
    commit(repository)
    git(repository, "checkout", "-q", "main")
    write(repository, "code.py", "changed on main")
    commit(repository)
    assert new_submission(repository, "main", "head") == "2026-11-25-mine"


def test_several_commits_count_by_what_they_leave(repository):
    write(repository, "mistake.py")
    commit(repository)
    (repository / "mistake.py").unlink()
    add_good(repository)
    commit(repository)
    assert new_submission(repository, "main", "head") == "2026-11-25-mine"


def executable(repository: Path) -> None:
    add_good(repository)
    (repository / GOOD / "mappings.json").chmod(0o755)


def link(repository: Path) -> None:
    add_good(repository)
    (repository / GOOD / "mappings.json").unlink()
    (repository / GOOD / "mappings.json").symlink_to("/etc/passwd")


def linked_folder(repository: Path) -> None:
    (repository / GOOD).symlink_to("/etc")


def submodule(repository: Path) -> None:
    add_good(repository)
    git(repository, "add", "-A")
    commit_id = git(repository, "rev-parse", "HEAD")
    path = f"{GOOD}/trace.jsonl"
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{commit_id},{path}")


def two(repository: Path) -> None:
    add_good(repository)
    write(repository, f"{GOOD}-too/submission.toml")


def too_large(repository: Path) -> None:
    write(repository, f"{GOOD}/submission.toml", "x" * 17_000)


def renamed(repository: Path) -> None:
    git(repository, "mv", OLD, GOOD)


def adds(*paths: str):
    def change(repository: Path) -> None:
        add_good(repository)
        for path in paths:
            write(repository, path, "changed")

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda repository: None, "changes nothing"),
        (adds("code.py"), "changes 'code.py'"),
        (adds(".github/workflows/leaderboard.yml"), "workflows/leaderboard.yml"),
        (adds("leaderboard/results/sparse-mlp-v1.json"), "results/sparse-mlp-v1.json"),
        (adds("leaderboard/merged.txt"), "merged.txt"),
        (adds("leaderboard/submissions/loose.toml"), "loose.toml"),
        (adds(f"{GOOD}/deeper/mappings.json"), "mine/deeper"),
        (adds(f"{OLD}/submission.toml"), "changes or removes"),
        (adds(f"{OLD}/mappings.json"), "adds 2 submissions"),
        (renamed, "changes or removes"),
        (two, "adds 2 submissions"),
        (adds(f"{GOOD}/reproduced.toml"), "reproduced.toml"),
        (adds(f"{GOOD}/setup.py"), "setup.py"),
        (adds(f"{GOOD}/.gitattributes"), ".gitattributes"),
        (adds(f"{GOOD}/mappings.json\u202e"), r"\\u202e"),
        (adds(f"{GOOD}/a\nb"), r"a\\nb"),
        (executable, "mode 100755"),
        (link, "mode 120000"),
        (linked_folder, "2026-11-25-mine"),
        (submodule, "mode 160000"),
        (too_large, "17,000 bytes; the limit is 16,384"),
    ],
)
def test_anything_else_is_one_line(repository, change, words):
    change(repository)
    if change is not submodule:
        git(repository, "add", "-A", "--force")
    git(repository, "commit", "-q", "--allow-empty", "-m", "change")
    with pytest.raises(SubmissionError, match=words) as caught:
        new_submission(repository, "main", "head")
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


def crossed(repository: Path) -> None:
    """A request merged by a merge commit, and one that takes it up and keeps nothing of main's."""
    add_good(repository)
    commit(repository)
    git(repository, "checkout", "-q", "main")
    write(repository, "code.py", "fixed on main")
    commit(repository)
    fixed = git(repository, "rev-parse", "main")
    git(repository, "merge", "-q", "--no-ff", "-m", "merge", "head")
    git(repository, "checkout", "-q", "head")
    git(repository, "merge", "-q", "-s", "ours", "-m", "take up", fixed)
    write(repository, f"{GOOD}-too/submission.toml")
    commit(repository)


def test_a_history_that_crosses_mains_is_refused(repository):
    crossed(repository)
    with pytest.raises(SubmissionError, match="several merge bases; make one commit on top"):
        new_submission(repository, "main", "head")


def test_what_reverts_main_is_seen_whatever_way_it_came(repository):
    """One merge base, main itself: the request's own tree lacks what main has."""
    git(repository, "checkout", "-q", "main")
    write(repository, "code.py", "fixed on main")
    commit(repository)
    git(repository, "checkout", "-q", "head")
    git(repository, "merge", "-q", "-s", "ours", "-m", "take up", "main")
    add_good(repository)
    commit(repository)
    with pytest.raises(SubmissionError, match=r"the request changes 'code\.py'"):
        new_submission(repository, "main", "head")


def test_what_cannot_be_merged_is_refused(repository):
    add_good(repository)
    commit(repository)
    git(repository, "checkout", "-q", "main")
    write(repository, f"{GOOD}/submission.toml", "another")
    commit(repository)
    with pytest.raises(SubmissionError, match="conflicts with the base; make it anew"):
        new_submission(repository, "main", "head")


def test_what_is_merged_already_changes_nothing(repository):
    add_good(repository)
    commit(repository)
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--no-ff", "-m", "merge", "head")
    with pytest.raises(SubmissionError, match="the request changes nothing"):
        new_submission(repository, "main", "head")


@pytest.mark.parametrize(
    "name",
    [
        *("../up", "2026-13-01-no-month", "mine", "2026-11-25-Mine", "-x"),
        *("0001-01-01-first", "9999-12-31-last", "2026-11-24-before"),
    ],
)
def test_the_folder_is_named_by_the_rule(repository, name):
    write(repository, f"leaderboard/submissions/{name}/submission.toml")
    commit(repository)
    with pytest.raises(SubmissionError):
        new_submission(repository, "main", "head")


def test_a_folder_that_is_there_is_not_overwritten(repository):
    add_good(repository)
    commit(repository)
    with pytest.raises(SubmissionError, match="on the board already"):
        new_submission(repository, "main", "head", repository / "leaderboard/submissions")


@pytest.mark.parametrize("name", ["nothing", "--output=x", "", "main:code.py", "main..head"])
def test_what_is_no_commit_is_refused(repository, name):
    with pytest.raises(SubmissionError, match="git"):
        new_submission(repository, "main", name)
    assert not (repository / "x").exists()


def test_unrelated_histories_are_refused(repository):
    git(repository, "checkout", "-q", "--orphan", "other")
    write(repository, "code.py", "other")
    commit(repository)
    with pytest.raises(SubmissionError, match="nothing in common"):
        new_submission(repository, "main", "other")


def test_where_there_is_no_git_repository_that_is_said(tmp_path):
    with pytest.raises(SubmissionError, match="not a git repository"):
        new_submission(tmp_path, "main", "head")
