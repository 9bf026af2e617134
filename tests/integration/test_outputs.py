"""Several outputs at once: what one of them does to the others, and to positions."""

import json
import random
import re
import sqlite3

import pytest

from fake_es import FakeEs, stall, status
from scrape import Watcher, scrape
from shipping import PATIENCE_S, elastic, write_config

SETTLE_S = PATIENCE_S
LINES = 5000  # of 900 bytes that do not shrink by much: more than a stuck output may hold


def line(n):
    return f"line {n:06d} {random.Random(n).randbytes(430).hex()}\n"


def numbers(events):
    return sorted(int(event["message"].split()[1]) for event in events)


@pytest.fixture
def other_es():
    with FakeEs() as fake:
        yield fake


@pytest.fixture
def sock(tmp_path):
    return tmp_path / "state" / "ship.sock"


@pytest.fixture
def run(tmp_path, start_ship):
    """run(outputs, **top) -> a ship at work on one file of LINES lines."""
    log = tmp_path / "a.log"
    log.write_text("".join(map(line, range(LINES))))

    def start(outputs, **more):
        more.setdefault("limits", {"memory": "4MiB"})
        more.setdefault("retry", {"max": "500ms"})
        inputs = [{"type": "file", "paths": [str(log)], "max_line": "64KiB"}]
        config = write_config(tmp_path / "ship.yaml", inputs, outputs, state=str(tmp_path / "state"), **more)
        ship = start_ship(["run", "-c", config])
        ship.wait_for(lambda: "running, configuration" in ship.stderr)
        return ship

    return start


def is_settled(sock, output):
    seen = scrape(sock)
    return seen.count("in", output) == LINES and seen.count("in_flight", output) == 0


# ---- R5, V4: one that is stuck -----------------------------------------------------------------


@pytest.mark.threads
def test_a_stuck_output_that_spills_stalls_no_other(run, tmp_path, sock, fake_es, other_es):
    other_es.default_fault = stall(seconds=3)
    waiting = "ship_queue_events", (("output", "ill"),)
    with Watcher(sock) as watcher:
        ship = run(
            [elastic(fake_es.url, name="well"), elastic(other_es.url, name="ill")],
            queue={"path": str(tmp_path / "queue")},
        )
        fake_es.wait_for(lambda fake: fake.count() == LINES, SETTLE_S)
        assert other_es.count() == 0
        ship.wait_for(lambda: watcher.failure or watcher.peak.get(waiting, 0) > LINES / 2)
        other_es.default_fault = None
        other_es.wait_for(lambda fake: fake.count() == LINES, SETTLE_S)
        ship.wait_for(lambda: is_settled(sock, "ill"))
    stopped = ship.stop()
    assert "dropped" not in stopped.stderr
    assert numbers(fake_es.events()) == numbers(other_es.events()) == list(range(LINES))


@pytest.mark.threads
def test_a_stuck_output_that_drops_stalls_no_other(run, sock, fake_es, other_es):
    """What is dropped is told and counted, and the sum is right to the event."""
    other_es.default_fault = status(503)
    with Watcher(sock):
        ship = run(
            [elastic(fake_es.url, name="well"), elastic(other_es.url, name="ill", on_full="drop-and-count", memory="256KiB")]
        )
        fake_es.wait_for(lambda fake: fake.count() == LINES, SETTLE_S)
        other_es.default_fault = None
        ship.wait_for(lambda: is_settled(sock, "ill"))
    dropped = scrape(sock).count("dropped", "ill")
    assert 0 < dropped < LINES
    assert other_es.count() == LINES - dropped
    assert numbers(fake_es.events()) == list(range(LINES))
    stopped = ship.stop()
    told = re.findall(r"output ill: \d+ events? dropped.*; (\d+) since the start", stopped.stderr)
    assert int(told[-1]) == dropped
    assert f" 0 dead letters, {dropped} dropped" in stopped.stderr
    assert "output well: " not in stopped.stderr


def test_a_stuck_output_that_blocks_holds_the_others_and_loses_nothing(run, fake_es, other_es):
    """That is what block says: for all outputs. It goes on by itself."""
    other_es.default_fault = status(503)
    ship = run([elastic(fake_es.url, name="well"), elastic(other_es.url, name="ill", memory="256KiB")])
    ship.wait_for(lambda: "keeping" in ship.stderr and fake_es.count() > 0)
    seen = -1
    while seen != fake_es.count():  # what was read already comes, and then no more
        seen = fake_es.count()
        requests = len(other_es.requests)
        ship.wait_for(lambda: len(other_es.requests) >= requests + 3)
    assert 0 < seen < LINES
    assert other_es.count() == 0
    other_es.default_fault = None
    for fake in (fake_es, other_es):
        fake.wait_for(lambda fake: fake.count() == LINES, SETTLE_S)
    assert ship.stop().rc == 0
    assert numbers(fake_es.events()) == numbers(other_es.events()) == list(range(LINES))


def test_a_position_moves_when_all_have_it(run, fake_es, other_es):
    other_es.default_fault = status(503)
    outputs = [elastic(fake_es.url, name="well"), elastic(other_es.url, name="ill")]
    ship = run(outputs, limits={"memory": "64MiB"})
    fake_es.wait_for(lambda fake: fake.count() == LINES, SETTLE_S)
    ship.kill()
    other_es.default_fault = None
    ship = run(outputs)
    other_es.wait_for(lambda fake: fake.count() == LINES, SETTLE_S)
    assert ship.stop().rc == 0
    assert numbers(fake_es.events()) == numbers(other_es.events()) == list(range(LINES))
    assert fake_es.duplicates > 0, "it was sent again, and was known"


# ---- of several kinds --------------------------------------------------------------------------


@pytest.mark.threads
@pytest.mark.parametrize("with_queue", [False, True], ids=["memory", "queue"])
def test_elasticsearch_standard_output_and_a_local_store_together(run, tmp_path, fake_es, with_queue):
    store = tmp_path / "store.db"
    ship = run(
        [elastic(fake_es.url), {"type": "stdout"}, {"type": "local", "path": str(store)}],
        **({"queue": {"path": str(tmp_path / "queue")}} if with_queue else {}),
    )
    fake_es.wait_for(lambda fake: fake.count() == LINES, SETTLE_S)

    def rows():
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(DISTINCT message) FROM events").fetchone()[0]

    ship.wait_for(lambda: ship.stdout.count("\n") == LINES and rows() == LINES, SETTLE_S)
    stopped = ship.stop()
    assert stopped.rc == 0
    printed = [json.loads(text) for text in stopped.stdout.splitlines()]
    assert [int(event["message"].split()[1]) for event in printed] == list(range(LINES)), "and in their order"
    assert numbers(fake_es.events()) == list(range(LINES))
