"""Commands of the background: the worker that computes runs, and several machines that share large ones."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from api.terminal import Demo, clear_errors, say


def work(
    *,
    demo: Demo = False,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="改为该调度器的计算进程，如 tcp://127.0.0.1:8786 · compute parts for this scheduler instead"
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, max=1024, help="（配合 --scheduler）进程数，默认每核一个 · one a core by default"
        ),
    ] = None,
    memory: Annotated[
        float | None,
        typer.Option(
            min=0.25, help="（配合 --scheduler）每个进程的内存上限，GiB · memory of each process, GiB"
        ),
    ] = None,
) -> None:
    """启动后台计算 · run the worker that computes runs, or workers of a scheduler."""
    from api.supervisor import end_with_parent
    from geo.errors import InvalidInputError

    end_with_parent()
    with clear_errors() as settings:
        if scheduler is None:
            if processes is not None or memory is not None:
                raise InvalidInputError("--processes and --memory mean nothing without --scheduler")
            from api.processes import run_worker

            run_worker(settings, demo=demo, report=say)
            return
        from api.compute import run_compute_worker

        run_compute_worker(
            settings,
            address=scheduler,
            processes=processes or os.cpu_count() or 1,
            memory_gib=memory,
            demo=demo,
            report=say,
        )


def scheduler(
    *,
    host: Annotated[
        str, typer.Option(help="监听地址；无证书时只能是本机 · address to listen on")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口 · port")] = 8786,
) -> None:
    """启动调度器，让几台机器分担大的计算 · run a scheduler through which machines share large runs."""
    from api.compute import run_scheduler
    from api.supervisor import end_with_parent

    end_with_parent()
    with clear_errors() as settings:
        run_scheduler(settings, host=host, port=port, report=say)
