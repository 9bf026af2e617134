"""R3: many files, rotated over and over, and as many lines come out as were written, each once.

SHIP_ROTATED=1000x20 is the whole form: so many files, so many rounds, 22 million lines; else a short one.
"""

import os
import re
import subprocess
import threading
import time

import pytest

from shipping import PATIENCE_S, write_config

FILES, ROUNDS = (int(n) for n in os.environ.get("SHIP_ROTATED", "60x6").split("x"))
BEFORE, AFTER = (100, 1000) if "SHIP_ROTATED" in os.environ else (10, 100)
ROUND_S = PATIENCE_S
NUMBER = re.compile(rb'"message":"number (\d+) in its turn"')


class Count:
    """What ship writes to its standard output: how many lines, and their numbers' sums."""

    def __init__(self, pipe):
        self.lines = self.total = self.squares = 0
        self._pipe = pipe
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        rest = b""
        while block := self._pipe.read1(1 << 20):
            whole, newline, rest = (rest + block).rpartition(b"\n")
            numbers = [int(n) for n in NUMBER.findall(whole)]
            self.total += sum(numbers)
            self.squares += sum(n * n for n in numbers)
            self.lines += whole.count(b"\n") + len(newline)

    def join(self):
        self._thread.join()


class Writer:
    def __init__(self, folder):
        self.paths = [folder / f"{number:04d}.log" for number in range(FILES)]
        self.written = 0

    def append(self, lines):
        for path in self.paths:
            with open(path, "a") as file:
                file.writelines(f"number {self.written + n} in its turn\n" for n in range(lines))
            self.written += lines

    def rotate(self):
        """The one that was rotated before is gone then, and its inode is free."""
        for path in self.paths:
            path.rename(f"{path}.1")


@pytest.mark.slow
@pytest.mark.timeout(4 * PATIENCE_S if "SHIP_ROTATED" not in os.environ else 7200)
def test_as_many_lines_as_were_written(ship, ship_env, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    inputs = [{"type": "file", "paths": [str(logs / "*.log")], "poll_interval": "200ms"}]
    config = write_config(tmp_path / "ship.yaml", inputs, [{"type": "stdout"}], state=str(tmp_path / "state"))
    writer = Writer(logs)
    with open(tmp_path / "err", "wb") as err:
        process = subprocess.Popen([ship, "run", "-c", config], stdout=subprocess.PIPE, stderr=err, env=ship_env)
    count = Count(process.stdout)

    def wait_for_all():
        give_up = time.monotonic() + ROUND_S
        while count.lines < writer.written and time.monotonic() < give_up and process.poll() is None:
            time.sleep(0.05)
        assert count.lines == writer.written, (tmp_path / "err").read_text()[-2000:]

    try:
        writer.append(1)  # what was rotated before it was ever seen is not looked for
        wait_for_all()
        for _ in range(ROUNDS):
            writer.append(BEFORE)
            writer.rotate()
            writer.append(AFTER)
            wait_for_all()
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        count.join()
    n = writer.written
    assert count.lines == n
    assert count.total == n * (n - 1) // 2 and count.squares == (n - 1) * n * (2 * n - 1) // 6, "one is missing, one is there twice"
