"""Stack traces of a file that is being written: one event each, whatever ship or the file goes through meanwhile."""

import os
import signal
import time

import pytest

TRACE = [
    "java.lang.IllegalStateException: boom",
    "\tat com.shop.Orders.charge(Orders.java:41)",
    "\tat com.shop.Orders.handle(Orders.java:12)",
    "Caused by: java.net.SocketTimeoutException: late",
    "\tat com.shop.Card.pay(Card.java:7)",
    "\t... 1 more",
]
TEXT = "\n".join(TRACE)
PATIENT = {"multiline": {"timeout": "5m"}}  # nothing comes out only because a machine is slow


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "logs" / "app.log"
    path.parent.mkdir()
    path.write_text("")
    return path


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


def settled(fake_es, n):
    fake_es.wait_for(lambda fake: fake.count() == n)
    return sorted(fake_es.events(), key=lambda event: event["log.offset"])


def test_written_line_by_line(live, log, fake_es):
    live(file=PATIENT)
    for number, line in enumerate(TRACE):
        append(log, line + "\n")
        if number in (1, 3):
            append(log, "\tat half.a.line(")
            time.sleep(0.05)
            append(log, "A.java:1)\n")
        time.sleep(0.05)
    append(log, "plain\n")
    trace, plain = settled(fake_es, 2)
    assert plain["message"] == "plain"
    assert trace["error.type"] == "java.lang.IllegalStateException"
    assert trace["error.message"] == "boom"
    assert trace["error.stack_trace"].count("\n") == len(TRACE) + 1
    assert trace["message"] == TRACE[0]
    assert trace["log.offset"] == 0
    assert trace["log.flags"] == ["multiline"]
    assert trace["log.level"] == "error"


def test_the_last_one_comes_out_when_it_is_quiet(live, log, fake_es):
    live(file={"multiline": {"timeout": "100ms"}})
    append(log, TEXT + "\n")
    (trace,) = settled(fake_es, 1)
    assert trace["error.stack_trace"] == TEXT


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_ended_in_the_middle_of_one(live, log, fake_es, how):
    """What is open stays where it is, and is read as a whole by the next."""
    ship = live(file=PATIENT)
    append(log, "first\n" + "\n".join(TRACE[:3]) + "\n")
    settled(fake_es, 1)
    getattr(ship, how)()
    append(log, "\n".join(TRACE[3:]) + "\nlast\n")
    live(file=PATIENT)
    _, trace, last = settled(fake_es, 3)
    assert trace["error.stack_trace"] == TEXT
    assert last["message"] == "last"


def test_reloaded_in_the_middle_of_one(live, log, fake_es):
    ship = live(file=PATIENT)
    append(log, "first\n" + "\n".join(TRACE[:3]) + "\n")
    settled(fake_es, 1)
    os.kill(ship.pid, signal.SIGHUP)
    ship.wait_for(lambda: "reloaded" in ship.stderr)
    append(log, "\n".join(TRACE[3:]) + "\nlast\n")
    _, trace, last = settled(fake_es, 3)
    assert trace["error.stack_trace"] == TEXT
    assert last["message"] == "last"


def test_truncated_behind_one_that_is_open(live, log, fake_es):
    """logrotate's copytruncate: what was read comes out, though it might have gone on."""
    ship = live(file={**PATIENT, "poll_interval": "200ms"})
    append(log, "first\n" + TEXT + "\n")  # one write, so one read
    settled(fake_es, 1)
    os.truncate(log, 0)
    append(log, "next\n")
    fake_es.wait_for(lambda fake: fake.count() == 3)
    messages = [event["message"] for event in fake_es.events()]
    assert sorted(messages) == sorted(["first", TRACE[0], "next"])
    assert "lost" not in ship.stderr


def test_rotated_behind_one_that_is_open(live, log, fake_es):
    live(file=PATIENT)
    append(log, "first\n" + TEXT + "\n")
    settled(fake_es, 1)
    os.rename(log, str(log) + ".1")
    append(log, "next\n")
    events = settled(fake_es, 3)
    assert {event.get("error.stack_trace") for event in events} == {None, TEXT}


def test_stdin_ends_with_one(run_ship):
    done = run_ship(["--replay", "-"], input=TEXT + "\n").expect(0)
    assert done.stdout.count("\n") == 1
    assert '"error.type":"java.lang.IllegalStateException"' in done.stdout


def test_off(run_ship, log):
    append(log, TEXT + "\n")
    config = log.parent / "ship.json"
    config.write_text('{"inputs": [{"type": "file", "paths": ["%s"], "multiline": {"type": "none"}}], "outputs": [{"type": "stdout"}]}' % log)
    done = run_ship(["--replay", log, "-c", config]).expect(0)
    assert done.stdout.count("\n") == len(TRACE)
