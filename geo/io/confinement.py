"""Shut a process in before it reads a file of a stranger: little memory and time, no network, no programs.

What is closed here cannot be opened again by the same process, whatever the file makes it do.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _PR_SET_PDEATHSIG = 38, 22, 1
_SIGKILL = 9
_FILTER_MODE = 2
_ALLOW, _DENY = 0x7FFF0000, 0x00050001  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with EPERM
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_OFFSET_CALL, _OFFSET_ARCHITECTURE = 0, 4

# Numbers of socket, connect, sendto, execve, execveat, ptrace, and of the calls that would open other doors
# (process_vm_writev, io_uring_setup), by architecture with its audit number.
_DENIED = {
    "x86_64": (0xC000003E, (41, 42, 44, 59, 322, 101, 311, 425)),
    "aarch64": (0xC00000B7, (198, 203, 206, 221, 281, 117, 271, 425)),
}


def limit_resources(*, memory_bytes: int, cpu_s: int, file_bytes: int) -> None:
    """Limit what this process may use; beyond it the system stops it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def end_with_parent() -> None:
    """Let the system end this process when the one that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        if os.getppid() == 1:
            sys.exit(1)


def close_network() -> bool:
    """Forbid this process every socket and every other program, for good.

    Returns
    -------
    bool
        False where the system has no such filter (not Linux, another architecture, or switched off); then
        only the readers themselves keep away from the network, as they do anyway.
    """
    known = _DENIED.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return False
    architecture, denied = known
    steps = [
        struct.pack("HBBI", _LOAD, 0, 0, _OFFSET_ARCHITECTURE),
        # Another architecture's call numbers mean other things: refuse them all.
        struct.pack("HBBI", _EQUAL, 1, 0, architecture),
        struct.pack("HBBI", _RETURN, 0, 0, _DENY),
        struct.pack("HBBI", _LOAD, 0, 0, _OFFSET_CALL),
    ]
    for place, number in enumerate(denied):
        steps.append(struct.pack("HBBI", _EQUAL, len(denied) - place, 0, number))
    steps.append(struct.pack("HBBI", _RETURN, 0, 0, _ALLOW))
    steps.append(struct.pack("HBBI", _RETURN, 0, 0, _DENY))
    program = ctypes.create_string_buffer(b"".join(steps))
    described = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, described, 0, 0) == 0)
