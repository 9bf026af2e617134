"""SIGHUP: the next configuration takes over under load; no line is lost or there twice, and nothing stalls.

SHIP_RELOADS=1000 reloads so often, instead of for a few seconds.
"""

import contextlib
import itertools
import json
import os
import random
import re
import signal
import statistics
import subprocess
import time

import pytest

from fake_es import FakeEs, stall, stall_after, status
from scrape import scrape
from shipping import PATIENCE_S, elastic, letters, write_config
from writers import Stream, arrived, assert_each_once

SETTLE_S = PATIENCE_S
RELOADS = int(os.environ.get("SHIP_RELOADS", 0))
SECONDS = 3
# Of ship's own clock: a second at most. A machine that is busy with other things is given more, but not as much as
# limits.drain, a request that is waited for, or a pause of the retry would take.
GAP_MS = 9000
MIDDLE_GAP_MS = 2000


def gaps(ship):
    return [int(ms) for ms in re.findall(r"reading again after (\d+) ms", ship.stderr)]


def hang_up(ship):
    os.kill(ship.pid, signal.SIGHUP)


def change(tmp_path, **parts):
    """The configuration of `live`, changed."""
    config = {**json.loads((tmp_path / "ship.yaml").read_text()), **parts}
    (tmp_path / "new.yaml").write_text(json.dumps(config))
    (tmp_path / "new.yaml").rename(tmp_path / "ship.yaml")


def reload(ship, tmp_path, **parts):
    """Returns when the new one reads."""
    before = ship.stderr.count("reading again after")
    change(tmp_path, **parts)
    hang_up(ship)
    ship.wait_for(lambda: ship.stderr.count("reading again after") > before)


# ---- V6 ----------------------------------------------------------------------------------------


class Edits:
    """A configuration that is another each time: outputs and inputs come and go, some are bad."""

    def __init__(self, tmp_path, fake, other, rng, queue):
        self.tmp_path, self.fake, self.other, self.rng = tmp_path, fake, other, rng
        self.always = {"state": str(tmp_path / "state"), **queue}

    def good(self, is_last=False):
        paths = [str(self.tmp_path / "logs" / "*.log")]
        inputs = [{"type": "file", "name": "logs", "paths": paths, "watch": self.rng.choice(["inotify", "poll"]), "poll_interval": "100ms"}]
        outputs = [elastic(self.fake.url, name="main", batch={"max_events": self.rng.choice([1, 50, 1000]), "linger": self.rng.choice(["0s", "20ms"])})]
        if is_last or self.rng.random() < 0.5:
            inputs.append({"type": "file", "name": "more", "paths": [str(self.tmp_path / "more" / "*.log")]})
        if not is_last and self.rng.random() < 0.5:
            outputs.insert(self.rng.randrange(2), elastic(self.other.url, name="other"))
        return {"inputs": inputs, "outputs": outputs, **self.always}

    def write(self, text):
        (self.tmp_path / "new.yaml").write_text(text)
        (self.tmp_path / "new.yaml").rename(self.tmp_path / "ship.yaml")

    def next(self):
        kind = self.rng.random()
        if kind < 0.1:
            self.write("inputs:\n  - type: fiel\n")
        elif kind < 0.2:
            self.write(json.dumps({**self.good(), "state": str(self.tmp_path / "ship.yaml" / "below-a-file")}))
        else:
            self.write(json.dumps(self.good()))


@pytest.mark.slow
@pytest.mark.threads
@pytest.mark.timeout(4 * SETTLE_S + RELOADS)
@pytest.mark.parametrize("with_queue", [False, True], ids=["memory", "queue"])
def test_reloads_under_load(start_ship, field, fake_es, tmp_path, with_queue):
    """V6: as many reloads as fit, each with another configuration, while files are written and rotated."""
    rng = random.Random(int(os.environ.get("SHIP_SEED", 1)))
    files = field(20)
    with FakeEs() as other, contextlib.ExitStack() as stack:
        edits = Edits(tmp_path, fake_es, other, rng, {"queue": {"path": str(tmp_path / "queue")}} if with_queue else {})
        more = type(files)(tmp_path / "more", 5, 2)
        stack.callback(more.close)
        edits.write(json.dumps(edits.good()))
        ship = start_ship(["run", "-v", "-c", tmp_path / "ship.yaml"])
        ship.wait_for(lambda: "running, configuration" in ship.stderr)
        n, give_up = 0, time.monotonic() + SECONDS
        with Stream(files, pause_s=0.02), Stream(more, pause_s=0.02):
            while n < RELOADS if RELOADS else time.monotonic() < give_up:
                edits.next()
                hang_up(ship)
                n += 1
                time.sleep(rng.choice([0, 0.01, 0.05, 0.1]))
                if n % 20 == 0:
                    files.rotate_by_rename(keep=10_000)
        edits.write("inputs:\n  - type: filet\n")  # not one of those before: what is said twice in a row is printed once
        hang_up(ship)
        ship.wait_for(lambda: re.search(r'"filet".*the running configuration stays as it is', ship.stderr), SETTLE_S)
        edits.write(json.dumps(edits.good(is_last=True)))
        n_gaps = len(gaps(ship))
        hang_up(ship)
        ship.wait_for(lambda: len(gaps(ship)) > n_gaps, SETTLE_S)
        everything = files.written + more.written
        print(f"{n} SIGHUPs, {everything} lines; when the last of them was taken, {fake_es.count()} had arrived")
        fake_es.wait_for(lambda fake: fake.count() >= everything, SETTLE_S)
        stopped = ship.stop()
        found = gaps(stopped)
        print(f"{n} SIGHUPs, {len(found)} reloads, the longest gap {max(found)} ms, {fake_es.duplicates} sent again")
        assert stopped.rc == 0
        assert "panic" not in stopped.stderr and "are lost" not in stopped.stderr
        assert max(found) < GAP_MS and statistics.median(found) < MIDDLE_GAP_MS
        files.lines += more.lines
        assert_each_once(files, fake_es.events())
        assert not arrived(other.events()) - files.lines, "nothing is twice in an output that comes and goes"


STUCK = {
    "stalls": lambda fake: setattr(fake, "default_fault", stall()),
    "holds": lambda fake: setattr(fake, "default_fault", status(401)),
    "is busy": lambda fake: setattr(fake, "default_fault", status(429, retry_after=600)),
}


@pytest.mark.parametrize("how", STUCK)
def test_a_stuck_output_does_not_hold_up_a_reload(live, field, tmp_path, fake_es, how):
    files = field(3)
    files.burst(5)
    STUCK[how](fake_es)
    ship = live(limits={"drain": "1h"})
    fake_es.wait_for(lambda fake: len(fake.requests) >= 1)
    with FakeEs() as well:
        reload(ship, tmp_path, outputs=[elastic(well.url)])  # and not after limits.drain
        files.burst(5)
        well.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
        assert ship.stop().rc == 0
        assert_each_once(files, well.events())


def test_what_is_under_way_is_waited_for_and_not_repeated(live, field, tmp_path, fake_es):
    """An output that answers: its requests end before the next configuration begins."""
    files = field(3)
    fake_es.latency_s = 0.1
    ship = live()
    for _ in range(3):
        requests = len(fake_es.requests)
        files.burst(5)
        fake_es.wait_for(lambda fake: len(fake.requests) > requests)
        reload(ship, tmp_path)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_standard_output_repeats_nothing(live, field, tmp_path):
    """It knows no ids: what is being written is waited for."""
    files = field(5)
    output = {"type": "stdout", "batch": {"linger": "5ms", "max_events": 7}}
    ship = live(output=output, limits={"drain": "300s"})
    with Stream(files):
        for number in range(15):
            reload(ship, tmp_path, outputs=[{**output, "batch": {"linger": "5ms", "max_events": 7 + number}}])
    ship.wait_for(lambda: ship.stdout.count("\n") >= files.written, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(files, [json.loads(line) for line in ship.stdout.splitlines()])


def test_events_without_ids_are_waited_for(live, field, tmp_path, fake_es):
    files = field(3)
    fake_es.latency_s = 0.8
    ship = live(file={"id": "none"}, limits={"drain": "300s"})
    files.burst(5)
    fake_es.wait_for(lambda fake: len(fake.requests) >= 1)
    reload(ship, tmp_path)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_a_file_that_is_deleted_is_not_lost(live, tmp_path, fake_es):
    """What only our descriptor still has goes along, read or not, and what comes after it at its path waits for it."""
    folder = tmp_path / "logs"
    folder.mkdir()
    log = folder / "app.log"
    lines = [f"line {number} {os.urandom(150).hex()}" for number in range(18_000)]
    log.write_text("".join(f"{line}\n" for line in lines[:15_000]))
    fake_es.default_fault = status(503)
    ship = live(limits={"drain": "60s", "memory": "4MiB"})
    fake_es.wait_for(lambda fake: len(fake.requests) >= 1)
    log.unlink()
    log.write_text("".join(f"{line}\n" for line in lines[15_000:]))
    with FakeEs() as well:
        reload(ship, tmp_path)
        reload(ship, tmp_path, outputs=[elastic(well.url)])
        well.wait_for(lambda fake: fake.count() >= len(lines), SETTLE_S)
        assert sorted(arrived(well.events()).items()) == sorted((line, 1) for line in lines)
        assert ship.stop().rc == 0
    assert "lost" not in ship.stderr and "is gone" not in ship.stderr


# ---- what does not start -----------------------------------------------------------------------


def test_what_does_not_start_changes_nothing(live, field, fake_es, tmp_path):
    """It is tried beside the old one, which does not even stop reading."""
    files = field(5)
    files.burst(2)
    ship = live()
    change(tmp_path, state=str(files.files[0].path / "below-a-file"))
    hang_up(ship)
    ship.wait_for(lambda: "the new configuration does not start; going on with the old one" in ship.stderr)
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0
    assert "reading again" not in ship.stderr
    assert_each_once(files, fake_es.events())


def test_another_ships_state_directory(live, start_ship, field, fake_es, tmp_path):
    files = field(2)
    ship = live()
    elsewhere = write_config(tmp_path / "elsewhere.yaml", [{"type": "file", "paths": ["/nothing/*.log"]}], [elastic(fake_es.url)], state=str(tmp_path / "taken"))
    neighbour = start_ship(["run", "-c", elsewhere])
    neighbour.wait_for(lambda: "running, configuration" in neighbour.stderr)
    change(tmp_path, state=str(tmp_path / "taken"))
    hang_up(ship)
    ship.wait_for(lambda: "another ship uses this state directory" in ship.stderr)
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    # Answered, too: what is not is given a moment, and then it is cut off and sent again.
    ship.wait_for(lambda: scrape(tmp_path / "state" / "ship.sock").count("in_flight", "elasticsearch") == 0)
    # Its own directory by another name is not another's.
    (tmp_path / "link").symlink_to(tmp_path / "state")
    reload(ship, tmp_path, state=str(tmp_path / "link"))
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0
    assert fake_es.duplicates == 0


def test_a_file_that_cannot_be_read_now_stops_nothing(live, field, fake_es, tmp_path):
    """A secret in a pipe that nobody writes to: ship goes on, takes a later SIGHUP, and ends when told."""
    files = field(2)
    os.mkfifo(tmp_path / "fifo")
    ship = live()
    good = json.loads((tmp_path / "ship.yaml").read_text())
    change(tmp_path, outputs=[elastic(fake_es.url, api_key="${file:" + str(tmp_path / "fifo") + "}")])
    hang_up(ship)
    # Opened for writing it lets the reader open it too, who then waits for the first byte.
    held = os.open(tmp_path / "fifo", os.O_WRONLY)
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    reload(ship, tmp_path, **good)
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    stopped = ship.stop()
    os.close(held)
    assert stopped.rc == 0
    assert_each_once(files, fake_es.events())


def test_the_last_of_two_files_counts(live, field, fake_es, tmp_path):
    """The first is still being read when the second comes: what it says then is of no interest."""
    files = field(2)
    os.mkfifo(tmp_path / "fifo")
    ship = live()
    good = json.loads((tmp_path / "ship.yaml").read_text())
    change(tmp_path, host="${file:" + str(tmp_path / "fifo") + "}")
    hang_up(ship)
    held = os.open(tmp_path / "fifo", os.O_WRONLY)
    reload(ship, tmp_path, **{**good, "host": "the-second"})
    os.write(held, b"the-first\n")
    os.close(held)
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0
    assert {event["host.name"] for event in fake_es.events()} == {"the-second"}
    assert len(gaps(ship)) == 1


def test_sighup_before_ship_listens(start_ship, fake_es, tmp_path):
    """While it still reads its configuration for the first time."""
    os.mkfifo(tmp_path / "fifo")
    config = write_config(
        tmp_path / "ship.yaml",
        [{"type": "file", "paths": [str(tmp_path / "*.log")]}],
        [elastic(fake_es.url, api_key="${file:" + str(tmp_path / "fifo") + "}")],
        state=str(tmp_path / "state"),
    )
    ship = start_ship(["run", "-c", config])
    with open(tmp_path / "fifo", "w") as fifo:  # opens as soon as ship does
        hang_up(ship)
        fifo.write("c2VjcmV0\n")
    ship.wait_for(lambda: "running, configuration" in ship.stderr)
    with open(tmp_path / "fifo", "w") as fifo:
        fifo.write("c2VjcmV0\n")
    ship.wait_for(lambda: "reading again" in ship.stderr)
    assert ship.stop().rc == 0


# ---- standard input ----------------------------------------------------------------------------


class Piped:
    """app | ship, where the test is the app."""

    def __init__(self, ship, env, tmp_path, outputs, **more):
        self.tmp_path = tmp_path
        self.write(outputs, **more)
        self._err = tmp_path / "piped.err"
        with open(self._err, "wb") as err:
            self.process = subprocess.Popen([ship, "run", "-c", tmp_path / "ship.yaml"], stdin=subprocess.PIPE, stderr=err, env=env)
        self.wait_for("running, configuration")

    def write(self, outputs, inputs=({"type": "stdin"},), **more):
        write_config(self.tmp_path / "new.yaml", list(inputs), outputs, state=str(self.tmp_path / "state"), **more)
        (self.tmp_path / "new.yaml").rename(self.tmp_path / "ship.yaml")

    @property
    def stderr(self):
        return self._err.read_text()

    def wait_for(self, text, times=1, seconds=PATIENCE_S):
        give_up = time.monotonic() + seconds
        while self.stderr.count(text) < times:
            assert self.process.poll() is None or self.stderr.count(text) >= times, self.stderr
            assert time.monotonic() < give_up, self.stderr
            time.sleep(0.01)

    def say(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def reload(self, times=1):
        before = self.stderr.count("reading again after")
        for _ in range(times):
            self.process.send_signal(signal.SIGHUP)
        self.wait_for("reading again after", before + 1)

    def end(self, seconds=PATIENCE_S):
        self.process.stdin.close()
        return self.process.wait(seconds)


@pytest.fixture
def piped(ship, ship_env, tmp_path):
    made = []

    def start(outputs, **more):
        made.append(Piped(ship, ship_env, tmp_path, outputs, **more))
        return made[-1]

    yield start
    for one in made:
        one.process.kill()
        one.process.wait()
        one.process.stdin.close()


def messages(fake):
    return sorted(event["message"] for event in fake.events())


@pytest.mark.threads
def test_standard_input_goes_on(piped, fake_es):
    """A half-read line is one line; what the far side took without saying so is not there twice."""
    app = piped([elastic(fake_es.url)], limits={"drain": "60s"})
    app.say("zero\n")
    fake_es.wait_for(lambda fake: fake.count() == 1)
    fake_es.default_fault = stall_after()
    app.say("one\ntwo\nhal")
    fake_es.wait_for(lambda fake: fake.count() == 3)
    app.reload()
    app.say("f a lin")
    app.reload(times=3)
    fake_es.default_fault = None
    app.say("e\nthree\nopen")
    app.reload()
    fake_es.wait_for(lambda fake: fake.count() == 5)
    assert app.end() == 0
    assert messages(fake_es) == ["half a line", "one", "open", "three", "two", "zero"]
    assert [event["log.offset"] for event in fake_es.events() if event["message"] == "three"] == [len("zero\none\ntwo\nhalf a line\n")]


@pytest.mark.threads
def test_much_of_standard_input_waits_in_a_reload(piped, fake_es):
    """Many chunks that nobody has taken, handed on from agent to agent, and from one that does not come up."""
    fake_es.default_fault = status(503)
    app = piped([elastic(fake_es.url)], limits={"drain": "60s"}, retry={"initial": "20ms", "max": "100ms"})
    numbers = itertools.count()
    for _ in range(4):
        app.say("".join(f"line {next(numbers)} {'x' * 200}\n" for _ in range(3000)))
        app.reload()
    fake_es.default_fault = None
    fake_es.wait_for(lambda fake: fake.count() == 12000, SETTLE_S)
    assert app.end() == 0
    assert len(set(messages(fake_es))) == 12000
    assert sorted(int(text.split()[1]) for text in messages(fake_es)) == list(range(12000))


def test_told_to_stop_with_a_rest_of_an_earlier_agent(piped, fake_es):
    fake_es.default_fault = status(503)
    app = piped([elastic(fake_es.url)], limits={"drain": "60s"})
    app.say("one\ntwo\nopen")
    fake_es.wait_for(lambda fake: len(fake.requests) >= 1)
    app.reload()
    fake_es.default_fault = None
    app.process.terminate()
    assert app.process.wait(PATIENCE_S) == 0
    assert messages(fake_es) == ["one", "open", "two"]


def test_standard_input_that_is_no_input_any_more_is_delivered_first(piped, fake_es, tmp_path):
    fake_es.latency_s = 0.3
    app = piped([elastic(fake_es.url)], limits={"drain": "60s"})
    app.say("one\nopen")
    fake_es.wait_for(lambda fake: len(fake.requests) >= 1)
    app.write([elastic(fake_es.url)], [{"type": "file", "paths": [str(tmp_path / "none")]}])
    app.reload()
    assert messages(fake_es) == ["one", "open"]
    assert "lost" not in app.stderr
    app.process.terminate()
    assert app.process.wait(PATIENCE_S) == 0


def test_standard_input_that_is_no_input_any_more_and_cannot_be_delivered_is_told(piped, fake_es, tmp_path):
    fake_es.default_fault = status(503)
    app = piped([elastic(fake_es.url)], limits={"drain": "1s"})
    app.say("one\ntwo\nopen")
    app.wait_for("503")
    app.write([elastic(fake_es.url)], [{"type": "file", "paths": [str(tmp_path / "none")]}])
    app.reload()
    assert "3 lines that were read of it and could not be delivered within limits.drain are lost" in app.stderr
    app.process.terminate()
    assert app.process.wait(PATIENCE_S) == 0


# ---- told to stop meanwhile --------------------------------------------------------------------


def test_sigterm_during_a_reload(live, field, fake_es, tmp_path):
    """Whenever it comes, it ends ship, and the next start delivers what waits."""
    files = field(3)
    files.burst(5)
    for pause in (0, 0.05):
        fake_es.default_fault = stall()
        ship = live(limits={"drain": "1s"})
        fake_es.wait_for(lambda fake: fake.peak_concurrent >= 1)
        hang_up(ship)
        time.sleep(pause)
        assert ship.stop().rc == 0
    fake_es.default_fault = None
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_dead_letters_are_there_once(live, field, fake_es, tmp_path):
    files = field(3)
    fake_es.item_rule(" x", 400, reason="never")
    ship = live()
    for _ in range(10):
        files.burst(3)
        reload(ship, tmp_path)
    dead = tmp_path / "state" / "dead"
    ship.wait_for(lambda: (dead / "dead.ndjson").exists() and len(letters(dead)) >= files.written)
    assert ship.stop().rc == 0
    assert len(letters(dead)) == len({letter["id"] for letter in letters(dead)}) == files.written
