"""How the site is made of the Markdown in the repository: `sphinx-build -c docs/site . OUT`.

The pages are those that a Git host shows, under the same paths and with the same links. Nothing in
them is written for Sphinx; what it needs besides, the tree of pages, it gets here.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent.parent

project = "portaudit"
(version,) = re.findall(
    r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
)
release = version

extensions = ["myst_parser"]
root_doc = "README"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/**.md",
    "bench/README.md",
    "bench/**/README.md",
    "fixtures/README.md",
]
exclude_patterns = [".*", "*.egg-info", "build", "dist", "portaudit", "rules", "site", "tests"]
suppress_warnings = [
    "misc.highlighting_failure",  # rules show code that does not parse, as they find it there
]

myst_heading_anchors = 4  # made as GitHub makes them
myst_enable_extensions = ["linkify"]
myst_linkify_fuzzy_links = False  # setup.py is no address

html_theme = "furo"
html_title = f"portaudit {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_use_index = False
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False

INDEX = "docs/README"
"""The page that lists all others; its headings and entries are the tree of pages."""
RULE = re.compile(r"docs/rules/[A-Z]{3}\d{3}")
RECORDS = "docs/adr/README"


def tree(index: str) -> str:
    """The tree of pages, as directives, by the index of the documents."""
    parts = []
    for section in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        caption = section.partition("\n")[0]
        links = re.findall(r"^- \[([^]]+)\]\(([^)]+)\.md\)", section, re.MULTILINE)
        listed = [f"{title} <{_page(link)}>" for title, link in links]
        lines = ["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *listed, "```", ""]
        parts.append("\n".join(lines))
    return "".join(parts)


def _page(link: str) -> str:
    """The page that a link of the index leads to, seen from the root."""
    return posixpath.normpath(posixpath.join("docs", link))


def add_tree(_app: Sphinx, name: str, source: list[str]) -> None:
    """Give the front page the tree; the many pages of rules are in none."""
    if name == root_doc:
        index = (ROOT / f"{INDEX}.md").read_text(encoding="utf-8")
        source[0] += f"\n```{{toctree}}\n:hidden:\n\n{INDEX}\n```\n" + tree(index)
    elif name == RECORDS:
        source[0] += "\n```{toctree}\n:glob:\n\n[0-9]*\n```\n"
    elif RULE.fullmatch(name):
        source[0] = f"---\norphan: true\n---\n{source[0]}"


def open_to_the_keyboard(
    _app: Sphinx, _name: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    """Let keys push aside what is wide, and say how deep a caption is."""
    for part, before, after in (
        ("body", "<pre>", '<pre tabindex="0">'),
        ("body", '<div class="table-wrapper', '<div tabindex="0" class="table-wrapper'),
        ("furo_navigation_tree", 'role="heading"', 'role="heading" aria-level="2"'),
    ):
        context[part] = context.get(part, "").replace(before, after)


def copy_front_page(app: Sphinx, failure: Exception | None) -> None:
    """Show the front page to a browser that asks for the directory."""
    if failure is None:
        shutil.copyfile(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Join the build."""
    app.connect("source-read", add_tree)
    app.connect("html-page-context", open_to_the_keyboard, priority=900)  # after the theme
    app.connect("build-finished", copy_front_page)
    return {"parallel_read_safe": True}
