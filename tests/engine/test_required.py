"""Checks for a library that stop the program, and those that have another way out."""

from __future__ import annotations

import pytest

from snippets import check, findings, the

OPTIONAL = """
import sys
import torch
try:
    import flash_attn  # expect: FUS001 guard=import-guarded
    HAS_FLASH = True
except ImportError:
    flash_attn = None
    HAS_FLASH = False
"""


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.split("\n"))


# --- tests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "if flash_attn is None:{}\n    raise ImportError('install flash-attn')",
        "if not flash_attn:{}\n    raise ImportError",
        "if not HAS_FLASH:{}\n    raise ImportError",
        "if not HAS_FLASH:{}\n    print('install flash-attn')\n    raise ImportError",
        "if not HAS_FLASH:{}\n    sys.exit(1)",
        "if HAS_FLASH:{}\n    pass\nelse:\n    raise ImportError",
        "if HAS_FLASH is False:{}\n    raise ImportError",
        "if x and HAS_FLASH:\n    pass\nelif not HAS_FLASH:{}\n    raise ImportError",
        "assert HAS_FLASH{}",
        "assert flash_attn is not None, 'install flash-attn'{}",
        "if not HAS_FLASH or not torch.cuda.is_available():{}\n    raise ImportError",
        "if x:\n    if flash_attn is None:{}\n        raise ImportError",
    ],
)
def test_check_that_fails_is_a_finding(body: str) -> None:
    marked = body.format("  # expect: FUS001 guard=hard-fail severity=major")
    check(f"{OPTIONAL}def attend(x):\n{indented(marked)}")


@pytest.mark.parametrize(
    "body",
    [
        "if flash_attn is None:\n    return x",
        "if not HAS_FLASH and x.dtype == 1:\n    raise ImportError",
        "assert HAS_FLASH or x",
        "if HAS_FLASH:\n    return x\nif x == 1:\n    return 2\nraise ImportError",
        "if HAS_FLASH:\n    return x\nfor y in x:\n    return y\nraise ImportError",
        "if flash_attn is None:\n    x = x + 1",
        "if flash_attn is None:\n    print('install flash-attn')",
        "if flash_attn is not None:\n    return x",
        "if not HAS_FLASH:\n    return x\nraise ValueError",
        "if HAS_FLASH:\n    raise RuntimeError('remove flash-attn')",
        "if HAS_FLASH:\n    pass\nelif x:\n    raise ImportError",
        "assert not HAS_FLASH",
        "if not x:\n    raise ValueError",
        "found = HAS_FLASH",
        "y = 1 if HAS_FLASH else 2",
        "while not HAS_FLASH:\n    raise StopIteration",
        "try:\n    if flash_attn is None:\n        raise ImportError\nexcept ImportError: x = 0",
        "try:\n    if flash_attn is None:\n        raise OSError\nexcept Exception: x = 0",
        "try:\n    assert HAS_FLASH\nexcept AssertionError:\n    pass",
    ],
)
def test_check_with_another_way_out_is_silent(body: str) -> None:
    check(f"{OPTIONAL}def attend(x):\n{indented(body)}")


def test_check_that_is_caught_and_raised_again_is_a_finding() -> None:
    check(
        OPTIONAL
        + """
try:
    if flash_attn is None:  # expect: FUS001 guard=hard-fail
        raise ImportError
except ImportError:
    raise RuntimeError("install flash-attn")
"""
    )


def test_check_in_the_handler_is_not_caught_by_it() -> None:
    check(
        OPTIONAL
        + """
try:
    work()
except ValueError:
    if flash_attn is None:  # expect: FUS001 guard=hard-fail
        raise
"""
    )


@pytest.mark.parametrize(
    "question",
    [
        'importlib.util.find_spec("flash_attn") is None',
        "not is_flash_attn_2_available()",
        "not has_flash()",
    ],
)
def test_check_by_a_question_that_fails_is_a_finding(question: str) -> None:
    check(f"""
    import importlib.util
    from transformers.utils import is_flash_attn_2_available
    def has_flash():
        return importlib.util.find_spec("flash_attn") is not None
    if {question}:  # expect: FUS001 guard=hard-fail
        raise ImportError
    """)


@pytest.mark.parametrize(
    "question",
    [
        'importlib.util.find_spec("yaml") is None',
        "importlib.util.find_spec(name) is None",
        "not is_wandb_available()",
    ],
)
def test_check_for_a_harmless_package_is_silent(question: str) -> None:
    assert not findings(f"""
    import importlib.util
    from transformers.utils import is_wandb_available
    if {question}:
        raise ImportError
    """)


def test_check_by_a_flag_of_another_module_fails_where_it_stands() -> None:
    check(
        {
            "flags.py": OPTIONAL,
            "train.py": """
        from flags import HAS_FLASH
        if not HAS_FLASH:  # expect: FUS001 guard=hard-fail
            raise SystemExit("install flash-attn")
        """,
        }
    )


def test_check_proves_itself() -> None:
    text = """
    from transformers.utils import is_flash_attn_2_available
    def attend(q):
        if not is_flash_attn_2_available():
            raise ImportError
    """
    finding = the(text, "FUS001")
    assert finding.guard_by is not None
    assert (finding.guard_by.path, finding.guard_by.line) == ("snippet.py", finding.span.line)
    assert (finding.anchor, finding.scope) == ("flash_attn", "attend")


def test_check_for_several_libraries_is_a_finding_of_each() -> None:
    check("""
    try:
        import flash_attn  # expect: FUS001 guard=import-guarded
        import xformers  # expect: FUS004 guard=import-guarded
    except ImportError:
        flash_attn = xformers = None
    assert flash_attn and xformers  # expect: FUS001 guard=hard-fail, FUS004 guard=hard-fail
    """)
    check("""
    try:
        import flash_attn  # expect: FUS001 guard=import-guarded
    except ImportError:
        flash_attn = None
    try:
        import xformers  # expect: FUS004 guard=import-guarded
    except ImportError:
        xformers = None
    assert flash_attn or xformers
    """)


def test_check_for_cuda_itself_is_a_finding_of_its_own() -> None:
    check("""
    import torch
    if not torch.cuda.is_available():  # expect: DEV001 guard=hard-fail
        raise RuntimeError
    """)


# --- demands -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        ('require_version("flash-attn>=2")', "FUS001"),
        ('require_version("flash_attn")', "FUS001"),
        ('require_version("flash-attn>=2", "pip install flash-attn")', "FUS001"),
        ('utils.require_version("flash-attn >= 2.0.0, < 3")', "FUS001"),
        ('check_version("bitsandbytes>=0.43", mandatory=True)', "QNT001"),
        ('check_version("xformers==0.0.28")', "FUS004"),
    ],
)
def test_demand_is_a_finding(call: str, rule: str) -> None:
    check(f"""
    import utils
    from utils import check_version, require_version
    def attend():
        {call}  # expect: {rule} guard=hard-fail
    """)


@pytest.mark.parametrize(
    "call",
    [
        'require_version("datasets>=2.16")',
        'check_version("transformers>=4.49", mandatory=True)',
        'check_version("flash")',
        'check_version("2.0")',
        'check_version(">=2")',
        'check_version("")',
        "check_version(name)",
        "check_version()",
        'check_version(f"flash-attn>={least}")',
        'checked_version("flash-attn>=2")',
        'version("flash-attn")',
        'install("flash-attn>=2")',
    ],
)
def test_demand_of_something_else_is_silent(call: str) -> None:
    assert not findings(f"""
    from importlib.metadata import version
    from utils import check_version, checked_version, install, require_version
    def attend(name, least):
        {call}
    """)


def test_demand_that_is_a_question_is_silent() -> None:
    check("""
    def check_version(name):
        try:
            __import__(name)
        except ValueError:
            return False
        return True
    from utils import require_package, check_requirement
    check_version("flash_attn")
    if check_requirement("flash_attn"):
        pass
    READY = check_requirement("flash_attn") and True
    require_package("flash_attn", raise_error=False)
    require_package(message="flash_attn")
    """)


@pytest.mark.parametrize("caught", ["ImportError", "Exception", "(ValueError, ImportError)"])
def test_demand_that_is_caught_is_silent(caught: str) -> None:
    check(f"""
    from utils import require_version
    try:
        require_version("flash-attn>=2")
        READY = True
    except {caught}:
        READY = False
    """)


def test_demand_behind_a_guard_has_that_guard() -> None:
    check("""
    import torch
    from transformers.utils import is_flash_attn_2_available
    from utils import require_version
    if is_flash_attn_2_available():
        require_version("flash-attn>=2")  # expect: FUS001 guard=guarded
    def attend(use_flash=False):
        if use_flash:
            require_version("flash-attn>=2")  # expect: FUS001 guard=guarded
    def attend_always(use_flash=True):
        if use_flash:
            require_version("flash-attn>=2")  # expect: FUS001 guard=hard-fail
    """)


# --- objects that are made later -----------------------------------------------------------------


@pytest.mark.parametrize(
    "test",
    [
        "if _buffer is None:\n        raise RuntimeError('not ready')",
        "assert _buffer is not None",
        "buffer = _buffer\n    if buffer is None:\n        raise RuntimeError('not ready')",
        "if not _buffer:\n        raise RuntimeError('not ready')",
    ],
)
@pytest.mark.parametrize("annotation", ["", ": Buffer | None"])
def test_check_for_an_object_that_is_made_later_is_silent(test: str, annotation: str) -> None:
    check(f"""
import torch
_buffer{annotation} = None
def use(x):
    {test}
    return x
def get_buffer():
    global _buffer
    try:
        from deep_ep import Buffer  # expect: FUS059 guard=hard-fail
    except ImportError as error:
        raise RuntimeError("install it") from error
    if _buffer is None:
        _buffer = Buffer()  # expect: FUS059 guard=hard-fail
    return _buffer
""")


def test_check_for_an_object_that_the_module_makes_is_a_finding() -> None:
    check("""
    import torch
    try:
        from deep_ep import Buffer  # expect: FUS059 guard=import-guarded
        _buffer = Buffer()  # expect: FUS059 guard=guarded
    except ImportError:
        _buffer = None
    def drop():
        global _buffer
        _buffer = None
    def use(x):
        if _buffer is None:  # expect: FUS059 guard=hard-fail
            raise RuntimeError("not there")
        return x
    """)


def test_check_for_several_objects_that_are_made_later_is_silent() -> None:
    check("""
import torch
_buffer = None
_attend = None
def use(x):
    if _buffer is None or _attend is None:
        raise RuntimeError("not ready")
    return x
def make():
    global _buffer, _attend
    try:
        from deep_ep import Buffer  # expect: FUS059 guard=hard-fail
    except ImportError as error:
        raise RuntimeError("install it") from error
    _buffer = Buffer()  # expect: FUS059 guard=hard-fail
    try:
        from flash_attn import flash_attn_func  # expect: FUS001 guard=hard-fail
    except ImportError as error:
        raise RuntimeError("install it") from error
    _attend = flash_attn_func()  # expect: FUS001 guard=hard-fail
""")


def test_check_behind_a_function_that_leaves_is_judged_by_what_is_behind_it() -> None:
    check(f"""{OPTIONAL}
def attend(x):
    if flash_attn is None:  # expect: FUS001 guard=hard-fail severity=major
        def told():
            return "install it"
        raise ImportError(told())
def other(x):
    if flash_attn is None:
        def told():
            return "install it"
        if x:
            return x
        raise ImportError(told())
""")


def test_check_for_an_attribute_that_is_made_later_is_silent() -> None:
    check("""
    import torch
    try:
        import deep_ep  # expect: FUS059 guard=import-guarded
    except ImportError:
        deep_ep = None
    class Runner:
        def __init__(self):
            self.buffer = None
        def start(self):
            if deep_ep is not None:
                self.buffer = deep_ep.Buffer()  # expect: FUS059 guard=guarded
        def run(self):
            if self.buffer is None:
                raise RuntimeError("not started")
            if deep_ep is None:  # expect: FUS059 guard=hard-fail
                raise ImportError
    """)


def test_check_for_a_module_that_is_imported_later_is_a_finding() -> None:
    check("""
    import torch
    _flash = None
    def load():
        global _flash
        try:
            import flash_attn  # expect: FUS001 guard=import-guarded
        except ImportError:
            return
        _flash = flash_attn
    def run():
        if _flash is None:  # expect: FUS001 guard=hard-fail
            raise ImportError
    """)
