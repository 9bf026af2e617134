"""The disk queue: what was read is safe there, whatever becomes of ship, the sink and the disk."""

import os
import random
import re
import signal
import subprocess
import threading
import time

import pytest

from fake_es import FakeEs, stall, status
from scrape import Watcher, scrape
from shipping import PATIENCE_S, elastic, letters, write_config

SETTLE_S = PATIENCE_S
SMALL = {"memory": "4MiB", "drain": "20s"}  # limits


def noise(n, seed=1):
    """A line that does not shrink when it is packed."""
    return f"line {n:06d} {random.Random(n * 7919 + seed).randbytes(150).hex()}"


def numbers(events):
    return sorted(int(event["message"].split()[1]) for event in events)


class Shop:
    """A configuration that is written anew for each life."""

    def __init__(self, folder, start_ship, run_ship):
        self.folder, self._start, self._run = folder, start_ship, run_ship
        self.config = folder / "ship.yaml"
        self.queue = folder / "queue"
        self.log = folder / "a.log"

    def write(self, output, inputs=None, **more):
        more.setdefault("queue", {"path": str(self.queue)})
        more.setdefault("state", str(self.folder / "state"))
        more.setdefault("limits", SMALL)
        inputs = inputs or [{"type": "file", "paths": [str(self.log)]}]
        outputs = output if isinstance(output, list) else [output]
        write_config(self.config, inputs, outputs, **more)
        return self.config

    def start(self, output, stdin=subprocess.DEVNULL, **more):
        ship = self._start(["run", "-c", self.write(output, **more)], stdin=stdin)
        ship.wait_for(lambda: "running, configuration" in ship.stderr)
        return ship

    def waiting(self):
        """Events in the queue, as `ship check` tells; None while it is being written."""
        said = self._run(["check", "--offline", "-c", self.config]).stdout
        found = re.search(r"queue \S+: (?:(\d+) events?|(empty))\n", said)
        return found and int(found[1] or 0)

    def wait_until_waiting(self, ship, n):
        ship.wait_for(lambda: self.waiting() == n, SETTLE_S)

    def files(self):
        return {path.name: path.read_bytes() for path in sorted(self.queue.rglob("*")) if path.is_file()}


@pytest.fixture
def shop(tmp_path, start_ship, run_ship):
    return Shop(tmp_path, start_ship, run_ship)


def assert_each_once(fake, n):
    assert numbers(fake.events()) == list(range(n))


def feed(ship, first, n):
    for number in range(first, first + n):
        ship.process.stdin.write(noise(number).encode() + b"\n")
    ship.process.stdin.flush()


STDIN = [{"type": "stdin"}]


# ---- FB3, FB7, FB8, O1, S4: nothing is lost, and nobody waits ----------------------------------


def test_a_writer_does_not_wait_for_a_dead_sink(shop, free_port, fake_es):
    """FB3, S4: more than fits in memory; killed; and the next one sends it to another address."""
    n = 16000  # 5 MB, with 4 MiB of memory, of which it has the half
    ship = shop.start(elastic(f"http://127.0.0.1:{free_port}"), inputs=STDIN, stdin=subprocess.PIPE)
    writer = threading.Thread(target=feed, args=(ship, 0, n))
    writer.start()
    writer.join(SETTLE_S)
    assert not writer.is_alive(), "the writer waits"
    shop.wait_until_waiting(ship, n)
    seen = scrape(shop.folder / "state" / "ship.sock")
    assert seen.value("ship_memory_peak_bytes") < 8 * 1024 * 1024
    assert seen.count("in_flight", "elasticsearch") == n
    ship.kill()
    ship = shop.start(elastic(fake_es.url), inputs=STDIN)  # its standard input ends at once
    assert f"output elasticsearch: {n} events in its queue {shop.queue}/elasticsearch, to be sent first" in ship.stderr
    assert ship.wait(SETTLE_S).rc == 0
    assert_each_once(fake_es, n)
    assert shop.waiting() == 0


def test_told_to_stop_it_does_not_drain_what_is_durable(shop, free_port, fake_es):
    """FB8: limits.drain is an hour."""
    n = 3000
    limits = {**SMALL, "drain": "1h"}
    ship = shop.start(elastic(f"http://127.0.0.1:{free_port}"), inputs=STDIN, stdin=subprocess.PIPE, limits=limits)
    feed(ship, 0, n)
    shop.wait_until_waiting(ship, n)
    stopped = ship.stop()
    assert stopped.rc == 0
    assert f"{n} events in its queue {shop.queue}/elasticsearch, for the next start" in stopped.stderr
    assert shop.start(elastic(fake_es.url), inputs=STDIN).wait(SETTLE_S).rc == 0
    assert_each_once(fake_es, n)


@pytest.mark.threads
@pytest.mark.slow
@pytest.mark.parametrize("seed", [int(os.environ.get("SHIP_SEED", 1))])
def test_killed_over_and_over_with_a_sink_that_comes_and_goes(shop, fake_es, seed):
    """FB7, O1: positions move with the queue; what it has is sent by whichever life comes to it."""
    rng = random.Random(seed)
    written = 0
    with open(shop.log, "a") as log, Watcher(shop.folder / "state" / "ship.sock"):
        for _ in range(6):
            fake_es.default_fault = rng.choice([None, status(503), stall(seconds=2), None])
            ship = shop.start(elastic(fake_es.url, batch={"linger": "20ms"}))
            for _ in range(rng.randrange(2, 6)):
                for _ in range(rng.randrange(50, 400)):
                    log.write(noise(written, seed) + "\n")
                    written += 1
                log.flush()
                time.sleep(rng.uniform(0, 0.2))
            ship.kill()
    fake_es.default_fault = None
    ship = shop.start(elastic(fake_es.url))
    fake_es.wait_for(lambda fake: fake.count() >= written, SETTLE_S)
    shop.wait_until_waiting(ship, 0)  # what a kill forgot of it is sent again, and answers 409
    assert ship.stop().rc == 0
    assert_each_once(fake_es, written)


def test_a_service_of_standard_input_ends_when_all_is_delivered(shop, fake_es):
    fake_es.faults(status(503), status(503))
    ship = shop.start(elastic(fake_es.url), inputs=STDIN, stdin=subprocess.PIPE)
    feed(ship, 0, 500)
    ship.process.stdin.close()
    done = ship.wait(SETTLE_S)
    assert done.rc == 0
    assert "in its queue" not in done.stderr
    assert_each_once(fake_es, 500)


# ---- a full queue, a full disk -----------------------------------------------------------------


def test_a_full_queue_stops_reading_and_loses_nothing(shop, fake_es):
    n = 8000  # about 1.3 MB packed
    shop.log.write_text("".join(noise(i) + "\n" for i in range(n)))
    fake_es.default_fault = status(503)
    output = elastic(fake_es.url, memory="256KiB", batch={"max_bytes": "64KiB"})
    ship = shop.start(output, queue={"path": str(shop.queue), "max_bytes": "512KiB"}, retry={"max": "1s"})
    ship.wait_for(lambda: "its queue is full" in ship.stderr, SETTLE_S)
    ship.wait_for(shop.waiting, SETTLE_S)
    assert 0 < shop.waiting() < n
    assert sum(len(bytes) for bytes in shop.files().values()) < 1024 * 1024
    fake_es.default_fault = None
    fake_es.wait_for(lambda fake: fake.count() >= n, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(fake_es, n)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = os.getuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", where], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("only root can mount a small disk; the unit tests have a simulated one")
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def test_a_full_disk_under_the_queue(shop, fake_es, small_disk):
    n = 10000
    queue = {"path": str(small_disk / "queue")}
    shop.log.write_text("".join(noise(i) + "\n" for i in range(n)))
    fake_es.default_fault = status(503)
    output = elastic(fake_es.url, memory="256KiB", batch={"max_bytes": "64KiB"})
    ship = shop.start(output, queue=queue, retry={"max": "1s"})
    ship.wait_for(lambda: "No space left on device" in ship.stderr, SETTLE_S)
    fake_es.default_fault = None
    fake_es.wait_for(lambda fake: fake.count() >= n, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(fake_es, n)


# ---- what is told, refused and left alone ------------------------------------------------------


def fill(shop, free_port, n, **more):
    ship = shop.start(elastic(f"http://127.0.0.1:{free_port}"), inputs=STDIN, stdin=subprocess.PIPE, **more)
    feed(ship, 0, n)
    shop.wait_until_waiting(ship, n)
    assert ship.stop().rc == 0


def test_a_bad_configuration_leaves_the_queue_as_it_is(shop, free_port, run_ship):
    """FB9: also one that is good and does not start."""
    fill(shop, free_port, 700)
    before = shop.files()
    assert any(len(content) > 100_000 for content in before.values())
    bad = write_config(
        shop.folder / "bad.yaml",
        STDIN,
        [elastic(f"http://127.0.0.1:{free_port}", bath=1)],
        queue={"path": str(shop.queue)},
        state=str(shop.folder / "state"),
    )
    result = run_ship(["run", "-c", bad])
    assert result.rc == 2 and "bath" in result.stderr
    taken = shop.folder / "taken"
    taken.write_text("a file where a directory should be\n")
    shop.write(elastic(f"http://127.0.0.1:{free_port}"), inputs=STDIN, state=str(taken / "state"))
    result = run_ship(["run", "-c", shop.config])
    assert result.rc != 0 and "taken" in result.stderr
    assert shop.files() == before


def test_a_queue_of_another_type_is_refused(shop, free_port, run_ship):
    fill(shop, free_port, 100)
    before = shop.files()
    shop.write({"type": "stdout", "name": "elasticsearch"}, inputs=STDIN)
    result = run_ship(["run", "-c", shop.config])
    assert result.rc != 0
    assert "output elasticsearch: " in result.stderr
    assert str(shop.queue / "elasticsearch") in result.stderr
    assert "stdout" in result.stderr
    assert shop.files().items() >= {name: content for name, content in before.items() if len(content) > 1000}.items()


def test_a_queue_that_is_left_behind_is_told(shop, free_port, fake_es):
    fill(shop, free_port, 100)
    ship = shop.start(elastic(fake_es.url, name="new"), inputs=STDIN)
    done = ship.wait(SETTLE_S)
    where = shop.queue / "elasticsearch"
    assert f"queue {where}: 100 events for an output that is not configured" in done.stderr
    assert "`name: elasticsearch` again" in done.stderr and f"`queue: {{path: {where}}}`" in done.stderr
    assert fake_es.count() == 0
    ship = shop.start(elastic(fake_es.url, name="new", queue={"path": str(where)}), inputs=STDIN)
    assert ship.wait(SETTLE_S).rc == 0
    assert_each_once(fake_es, 100)


def test_queues_do_not_change_owners(shop, free_port, fake_es, run_ship):
    """Outputs change places, others come before them: what waits goes to the one that it waits for, or ship does not start."""
    fill_with = elastic(f"http://127.0.0.1:{free_port}", name="one")
    ship = shop.start(fill_with, inputs=STDIN, stdin=subprocess.PIPE)
    feed(ship, 0, 100)
    shop.wait_until_waiting(ship, 100)
    assert ship.stop().rc == 0
    with FakeEs() as other:
        ship = shop.start([elastic(other.url, name="two"), elastic(fake_es.url, name="one")], inputs=STDIN)
        assert ship.wait(SETTLE_S).rc == 0
        assert_each_once(fake_es, 100)
        assert other.count() == 0
    result = run_ship(["run", "-c", shop.write([elastic(fake_es.url), elastic(fake_es.url, name="one")], inputs=STDIN)])
    assert result.rc == 2
    assert "outputs[0].name: missing; its disk queue is found by it" in result.stderr


def test_a_queue_that_was_configured_once_is_told(shop, free_port, fake_es):
    """Whichever way it was: an output's own directory, and no queue at all now."""
    own = shop.folder / "own"
    ship = shop.start(
        elastic(f"http://127.0.0.1:{free_port}", name="old", queue={"path": str(own)}), inputs=STDIN, stdin=subprocess.PIPE
    )
    feed(ship, 0, 50)
    shop.wait_until_waiting(ship, 50)
    assert ship.stop().rc == 0
    for _ in range(2):
        done = shop.start(elastic(fake_es.url), inputs=STDIN, queue={}).wait(SETTLE_S)
        assert f"queue {own}: 50 events for an output that is not configured" in done.stderr
        assert f"with `queue: {{path: {own}}}`" in done.stderr
    ship = shop.start(elastic(fake_es.url, queue={"path": str(own)}), inputs=STDIN)
    assert ship.wait(SETTLE_S).rc == 0
    assert_each_once(fake_es, 50)
    done = shop.start(elastic(fake_es.url), inputs=STDIN, queue={}).wait(SETTLE_S)
    assert "not configured" not in done.stderr


def test_dead_letters_of_what_was_queued(shop, free_port, fake_es, run_ship):
    """Its source has gone: the letter says all but the line itself, and can be sent again."""
    fill(shop, free_port, 20, labels={"shop": "one"})
    fake_es.item_rule("line 000007", 400)
    dead = shop.folder / "dead"
    ship = shop.start(elastic(fake_es.url), inputs=[{"type": "stdin", "as": "/x"}], dead_letters=str(dead))
    assert ship.wait(SETTLE_S).rc == 0
    (letter,) = letters(dead)
    assert letter["status"] == 400 and letter["type"] == "mapper_parsing_exception" and letter["reason"]
    assert letter["output"] == "elasticsearch"
    assert letter["offset"] == 7 * len(noise(0) + "\n")
    assert letter["document"]["log.offset"] == letter["offset"]
    assert re.fullmatch("[0-9a-f]{16}", letter["origin"]) and int(letter["origin"], 16)
    assert "path" in letter and letter["id"] == letter["document"].get("event.id", letter["id"])
    assert "original" not in letter and "original_base64" not in letter
    fake_es.clear()
    run_ship(["dead", "replay", "-c", shop.config]).expect(0)
    assert_each_once(fake_es, 20)


def test_check_tells_what_waits(shop, free_port, run_ship):
    shop.write(elastic(f"http://127.0.0.1:{free_port}"), inputs=STDIN)
    assert shop.waiting() == 0
    assert not shop.queue.exists(), "check makes nothing"
    fill(shop, free_port, 30)
    assert shop.waiting() == 30


def test_a_replay_uses_no_queue(shop, fake_es, run_ship):
    shop.log.write_text("".join(noise(i) + "\n" for i in range(300)))
    shop.write(elastic(fake_es.url, on_full="drop-and-count"))
    run_ship(["--replay", "-c", shop.config, shop.log]).expect(0)
    assert_each_once(fake_es, 300)
    assert not shop.queue.exists()


def test_a_queue_among_the_logs_is_not_read(shop, fake_es):
    logs = shop.folder / "logs"
    logs.mkdir()
    (logs / "a.log").write_text(noise(0) + "\n")
    everything = [{"type": "file", "paths": [str(logs / "**" / "*")]}]
    fake_es.default_fault = status(503)
    ship = shop.start(elastic(fake_es.url), inputs=everything, queue={"path": str(logs / "queue")}, retry={"max": "200ms"})
    shop.wait_until_waiting(ship, 1)
    (logs / "b.log").write_text(noise(1) + "\n")
    shop.wait_until_waiting(ship, 2)
    fake_es.default_fault = None
    shop.wait_until_waiting(ship, 0)
    (logs / "c.log").write_text(noise(2) + "\n")
    fake_es.wait_for(lambda fake: fake.count() >= 3, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(fake_es, 3)


# ---- order, reload -----------------------------------------------------------------------------


def test_standard_output_keeps_its_order(shop, ship):
    """Nobody reads for a while: most of it goes through the disk."""
    n = 20000
    process = subprocess.Popen(
        [ship, "run", "-c", shop.write({"type": "stdout", "memory": "128KiB"}, inputs=STDIN)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        for number in range(n):
            process.stdin.write(noise(number).encode() + b"\n")
        process.stdin.close()  # all of it is read, before anybody reads standard output
        out = process.stdout.read().decode()
        assert process.wait(SETTLE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert [int(number) for number in re.findall(r'"message":"line (\d+)', out)] == list(range(n))


def test_reloads_with_other_sinks(shop, fake_es):
    """V6: the queue goes on in the next agent, whatever the address is then."""
    written = 0
    with FakeEs() as other, open(shop.log, "a") as log, Watcher(shop.folder / "state" / "ship.sock"):
        sinks = [fake_es, other]
        ship = shop.start(elastic(fake_es.url))
        for turn in range(8):
            sinks[turn % 2].default_fault = status(503) if turn % 3 == 0 else None
            for _ in range(200):
                log.write(noise(written) + "\n")
                written += 1
            log.flush()
            shop.write(elastic(sinks[turn % 2].url))
            told = ship.stderr.count("reading again after")
            ship.process.send_signal(signal.SIGHUP)
            ship.wait_for(lambda: ship.stderr.count("reading again after") > told)
        for sink in sinks:
            sink.default_fault = None
        ship.wait_for(lambda: len({*numbers(fake_es.events()), *numbers(other.events())}) >= written, SETTLE_S)
        shop.wait_until_waiting(ship, 0)
        assert ship.stop().rc == 0
        assert {*numbers(fake_es.events()), *numbers(other.events())} == set(range(written))
