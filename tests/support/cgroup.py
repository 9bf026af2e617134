"""A cgroup with a ceiling on memory, where one can be made; else none, and the test looks at VmHWM alone.

    with MemoryGroup(64 * 2**20) as group:
        start_ship([...], prefix=group.prefix)
        group.peak_bytes()      # None: there is no group
"""

import contextlib
import os
import subprocess
import uuid
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def _parent():
    """(directory of our own group that has a memory controller, name of the limit, of the peak), or None."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return ROOT / "memory" / path.lstrip("/"), "memory.limit_in_bytes", "memory.max_usage_in_bytes"
        if controllers == "" and (ROOT / "cgroup.controllers").exists():
            return ROOT / path.lstrip("/"), "memory.max", "memory.peak"
    return None


class MemoryGroup:
    def __init__(self, limit_bytes):
        self.limit_bytes = limit_bytes
        self.path = None
        self.prefix = []

    def __enter__(self):
        parent = _parent()
        if parent is None:
            return self
        directory, limit, self._peak = parent
        path = directory / f"ship-test-{uuid.uuid4().hex[:8]}"
        try:
            path.mkdir()
        except OSError:
            return self  # nobody lets us: a container, or another user
        prefix = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(path / "cgroup.procs")]
        try:
            (path / limit).write_text(str(self.limit_bytes))
            subprocess.run([*prefix, "true"], check=True, stderr=subprocess.DEVNULL, timeout=30)
        except (OSError, subprocess.SubprocessError):
            path.rmdir()
            return self
        self.path, self.prefix = path, prefix
        return self

    def peak_bytes(self):
        peak = self.path / self._peak if self.path else None
        return int(peak.read_text()) if peak and peak.exists() else None

    def __exit__(self, *_):
        if self.path:
            with contextlib.suppress(OSError):  # what is left in it ends with the test; an empty one stays behind
                os.rmdir(self.path)
