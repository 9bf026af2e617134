"""Every line once, whatever befalls ship, its files and its sink.

SHIP_SEED, SHIP_SOAK_SECONDS and SHIP_SOAK_KILL_SECONDS (see `make soak`) choose another life, more of
them, and a longer tail under SIGKILL.
"""

import functools
import math
import os
import re
import signal
import threading
import time

import pytest

from fake_es import FakeEs
from schedule import REQUEST_TIMEOUT, SINK, schedule
from scrape import Watcher, numbers_of, scrape, truth_of
from shipping import PATIENCE_S, elastic, letters
from writers import Stream, arrived

SETTLE_S = PATIENCE_S
SEED = int(os.environ.get("SHIP_SEED", 1))
SECONDS = float(os.environ.get("SHIP_SOAK_SECONDS", 15))
LIFE_S = 60  # a longer soak is so many lives, each from a seed of its own
LIVES = [(SEED + n, min(LIFE_S, SECONDS)) for n in range(math.ceil(SECONDS / LIFE_S))]
KILL_S = float(os.environ.get("SHIP_SOAK_KILL_SECONDS", 5))
KILL_EVERY_S = 0.2
LINES_A_SECOND = 2_000_000 / 60


class Life:
    """One run of the schedule."""

    def __init__(self, start, files, fake):
        self.start, self.files, self.fake = start, files, fake
        self.story = []
        self.ship = start()

    def tell(self, text):
        self.story.append(f"{time.monotonic() - self.began:6.2f} {text}")

    def run(self, steps):
        self.began = time.monotonic()
        for step in steps:
            time.sleep(max(0, self.began + step.at - time.monotonic()))
            self.tell(f"{step.kind} {step.fault or ''} x{step.times} {step.seconds:.1f} s")
            if self.ship.process.poll() is not None:
                raise AssertionError(f"ship ended by itself: {self.ship.stderr[-3000:]}")
            getattr(self, step.kind.replace(" ", "_").lower())(step)
        self.fake.default_fault = None

    def sink_fails_next(self, step):
        self.fake.faults(*[SINK[step.fault]] * step.times)

    def sink_is_ill(self, step):
        self.fake.default_fault = SINK[step.fault]

    def sink_is_well(self, _):
        self.fake.default_fault = None

    def rotate(self, _):
        self.files.rotate_by_rename(keep=1000)

    def add_files(self, step):
        if len(self.files.files) < 60:
            self.files.add(step.times)

    def sigkill(self, step):
        self.ship.kill()
        if step.times == 1:
            time.sleep(step.seconds)  # files are rotated by nobody; the writers go on
        self.ship = self.start(wait=step.times > 2)

    def _is_up(self):
        self.ship.wait_for(lambda: "running, configuration" in self.ship.stderr)

    def sigterm(self, _):
        self._is_up()
        stopped = self.ship.stop()
        assert stopped.rc == 0, stopped.stderr[-3000:]
        self.ship = self.start(wait=False)

    def sighup(self, step):
        self._is_up()
        for _ in range(step.times):
            os.kill(self.ship.pid, signal.SIGHUP)
            time.sleep(step.seconds / 10)

    def sigstop(self, step):
        os.kill(self.ship.pid, signal.SIGSTOP)
        time.sleep(step.seconds)
        os.kill(self.ship.pid, signal.SIGCONT)


def dead_letters(tmp_path):
    """{id: message} of what lies there; a line may be there twice, when the kill came between."""
    folder = tmp_path / "state" / "dead"
    if not folder.exists():
        return {}
    return {letter["id"]: letter["document"]["message"] for letter in letters(folder)}


def settled(tmp_path, fake):
    return fake.count() + len(dead_letters(tmp_path).keys() - fake.documents.keys())


def wait_until(claim, seconds=SETTLE_S):
    """Or until it is clear that it will not be: then what is missing is told."""
    give_up = time.monotonic() + seconds
    while not claim() and time.monotonic() < give_up:
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(2 * max(SECONDS, LIFE_S) + 4 * SETTLE_S)
@pytest.mark.parametrize(("seed", "seconds"), LIVES)
def test_every_line_is_in_the_sink_or_in_the_dead_letters(live, field, tmp_path, seed, seconds):
    print(f"SHIP_SEED={seed} SHIP_SOAK_SECONDS={seconds:g}")
    files = field(20, seed)
    with FakeEs() as fake:
        fake.item_rule(" 77 x", 400, reason="never")
        fake.item_rule("7 x", 429, "es_rejected_execution_exception", "full", times=1)
        fake.item_rule("33 x", 503, "unavailable_shards_exception", "away", times=2)
        output = elastic(fake.url, timeout=REQUEST_TIMEOUT, batch={"max_events": 200})
        more = {"retry": {"initial": "50ms", "max": "500ms"}, "limits": {"drain": "1s"}}
        life = Life(lambda wait=True: live(output=output, wait=wait, **more), files, fake)
        try:
            with Watcher(tmp_path / "state" / "ship.sock") as watcher:
                with Stream(files, pause_s=0.05):
                    life.run(schedule(seed, seconds))
                wait_until(lambda: settled(tmp_path, fake) >= files.written)
            check(files, fake, dead_letters(tmp_path))
            check_scrapes(watcher, fake)
            output["timeout"] = "60s"  # so that a slow machine leaves nothing in doubt
            check_numbers(life, files, fake, tmp_path / "state" / "ship.sock")
            assert life.ship.stop().rc == 0
        except BaseException:
            print("\n".join(life.story))
            raise


def check(files, fake, dead):
    delivered = arrived(fake.events())
    all_of_it = arrived({"message": message} for key, message in dead.items() if key not in fake.documents) + delivered
    missing, extra = files.lines - all_of_it, all_of_it - files.lines
    print(f"{files.written} lines, {len(dead)} dead, {fake.duplicates} sent again")
    assert not missing and not extra, f"{missing.total()} missing: {list(missing)[:5]}; {extra.total()} too many: {list(extra)[:5]}"
    assert set(dead.values()) == {message for message in files.lines if " 77 x" in message}
    assert not dead.keys() & fake.documents.keys()


def check_scrapes(watcher, fake):
    """V4. The watcher has checked each by itself: the sum, and that no counter fell."""
    claimed = sum(last.count("delivered", "elasticsearch") for last in watcher.lives.values())
    print(f"{watcher.n} scrapes of {len(watcher.lives)} lives, {watcher.n_away} times nobody was there; {claimed} claimed")
    assert watcher.n > 0
    assert claimed <= fake.count(), "no life claims what the sink has not"


def check_numbers(life, files, fake, socket):
    """V8. A calm life after all that: its numbers are the sink's, to the event."""
    life.ship.stop()
    fake.clear()
    fake.wait_quiet()  # what an earlier life has sent is answered to nobody, and is no number of the next one's
    before, there = truth_of(fake), fake.count()
    life.ship = life.start()
    files.burst(10)
    wait_until(lambda: fake.count() - there == 10 * len(files.files))
    wait_until(lambda: numbers_of(scrape(socket), "elasticsearch") == truth_of(fake, before))
    seen = scrape(socket)
    assert numbers_of(seen, "elasticsearch") == truth_of(fake, before)
    assert seen.count("in", "elasticsearch") == sum(truth_of(fake, before))
    assert seen.count("delivered", "elasticsearch") == 10 * len(files.files)


def test_the_same_seed_is_the_same_life():
    assert schedule(3, 60) == schedule(3, 60) != schedule(4, 60)
    assert {step.kind for step in schedule(3, 300)} >= {"SIGKILL", "SIGTERM", "SIGHUP", "SIGSTOP", "rotate"}


# ---- killed all the time -----------------------------------------------------------------------


class CountingEs(FakeEs):
    """As the other, but fast enough for millions: of a document it keeps the id, and its line's number."""

    CREATED = b'{"create":{"status":201}}'
    KNOWN = b'{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"known"}}}'
    NUMBER = re.compile(rb'"message":"line (\d+) ')

    def __init__(self, lines):
        super().__init__()
        self.ids = set()
        self.times = bytearray(lines)  # under how many ids each line came

    def take_bulk(self, body, default_index, keep=None):
        lines = body.split(b"\n")
        with self._lock:
            items = [self._take_one(lines[n], lines[n + 1]) for n in range(0, len(lines) - 1, 2)]
        errors = b"true" if self.KNOWN in items else b"false"
        return len(items), b'{"took":1,"errors":%s,"items":[%s]}' % (errors, b",".join(items))

    def note_answered(self, reply):
        """Takes too long for millions."""

    def _take_one(self, action, source):
        key = action[action.index(b'"_id":"') + 7 : -3]
        if key in self.ids:
            self.duplicates += 1
            return self.KNOWN
        self.ids.add(key)
        self.times[int(self.NUMBER.search(source).group(1))] += 1
        return self.CREATED


class Tail(threading.Thread):
    """Writes numbered lines at a steady pace into one file; rotated, into one after the other."""

    def __init__(self, path, lines, lines_a_file=None):
        super().__init__()
        self.path, self.n_lines, self.written = path, lines, 0
        self.lines_a_file, self.rotations = lines_a_file, 0

    def run(self):
        began = time.monotonic()
        while self.written < self.n_lines:
            until = min(self.n_lines, int((time.monotonic() - began) * LINES_A_SECOND) + 1)
            with open(self.path, "ab") as file:
                file.write(b"".join(b"line %d of a tail that goes on\n" % n for n in range(self.written, until)))
            self.written = until
            if self.lines_a_file and self.written > (self.rotations + 1) * self.lines_a_file:
                self.rotate()
            time.sleep(0.02)

    def rotate(self):
        for age in range(self.rotations, 0, -1):
            os.rename(f"{self.path}.{age}", f"{self.path}.{age + 1}")
        os.rename(self.path, f"{self.path}.1")
        self.rotations += 1


@pytest.mark.slow
@pytest.mark.timeout(8 * KILL_S + 4 * PATIENCE_S)
@pytest.mark.parametrize("lines_a_file", [None, 50_000], ids=["one_file", "rotated"])
def test_killed_five_times_a_second(live, tmp_path, lines_a_file):
    """2 000 000 lines in a minute, or the same for less; G4: no life is as long as a checkpoint used to take."""
    lines = int(LINES_A_SECOND * KILL_S)
    (tmp_path / "logs").mkdir()
    tail = Tail(tmp_path / "logs" / "app.log", lines, lines_a_file)
    with CountingEs(lines) as fake:
        start = functools.partial(live, output=elastic(fake.url), wait=False)
        tail.start()
        know_the_file(live, fake)
        kills = kill_again_and_again(start, tail)
        ship = live(output=elastic(fake.url))  # at work: SIGTERM is its own to answer by now
        wait_until(lambda: len(fake.ids) >= lines, 4 * KILL_S + PATIENCE_S)
        assert ship.stop().rc == 0
    tail.join()
    lost, twice = fake.times.count(0), lines - fake.times.count(0) - fake.times.count(1)
    print(f"{kills} kills, {tail.rotations} rotations, {lines} lines: {len(fake.ids)} distinct, {lost} lost, {twice} twice, {fake.duplicates} sent again")
    assert (lost, twice, len(fake.ids)) == (0, 0, lines)


def know_the_file(live, fake):
    """Of a file that no life has noted, what is rotated away from it is not looked for; and a life of 200 ms may be too
    short for a first note."""
    ship = live(output=elastic(fake.url))
    wait_until(lambda: fake.ids)
    assert ship.stop().rc == 0


def kill_again_and_again(start, tail):
    """As long as it is written to, and a slow machine until there were enough: each life is 200 ms."""
    kills = 0
    while tail.is_alive() or kills < KILL_S / KILL_EVERY_S / 2:
        ship = start()
        time.sleep(KILL_EVERY_S)
        assert ship.process.poll() is None, ship.stderr
        ship.kill()
        kills += 1
    return kills
