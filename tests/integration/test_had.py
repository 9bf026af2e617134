"""What one output has had is not sent to it again because another has not: over reloads and restarts.

Positions are the same for all outputs. With one that is stuck, all of it is read again; without this, standard output would have
it twice, and so would the dead letters.
"""

import fcntl
import json
import signal
import subprocess
import sys
import termios
import time
import uuid

import pytest

from fake_es import FakeEs, status
from scrape import scrape
from shipping import PATIENCE_S, elastic, letters, write_config

SETTLE_S = PATIENCE_S


def invocation(n):
    """As a function's log has it; its summary comes out with the next one's START."""
    request = uuid.UUID(int=n)
    report = f"REPORT RequestId: {request}\tDuration: 5.00 ms\tBilled Duration: 5 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB"
    lines = [f"START RequestId: {request} Version: $LATEST", f"line {n}", f"poison {n}", f"END RequestId: {request}", report]
    return "".join(line + "\n" for line in lines)


@pytest.fixture
def other_es():
    with FakeEs() as fake:
        yield fake


class Shop:
    """An output that takes nothing, one that knows no ids, and one that refuses some; on a file, or on standard input."""

    def __init__(self, folder, start_ship, ill, picky):
        self.folder, self._start, self.ill, self.picky = folder, start_ship, ill, picky
        self.log = folder / "a.log"
        self.n = self.n_starts = 0
        self.ships = []

    def outputs(self, first):
        """Not always in the same order."""
        all_of_them = [elastic(self.ill.url, name="ill"), {"type": "stdout"}, elastic(self.picky.url, name="picky")]
        return all_of_them[first % 3 :] + all_of_them[: first % 3]

    def configure(self, source):
        inputs = [{"type": "stdin"}] if source == "stdin" else [{"type": "file", "paths": [str(self.log)], "chunk": "4KiB"}]
        state = str(self.folder / "state")
        write_config(self.folder / "new.yaml", inputs, self.outputs(self.n_starts), state=state, limits={"drain": "300ms"})
        (self.folder / "new.yaml").rename(self.folder / "ship.yaml")
        self.n_starts += 1

    def start(self, source):
        self.configure(source)
        ship = self._start(["run", "-c", self.folder / "ship.yaml"], stdin=subprocess.PIPE if source == "stdin" else subprocess.DEVNULL)
        ship.wait_for(lambda: "running, configuration" in ship.stderr)
        self.ships.append(ship)
        return ship

    def reload(self, ship, source):
        self.configure(source)
        told = ship.stderr.count("reading again after")
        ship.process.send_signal(signal.SIGHUP)
        ship.wait_for(lambda: ship.stderr.count("reading again after") > told)

    def write(self, ship, source, n=20):
        text = "".join(map(invocation, range(self.n, self.n + n)))
        self.n += n
        if source == "stdin":
            ship.process.stdin.write(text.encode())
            ship.process.stdin.flush()
        else:
            with open(self.log, "a") as file:
                file.write(text)

    def printed(self):
        """The lines that are there whole: the last one may be on its way."""
        return [json.loads(line) for ship in self.ships for line in ship.stdout.split("\n")[:-1]]

    def wait_seen(self, ship):
        """All lines are printed, and all but the poison are in the picky one, the last summary perhaps held back."""
        ship.wait_for(lambda: len(self.printed()) >= 6 * self.n - 1, SETTLE_S)
        self.picky.wait_for(lambda fake: fake.count() >= 5 * self.n - 1, SETTLE_S)
        # And ship knows it: an answer that comes too late for limits.drain is none.
        sock = self.folder / "state" / "ship.sock"
        ship.wait_for(lambda: all(scrape(sock).count("in_flight", name) == 0 for name in ("picky", "stdout")), SETTLE_S)

    def wait_all(self, ship):
        self.ill.wait_for(lambda fake: fake.count() >= 6 * self.n, SETTLE_S)
        ship.wait_for(lambda: len(self.printed()) >= 6 * self.n, SETTLE_S)

    def assert_each_once(self):
        printed = sorted(event["event.id"] for event in self.printed())
        assert len(printed) == len(set(printed)) == 6 * self.n
        assert self.ill.count() == 6 * self.n
        assert self.picky.count() == 5 * self.n and self.picky.duplicates == 0
        dead = letters(self.folder / "state" / "dead")
        assert sorted(letter["document"]["message"] for letter in dead) == sorted(f"poison {n}" for n in range(self.n))


@pytest.fixture
def shop(tmp_path, start_ship, fake_es, other_es):
    fake_es.default_fault = status(503)
    other_es.item_rule("poison", 400, reason="never")
    return Shop(tmp_path, start_ship, fake_es, other_es)


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_over_reloads(shop, source):
    ship = shop.start(source)
    for _ in range(3):
        shop.write(ship, source)
        shop.wait_seen(ship)
        shop.reload(ship, source)
    shop.reload(ship, source)  # before what was handed over is read again, perhaps
    shop.write(ship, source)
    shop.ill.default_fault = None
    shop.wait_all(ship)
    assert ship.stop().rc == 0
    shop.assert_each_once()


def test_over_restarts(shop):
    for _ in range(3):
        ship = shop.start("file")
        shop.write(ship, "file")
        shop.wait_seen(ship)
        assert ship.stop().rc == 0
    shop.ill.default_fault = None
    ship = shop.start("file")
    shop.wait_all(ship)
    assert ship.stop().rc == 0
    shop.assert_each_once()


@pytest.mark.parametrize("how", [signal.SIGHUP, signal.SIGTERM])
def test_a_reader_that_does_not_read(tmp_path, ship, ship_env, how):
    """The pipe is full, and ship ends what it does within limits.drain: what the pipe has is not written again, and no line is torn."""
    n = 2000
    (tmp_path / "a.log").write_text("".join(f"line {number} {'x' * 300}\n" for number in range(n)))
    inputs = [{"type": "file", "paths": [str(tmp_path / "a.log")]}]
    config = write_config(tmp_path / "ship.yaml", inputs, [{"type": "stdout"}], state=str(tmp_path / "state"), limits={"drain": "200ms"})
    args, err = [ship, "run", "-c", config], tmp_path / "err"

    def start():
        with open(err, "ab") as err_file:
            return subprocess.Popen(args, stdout=subprocess.PIPE, stderr=err_file, stdin=subprocess.DEVNULL, env=ship_env)

    def wait_for(claim):
        give_up = time.monotonic() + PATIENCE_S
        while not claim():
            assert time.monotonic() < give_up, err.read_text()
            time.sleep(0.02)

    def unread(pipe):
        return int.from_bytes(fcntl.ioctl(pipe.fileno(), termios.FIONREAD, bytes(4)), sys.byteorder)

    process, printed = start(), []
    try:
        wait_for(lambda: unread(process.stdout) > 50_000)  # of 64 KiB
        process.send_signal(how)
        if how == signal.SIGTERM:
            wait_for(lambda: process.poll() is not None)
            printed += process.stdout.read().splitlines()
            process = start()
        else:
            wait_for(lambda: "reading again after" in err.read_text())
        while len(printed) < n:
            printed.append(process.stdout.readline())
        process.terminate()
        printed += process.stdout.read().splitlines()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert [int(json.loads(line)["message"].split()[1]) for line in printed] == list(range(n))
