"""Memory has a ceiling, and stays flat: sinks that take nothing, and hundreds of rotations.

SHIP_MEMORY_GB=10 waits with ten gigabytes on disk instead of an eighth; `make soak` rotates for as long as it is told.
"""

import os
import time

import pytest

from cgroup import MemoryGroup
from fake_es import FakeEs, stall, status
from scrape import scrape
from shipping import PATIENCE_S, elastic, write_config

MIB = 2**20
LIMIT = 32 * MIB
RESIDENT = 64 * MIB
ON_DISK = int(float(os.environ.get("SHIP_MEMORY_GB", 0.125)) * 2**30)
SOAK_S = float(os.environ.get("SHIP_SOAK_SECONDS", 0))
IS_RELEASE = os.environ.get("SHIP_FLAVOUR", "release") == "release"  # a sanitizer takes memory of its own


def wait_for(claim, what, seconds=PATIENCE_S):
    give_up = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < give_up, f"not within {seconds} s: {what()}"
        time.sleep(0.05)


# ---- sinks that take nothing ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def heap(tmp_path_factory):
    """heap(folder, n_files=1, line=400): log files that nobody could hold in memory. The texts are not easily packed."""
    made = tmp_path_factory.mktemp("heap")

    def fill(path, size, line):
        block = b"".join(os.urandom(line // 2).hex().encode() + b"\n" for _ in range(max(1, MIB // line)))
        with open(path, "wb") as file:
            while file.tell() < size:
                file.write(block)

    def make(folder, n_files=1, line=400):
        source = made / f"{line}.log"
        if n_files == 1 and not source.exists():
            fill(source, ON_DISK if line == 400 else 64 * MIB, line)
        folder.mkdir(parents=True)
        if n_files == 1:
            os.link(source, folder / "a.log")
        for number in range(n_files if n_files > 1 else 0):
            fill(folder / f"{number}.log", 1.25 * MIB, line)

    yield make
    for path in made.iterdir():
        path.unlink()


class Ship:
    """One that has far more to read than it may hold, in a cgroup of its own where there can be one."""

    def __init__(self, name, folder, start, outputs, inputs=None):
        self.name, self.socket = name, folder / "state" / "ship.sock"
        self.group = MemoryGroup(RESIDENT if IS_RELEASE else 2**40)
        self.group.__enter__()
        inputs = inputs or [{"type": "file", "paths": [str(folder / "logs" / "*.log")], "max_line": "8MiB"}]
        more = {"state": str(folder / "state"), "limits": {"memory": "32MiB", "drain": "0s"}, "retry": {"initial": "50ms", "max": "200ms"}}
        config = write_config(folder / "ship.yaml", inputs, outputs, **more)
        self.running = start(["run", "-c", config], prefix=self.group.prefix)
        self.read, self.steady_since = -1, time.monotonic()

    def is_steady(self, seconds=1.0):
        """It has read something, and for so long no more. OSError: it is not up yet."""
        assert self.running.process.poll() is None, f"{self.name} ended: {self.running.stderr[-2000:]}"
        try:
            read = sum(value for (name, _), value in scrape(self.socket).values.items() if name == "ship_input_read_bytes_total")
        except OSError:
            return False
        if read != self.read:
            self.read, self.steady_since = read, time.monotonic()
        return read > 0 and time.monotonic() - self.steady_since >= seconds

    def end(self):
        self.running.kill()
        self.group.__exit__()


def check_memory(ship):
    seen = scrape(ship.socket)
    seen.check_sums()
    peak, held = seen.value("ship_memory_peak_bytes"), seen.value("ship_memory_held_bytes")
    resident = seen.value("process_resident_memory_peak_bytes")
    print(f"{ship.name}: read {ship.read / MIB:.1f} MiB, held {held / MIB:.1f}, at most {peak / MIB:.1f}; "
          f"resident at most {resident / MIB:.1f} MiB, cgroup {(ship.group.peak_bytes() or 0) / MIB:.1f}")
    # What is made of a chunk may be more than it asked for; never again a whole batch or line.
    assert peak <= LIMIT + 4 * MIB, f"{ship.name}: {peak / MIB:.1f} MiB of events"
    if IS_RELEASE:
        assert resident < RESIDENT, f"{ship.name}: {resident / MIB:.1f} MiB resident"
    assert seen.value("process_open_fds") < 60 + 2 * sum(name == "ship_input_streams" for name, _ in seen.values)
    assert ship.running.process.poll() is None


@pytest.mark.slow
@pytest.mark.timeout(8 * PATIENCE_S + 3 * ON_DISK // 2**27)
def test_sinks_that_take_nothing(tmp_path, start_ship, heap, free_port):
    """FB3. Reading stops at the ceiling, whatever the sink does instead of taking it, and whatever the lines are like."""
    dead = elastic(f"http://127.0.0.1:{free_port}")
    many = [{"type": "file", "name": f"in{n}", "paths": [str(tmp_path / f"inputs/logs/{n}.log")]} for n in range(50)]
    with FakeEs() as mute, FakeEs() as busy, FakeEs() as shut, FakeEs() as full:
        mute.default_fault = stall()
        busy.default_fault = status(429)
        shut.default_fault = status(401)
        full.item_rule("", 429, "cluster_block_exception", "disk usage exceeded flood-stage watermark")
        cases = {
            "dead": ({}, [dead], None),
            "stalling": ({}, [elastic(mute.url)], None),
            "refusing": ({}, [elastic(busy.url)], None),
            "holding": ({}, [elastic(shut.url)], None),
            "blocked": ({}, [elastic(full.url)], None),
            "long": ({"line": 5 * MIB}, [elastic(mute.url)], None),
            "inputs": ({"n_files": 50}, [elastic(mute.url)], many),
            "outputs": ({}, [dead, elastic(mute.url, name="second")], None),
            "queued": ({}, [{**dead, "queue": {"path": str(tmp_path / "queue"), "max_bytes": "48MiB"}}], None),
        }
        ships, began = [], time.monotonic()
        try:
            for name, (files, outputs, inputs) in cases.items():
                heap(tmp_path / name / "logs", **files)
                ships.append(Ship(name, tmp_path / name, start_ship, outputs, inputs))
            for ship in ships:
                wait_for(ship.is_steady, lambda: f"{ship.name} reads on: {ship.read}")
            for ship in ships:
                check_memory(ship)
            assert len(busy.requests) < 200 + 20 * (time.monotonic() - began)  # a few a second
        finally:
            for ship in ships:
                ship.end()


# ---- flat over time ------------------------------------------------------------------------------

CYCLES, WARM = 120, 40  # or for as long as the soak takes


def slope(values):
    """By least squares, per value."""
    n = len(values)
    middle, mean = (n - 1) / 2, sum(values) / n
    return sum((x - middle) * (y - mean) for x, y in enumerate(values)) / sum((x - middle) ** 2 for x in range(n))


@pytest.mark.slow
@pytest.mark.timeout(6 * PATIENCE_S + 2 * SOAK_S)
def test_rotation_leaves_nothing_behind(live, field, fake_es, tmp_path):
    """V7. Hundreds of rotations with delivery: resident memory has no slope, descriptors and streams are let go."""
    files = field(5)
    socket = tmp_path / "state" / "ship.sock"
    live(file={"poll_interval": "10ms"})  # so long it looks after a file that was rotated away
    resident, descriptors, began = [], [], time.monotonic()
    while len(resident) < CYCLES or time.monotonic() - began < SOAK_S / 4:
        files.burst(4)
        files.rotate_by_rename(keep=3)
        fake_es.wait_for(lambda fake: fake.count() == files.written)
        seen = scrape(socket)
        resident.append(seen.value("process_resident_memory_bytes"))
        descriptors.append(seen.value("process_open_fds"))
    seen.check_sums()
    rise = slope(resident[WARM:]) * len(resident[WARM:])
    print(f"{len(resident)} cycles: {resident[WARM] / MIB:.2f} MiB, then a rise of {rise / MIB:.2f}; "
          f"descriptors {descriptors[WARM]:.0f}, at most {max(descriptors):.0f}, at last {descriptors[-1]:.0f}")
    if IS_RELEASE:
        assert rise < 2 * MIB, resident
    assert max(descriptors) < 2000
    # What was deleted is held for a while; files that rest are closed.
    wait_for(lambda: scrape(socket).value("process_open_fds") < 120, lambda: scrape(socket).text)
    wait_for(lambda: scrape(socket).value("ship_input_streams", input="file") <= 5 * 4, lambda: scrape(socket).text)
    assert fake_es.duplicates == 0
