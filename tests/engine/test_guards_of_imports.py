from __future__ import annotations

import pytest

from snippets import check, findings

# --- try: import ---------------------------------------------------------------------------------


def test_import_guard_with_a_flag() -> None:
    check("""
    try:
        from flash_attn import flash_attn_func  # expect: FUS001 guard=import-guarded severity=minor
        HAVE_FLASH = True
    except ImportError:
        HAVE_FLASH = False
    def attend(q):
        if HAVE_FLASH:
            return flash_attn_func(q, q, q)  # expect: FUS001 guard=fallback
        return q
    def attend_if_there(q):
        if HAVE_FLASH:
            flash_attn_func(q, q, q)  # expect: FUS001 guard=guarded
    def attend_or_fail(q):
        if not HAVE_FLASH:  # expect: FUS001 guard=hard-fail
            raise ImportError("install flash-attn")
        return flash_attn_func(q, q, q)  # expect: FUS001 guard=hard-fail
    def attend_when_missing(q):
        if not HAVE_FLASH:
            return flash_attn_func(q, q, q)  # expect: FUS001
    def attend_always(q):
        return flash_attn_func(q, q, q)  # expect: FUS001
    """)


def test_import_guard_with_a_flag_set_beforehand() -> None:
    check("""
    HAVE_FLASH = False
    try:
        import flash_attn  # expect: FUS001 guard=import-guarded
        HAVE_FLASH = True
    except ImportError:
        pass
    if HAVE_FLASH:
        flash_attn.flash_attn_func(1)  # expect: FUS001 guard=guarded
    if not HAVE_FLASH:
        flash_attn.flash_attn_func(1)  # expect: FUS001
    """)


def test_import_guard_with_a_flag_set_in_else() -> None:
    check("""
    try:
        import flash_attn  # expect: FUS001 guard=import-guarded
    except ImportError:
        HAVE_FLASH = False
    else:
        HAVE_FLASH = True
    if HAVE_FLASH:
        flash_attn.flash_attn_func(1)  # expect: FUS001 guard=guarded
    """)


def test_import_guard_with_a_flag_that_is_always_true_proves_nothing() -> None:
    check("""
    try:
        import flash_attn  # expect: FUS001 guard=import-guarded
        HAVE_FLASH = True
    except ImportError:
        HAVE_FLASH = True
    if HAVE_FLASH:
        flash_attn.flash_attn_func(1)  # expect: FUS001
    """)


def test_import_guard_with_none() -> None:
    check("""
    try:
        from flash_attn import flash_attn_func  # expect: FUS001 guard=import-guarded
    except ImportError:
        flash_attn_func = None
    def a(q):
        if flash_attn_func is not None:
            return flash_attn_func(q)  # expect: FUS001 guard=fallback
        return q
    def b(q):
        if flash_attn_func is None:  # expect: FUS001 guard=hard-fail
            raise ImportError("install flash-attn")
        return flash_attn_func(q)  # expect: FUS001 guard=hard-fail
    def c(q):
        if flash_attn_func:
            flash_attn_func(q)  # expect: FUS001 guard=guarded
    def d(q):
        if flash_attn_func is None:
            flash_attn_func(q)  # expect: FUS001
    def e(q):
        assert flash_attn_func is not None  # expect: FUS001 guard=hard-fail
        flash_attn_func(q)  # expect: FUS001 guard=hard-fail
    """)


def test_import_guard_with_none_for_a_module() -> None:
    check("""
    try:
        import flash_attn as fa  # expect: FUS001 guard=import-guarded
    except ImportError:
        fa = None
    def a(q):
        return fa.flash_attn_func(q) if fa is not None else q  # expect: FUS001 guard=fallback
    def b(q):
        return fa and fa.flash_attn_func(q)  # expect: FUS001 guard=guarded
    def c(q):
        return fa.flash_attn_func(q)  # expect: FUS001
    """)


@pytest.mark.parametrize(
    ("handler", "guard"),
    [
        ("from .attention import flash_attn_func", "fallback"),
        ("flash_attn_func = slow_attention", "fallback"),
        ("def flash_attn_func(q): return q", "fallback"),
        ("flash_attn_func = None", "import-guarded"),
        ("HAVE_FLASH = False", "import-guarded"),
        ("pass", "import-guarded"),
        ("...", "import-guarded"),
        ("print('no flash-attn')", "import-guarded"),
        ("warnings.warn('no flash-attn')", "import-guarded"),
        ("raise", "none"),  # the same as no handler
        ("raise ImportError('pip install flash-attn')", "hard-fail"),
        ("print('no flash-attn'); raise", "hard-fail"),
        ("sys.exit('pip install flash-attn')", "hard-fail"),
    ],
)
def test_import_guard_is_what_the_handler_does(handler: str, guard: str) -> None:
    check(f"""
    import sys
    import warnings
    try:
        from flash_attn import flash_attn_func  # expect: FUS001 guard={guard}
    except ImportError:
        {handler}
    """)


@pytest.mark.parametrize(
    ("clause", "guard"),
    [
        ("except ImportError", "import-guarded"),
        ("except ModuleNotFoundError", "import-guarded"),
        ("except (ImportError, RuntimeError)", "import-guarded"),
        ("except (OSError, ImportError) as error", "import-guarded"),
        ("except Exception", "import-guarded"),
        ("except Exception as error", "import-guarded"),
        ("except BaseException", "import-guarded"),
        ("except builtins.ImportError", "import-guarded"),
        ("except", "import-guarded"),
        ("except ValueError", "none"),
        ("except (OSError, RuntimeError)", "none"),
        ("except AttributeError", "none"),
        ("finally", "none"),
    ],
)
def test_import_guard_needs_a_handler_that_catches(clause: str, guard: str) -> None:
    check(f"""
    import builtins
    try:
        import flash_attn  # expect: FUS001 guard={guard}
    {clause}:
        pass
    """)


def test_import_guard_of_several_handlers_is_that_of_the_first_that_catches() -> None:
    check("""
    try:
        import flash_attn  # expect: FUS001 guard=import-guarded
    except ImportError:
        flash_attn = None
    except Exception:
        raise
    """)
    check("""
    try:
        import flash_attn  # expect: FUS001 guard=hard-fail
    except ImportError:
        raise RuntimeError("pip install flash-attn")
    except Exception:
        flash_attn = None
    """)
    check("""
    try:
        import flash_attn  # expect: FUS001
    except ImportError:
        raise
    except Exception:
        flash_attn = None
    """)


def test_import_guard_that_keeps_the_exception_is_import_guarded() -> None:
    check("""
    try:
        import flash_attn  # expect: FUS001 guard=import-guarded
    except ImportError as error:
        flash_attn = None
        flash_attn_error = error
    """)


def test_import_guard_of_another_module_is_none() -> None:
    check("""
    try:
        import yaml
    except ImportError:
        yaml = None
    else:
        import flash_attn  # expect: FUS001
    """)


def test_import_guard_does_not_hold_in_the_handler() -> None:
    check("""
    try:
        import flash_attn_interface  # expect: FUS001 guard=fallback
    except ImportError:
        import flash_attn  # expect: FUS001
    """)


def test_import_guard_holds_in_the_rest_of_the_body() -> None:
    check("""
    try:
        import flash_attn  # expect: FUS001 guard=import-guarded
        flash_attn.flash_attn_func(1)  # expect: FUS001 guard=guarded
    except ImportError:
        flash_attn = None
    """)


def test_import_guard_by_a_handler_that_leaves() -> None:
    check("""
    def attend(q):
        try:
            from flash_attn import flash_attn_func  # expect: FUS001 guard=fallback
        except ImportError:
            return q
        return flash_attn_func(q)  # expect: FUS001 guard=fallback
    def attend_or_fail(q):
        try:
            from flash_attn import flash_attn_func  # expect: FUS001 guard=hard-fail
        except ImportError:
            raise RuntimeError("pip install flash-attn")
        return flash_attn_func(q)  # expect: FUS001 guard=hard-fail
    """)


def test_import_guard_by_a_handler_that_goes_on_does_not_hold_behind_it() -> None:
    check("""
    def attend(q):
        try:
            from flash_attn import flash_attn_func  # expect: FUS001 guard=import-guarded
        except ImportError:
            print("no flash-attn")
        return flash_attn_func(q)  # expect: FUS001
    """)


def test_import_guard_of_nested_attempts_is_the_inner_one() -> None:
    check("""
    try:
        try:
            import flash_attn_interface  # expect: FUS001 guard=hard-fail
        except ImportError:
            raise RuntimeError("pip install flash-attn")
    except ImportError:
        pass
    """)


def test_import_guard_of_nested_attempts_is_the_outer_one_where_the_inner_passes_on() -> None:
    check("""
    try:
        try:
            import flash_attn_interface  # expect: FUS001 guard=import-guarded
        except ImportError:
            raise
    except ImportError:
        pass
    """)


@pytest.mark.parametrize(
    "block", ["with warnings.catch_warnings():", "if sys.platform != 'win32':"]
)
def test_import_guard_holds_inside_blocks_of_the_body(block: str) -> None:
    check(f"""
    import sys
    import warnings
    try:
        {block}
            import flash_attn  # expect: FUS001 guard=import-guarded
    except ImportError:
        flash_attn = None
    """)


@pytest.mark.parametrize("function", ["importlib.import_module", "import_module", "__import__"])
def test_import_guard_of_an_import_by_name(function: str) -> None:
    check(f"""
    import importlib
    from importlib import import_module
    try:
        flash_attn = {function}("flash_attn")  # expect: FUS001 guard=import-guarded
    except ImportError:
        flash_attn = None
    """)


@pytest.mark.parametrize(
    ("caught", "guard"),
    [
        ("ImportError", "import-guarded"),
        ("ModuleNotFoundError", "import-guarded"),
        ("KeyError, ImportError", "import-guarded"),
        ("Exception", "import-guarded"),
        ("KeyError", "none"),
        ("AttributeError", "none"),
    ],
)
@pytest.mark.parametrize(
    "spelled", ["import contextlib as c\n    with c.", "from contextlib import suppress\n    with "]
)
def test_import_guard_by_suppress(caught: str, guard: str, spelled: str) -> None:
    check(f"""
    {spelled}suppress({caught}):
        import flash_attn  # expect: FUS001 guard={guard}
    """)


def test_import_inside_a_guarded_function_is_not_guarded_by_its_laziness() -> None:
    check("""
    import flash_attn  # expect: FUS001
    def attend(q):
        import flash_attn  # expect: FUS001
        return flash_attn.flash_attn_func(q)  # expect: FUS001
    """)


def test_import_that_always_runs_is_not_guarded_by_the_guard_of_its_use() -> None:
    check("""
    import torch
    import flash_attn  # expect: FUS001
    if torch.cuda.is_available():
        flash_attn.flash_attn_func(1)  # expect: FUS001 guard=guarded
    """)


# --- find_spec and functions that ask ------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ('importlib.util.find_spec("flash_attn") is not None', True),
        ('importlib.util.find_spec("flash_attn")', True),
        ('bool(importlib.util.find_spec("flash_attn"))', True),
        ('find_spec("flash_attn") is not None', True),
        ('pkgutil.find_loader("flash_attn") is not None', True),
        ('importlib.util.find_spec("flash_attn") is None', False),
        ('not importlib.util.find_spec("flash_attn")', False),
        ('importlib.util.find_spec("yaml") is not None', False),
        ("importlib.util.find_spec(name) is not None", False),
    ],
)
def test_guard_by_find_spec(question: str, holds: bool) -> None:
    check(f"""
    import importlib.util
    import pkgutil
    from importlib.util import find_spec
    HAVE_FLASH = {question}
    if HAVE_FLASH:
        import flash_attn  # expect: FUS001 guard={"import-guarded" if holds else "none"}
        flash_attn.flash_attn_func(1)  # expect: FUS001 guard={"guarded" if holds else "none"}
    """)


def test_guard_by_find_spec_with_else() -> None:
    check("""
    from importlib.util import find_spec
    if find_spec("flash_attn"):
        from flash_attn import flash_attn_func  # expect: FUS001 guard=fallback
    else:
        from .slow import flash_attn_func
    if find_spec("flash_attn") is None:  # expect: FUS001 guard=hard-fail
        raise ImportError("pip install flash-attn")
    import flash_attn  # expect: FUS001 guard=hard-fail
    """)


def test_guard_by_a_function_that_asks() -> None:
    check("""
    import importlib.util
    def is_flash_available():
        return importlib.util.find_spec("flash_attn") is not None
    if is_flash_available():
        import flash_attn  # expect: FUS001 guard=import-guarded
    if not is_flash_available():
        import flash_attn  # expect: FUS001
    if is_flash_available:
        import flash_attn  # expect: FUS001
    """)


@pytest.mark.parametrize(
    "decorator",
    [
        "@functools.cache",
        "@functools.lru_cache(maxsize=None)",
        "@lru_cache",
        "@torch.compiler.disable",
    ],
)
def test_guard_by_a_cached_function_that_asks(decorator: str) -> None:
    check(f"""
    import functools
    import torch
    from functools import lru_cache
    {decorator}
    def has_gpu():
        return torch.cuda.is_available()
    if has_gpu():
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    if not has_gpu():
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_by_a_function_that_tries_to_import() -> None:
    check("""
    def is_flash_available():
        try:
            import flash_attn  # expect: FUS001 guard=import-guarded
            return True
        except ImportError:
            return False
    if is_flash_available():
        from flash_attn import flash_attn_func  # expect: FUS001 guard=import-guarded
    else:
        print("slow")
    if not is_flash_available():
        from flash_attn import flash_attn_func  # expect: FUS001
    """)


def test_guard_by_a_function_that_returns_in_else() -> None:
    check("""
    def is_flash_available():
        try:
            import flash_attn  # expect: FUS001 guard=import-guarded
        except ImportError:
            return False
        else:
            return True
    if is_flash_available():
        from flash_attn import flash_attn_func  # expect: FUS001 guard=import-guarded
    """)


def test_guard_by_a_function_with_several_answers() -> None:
    check("""
    import torch
    def may_use_gpu(force):
        if not torch.cuda.is_available():
            return False
        if force:
            return True
        return torch.cuda.device_count() > 1
    def may_do_it(force):
        if not torch.cuda.is_available():
            return force
        return True
    if may_use_gpu(1):
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    if may_do_it(1):
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_by_a_function_that_says_yes_regardless_is_none() -> None:
    check("""
    import torch
    def has_gpu():
        torch.cuda.is_available()
        return True
    def has_no_answer():
        torch.cuda.is_available()
    if has_gpu():
        torch.cuda.synchronize()  # expect: DEV007
    if has_no_answer():
        torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_by_a_method_and_a_property_that_ask() -> None:
    check("""
    import torch
    class Runner:
        def has_gpu(self):
            return torch.cuda.is_available()
        @property
        def on_gpu(self):
            return torch.cuda.is_available()
        def wait(self):
            if self.has_gpu():
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
            if not self.has_gpu():
                torch.cuda.synchronize()  # expect: DEV007
            if self.on_gpu:
                torch.cuda.synchronize()  # expect: DEV007 guard=guarded
            if not self.on_gpu:
                torch.cuda.synchronize()  # expect: DEV007
    """)


def test_guard_by_a_library_flag_does_not_need_the_same_library() -> None:
    check("""
    import torch
    try:
        import apex
        HAVE_APEX = True
    except ImportError:
        HAVE_APEX = False
    if HAVE_APEX:
        torch.cuda.synchronize()  # expect: DEV007 guard=guarded
    """)


def test_guard_by_a_flag_of_a_harmless_library_is_none() -> None:
    check("""
    import torch
    try:
        import wandb
        HAVE_WANDB = True
    except ImportError:
        HAVE_WANDB = False
    if HAVE_WANDB:
        torch.cuda.synchronize()  # expect: DEV007
    """)


@pytest.mark.parametrize(
    ("function", "rule_holds"),
    [
        ("transformers.utils.is_flash_attn_2_available()", True),
        ("is_flash_attn_2_available()", True),
        ("not is_flash_attn_2_available()", False),
        ("is_flash_attn_2_available", False),
        ("is_wandb_available()", False),
    ],
)
def test_guard_by_a_well_known_question(function: str, rule_holds: bool) -> None:
    check(f"""
    import transformers
    from transformers.utils import is_flash_attn_2_available, is_wandb_available
    if {function}:
        import flash_attn  # expect: FUS001 guard={"import-guarded" if rule_holds else "none"}
    """)


@pytest.mark.parametrize(
    ("block", "guard"),
    [
        ("if is_flash_attn_2_available():\n    {i}", "import-guarded"),
        ("if is_flash_attn_2_available():\n    {i}\nelse:\n    pass", "import-guarded"),
        ("if is_flash_attn_2_available():\n    {i}\nelse:\n    fa = None", "import-guarded"),
        ("if is_flash_attn_2_available():\n    {i}\nelse:\n    print('no')", "import-guarded"),
        ("if not is_flash_attn_2_available():\n    pass\nelse:\n    {i}", "import-guarded"),
        ("if ready and is_flash_attn_2_available():\n    {i}", "import-guarded"),
        ("if ready:\n    if is_flash_attn_2_available():\n        {i}", "import-guarded"),
        ("if find_spec('flash_attn'):\n    {i}", "import-guarded"),
        ("if is_flash_attn_2_available():\n    {i}\nelse:\n    import slow as fa", "fallback"),
        ("if find_spec('triton'):\n    {i}", "guarded"),  # another library's check
        ("if torch.cuda.is_available():\n    {i}", "guarded"),
        ("if torch.cuda.is_available() and is_flash_attn_2_available():\n    {i}", "guarded"),
        ("if not is_flash_attn_2_available():\n    {i}", "none"),
        ("if is_flash_attn_2_available:\n    {i}", "none"),
        ("if ready or is_flash_attn_2_available():\n    {i}", "none"),
        ("if find_spec('yaml'):\n    {i}", "none"),
        ("if ready:\n    {i}", "none"),
    ],
)
@pytest.mark.parametrize(
    "statement", ["import flash_attn as fa", "from flash_attn.ops.rms_norm import rms_norm as fa"]
)
def test_guard_of_an_import_under_a_check(block: str, guard: str, statement: str) -> None:
    found = findings(
        "import torch\nfrom importlib.util import find_spec\n"
        "from transformers.utils import is_flash_attn_2_available\n"
        + block.format(i=statement)
        + "\n"
    )
    assert [item.guard for item in found if item.category == "fused-kernel-lib"] == [guard]


def test_guard_of_an_import_under_a_check_that_fails_is_a_hard_fail() -> None:
    check("""
    from transformers.utils import is_flash_attn_2_available
    if is_flash_attn_2_available():  # expect: FUS001 guard=hard-fail
        import flash_attn  # expect: FUS001 guard=hard-fail
    else:
        raise ImportError("pip install flash-attn")
    """)


def test_guard_of_a_use_under_a_check_is_not_that_of_an_import() -> None:
    check("""
    from transformers.utils import is_flash_attn_2_available
    if is_flash_attn_2_available():
        import flash_attn as fa  # expect: FUS001 guard=import-guarded severity=minor
        fa.flash_attn_func(1)  # expect: FUS001 guard=guarded severity=minor
    """)


# --- flags of other modules ----------------------------------------------------------------------

FLAGS = """
try:
    import flash_attn  # expect: FUS001 guard=import-guarded
    HAVE_FLASH = True
except ImportError:
    HAVE_FLASH = False
"""
USE = """
import flash_attn  # expect: FUS001
from {module} import HAVE_FLASH
if HAVE_FLASH:
    flash_attn.flash_attn_func(1)  # expect: FUS001 guard=guarded
if not HAVE_FLASH:
    flash_attn.flash_attn_func(1)  # expect: FUS001
def attend(q):
    if HAVE_FLASH:
        return flash_attn.flash_attn_func(q)  # expect: FUS001 guard=fallback
    return q
def attend_or_fail(q):
    if not HAVE_FLASH:  # expect: FUS001 guard=hard-fail
        raise ImportError("pip install flash-attn")
    return flash_attn.flash_attn_func(q)  # expect: FUS001 guard=hard-fail
"""


@pytest.mark.parametrize(
    ("owner", "user", "module"),
    [
        ("flags.py", "train.py", "flags"),
        ("pkg/flags.py", "pkg/model.py", ".flags"),
        ("pkg/flags.py", "pkg/deep/model.py", "..flags"),
        ("pkg/flags.py", "train.py", "pkg.flags"),
        ("pkg/__init__.py", "pkg/model.py", "."),
        ("src/pkg/flags.py", "train.py", "pkg.flags"),
    ],
)
def test_guard_by_a_flag_of_another_module(owner: str, user: str, module: str) -> None:
    packages = {"pkg/__init__.py": "", "pkg/deep/__init__.py": "", "src/pkg/__init__.py": ""}
    root = owner.split("/", maxsplit=1)[0]
    kept = {path: text for path, text in packages.items() if path.split("/")[0] == root}
    check({**kept, owner: FLAGS, user: USE.replace("{module}", module)})


def test_guard_by_a_flag_of_a_module_by_attribute() -> None:
    check(
        {
            "flags.py": FLAGS,
            "train.py": """
        import flags
        import flags as f
        import flash_attn  # expect: FUS001
        if flags.HAVE_FLASH:
            flash_attn.flash_attn_func(1)  # expect: FUS001 guard=guarded
        if not f.HAVE_FLASH:
            flash_attn.flash_attn_func(1)  # expect: FUS001
        if f.HAVE_FLASH:
            flash_attn.flash_attn_func(1)  # expect: FUS001 guard=guarded
        """,
        }
    )


def test_guard_by_a_flag_that_is_re_exported() -> None:
    check(
        {
            "pkg/__init__.py": "from .api import HAVE_FLASH",
            "pkg/api.py": "from .utils import HAVE_FLASH",
            "pkg/utils/__init__.py": "from .flags import *",
            "pkg/utils/flags.py": FLAGS,
            "train.py": USE.replace("{module}", "pkg"),
        }
    )


def test_guard_by_a_flag_made_of_flags_of_other_modules() -> None:
    check(
        {
            "flags.py": FLAGS,
            "more.py": """
        import torch
        from flags import HAVE_FLASH
        READY = HAVE_FLASH and torch.cuda.device_count() > 1
        MAYBE = HAVE_FLASH or unknown
        """,
            "train.py": """
        import torch
        import more
        if more.READY:
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        if more.MAYBE:
            torch.cuda.synchronize()  # expect: DEV007
        if not more.READY:
            torch.cuda.synchronize()  # expect: DEV007
        """,
        }
    )


def test_guard_by_a_function_of_another_module() -> None:
    check(
        {
            "utils/__init__.py": "from .env import has_gpu, always",
            "utils/env.py": """
        from functools import cache
        import torch
        @cache
        def has_gpu():
            return torch.cuda.is_available()
        def always():
            return True
        """,
            "train.py": """
        import torch
        from utils import always, has_gpu
        if has_gpu():
            torch.cuda.synchronize()  # expect: DEV007 guard=guarded
        if not has_gpu():
            torch.cuda.synchronize()  # expect: DEV007
        if has_gpu:
            torch.cuda.synchronize()  # expect: DEV007
        if always():
            torch.cuda.synchronize()  # expect: DEV007
        """,
        }
    )


def test_guard_by_a_library_that_another_module_imports_or_sets_to_none() -> None:
    check(
        {
            "compat.py": """
        try:
            from flash_attn import flash_attn_func  # expect: FUS001 guard=import-guarded
        except ImportError:
            flash_attn_func = None
        """,
            "train.py": """
        from compat import flash_attn_func
        def attend(q):
            if flash_attn_func is not None:
                return flash_attn_func(q)  # expect: FUS001 guard=fallback
            return q
        def attend_always(q):
            return flash_attn_func(q)  # expect: FUS001
        """,
        }
    )


def test_guard_by_a_flag_that_no_module_has_is_none() -> None:
    check(
        {
            "flags.py": "OTHER = 1",
            "train.py": """
        import torch
        from flags import HAVE_FLASH
        if HAVE_FLASH:
            torch.cuda.synchronize()  # expect: DEV007
        """,
        }
    )


@pytest.mark.parametrize(
    ("handler", "guard"),
    [
        ("import flash_attn.old as flash_attn", "none"),
        ("import numpy, flash_attn.old as attention", "none"),
        ("from flash_attn import old as flash_attn", "none"),
        ("import torch.nn.functional as flash_attn", "fallback"),
    ],
)
def test_import_guard_of_a_handler_that_takes_another_part_of_the_library_is_none(
    handler: str, guard: str
) -> None:
    check(f"""
    try:
        import flash_attn  # expect: FUS001 guard={guard}
    except ImportError:
        {handler}
    """)


@pytest.mark.parametrize(
    ("handler", "guard"),
    [("from torch.nn import LayerNorm as Norm", "fallback"), ("work()", "none")],
)
def test_a_name_that_has_another_value_without_the_library_is_used_as_a_fallback(
    handler: str, guard: str
) -> None:
    check(f"""
    try:
        from apex.normalization import FusedLayerNorm as Norm  # expect: FUS012 guard=fallback
    except ImportError:
        {handler}
    def build(n):
        return Norm(n)  # expect: FUS012 guard={guard}
    """)
