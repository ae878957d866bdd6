"""What libcst's nodes are asked, in C instead of in Python: the answers are the same."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from portaudit.read.python.nodes import descendants, dotted, string_value


def kinds(kind: type[cst.CSTNode]) -> Iterator[type[cst.CSTNode]]:
    yield kind
    for each in kind.__subclasses__():
        yield from kinds(each)


def test_nodes_are_instances_of_their_classes_and_of_no_other() -> None:
    module = cst.parse_module(
        "@a\nclass B(c, d=e):\n    def f(self, *g): return -h[1:2] + f'{i}'\n"
    )
    every = set(kinds(cst.CSTNode))  # type: ignore[type-abstract]
    for node in descendants(module):
        assert {kind for kind in every if isinstance(node, kind)} == every & set(type(node).mro())
    assert not any(isinstance(other, kind) for kind in every for other in (None, "a", object()))


def test_a_node_is_a_key_by_what_it_is() -> None:
    one, two = cst.Name("a"), cst.Name("a")
    assert {one: 1, two: 2} == {two: 2, one: 1}
    assert len({one, two, one}) == len((one, two))


def test_texts_are_what_python_reads() -> None:
    spelled = [
        "''",
        '""',
        "'a'",
        '"a\'b"',
        "'''a'''",
        '""""a"""',
        "'a\\n'",
        "r'\\d'",
        "b'a'",
        "u'é'",
    ]
    values = [string_value(cst.SimpleString(each)) for each in spelled]
    assert values == [
        *(("", True), ("", True), ("a", True), ("a'b", True), ("a", True), ('"a', True)),
        *(("a\n", True), ("\\d", True), None, ("é", True)),
    ]


def test_dotted_names_are_of_names_and_attributes_alone() -> None:
    texts = ["a", "a.b.c", "a().b", "1", "a[0].b", "'a'.b"]
    found = [dotted(cst.parse_expression(each)) for each in texts]
    assert found == ["a", "a.b.c", None, None, None, None]
