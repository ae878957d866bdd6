"""The processes that scan: as many as the machine and the work are worth, each fed by size.

One that dies (a parser that crashes, a system without memory) costs the file that it had, which
becomes an error of the report; all others are scanned.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import Pipe, Process, parent_process
from multiprocessing.connection import Connection, wait
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
Scan = Callable[[Task, bytes, Callable[[str], "Export | None"]], FileResult]
FROM = 24
"""Files from which starting processes pays."""
_SHARE = 60_000
"""Bytes that each process should have to do, at least."""
_PORTION = 200_000
"""Bytes that a process is given at a time."""
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where a container says how much of the machine it has."""

_ENDING = signal.SIGINT, signal.SIGTERM

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
    """Processes that scan what they are sent. `scan` is called in each of them.

    Each has pipes of its own: of those that are shared, as in `concurrent.futures`, one that is
    killed while it writes leaves half a message to wait for and a lock that nobody opens.
    """

    def __init__(self, scan: Scan, modules: Modules, number: int) -> None:
        self._scan = scan
        self._modules = modules
        self.number = number
        self.portion = _PORTION
        self._processes: list[_Process] = []
        self._ready: deque[Portion] = deque()

    def close(self) -> None:
        """End the processes, once they have done what they were given."""
        for process in self._processes:
            process.close()
        self._processes = []

    def kill(self) -> None:
        """End the processes now: nobody waits for what they do."""
        for process in self._processes:
            process.kill()
        self._processes = []
        self._ready.clear()

    def __call__(self, sent: Iterable[Portion]) -> Iterator[tuple[Sent, Done]]:
        """What each file gives, in any order, with few portions in memory at a time."""
        try:
            for portion in sent:
                if portion[0]:
                    self._ready.append(portion)
                    self._feed()
                else:  # there will be something once another is done
                    yield from self._ended()
                while len(self._ready) > 1:
                    yield from self._ended()
            while any(process.given for process in self._processes):
                yield from self._ended()
        except BaseException:  # an interruption is not to wait
            self.kill()
            raise

    def _feed(self) -> None:
        """Give those that have nothing to do something that is ready."""
        while self._ready:
            free = next((each for each in self._processes if not each.given), None)
            if free is None:
                if len(self._processes) == self.number:
                    return
                free = _Process(self._scan, self._modules)
                self._processes.append(free)
            free.give(self._ready.popleft())

    def _ended(self) -> Iterator[tuple[Sent, Done]]:
        """What those that are done give; waits for one, if one has anything to do."""
        busy = {process.results: process for process in self._processes if process.given}
        for pipe in wait(list(busy)) if busy else ():  # nothing would ever be there of none
            process = busy[pipe]  # type: ignore[index]
            portion = process.given
            assert portion is not None
            done = process.done()
            if done is None:
                self._processes.remove(process)
            self._feed()  # before anybody looks at what there is
            if done is None:
                yield from self._one_by_one(portion)
            else:
                yield from zip(portion[0], done, strict=True)

    def _one_by_one(self, portion: Portion) -> Iterator[tuple[Sent, Done]]:
        """The same of a portion that a process died of: what kills is then known."""
        alone: _Process | None = None
        try:
            for each in portion[0]:
                alone = alone or _Process(self._scan, self._modules)
                alone.give(([each], portion[1]))
                done = alone.done()
                if done is None:
                    alone = None
                    path = each[0].path
                    error = ScanError(path, KILLED)
                    done = [(FileResult(path, errors=(error,), failed=True), {})]
                yield each, done[0]
        except BaseException:
            if alone:
                alone.kill()
            raise
        if alone:
            alone.close()


class _Process:
    """A process that scans one portion at a time. `given`: the one that it has."""

    def __init__(self, scan: Scan, modules: Modules) -> None:
        tasks, self._tasks = Pipe(duplex=False)
        self.results, results = Pipe(duplex=False)
        self.given: Portion | None = None
        ends = tasks, results, self._tasks, self.results
        # No process is to be interrupted before it knows what that means for it.
        with _uninterrupted():
            self._process = Process(target=_run, args=(scan, modules, *ends), daemon=True)
            self._process.start()
        tasks.close()
        results.close()

    def give(self, portion: Portion) -> None:
        """Have a portion scanned."""
        self.given = portion
        with suppress(OSError):  # it died, which is seen where its results are waited for
            self._tasks.send(portion)

    def done(self) -> list[Done] | None:
        """What the portion gave; waits for that. None if the process died, which is over then."""
        self.given = None
        try:
            done: list[Done] | Exception = self.results.recv()
        except (EOFError, OSError):
            self.kill()
            return None
        if isinstance(done, Exception):
            raise done
        return done

    def close(self) -> None:
        """End the process, which has nothing to do."""
        with suppress(OSError):
            self._tasks.send(None)
        self._over()

    def kill(self) -> None:
        """End the process now."""
        self._process.kill()
        self._over()

    def _over(self) -> None:
        self._process.join()
        self._process.close()
        self._tasks.close()
        self.results.close()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(
    scan: Scan,
    modules: Modules,
    tasks: Connection,
    results: Connection,
    *others: Connection,
) -> None:
    """Be such a process. An interruption is for the first one to handle, which then ends all."""
    global _scan, _modules
    _scan, _modules = scan, modules
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    for pipe in others:
        pipe.close()
    threading.Thread(target=_follow, daemon=True).start()
    gc.disable()  # models are swept as they are let go
    # Nobody is there any more; or there is no memory, and it is as if the system had killed us.
    with suppress(EOFError, OSError, MemoryError):
        while portion := tasks.recv():
            try:
                done: list[Done] | Exception = _work(portion)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - for the first one to raise
                done = error
            results.send(done)


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
