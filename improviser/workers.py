"""Runs one function of a specification for many specifications: here, in processes, or on a Ray cluster.

A specification and its result are plain data. Each is run until one result of it is there, and counted once, whatever
becomes of the worker that had it: what a killed worker had begun is begun anew by another.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from improviser.errors import ImproviserError
from improviser.threads import ONE_THREAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Shared = TypeVar("Shared")
Spec = TypeVar("Spec")
Result = TypeVar("Result")

# How often a specification is begun anew after its worker was killed.
RETRIES: Final = 3
# A cluster answers within this time.
REACHED_S: Final = 5.0


class WorkerError(ImproviserError):
    """The workers cannot do the work: they are killed again and again, or the cluster cannot be reached."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Where work is done.

    Attributes:
        jobs: Processes of this machine; 1 works in this process.
        ray: Address of a Ray cluster, or "auto" for the one that runs on this machine; None uses this machine alone.
    """

    jobs: int = 1
    ray: str | None = None

    def run(
        self, function: Callable[[Shared, Spec], Result], shared: Shared, specs: Sequence[Spec]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the number of each specification with its result, in the order in which they are done.

        Args:
            function: A function of a module, which is called with `shared` and a specification.
            shared: What all specifications need; it is sent to each worker once.
            specs: The specifications.

        Raises:
            WorkerError: A specification's workers were killed too often, or the cluster cannot be reached.
        """
        work = _Work(function, shared)
        if self.ray is not None:
            return _on_cluster(self.ray, work, specs)
        if self.jobs > 1 and len(specs) > 1:
            return _in_processes(min(self.jobs, len(specs)), work, specs)
        return ((number, function(shared, spec)) for number, spec in enumerate(specs))

    def all(
        self,
        function: Callable[[Shared, Spec], Result],
        shared: Shared,
        specs: Sequence[Spec],
        report: Callable[[int], None] = lambda _done: None,
    ) -> list[Result]:
        """Return the results in the order of the specifications; see `run`. `report` gets the number that are done."""
        results: dict[int, Result] = {}
        for number, result in self.run(function, shared, specs):
            results[number] = result
            report(len(results))
        return [results[number] for number in range(len(specs))]


HERE: Final = Workers()


@dataclass(frozen=True, slots=True)
class _Work(Generic[Shared, Spec, Result]):
    """A function with what it shares."""

    function: Callable[[Shared, Spec], Result]
    shared: Shared

    def do(self, spec: Spec) -> Result:
        """Return the result of a specification."""
        return self.function(self.shared, spec)


def _in_processes(jobs: int, work: _Work[Any, Spec, Result], specs: Sequence[Spec]) -> Iterator[tuple[int, Result]]:
    """Yield the results from a pool of processes; a pool that broke is followed by another for what is left."""
    left = dict(enumerate(specs))
    for _ in range(1 + RETRIES):
        with pool(jobs, work) as executor:
            futures = {executor.submit(_do, spec): number for number, spec in left.items()}
            try:
                for future in as_completed(futures):
                    result = future.result()
                    del left[futures[future]]
                    yield futures[future], result
            except BrokenProcessPool:
                continue
        return
    raise WorkerError("a worker was killed again and again (out of memory?). Use fewer --jobs")


@contextmanager
def pool(jobs: int, work: _Work[Any, Any, Any] | None = None) -> Iterator[ProcessPoolExecutor]:
    """Start a pool of processes that ignore Ctrl-C and end with this process; cancel what is left at the end.

    They are spawned: a forked process that has threads (torch's, a progress bar's) may hang.
    """
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    executor = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _start, (work,))
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# What this process does, where it is a worker.
_mine: list[_Work[Any, Any, Any]] = []


def _start(work: _Work[Any, Any, Any] | None = None) -> None:
    """Begin as a worker: leave Ctrl-C to the parent, and end with the parent even if that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if work is not None:
        _mine.append(work)


def _end_with_parent() -> None:
    """Wait for the end of the parent, then end this worker at once."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _do(spec: Any) -> Any:  # noqa: ANN401 - of the work
    """Return the result of a specification in a worker."""
    return _mine[-1].do(spec)


def _on_cluster(address: str, work: _Work[Any, Spec, Result], specs: Sequence[Spec]) -> Iterator[tuple[int, Result]]:
    """Yield the results from a Ray cluster, whose machines must have improviser installed."""
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise WorkerError("a cluster needs Ray: pip install 'improviser-live[scale]'") from error
    try:
        _reach(address)
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise WorkerError(f"no Ray cluster at '{address}': {error}. Start one: ray start --head") from error
    try:
        remote: Any = ray.remote(num_cpus=1, max_retries=RETRIES)(_do_remotely)
        shared = ray.put(work)
        refs = {remote.remote(shared, spec): number for number, spec in enumerate(specs)}
        while refs:
            (ready,), _ = ray.wait(list(refs), num_returns=1)
            yield refs.pop(ready), ray.get(ready)
    except ray.exceptions.RaySystemError as error:
        raise WorkerError(f"the Ray cluster at '{address}' failed: {error}") from error
    except ray.exceptions.WorkerCrashedError as error:
        raise WorkerError("a worker of the cluster was killed again and again (out of memory?)") from error
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Raise OSError if nobody answers at HOST:PORT, for which Ray itself would wait minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=REACHED_S).close()


def _do_remotely(work: _Work[Any, Spec, Result], spec: Spec) -> Result:
    """Return the result of a specification on a machine of the cluster."""
    return work.do(spec)
