"""A sink that has enough, that comes and goes, or that is none: how often ship asks, and what it says."""

import http.server
import os
import random
import re
import threading
import time
from pathlib import Path

import pytest

import fake_es as faults
from fake_es import FakeEs
from peers import quiet_port
from shipping import elastic, summary, write_config

QUICK = {"initial": "10ms", "max": "100ms"}


def resident_kb(pid):
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1])


# ---- refusals ------------------------------------------------------------------------------------


def test_instant_refusals(tmp_path, live, fake_es):
    """V10: refused as a whole, and then event by event, in a millisecond: few requests, flat memory, soon back."""
    rng = random.Random(1)
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "big.log").write_text("".join(f"line {n} {rng.getrandbits(400):x}\n" for n in range(30_000)))
    fake_es.default_fault = faults.status(429)
    output = elastic(fake_es.url, batch={"max_bytes": "256KiB"})
    ship = live(output=output, limits={"memory": "8MiB"}, retry={"initial": "50ms", "max": "1s"})
    began = time.monotonic()
    fake_es.wait_for(lambda fake: len(fake.requests) >= 4)
    time.sleep(2)
    whole = len(fake_es.requests)
    assert whole <= 20 + 4 * (time.monotonic() - began)  # one at a time, twice a second in the end
    fake_es.item_rule("line", 429, "es_rejected_execution_exception", "full")
    fake_es.default_fault = None
    began = time.monotonic()
    fake_es.wait_for(lambda fake: len(fake.requests) >= whole + 2)
    time.sleep(2)
    assert len(fake_es.requests) - whole <= 20 + 4 * (time.monotonic() - began)
    assert fake_es.count() == 0
    if os.environ.get("SHIP_FLAVOUR", "release") == "release":
        assert resident_kb(ship.pid) < 40_000
    # Told once, not for each try: as it began, and when the reason changed.
    assert 1 <= ship.stderr.count("HTTP 429") <= 3, ship.stderr
    assert re.search(r"HTTP 429.*; keeping \d+ events, try \d+ in [\d.]+ s", ship.stderr)
    fake_es.clear()
    fake_es.wait_for(lambda fake: fake.count() == 30_000)
    ship.wait_for(lambda: "answering again" in ship.stderr)
    assert ship.stop().rc == 0


def test_fewer_at_once_for_a_sink_that_is_full(tmp_path, run_ship, fake_es):
    """A server with room for two requests at a time, of eight that it may get: it is not asked for all eight again
    and again."""
    path = tmp_path / "app.log"
    path.write_text("".join(f"line {n}\n" for n in range(20_000)))
    fake_es.latency_s = 0.02
    fake_es.most_open = 2
    output = elastic(fake_es.url, concurrency=8, batch={"max_events": 100})
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": ["unused"]}], [output], retry=QUICK)
    done = run_ship(["--replay", path, "-c", config, "--state", tmp_path / "state"]).expect(0)
    assert summary(done).delivered == fake_es.count() == 20_000
    refused = sum(1 for request in fake_es.requests if request.status == 429)
    assert 1 <= refused < 400  # about 70 for 200 batches; 1400 if all eight are always tried


# ---- away and back -------------------------------------------------------------------------------


ILLS = {
    "429": faults.status(429),
    "503": faults.status(503, body="<html>"),
    "reset": faults.drop_before(),
    "reset after": faults.drop_after(),
    "forbidden": faults.status(403),
    "cut": faults.cut_reply(),
}


def test_a_hundred_outages(tmp_path, live, fake_es):
    """FB4, S5: away and back a hundred times: each pause has a resume, and every line is there, once."""
    logs = tmp_path / "logs"
    logs.mkdir()
    path = logs / "app.log"
    path.write_text("line 0\n")
    ship = live(output=elastic(fake_es.url, batch={"linger": "1ms"}), retry=QUICK)
    fake_es.wait_for(lambda fake: fake.count() == 1)
    ills = list(ILLS.values())
    for cycle in range(1, 101):
        seen = len(fake_es.requests)
        fake_es.default_fault = ills[cycle % len(ills)]
        with path.open("a") as log:
            log.write(f"line {cycle}\n")
        fake_es.wait_for(lambda fake, seen=seen: len(fake.requests) > seen)
        fake_es.default_fault = None
        fake_es.wait_for(lambda fake, cycle=cycle: fake.count() == cycle + 1)
    assert ship.stop().rc == 0
    assert sorted(event["message"] for event in fake_es.events()) == sorted(f"line {n}" for n in range(101))
    assert not (tmp_path / "state" / "dead").exists()


def test_a_sink_whose_port_closes_and_opens(tmp_path, live):
    """Connections refused, and accepted again on the same port."""
    logs = tmp_path / "logs"
    logs.mkdir()
    path = logs / "app.log"
    path.write_text("line 0\n")
    seen = {}
    port = quiet_port()
    sink = FakeEs(port=port).start()
    ship = live(output=elastic(sink.url, batch={"linger": "1ms"}), retry=QUICK)
    sink.wait_for(lambda fake: fake.count() == 1)
    for cycle in range(1, 21):
        sink.stop()
        seen.update(sink.documents)
        with path.open("a") as log:
            log.write(f"line {cycle}\n")
        if cycle == 1:
            ship.wait_for(lambda: "not reached" in ship.stderr)
        sink = FakeEs(port=port).start()
        sink.wait_for(lambda fake, known=dict(seen), cycle=cycle: len(known.keys() | fake.documents.keys()) == cycle + 1)
    seen.update(sink.documents)
    assert ship.stop().rc == 0
    sink.stop()
    assert len(seen) == 21


# ---- somebody else's address ---------------------------------------------------------------------


class Stranger:
    """Whatever listens there: answers each POST so. Without a status it knows none, as Python's own server: 501."""

    def __init__(self, status=None, kind="text/html", body=b"<html>no</html>"):
        self.status, self.kind, self.body = status, kind, body
        self.requests = 0

    def __enter__(self):
        stranger = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(stranger.status)
                self.send_header("Content-Type", stranger.kind)
                self.send_header("Content-Length", str(len(stranger.body)))
                self.end_headers()
                self.wfile.write(stranger.body)

            if self.status is None:
                del do_POST

            def log_request(self, *_):
                stranger.requests += 1

            def log_error(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


STRANGERS = {
    "no POST: 501": (Stranger(), "HTTP 501, answered text/html;charset=utf-8 by BaseHTTP/"),
    "404": (Stranger(404), "HTTP 404, answered text/html by BaseHTTP/"),
    "404 of an API": (Stranger(404, "application/json", b'{"error":"Not Found"}'), "HTTP 404, answered application/json"),
    "405": (Stranger(405, "text/plain", b"Method Not Allowed"), "HTTP 405, answered text/plain"),
    "a page": (Stranger(200), "HTTP 200, answered text/html by BaseHTTP/"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_replay_to_somebody_else_ends_soon(tmp_path, run_ship, name):
    stranger, said = STRANGERS[name]
    path = tmp_path / "app.log"
    path.write_text("line\n" * 10)
    with stranger:
        done = run_ship(["--replay", path, "--to", stranger.url]).expect(1)
        assert stranger.requests >= 1
    assert done.seconds < 100  # of two minutes
    assert said in done.stderr, done.stderr
    assert stranger.url in done.stderr and "Elasticsearch or OpenSearch" in done.stderr


@pytest.mark.parametrize("name", ["no POST: 501", "a page"])
def test_a_service_at_somebody_elses_address_holds_and_tells(tmp_path, live, fake_es, name):
    """It may be mended at the far side: what was read is kept, and goes when it is."""
    stranger, said = STRANGERS[name]
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "app.log").write_text("line\n" * 10)
    with stranger:
        ship = live(output=elastic(stranger.url, batch={"linger": "1ms"}), retry=QUICK)
        ship.wait_for(lambda: said in ship.stderr and stranger.requests >= 3)
        assert ship.stderr.count(said) == 1
        assert re.search(r"; keeping 10 events, try \d+ in ", ship.stderr)
        assert ship.process.poll() is None
        ship.kill()
    assert not (tmp_path / "state" / "dead").exists()
    ship = live(output=elastic(fake_es.url), retry=QUICK)
    fake_es.wait_for(lambda fake: fake.count() == 10)
    assert ship.stop().rc == 0


# ---- several hosts -------------------------------------------------------------------------------


def test_a_dead_host_holds_nothing_up(tmp_path, run_ship, fake_es, free_port):
    """Half of the requests meet it first; with a wait for each, this would take minutes."""
    path = tmp_path / "app.log"
    path.write_text("".join(f"line {n}\n" for n in range(2000)))
    dead = f"http://127.0.0.1:{free_port}"
    output = elastic([dead, fake_es.url], batch={"max_events": 20})
    retry = {"initial": "1m", "max": "1m"}
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": ["unused"]}], [output], retry=retry)
    done = run_ship(["--replay", path, "-c", config, "--state", tmp_path / "state"]).expect(0)
    assert summary(done).delivered == fake_es.count() == 2000
    assert f"{dead}: not reached: Connection refused; trying the next host" in done.stderr


def test_a_name_that_nobody_has(tmp_path, run_ship, fake_es):
    """DNS: told with the name; where another host answers, it is no reason to wait."""
    path = tmp_path / "app.log"
    path.write_text("line\n" * 10)
    output = elastic(["http://no-such-host.invalid:9200", fake_es.url])
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": ["unused"]}], [output])
    done = run_ship(["--replay", path, "-c", config, "--state", tmp_path / "state"]).expect(0)
    assert fake_es.count() == 10
    assert re.search(r"http://no-such-host\.invalid:9200: not reached: .*; trying the next host", done.stderr)
