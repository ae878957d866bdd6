"""Git repositories for tests, made by git itself and shut off from the settings of the machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


@dataclass(frozen=True)
class Repo:
    """A work tree with its repository."""

    root: Path

    @classmethod
    def make(cls, root: Path, files: Mapping[str, str | bytes] | None = None) -> Repo:
        """A new repository, with one commit if there are files."""
        root.mkdir(parents=True, exist_ok=True)
        repo = cls(root.resolve())
        repo.git("init", "-q", "-b", "main")
        if files is not None:
            repo.commit(files)
        return repo

    def git(self, *words: str, **environment: str) -> str:
        """Run git in the work tree; what it prints, without the last line's end."""
        inherited = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *words],  # noqa: S607
            cwd=self.root,
            env={**inherited, **ENVIRONMENT, **environment},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files of the work tree."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)

    def commit(self, files: Mapping[str, str | bytes]) -> str:
        """Write files and commit everything that changed; the commit."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "A change")
        return self.git("rev-parse", "HEAD")
