"""Reporter: the score as a small picture for a README, in SVG.

Fonts differ between readers, so widths come from a table and the picture holds text to them.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from portaudit.report.outcome import decimal, of_rules
from portaudit.types import Report, Target, Verdict

_COLORS: dict[Verdict, str] = {
    "ready": "#2e7d4f",
    "edits only": "#2e7d4f",
    "replace libraries": "#9a5b0a",
    "write kernels": "#b3262b",
    "redesign": "#b3262b",
    "unknown": "#5c6570",
}
_LABELS: dict[Target, str] = {"torchneuron": "Trainium", "xla": "Neuron XLA"}
_WIDTHS = {
    3.9: " ,.'ijl",
    4.7: "ftIr()-",
    6.1: "Jsczxkvyq",
    7.0: "0123456789abdeghnopuLFTSPEKVXYZ",
    8.0: "ABCDRUw",
    8.7: "GHNOQ%",
    10.7: "mMW",
}
"""Widths of characters in the Verdana of eleven pixels, to a pixel or so."""
_ELSE = 7.4
_WIDTH = {char: width for width, chars in _WIDTHS.items() for char in chars}
_PAD = 7


def render(report: Report) -> str:
    """The badge of a report, ending in a newline."""
    label, text = _LABELS[report.target], _text(report)
    color = _COLORS[report.score.verdict if report.score.value is not None else "unknown"]
    left, right = _width(label) + 2 * _PAD, _width(text) + 2 * _PAD
    whole = left + right
    told = f"portaudit, {label}: {text}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" '
        f'viewBox="0 0 {whole} 20" role="img" aria-label={quoteattr(told)}>\n'
        f"<title>{escape(told)}</title>\n"
        f'<clipPath id="r"><rect width="{whole}" height="20" rx="3"/></clipPath>\n'
        '<g clip-path="url(#r)">\n'
        f'<rect width="{left}" height="20" fill="#3d444d"/>\n'
        f'<rect x="{left}" width="{right}" height="20" fill="{color}"/>\n'
        "</g>\n"
        '<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">\n'
        f'<text x="{_PAD}" y="14" textLength="{left - 2 * _PAD}">{escape(label)}</text>\n'
        f'<text x="{left + _PAD}" y="14" textLength="{right - 2 * _PAD}">{escape(text)}</text>\n'
        "</g>\n"
        "</svg>\n"
    )


def _text(report: Report) -> str:
    score = report.score
    if score.value is None:
        return "no torch" if report.coverage.files_total else "nothing to scan"
    provisional = ", provisional" if score.provisional else ""
    some = of_rules(report)
    narrowed = f", {some}" if some else ""
    return f"{decimal(score.value)} of 100, {score.verdict}{provisional}{narrowed}"


def _width(text: str) -> int:
    """Columns of pixels that a text takes."""
    return round(sum(_WIDTH.get(char, _ELSE) for char in text))
