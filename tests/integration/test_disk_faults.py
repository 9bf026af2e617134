"""System calls on ship's own files fail: nothing lost, nothing twice, it is told, and it goes on by itself.

The built ship under tests/faults/failing_calls.c. Not under the sanitizers, whose library wants to come first.
"""

import json
import os
import signal
import time

import pytest

from fake_es import status
from scrape import scrape
from shipping import PATIENCE_S, elastic, saved_position, write_config

SETTLE_S = PATIENCE_S
SEGMENT_HEAD = 64  # bytes, of a queue's file before its first record
# What passes unseen (also if it never ends), and what is a failure.
UNSEEN = ["calls=write error=SHORT", "calls=write,fsync,truncate,rename error=EINTR every=3"]
UNSEEN_BY_SQLITE = ["calls=write error=SHORT", "calls=write,truncate error=EINTR every=3"]
FAILURES = ["calls=write error=ENOSPC", "calls=fsync error=EIO", "calls=write,truncate error=EIO"]
TEXT = {"ENOSPC": "No space left on device", "EIO": "Input/output error"}


@pytest.fixture
def preload(ship):
    library = ship.parent / "failing_calls.so"
    if os.environ.get("SHIP_FLAVOUR", "release") != "release":
        pytest.skip("a sanitizer's library wants to be the first")
    assert library.exists(), "make unit builds it"
    return str(library)


class Shop:
    """One log file, one sink, and lives of ship among failing calls."""

    def __init__(self, folder, fake, start_ship, preload):
        self.folder, self.fake, self._start, self._preload = folder, fake, start_ship, preload
        self.log, self.broken = folder / "a.log", folder / "broken"
        self.n = 0

    def write(self, n, what="line"):
        with open(self.log, "a") as file:
            file.writelines(f"{what} {number}\n" for number in range(self.n, self.n + n))
        self.n += n

    def start(self, *plans, queue=False, wait=True, file=None, env=None, **more):
        """`queue`: True, or where it is to be; `file`: more for the input."""
        output = elastic(self.fake.url, batch={"max_events": 20})
        if queue:
            more["queue"] = {"path": str(self.folder / (queue if isinstance(queue, str) else "queue"))}
        inputs = [{"type": "file", "paths": [str(self.log)], **(file or {})}]
        retry = {"initial": "50ms", "max": "400ms"}
        path = self.folder / "ship.yaml"
        write_config(path, inputs, [output], state=str(self.folder / "state"), retry=retry, **more)
        env = {"LD_PRELOAD": self._preload, "SHIP_FAULTS": "; ".join(plans), **(env or {})}
        ship = self._start(["run", "-c", path], env=env)
        if wait:
            ship.wait_for(lambda: "running, configuration" in ship.stderr)
        return ship

    def failing(self, plan, path):
        """A plan that holds while `broken` is there."""
        return f"{plan} path={path} while={self.broken}"

    def arrived(self):
        return sorted(int(event["message"].split()[1]) for event in self.fake.events())

    def wait_arrived(self, n=None):
        self.fake.wait_for(lambda fake: fake.count() >= (self.n if n is None else n), SETTLE_S)

    def position(self):
        return saved_position(self.folder / "state")

    def wait_position(self, ship):
        ship.wait_for(lambda: self.position() == self.log.stat().st_size, SETTLE_S)

    def waits_on_disk(self):
        return sum(path.stat().st_size for path in (self.folder / "queue").rglob("*.segment"))

    def assert_all_once(self):
        assert self.arrived() == list(range(self.n))


@pytest.fixture
def shop(tmp_path, fake_es, start_ship, preload):
    return Shop(tmp_path, fake_es, start_ship, preload)


def text_of(plan):
    return TEXT[plan.rsplit("error=", 1)[1]]


# ---- checkpoints -------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", FAILURES)
def test_positions_that_cannot_be_saved(shop, plan):
    ship = shop.start(shop.failing(plan, "/state/checkpoints"))
    shop.write(50)
    shop.wait_position(ship)
    before = shop.log.stat().st_size
    shop.broken.touch()
    shop.write(50)
    shop.wait_arrived()  # it delivers all the same
    ship.wait_for(lambda: "positions are not saved until this is mended" in ship.stderr)
    assert f"{shop.folder}/state" in ship.stderr
    ship.wait_for(lambda: shop.position() >= 0)  # -1: just now it could not be read
    assert shop.position() in (before, -1)
    ship.kill()

    # What was not saved is sent again, and is there.
    shop.broken.unlink()
    ship = shop.start(shop.failing(plan, "/state/checkpoints"))
    shop.wait_position(ship)
    shop.assert_all_once()
    assert shop.fake.duplicates <= 50


def test_positions_are_saved_when_the_disk_is_mended(shop):
    ship = shop.start(shop.failing("calls=fsync error=EIO", "/state/checkpoints"))
    shop.broken.touch()
    shop.write(50)
    ship.wait_for(lambda: "positions are not saved until this is mended" in ship.stderr)
    shop.broken.unlink()
    shop.wait_position(ship)  # tried again every 5 s
    ship.kill()
    ship = shop.start()
    shop.write(1)
    shop.wait_arrived()
    assert ship.stop().rc == 0
    shop.assert_all_once()
    assert shop.fake.duplicates == 0


@pytest.mark.parametrize("plan", UNSEEN_BY_SQLITE)
def test_positions_with_calls_that_do_half(shop, plan):
    ship = shop.start(f"{plan} path=/state/checkpoints")
    for _ in range(3):
        shop.write(30)
        shop.wait_position(ship)
    ship.kill()
    ship = shop.start()
    shop.write(1)
    shop.wait_arrived()
    assert ship.stop().rc == 0
    shop.assert_all_once()
    assert shop.fake.duplicates == 0


# ---- dead letters ------------------------------------------------------------------------------


def dead(shop):
    """The letters that are whole."""
    path = shop.folder / "state" / "dead" / "dead.ndjson"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


@pytest.mark.parametrize("plan", FAILURES)
def test_letters_that_cannot_be_written(shop, plan):
    shop.fake.item_rule("poison", 400, "mapper_parsing_exception", "no such type")
    ship = shop.start(shop.failing(plan, "/dead/"))
    shop.broken.touch()
    shop.write(10)
    shop.write(3, "poison")
    shop.write(10)
    shop.wait_arrived(20)  # their neighbours flow
    ship.wait_for(lambda: text_of(plan) in ship.stderr)
    assert "/dead" in ship.stderr
    assert shop.position() < shop.log.stat().st_size
    if "truncate" not in plan and "fsync" not in plan:
        ship.wait_for(lambda: dead(shop) == [])  # what is half written is cut off
    shop.broken.unlink()
    shop.wait_position(ship)
    ship.kill()
    assert {letter["original"] for letter in dead(shop)} == {f"poison {n}" for n in (10, 11, 12)}
    if "truncate" not in plan:
        assert len(dead(shop)) == 3
    ship = shop.start()
    shop.write(1)
    shop.wait_arrived(21)
    assert ship.stop().rc == 0
    assert shop.arrived() == [n for n in range(24) if n not in (10, 11, 12)]
    assert shop.fake.duplicates == 0


def test_a_full_disk_under_the_letters_stops_reading(shop):
    """More is refused than fits in memory: what cannot be set aside is held, and told; with room again it is all there, once."""
    shop.fake.item_rule("poison", 400, "mapper_parsing_exception", "no such type")
    shop.broken.touch()
    shop.log.write_text("".join(f"poison {os.urandom(600).hex()} {n}\n" for n in range(9000)))
    size = shop.log.stat().st_size  # 11 MB, which do not shrink to 4
    ship = shop.start(shop.failing("calls=write error=ENOSPC", "/dead/"), limits={"memory": "4MiB"}, dead_letters_rotate="1GiB")
    socket = shop.folder / "state" / "ship.sock"
    seen = [-1]

    def has_stopped():  # so much was read a second ago, too
        seen.append(scrape(socket).value("ship_input_read_bytes_total", input="file"))
        return len(seen) > 50 and seen[-50] == seen[-1] > 0

    ship.wait_for(has_stopped, SETTLE_S)
    assert seen[-1] < size
    assert "No space left on device; keeping the events and trying again" in ship.stderr
    assert scrape(socket).value("ship_memory_peak_bytes") < 8 * 2**20
    assert dead(shop) == []
    shop.broken.unlink()
    shop.wait_position(ship)
    assert ship.stop().rc == 0
    assert sorted(int(letter["original"].split()[-1]) for letter in dead(shop)) == list(range(9000))


@pytest.mark.parametrize("plan", UNSEEN)
def test_letters_with_calls_that_do_half(shop, plan):
    shop.fake.item_rule("poison", 400, "mapper_parsing_exception", "no such type")
    ship = shop.start(f"{plan} path=/dead/")
    shop.write(5, "poison")
    shop.write(5)
    shop.wait_position(ship)
    assert ship.stop().rc == 0
    assert sorted(letter["original"] for letter in dead(shop)) == [f"poison {n}" for n in range(5)]
    assert shop.arrived() == list(range(5, 10))


# ---- the disk queue ----------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [*FAILURES, "calls=open error=EMFILE"])
def test_a_queue_that_cannot_be_written(shop, plan):
    """Positions wait for what is not durable; when the disk is well again, they move without the sink."""
    text = "Too many open files" if "EMFILE" in plan else text_of(plan)
    shop.fake.default_fault = status(503)
    shop.broken.touch()
    ship = shop.start(shop.failing(plan, "/queue/elasticsearch/0"), queue=True)
    shop.write(100)
    ship.wait_for(lambda: text in ship.stderr)
    assert "its events are kept in memory" in ship.stderr
    assert f"{shop.folder}/queue/elasticsearch" in ship.stderr
    assert shop.position() <= 0
    ship.kill()

    ship = shop.start(shop.failing(plan, "/queue/elasticsearch/0"), queue=True)
    shop.write(100)
    ship.wait_for(lambda: text in ship.stderr)
    shop.broken.unlink()
    shop.fake.default_fault = None
    shop.wait_arrived()
    ship.wait_for(lambda: shop.write(1) or "its queue can be written again" in ship.stderr)
    shop.wait_arrived()
    shop.fake.default_fault = status(503)
    shop.write(100)
    shop.wait_position(ship)  # into the queue: the sink takes nothing
    assert shop.waits_on_disk() > 0
    ship.kill()

    shop.fake.default_fault = None
    ship = shop.start(queue=True)
    shop.wait_arrived()
    assert ship.stop().rc == 0
    shop.assert_all_once()


@pytest.mark.parametrize("plan", UNSEEN)
def test_a_queue_with_calls_that_do_half(shop, plan):
    shop.fake.default_fault = status(503)
    ship = shop.start(f"{plan} path=/queue/", queue=True)
    for _ in range(3):
        shop.write(100)
        shop.wait_position(ship)
    ship.kill()
    assert "warn: output" not in ship.stderr
    shop.fake.default_fault = None
    ship = shop.start(f"{plan} path=/queue/", queue=True)
    shop.wait_arrived()
    assert ship.stop().rc == 0
    shop.assert_all_once()


@pytest.mark.parametrize("plan", ["calls=rename error=EIO", "calls=unlink error=EIO", "calls=fsync error=EIO"])
def test_a_queue_that_cannot_note_what_was_settled(shop, plan):
    """It delivers; a restart sends once more what it could not note, and that is there."""
    path = "/queue/elasticsearch/" + ("0" if "unlink" in plan else "settled")
    shop.broken.touch()
    ship = shop.start(shop.failing(plan, path), queue=True)
    shop.write(100)
    shop.wait_arrived()
    if "unlink" in plan:  # only when it ends: a file that small lives on
        assert ship.stop().rc == 0
    ship.wait_for(lambda: "Input/output error" in ship.stderr)
    ship.kill()
    shop.broken.unlink()
    ship = shop.start(queue=True)
    shop.write(10)
    shop.wait_arrived()
    assert ship.stop().rc == 0
    shop.assert_all_once()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_what_a_queue_takes_while_ship_ends_is_not_read_again(shop, how):
    """Its fsync takes longer than limits.drain: it is durable then, and its position has to move. Without ids it would be there twice."""
    shop.broken.touch()
    slow = f"calls=fsync error=WAIT path=.segment while={shop.broken}"
    ship = shop.start(slow, queue=True, file={"id": "none"}, limits={"drain": "200ms"})
    shop.write(50)
    ship.wait_for(lambda: shop.waits_on_disk() > SEGMENT_HEAD)
    ship.process.send_signal(how)
    time.sleep(1)  # it waits for the disk by now; if not, then it ends in order, which is no harm
    shop.broken.unlink()
    if how == signal.SIGTERM:
        assert ship.wait().rc == 0
        ship = shop.start(queue=True, file={"id": "none"})
    shop.write(10)
    shop.wait_arrived()
    shop.wait_position(ship)
    assert ship.stop().rc == 0
    shop.assert_all_once()


def test_a_start_on_a_disk_that_is_full(shop):
    """It says where, and leaves what waits; with room again it is delivered."""
    shop.fake.default_fault = status(503)
    ship = shop.start(queue=True)
    shop.write(100)
    shop.wait_position(ship)
    ship.kill()
    before = shop.waits_on_disk()
    done = shop.start("calls=open,write error=EROFS path=/queue/", queue=True, wait=False).wait()
    assert done.rc == 1
    assert f"{shop.folder}/queue/elasticsearch/lock: Read-only file system" in done.stderr
    assert shop.waits_on_disk() == before > 0
    shop.fake.default_fault = None
    ship = shop.start(queue=True)
    shop.wait_arrived()
    assert ship.stop().rc == 0
    shop.assert_all_once()


def test_each_directory_that_was_made_is_made_durable(shop):
    """What is in a directory whose own name was lost is lost, too: so each is asked of its disk."""
    shop.write(1)
    for above in (shop.folder.name, "some", "where"):
        done = shop.start(f"calls=fsync error=EIO path=/{above}$", queue="some/where/else", wait=False).wait()
        assert done.rc == 1
        assert "Input/output error" in done.stderr and "some/where/else" in done.stderr, above
    ship = shop.start(queue="some/where/else")
    shop.wait_arrived()
    assert ship.stop().rc == 0


def test_a_file_system_that_says_nothing(shop, tmp_path):
    """inotify is there and stays silent, as on NFS: what it misses is found by the look every ten seconds."""
    shop.write(1)
    shop.start(file={"paths": [str(tmp_path / "*.log")]}, env={"SHIP_INOTIFY_LIES": "1"})
    shop.fake.wait_for(lambda fake: fake.count() == 1, SETTLE_S)
    shop.write(1)
    (tmp_path / "b.log").write_text("another file\n")
    shop.fake.wait_for(lambda fake: fake.count() == 3, SETTLE_S)
