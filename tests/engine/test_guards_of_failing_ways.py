"""Another way that ends in an error is none: behind an attempt, in a function of the tree."""

from __future__ import annotations

import pytest

from snippets import findings

HEAD = """
try:
    from flash_attn import flash_attn_func
    HAS = True
except ImportError:
    HAS = False

def plain(q):
    if q.dim() == 4:
        return q * 2
    raise ValueError("shape")

def fail(q):
    print("no flash-attn")
    raise RuntimeError("needs flash-attn")

def fail_later(q):
    return fail(q)

def attend(q):
    {}
"""
SHAPES = {
    "an answer": "if HAS:\n        return flash_attn_func(q, q, q)\n    {}",
    "else": "if HAS:\n        return flash_attn_func(q, q, q)\n    else:\n        {}",
    "not": "if not HAS:\n        {}\n    return flash_attn_func(q, q, q)",
    "attempt": """if HAS:
        try:
            return flash_attn_func(q, q, q)
        except RuntimeError:
            print("no")
    {}""",
    "attempt alone": """try:
        return flash_attn_func(q, q, q)
    except Exception:
        print("no")
    {}""",
    "handler": """try:
        return flash_attn_func(q, q, q)
    except Exception:
        {}""",
}
FAILING = {
    "raise": 'raise RuntimeError("no")',
    "no answer": "return NotImplemented",
    "function": "return fail(q)",
    "function of a function": "return fail_later(q)",
}
WORKING = {"operators": "return q * 2", "library": "return q.softmax(-1)", "own": "return plain(q)"}


def guards(shape: str, way: str) -> set[str]:
    source = HEAD.format(SHAPES[shape].format(way))
    return {item.guard for item in findings(source) if "flash_attn_func(" in item.snippet}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("way", FAILING)
def test_an_error_is_no_other_way(shape: str, way: str) -> None:
    assert guards(shape, FAILING[way]) <= {"none", "hard-fail"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("way", WORKING)
def test_an_answer_is_another_way(shape: str, way: str) -> None:
    assert guards(shape, WORKING[way]) == {"fallback"}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_answer_is_something_missing(shape: str) -> None:
    assert guards(shape, "return None") == {"guarded"}


METHODS = (
    HEAD.partition("def plain")[0]
    + """
class Attention:
    def other(self, q):
        raise {}

    def attend(self, q):
        if HAS:
            return flash_attn_func(q, q, q)
        return self.other(q)

class Plain({}):
    def {}(self, q):
        return q * 2
"""
)


@pytest.mark.parametrize(
    ("error", "base", "name", "guard"),
    [
        ("NotImplementedError", "Attention", "other", "fallback"),
        ('NotImplementedError("for others")', "Attention", "other", "fallback"),
        ("NotImplementedError", "Attention", "another", "hard-fail"),
        ("NotImplementedError", "object", "other", "hard-fail"),
        ("RuntimeError", "Attention", "other", "hard-fail"),
    ],
)
def test_a_method_that_derived_classes_have_is_no_error(
    error: str, base: str, name: str, guard: str
) -> None:
    found = findings(METHODS.format(error, base, name))
    assert {item.guard for item in found if "flash_attn_func(" in item.snippet} == {guard}
