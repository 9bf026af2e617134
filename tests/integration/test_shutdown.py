"""SIGTERM: what may still be delivered is; nothing is waited for in vain; the next start has the rest."""

import re
import signal
import subprocess
import time

import pytest

from fake_es import stall, status
from scrape import scrape
from shipping import PATIENCE_S, elastic, write_config
from writers import assert_each_once

LONG = {"drain": "1h"}
AT_ONCE_S = PATIENCE_S  # a good deal less than LONG, and a good deal more than a busy machine needs

AWAY = {
    "refuses connections": None,
    "is busy": status(429, retry_after=600),
    "lets nobody in": status(401),
    "is broken": status(503),
}


def one_chunk(field):
    """25 lines that are read at once, and sent in one request."""
    files = field(1)
    files.burst(25)
    return files


def waiting(stderr):
    return [int(n) for n in re.findall(r"; (\d+) events? under way waits? for the next start", stderr)]


@pytest.mark.parametrize("how", AWAY)
def test_an_output_that_is_away_is_not_waited_for(live, field, fake_es, free_port, how):
    """FB8, O1: one more try, and then the next start delivers all."""
    files = one_chunk(field)
    fake_es.default_fault = AWAY[how]
    url = fake_es.url if AWAY[how] else f"http://127.0.0.1:{free_port}"
    ship = live(output=elastic(url), limits=LONG)
    ship.wait_for(lambda: "keeping 25 events" in ship.stderr)
    stopped = ship.stop(AT_ONCE_S)
    assert stopped.rc == 0
    assert waiting(stopped.stderr) == [25]
    fake_es.default_fault = None
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_the_last_try_counts(live, field, fake_es):
    """It was told to come back in ten minutes; told to stop, it asks once more."""
    files = one_chunk(field)
    fake_es.faults(status(429, retry_after=600))
    ship = live(limits=LONG)
    ship.wait_for(lambda: "keeping 25 events" in ship.stderr)
    stopped = ship.stop(AT_ONCE_S)
    assert stopped.rc == 0
    assert fake_es.count() == files.written
    assert "25 events delivered" in stopped.stderr and not waiting(stopped.stderr)


def test_an_output_that_answers_slowly_is_waited_for(live, field, fake_es, tmp_path):
    files = field(5)
    files.burst(5)
    fake_es.latency_s = 3
    ship = live(limits=LONG, output=elastic(fake_es.url, batch={"max_events": 5}))
    ship.wait_for(lambda: scrape(tmp_path / "state" / "ship.sock").count("in", "elasticsearch") == files.written)
    fake_es.latency_s = 0.5
    assert ship.stop(AT_ONCE_S).rc == 0
    assert fake_es.count() == files.written


def test_an_output_that_says_nothing_has_all_of_the_drain(live, field, fake_es):
    """Nobody knows that it will not answer; what it had is delivered by the next start."""
    files = one_chunk(field)
    fake_es.default_fault = stall()
    ship = live(limits={"drain": "1s"})
    fake_es.wait_for(lambda fake: fake.peak_concurrent >= 1)
    began = time.monotonic()
    stopped = ship.stop()
    assert stopped.rc == 0
    assert time.monotonic() - began >= 1
    assert waiting(stopped.stderr) == [25]
    fake_es.default_fault = None
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_told_twice_it_stops_at_once(live, field, fake_es):
    files = one_chunk(field)
    fake_es.default_fault = stall()
    ship = live(limits=LONG)
    fake_es.wait_for(lambda fake: fake.peak_concurrent >= 1)
    ship.process.terminate()
    ship.wait_for(lambda: "stopping" in ship.stderr)
    assert ship.stop(AT_ONCE_S).rc == 0
    fake_es.default_fault = None
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_told_while_it_starts(live, field, fake_es):
    """Whenever it comes: it ends, by the signal or in order, and the next start delivers all."""
    files = one_chunk(field)
    for pause in (0, 0.005, 0.01, 0.02, 0.05):
        ship = live(wait=False)
        time.sleep(pause)
        assert ship.stop().rc in (0, -signal.SIGTERM)
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


@pytest.mark.parametrize("is_told_twice", [False, True])
def test_standard_input_that_cannot_be_delivered(ship, ship_env, tmp_path, fake_es, is_told_twice):
    """No source has it any more: it is worth all of the drain, and its loss is said, and no success."""
    drain_s = 3600 if is_told_twice else 1
    fake_es.default_fault = status(503)
    config = write_config(tmp_path / "ship.yaml", [{"type": "stdin"}], [elastic(fake_es.url)], state=str(tmp_path / "state"), limits={"drain": f"{drain_s}s"})
    err = tmp_path / "err"
    with open(err, "wb") as err_file:
        process = subprocess.Popen([ship, "run", "-c", config], stdin=subprocess.PIPE, stderr=err_file, env=ship_env)
    try:
        process.stdin.write(b"one\ntwo\nopen")
        process.stdin.flush()
        fake_es.wait_for(lambda fake: len(fake.requests) >= 1)
        began = time.monotonic()
        process.terminate()
        if is_told_twice:
            fake_es.wait_for(lambda _: "stopping" in err.read_text())  # else the two could be one
            process.terminate()
        process.wait(AT_ONCE_S)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
    stderr = err.read_text()
    assert process.returncode == 1
    assert is_told_twice or time.monotonic() - began >= drain_s
    assert "standard input: 3 events were read and not delivered; no source has them any more, they are lost" in stderr
    assert "for the next start" not in stderr


# ---- one is no several -------------------------------------------------------------------------


def test_one_event_is_said_as_one(tmp_path, start_ship, run_ship, fake_es):
    (tmp_path / "a.log").write_text("x" * 2000 + "\n")
    fake_es.default_fault = status(503)
    inputs = [{"type": "file", "paths": [str(tmp_path / "a.log")], "max_line": "1KiB"}]
    config = write_config(tmp_path / "ship.yaml", inputs, [elastic(fake_es.url)], state=str(tmp_path / "state"))
    ship = start_ship(["run", "-c", config])
    fake_es.wait_for(lambda fake: len(fake.requests) >= 1)
    ship.process.send_signal(signal.SIGHUP)
    ship.wait_for(lambda: "reading again" in ship.stderr)
    assert "; 1 event that was under way is read again" in ship.stderr
    fake_es.wait_for(lambda fake: len(fake.requests) >= 3)
    assert "; 1 event under way waits for the next start" in ship.stop().stderr
    fake_es.default_fault = None
    assert "ship: 1 line was longer than max_line and cut\n" in run_ship(["--replay", "-c", config, tmp_path / "a.log"]).stderr


def test_one_event_that_is_lost_is_said_as_one(tmp_path, start_ship, fake_es):
    fake_es.default_fault = status(503)

    def configure(*inputs):
        more = {"state": str(tmp_path / "state"), "limits": {"drain": "100ms"}}
        return write_config(tmp_path / "ship.yaml", list(inputs), [elastic(fake_es.url)], **more)

    def start():
        ship = start_ship(["run", "-c", configure({"type": "stdin"})], stdin=subprocess.PIPE)
        requests = len(fake_es.requests)
        ship.process.stdin.write(b"one\n")
        ship.process.stdin.flush()
        fake_es.wait_for(lambda fake: len(fake.requests) > requests)
        return ship

    assert "standard input: 1 event was read and not delivered; no source has it any more, it is lost" in start().stop().stderr
    ship = start()
    configure({"type": "file", "paths": [str(tmp_path / "none.log")]})
    ship.process.send_signal(signal.SIGHUP)
    ship.wait_for(lambda: "reading again" in ship.stderr)
    assert "1 line that was read of it and could not be delivered within limits.drain is lost" in ship.stderr
