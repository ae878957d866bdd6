"""The processes that scan: as many as the machine and the work are worth, each fed by size.

One that dies (a parser that crashes, a system without memory) costs the file that it had, which
becomes an error of the report; all others are scanned.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec

from portaudit.budget import KILLED
from portaudit.relate.exports import Solver
from portaudit.relate.modules import Modules
from portaudit.types import Export, FileFacts, FileResult, ScanError, Task

Sent = tuple[Task, bytes]
"""A task, and what its file holds."""
Portion = tuple[Sequence[Sent], Mapping[str, bytes]]
"""What a process is given at a time, and what some modules tell, as msgpack."""
Packed = bytes | FileResult
"""A result as msgpack, which is quicker sent than the result, and needed to keep it."""
Done = tuple[Packed, Mapping[str, Export]]
"""A result, and what others told for it."""
_Given = tuple[Portion, ProcessPoolExecutor]
"""A portion, and the processes that it was given to."""
Scan = Callable[[Task, bytes, Callable[[str], "Export | None"]], FileResult]
FROM = 24
"""Files from which starting processes pays."""
_SHARE = 60_000
"""Bytes that each process should have to do, at least."""
_PORTION = 200_000
"""Bytes that a process is given at a time."""
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where a container says how much of the machine it has."""

_scan: Scan | None = None
_modules: Modules | None = None


def cores() -> int:
    """Processors that this process may use."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # no such question on this system
        count = os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        return max(1, min(count, -(-int(quota) // int(period))))
    except (OSError, ValueError, ZeroDivisionError):  # none, or "max"
        return count


def worth(sizes: Sequence[int], jobs: int) -> int:
    """How many processes files of these sizes are worth; 1 for none beside this one."""
    if jobs == 1 or len(sizes) < FROM:
        return 1
    return max(1, min(jobs or cores(), sum(sizes) // _SHARE, len(sizes) // 2))


class Workers:
    """Processes that scan what they are sent. `scan` is called in each of them."""

    def __init__(self, scan: Scan, modules: Modules, number: int) -> None:
        self._scan = scan
        self._modules = modules
        self.number = number
        self.portion = _PORTION
        self._pool: ProcessPoolExecutor | None = None

    def close(self) -> None:
        """End the processes, once they have done what they were given."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def kill(self) -> None:
        """End the processes now: nobody waits for what they do."""
        if self._pool:
            _kill(self._pool)
        self.close()

    def __call__(self, sent: Iterable[Portion]) -> Iterator[tuple[Sent, Done]]:
        """What each file gives, in any order, with few portions in memory at a time."""
        waiting: dict[Future[list[Done]], _Given] = {}
        try:
            for portion in sent:
                if not portion[0]:  # there will be something once another is done
                    yield from self._ended(waiting)
                    continue
                pool = self._started()
                try:
                    waiting[pool.submit(_work, portion)] = portion, pool
                except BrokenProcessPool:
                    yield from self._one_by_one(portion, pool)
                while len(waiting) > self.number:
                    yield from self._ended(waiting)
            while waiting:
                yield from self._ended(waiting)
        except BaseException:  # an interruption is not to wait
            self.kill()
            raise

    def _ended(self, waiting: dict[Future[list[Done]], _Given]) -> Iterator[tuple[Sent, Done]]:
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            portion, pool = waiting.pop(future)
            try:
                done = future.result()
            except BrokenProcessPool:
                yield from self._one_by_one(portion, pool)
            else:
                yield from zip(portion[0], done, strict=True)

    def _one_by_one(
        self, portion: Portion, pool: ProcessPoolExecutor
    ) -> Iterator[tuple[Sent, Done]]:
        """The same of a portion that a process may have died of: what kills is then known."""
        if self._pool is pool:
            self.close()  # all of its processes are gone; those of a newer one are not
        alone: ProcessPoolExecutor | None = None
        try:
            for each in portion[0]:
                alone = alone or self._made(1)
                try:
                    (done,) = alone.submit(_work, ([each], portion[1])).result()
                except BrokenProcessPool:
                    alone = None
                    path = each[0].path
                    done = FileResult(path, errors=(ScanError(path, KILLED),), failed=True), {}
                yield each, done
        except BaseException:
            if alone:
                _kill(alone)
            raise
        finally:
            if alone:
                alone.shutdown()

    def _started(self) -> ProcessPoolExecutor:
        self._pool = self._pool or self._made(self.number)
        return self._pool

    def _made(self, number: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(number, initializer=_start, initargs=(self._scan, self._modules))


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool, which has no word for that before Python 3.14."""
    processes: Mapping[int, BaseProcess] = getattr(pool, "_processes", None) or {}
    for process in list(processes.values()):
        process.kill()


def _start(scan: Scan, modules: Modules) -> None:
    """Begin a process. An interruption is for the first one to handle, which then ends all."""
    global _scan, _modules
    _scan, _modules = scan, modules
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_follow, daemon=True).start()
    gc.disable()  # models are swept as they are let go


def _follow() -> None:
    """End with the first process: one that was killed had no time to end the others."""
    first = parent_process()
    if first is not None:
        first.join()
        os._exit(1)


def _work(portion: Portion) -> list[Done]:
    if _scan is None or _modules is None:
        raise RuntimeError("worker was not started")
    facts = _Facts(portion[1])
    done: list[Done] = []
    for task, content in portion[0]:
        solver = Solver(_modules, facts.of)  # what it found may be otherwise for the next file
        told: dict[str, Export] = {}
        result = _scan(task, content, partial(solver.note, task.path, told))
        facts.add(task.path, result.facts)
        done.append((_packed(result), told))
    return done


class _Facts:
    """What modules tell, as far as this process knows."""

    def __init__(self, packed: Mapping[str, bytes]) -> None:
        self._packed = packed
        self._known: dict[str, FileFacts] = {}

    def add(self, path: str, facts: FileFacts) -> None:
        """Learn of a module that was scanned here."""
        self._known[path] = facts

    def of(self, path: str) -> FileFacts | None:
        """What a module tells."""
        packed = self._packed.get(path)
        if packed and path not in self._known:
            self._known[path] = msgspec.msgpack.decode(packed, type=FileFacts)
        return self._known.get(path)


def _packed(result: FileResult) -> Packed:
    try:
        return msgspec.msgpack.encode(result)
    except (UnicodeEncodeError, OverflowError, RecursionError):
        return result
