"""Which process it is that runs a study, so that no other is taken for it. Runs on the driver.

A host's name and a process's number are shared: containers of one image have the same name, and
each has a process 1. The boot, the namespace of the numbers and the moment at which a process began
are not.
"""

import os
from pathlib import Path

FACTS = ("boot", "pid_namespace", "began")


def facts(pid: int) -> dict[str, str]:
    """Boot, namespace of process numbers, and clock ticks from boot to the process's beginning.

    An empty text is what this system doesn't tell: all three without /proc (macOS).
    """
    if read_link("/proc/self") != str(os.getpid()):  # no /proc, or one of another namespace
        return dict.fromkeys(FACTS, "")
    return {
        "boot": read("/proc/sys/kernel/random/boot_id").strip(),
        "pid_namespace": read_link("/proc/self/ns/pid"),
        # After the program's name, which may hold blanks and brackets: proc_pid_stat(5), field 22.
        "began": (read(f"/proc/{pid}/stat").rpartition(")")[2].split() or [""] * 20)[19],
    }


def here(holder: dict[str, str]) -> bool | None:
    """Whether a process, known by its facts, was one of those that this process sees.

    None if that can't be told, of a system without /proc or by what is known of the process.
    """
    ours = facts(os.getpid())
    if not all(ours.values()) or not all(holder.get(name) for name in FACTS):
        return None
    return all(holder[name] == ours[name] for name in ("boot", "pid_namespace"))


def ended(holder: dict[str, str]) -> bool:
    """Whether the process with this number and these facts has ended for certain."""
    if not here(holder):
        return False
    pid = int(holder["pid"])
    try:
        os.kill(pid, 0)  # asks only; /proc may hide other users' processes
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # another user's
    return facts(pid)["began"] not in ("", holder["began"])


def read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def read_link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
