"""What ship says of itself over its status socket: every scrape is true, to the event."""

import os
import random
import re
import signal
import socket
import stat
import time
from pathlib import Path

import pytest

from fake_es import cut_reply, drop_after, drop_before, garbage, short_items, stall, status
from scrape import Watcher, ask, numbers_of, scrape, truth_of
from shipping import PATIENCE_S, elastic, letters, write_config
from writers import Stream, arrived

SETTLE_S = PATIENCE_S
SECONDS = float(os.environ.get("SHIP_SOAK_SECONDS", 0))
SEEDS = range(1, 6) if SECONDS else [1]
OUT = "elasticsearch"
# None of them leaves open whether ship has read the reply.
FAULTS = [status(429), status(503), status(502, body="<html>"), drop_before(), drop_after(), cut_reply(), short_items(0.5), garbage()]


@pytest.fixture
def sock(tmp_path):
    return tmp_path / "state" / "ship.sock"


def wait_for(claim, what, seconds=SETTLE_S):
    give_up = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < give_up, f"not within {seconds} s: {what()}"
        time.sleep(0.05)


def write_lines(tmp_path, n, name="a.log"):
    (tmp_path / "logs").mkdir(exist_ok=True)
    path = tmp_path / "logs" / name
    path.write_text("".join(f"line {number} of {name}\n" for number in range(n)))
    return path


# ---- the text ----------------------------------------------------------------------------------


@pytest.mark.threads
def test_a_scrape_is_openmetrics(live, fake_es, sock, tmp_path):
    size = write_lines(tmp_path, 1000).stat().st_size
    live(output=elastic(fake_es.url, name='an "odd" \\ name'))
    fake_es.wait_for(lambda fake: fake.count() == 1000)
    wait_for(lambda: scrape(sock).count("in_flight", 'an "odd" \\ name') == 0, lambda: scrape(sock).text)
    seen = scrape(sock)
    seen.check_sums()
    assert seen.text.endswith("\n# EOF\n")
    assert seen.count("delivered", 'an "odd" \\ name') == 1000
    assert seen.value("ship_input_lines_total", input="file") == 1000
    assert seen.value("ship_input_read_bytes_total", input="file") == size
    assert seen.value("ship_input_lag_bytes", input="file") == 0
    assert seen.value("ship_input_streams", input="file") == 1
    assert 0 < seen.value("process_start_time_seconds") <= time.time()
    assert 5 < seen.value("process_open_fds") < 100
    assert seen.value("ship_memory_held_bytes") <= seen.value("ship_memory_peak_bytes")
    assert seen.value("ship_memory_limit_bytes") == 24 * 1024 * 1024
    assert stat.S_IMODE(sock.stat().st_mode) == 0o600


def test_what_the_readme_names_is_there(live, fake_es, sock, tmp_path):
    write_lines(tmp_path, 10)
    live(output=elastic(fake_es.url, queue={"path": str(tmp_path / "queue")}))
    wait_for(lambda: scrape(sock).count("delivered", OUT) == 10, lambda: scrape(sock).text)
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    names = set(re.findall(r"\b((?:ship|process)_[a-z_]+[a-z])\b", readme))
    assert len(names) > 25
    assert not names - {name for name, _ in scrape(sock).values}


def test_what_else_is_there(live, sock, tmp_path):
    write_lines(tmp_path, 10)
    live()
    assert ask(sock, "/healthz")[:2] == (200, "ok\n")
    assert ask(sock, "/readyz")[:2] == (200, "ok\n")
    assert ask(sock, "/metrics?a=b")[0] == 200
    assert ask(sock, "/nothing")[:2] == (404, "here are: /metrics /healthz /readyz\n")
    code, _, headers = ask(sock, "/metrics", method="POST")
    assert (code, headers["Allow"]) == (405, "GET, HEAD")


# ---- V4, V8: the numbers are the sink's ----------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_the_counters_are_the_sinks_truth_to_the_event(live, field, fake_es, sock, tmp_path, seed):
    """Two lives; in each of them faults of every kind, and rotation. In each scrape the sum holds.

    No reload: it may leave a request, and then the sink has answered what ship has not read.
    """
    rng = random.Random(seed)
    files = field(8, seed)
    fake_es.item_rule("7 x", 429, "es_rejected_execution_exception", "full", times=1)
    fake_es.item_rule("33 x", 503, "unavailable_shards_exception", "away", times=2)
    fake_es.item_rule("5 x", 400, reason="never")
    output = elastic(fake_es.url, batch={"max_events": 50})
    retry = {"initial": "10ms", "max": "100ms"}
    with Watcher(sock, every_s=0.05) as watcher:
        for life in (1, 2):
            before = truth_of(fake_es)
            ship = live(output=output, retry=retry)
            for _ in range(3):
                fake_es.faults(*rng.choices(FAULTS, k=4))
                files.burst(10)
                files.rotate_by_rename()
            settle(files, fake_es, tmp_path)
            wait_for(
                lambda: numbers_of(scrape(sock), OUT) == truth_of(fake_es, before),
                lambda: f"{numbers_of(scrape(sock), OUT)} are not {truth_of(fake_es, before)}",
            )
            last = scrape(sock)
            assert last.count("in_flight", OUT) == 0
            assert last.count("in", OUT) == sum(truth_of(fake_es, before))
            wait_for(lambda: watcher.failure or len(watcher.lives) == life, lambda: "the watcher has not seen it")
            assert ship.stop().rc == 0
    assert truth_of(fake_es)[1] > 0 and truth_of(fake_es)[2] > 0, "the faults did their work"
    assert len(watcher.lives) == 2


def settle(files, fake, tmp_path):
    folder = tmp_path / "state" / "dead" / "dead.ndjson"
    dead = lambda: {letter["id"] for letter in letters(folder.parent)} if folder.exists() else set()
    wait_for(lambda: fake.count() + len(dead()) == files.written, lambda: (fake.state(), len(dead()), files.written, [(r.fault, r.status) for r in fake.requests[-8:]], (tmp_path / "ship.1.err").read_text()[-1500:]))


def test_two_outputs_each_have_their_own_sum(start_ship, fake_es, sock, tmp_path, free_port):
    """One is away: its events are in flight, the other's are delivered."""
    write_lines(tmp_path, 100)
    away = elastic(f"http://127.0.0.1:{free_port}", name="away")
    logs = [{"type": "file", "paths": [str(tmp_path / "logs" / "*.log")]}]
    config = write_config(tmp_path / "ship.yaml", logs, [away, elastic(fake_es.url, name=OUT)], state=str(tmp_path / "state"))
    start_ship(["run", "-c", config])
    fake_es.wait_for(lambda fake: fake.count() == 100)
    wait_for(lambda: scrape(sock).count("in_flight", OUT) == 0, lambda: scrape(sock).text)
    seen = scrape(sock)
    seen.check_sums()
    assert (seen.count("delivered", OUT), seen.count("in_flight", "away")) == (100, 100)
    assert seen.value("ship_input_events_total", input="file") == 100, "once, however many outputs there are"
    wait_for(lambda: scrape(sock).value("ship_output_batches", output="away", state="failing") > 0, lambda: scrape(sock).text)


# ---- reload --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_counters_outlive_a_reload(live, field, fake_es, sock, tmp_path):
    """Reloaded while events are under way that are not answered: no counter falls, the sum holds, none is counted twice."""
    files = field(5)
    fake_es.latency_s = 0.02
    ship = live(limits={"drain": "0s"}, output=elastic(fake_es.url, batch={"max_events": 20}))
    with Watcher(sock, every_s=0.02) as watcher, Stream(files, pause_s=0.02):
        for number in range(1, 9):
            wait_for(lambda: scrape(sock).count("in", OUT) > 50 * number, lambda: scrape(sock).text)
            os.kill(ship.pid, signal.SIGHUP)
            wait_for(lambda: scrape(sock).value("ship_config_reloads_total", result="good") == number, lambda: ship.stderr[-2000:])
        (tmp_path / "ship.yaml").write_text("inputs: 7")
        os.kill(ship.pid, signal.SIGHUP)
        wait_for(lambda: scrape(sock).value("ship_config_reloads_total", result="bad") == 1, lambda: ship.stderr[-2000:])
    fake_es.wait_for(lambda fake: fake.count() == files.written, SETTLE_S)
    wait_for(lambda: scrape(sock).count("in_flight", OUT) == 0, lambda: scrape(sock).text)
    seen = scrape(sock)
    assert watcher.n_away == 0, "nobody who asks during a reload is turned away"
    assert len(watcher.lives) == 1 and watcher.n > 20
    assert seen.value("ship_config_reloads_total", result="good") == 8
    assert seen.count("delivered", OUT) + seen.count("duplicates", OUT) >= files.written
    # What was cut off by a reload had perhaps been stored, and answers 409 when it comes again.
    assert seen.count("delivered", OUT) <= files.written
    assert arrived(fake_es.events()) == files.lines


def test_a_reload_moves_the_address(live, fake_es, sock, tmp_path, port_to_listen):
    write_lines(tmp_path, 10)
    ship = live()
    assert ask(sock, "/healthz")[0] == 200
    config = tmp_path / "ship.yaml"
    plain = config.read_text()
    for listen, address in ((f"127.0.0.1:{port_to_listen}", ("127.0.0.1", port_to_listen)), (f"unix:{tmp_path}/other", tmp_path / "other")):
        config.write_text(plain.replace("{", f'{{"status": {{"listen": "{listen}"}},', 1))
        os.kill(ship.pid, signal.SIGHUP)
        ship.wait_for(lambda: f"metrics, healthz and readyz at {listen}" in ship.stderr)
        wait_for(lambda: ask(address, "/healthz")[0] == 200, lambda: ship.stderr)
        assert not sock.exists()
    config.write_text(plain.replace("{", '{"status": {"listen": "none"},', 1))
    os.kill(ship.pid, signal.SIGHUP)
    wait_for(lambda: not (tmp_path / "other").exists(), lambda: ship.stderr)
    assert ship.stop().rc == 0


# ---- the socket ----------------------------------------------------------------------------------


def test_the_socket_of_a_killed_ship_is_replaced(live, sock, tmp_path):
    write_lines(tmp_path, 10)
    live().kill()
    assert sock.exists()
    ship = live()
    assert ask(sock, "/healthz")[0] == 200
    assert ship.stop().rc == 0
    assert not sock.exists()


def test_the_socket_of_a_living_ship_is_not(live, fake_es, tmp_path):
    write_lines(tmp_path, 10)
    shared = tmp_path / "s"
    first = live(status={"listen": f"unix:{shared}"})
    fake_es.wait_for(lambda fake: fake.count() == 10)
    second = live(status={"listen": f"unix:{shared}"}, state=str(tmp_path / "other"), host="another")
    second.wait_for(lambda: "another process listens there; going on without metrics" in second.stderr)
    fake_es.wait_for(lambda fake: fake.count() == 20)
    assert second.stop().rc == 0
    assert ask(shared, "/healthz")[0] == 200, "the first one's is as it was"
    assert first.stop().rc == 0


def test_a_path_too_long_for_a_socket(live, fake_es, tmp_path):
    write_lines(tmp_path, 10)
    ship = live(state=str(tmp_path / ("d" * 110)))
    fake_es.wait_for(lambda fake: fake.count() == 10)
    assert "the system allows 107; name a shorter one as status.listen; going on without metrics" in ship.stderr
    assert ship.stop().rc == 0


@pytest.mark.threads
def test_who_connects_and_says_nothing_holds_up_nothing(live, field, fake_es, sock):
    """Connections are bounded, and so are ship's descriptors; delivery goes on, and whoever leaves makes room."""
    files = field(5)
    live()
    before = scrape(sock).value("process_open_fds")
    mute = []
    for _ in range(70):
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        try:
            one.connect(str(sock))
        except BlockingIOError:  # the backlog is full: as it should be
            one.close()
            break
        mute.append(one)
    assert len(mute) > 20
    files.burst(50)
    fake_es.wait_for(lambda fake: fake.count() == files.written, SETTLE_S)
    for one in mute:
        one.close()
    seen = scrape(sock)
    assert seen.value("process_open_fds") < before + 40


# ---- losses and stalls -----------------------------------------------------------------------------


def test_what_copytruncate_took_is_counted(live, fake_es, sock, tmp_path):
    """FB2. The sink stands still, the memory is used up, the rest of the file is cut off: to the byte."""
    fake_es.default_fault = stall()
    path = write_lines(tmp_path, 300_000)
    size = path.stat().st_size
    ship = live(limits={"memory": "4MiB", "drain": "0s"})
    read = lambda: scrape(sock).value("ship_input_read_bytes_total", input="file")
    wait_for(lambda: is_steady(read), lambda: scrape(sock).text)
    assert 0 < read() < size / 2
    assert scrape(sock).value("ship_input_lag_bytes", input="file") == size, "nothing of it is delivered"
    os.truncate(path, 0)
    path.write_text("anew\n")
    wait_for(lambda: scrape(sock).value("ship_input_lost_bytes_total", input="file") > 0, lambda: ship.stderr)
    assert read() + scrape(sock).value("ship_input_lost_bytes_total", input="file") == size
    assert str(path) in ship.stderr and "lost" in ship.stderr


def is_steady(read, seconds=1.0):
    before = read()
    time.sleep(seconds)
    return before > 0 and read() == before


def test_a_sink_that_stands_still_is_seen(live, fake_es, sock, tmp_path):
    """S5: how long, how old, and in which state; red at 60 s (unit/observe/test_metrics.c, and below)."""
    write_lines(tmp_path, 100)
    fake_es.default_fault = status(503)
    live(retry={"initial": "50ms", "max": "100ms"})
    wait_for(lambda: scrape(sock).value("ship_output_stalled_seconds", output=OUT) > 1.5, lambda: scrape(sock).text)
    seen = scrape(sock)
    assert ask(sock, "/readyz")[0] == 200
    assert seen.value("ship_output_oldest_event_age_seconds", output=OUT) > 1
    assert seen.value("ship_output_held_bytes", output=OUT) > 0
    assert seen.count("retried", OUT) > 0
    assert seen.value("ship_output_request_failures_total", output=OUT) > 0
    assert sum(seen.value("ship_output_batches", output=OUT, state=state) for state in ("failing", "sending")) > 0
    fake_es.default_fault = None
    wait_for(lambda: scrape(sock).value("ship_output_stalled_seconds", output=OUT) == 0, lambda: scrape(sock).text)
    wait_for(lambda: scrape(sock).count("delivered", OUT) == 100, lambda: scrape(sock).text)


@pytest.mark.slow
def test_readyz_is_red_within_the_minute_and_green_again(live, fake_es, sock, tmp_path):
    write_lines(tmp_path, 100)
    fake_es.default_fault = status(503)
    live(retry={"initial": "50ms", "max": "100ms"})
    began = time.monotonic()
    wait_for(lambda: ask(sock, "/readyz")[0] == 503, lambda: scrape(sock).text, 60 + PATIENCE_S)
    assert 55 < time.monotonic() - began
    assert re.match(r"output elasticsearch: no event got through for (?:[6-9]\d|1\d\d) s, 100 wait: http://.*503", ask(sock, "/readyz")[1])
    fake_es.default_fault = None
    wait_for(lambda: ask(sock, "/readyz")[0] == 200, lambda: scrape(sock).text)


if SECONDS < 60:  # it takes more than a minute: make soak
    del test_readyz_is_red_within_the_minute_and_green_again
