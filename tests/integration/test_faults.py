"""A sink that refuses, stalls, cuts off and lies: nothing lost, nothing twice, nothing in a hurry."""

import http.server
import json
import os
import random
import re
import threading
import time
from pathlib import Path

import pytest

import fake_es as faults
from shipping import PATIENCE_S, elastic, letters, summary, write_config, write_packed

PASSWORD = "s3cret-Pass"


@pytest.fixture
def log(tmp_path):
    """log(n, **special) -> a file of n lines; special[number] replaces one of them."""

    def make(lines, special=None, name="app.log"):
        path = tmp_path / name
        text = [(special or {}).get(n, f"line {n}") for n in range(lines)]
        path.write_text("".join(line + "\n" for line in text))
        return path

    return make


@pytest.fixture
def replay(tmp_path, run_ship):
    """replay(path, url, ...) -> Result. Small batches, quick retries."""

    def run(path, url, output=None, **more):
        output = elastic(url, **{"batch": {"max_events": 100}, **(output or {})})
        more.setdefault("retry", {"initial": "50ms", "max": "400ms"})
        config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": ["unused"]}], [output], **more)
        return run_ship(["--replay", path, "-c", config, "--state", tmp_path / "state"])

    return run


def messages(fake):
    return sorted(event["message"] for event in fake.events())


def expected(lines):
    return sorted(f"line {n}" for n in range(lines))


# ---- what passes ---------------------------------------------------------------------------------


TRANSIENT = {
    "429": faults.status(429),
    "503": faults.status(503),
    "502 html": faults.status(502, body="<html>Bad Gateway</html>"),
    "502 and it is stored": faults.status_after(502),  # O5
    "504 and it is stored": faults.status_after(504),
    "408": faults.status(408),
    "500": faults.status(500),
    "reset before": faults.drop_before(),
    "reset after": faults.drop_after(),  # R1
    "stall": faults.stall(),
    "stall after": faults.stall_after(),  # D3
    "cut reply": faults.cut_reply(),
    "cut headers": faults.cut_headers(),
    "short items": faults.short_items(0.5),  # S2
    "no items": faults.short_items(0.0),
    "html": faults.garbage(),
    "empty": faults.garbage(body=""),
    "json of something else": faults.garbage(body='{"took":1,"errors":false}'),
    "too many items": faults.garbage(body='{"errors":false,"items":[' + ",".join(['{"create":{"status":201}}'] * 999) + "]}"),
    "a body without end": faults.garbage(body="[" * 100_000),
}


@pytest.mark.parametrize("name", TRANSIENT)
def test_what_passes_loses_nothing(log, replay, fake_es, name):
    fake_es.faults(TRANSIENT[name], TRANSIENT[name])
    output = {"timeout": "3s"} if "stall" in name else {}  # else a slow machine decides what fails
    done = replay(log(1000), fake_es.url, output=output).expect(0)
    told = summary(done)
    assert messages(fake_es) == expected(1000)
    assert (told.lines, told.events, told.settled, told.dead) == (1000, 1000, 1000, 0)
    # What an answer that never came had stored already.
    assert told.duplicates == sum(1 for times in fake_es.attempts.values() if times > 1)
    assert 12 <= len(fake_es.requests) <= 40  # ten batches and the tries that failed: no hot loop
    assert "answering again" in done.stderr or "warn" in done.stderr


@pytest.mark.threads
def test_all_of_it_at_once(log, replay, fake_es):
    """About half of all requests fail, in each of these ways; whoever sends again gets through."""
    fake_es.set_chaos(7, *[(0.04, fault) for name, fault in TRANSIENT.items() if "stall" not in name])
    fake_es.item_rule("7", 429, "es_rejected_execution_exception", "full", times=1)
    told = summary(replay(log(4000), fake_es.url).expect(0))
    assert messages(fake_es) == expected(4000)
    assert (told.events, told.settled, told.dead) == (4000, 4000, 0)


@pytest.mark.parametrize("status", [429, 503])
def test_only_the_refused_items_are_sent_again(log, replay, fake_es, status):
    fake_es.item_rule("line 7", status, "es_rejected_execution_exception", "full", times=2)
    told = summary(replay(log(100), fake_es.url).expect(0))
    assert messages(fake_es) == expected(100)
    assert (told.delivered, told.duplicates, told.dead) == (100, 0, 0)
    sevens = {key for key, source in fake_es.documents.items() if json.loads(source)["message"].startswith("line 7")}
    assert len(sevens) == 11
    assert {key: n for key, n in fake_es.attempts.items() if n != 1} == dict.fromkeys(sevens, 3)


def test_one_reply_with_everything_in_it(log, replay, fake_es, tmp_path):
    """FB5, V1, V8, E1: of a thousand, one is refused, three are too many for now, five are there: three are sent again."""
    special = {n: f"there {n}" for n in range(5)} | {500: "busy", 501: "busy", 502: "busy", 999: "poison"}
    path = log(1000, special)
    output = {"batch": {"max_events": 1000}}
    replay(path, fake_es.url, output=output).expect(0)
    keys = {key: json.loads(source)["message"] for key, source in fake_es.documents.items()}
    assert len(keys) == 1000
    # As if only five of them had got through.
    for key, message in keys.items():
        if not message.startswith("there"):
            del fake_es.documents[key]
    fake_es.attempts.clear()
    fake_es.requests.clear()
    fake_es.item_rule("busy", 429, "es_rejected_execution_exception", "full", times=1)
    fake_es.item_rule("poison", 400)
    told = summary(replay(path, fake_es.url, output=output).expect(3))
    assert (told.delivered, told.duplicates, told.dead) == (994, 5, 1)
    assert [request.items for request in fake_es.requests] == [1000, 3]
    assert sorted(keys[key] for key, times in fake_es.attempts.items() if times == 2) == ["busy"] * 3
    (letter,) = letters(tmp_path / "state" / "dead")
    assert (letter["status"], letter["original"]) == (400, "poison")


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured(log, replay, fake_es, code):
    fake_es.faults(faults.status(code, retry_after=2))
    replay(log(50), fake_es.url).expect(0)
    first, second = fake_es.requests
    assert second.at - first.at >= 2


def test_stalled_requests_do_not_hold_the_others(log, live, fake_es):
    """One of four connections says nothing, for an hour: the other batches go on."""
    fake_es.faults(faults.stall())
    ship = live(paths=[str(log(2000))], output=elastic(fake_es.url, timeout="300s", batch={"max_events": 100, "linger": "60s"}))
    fake_es.wait_for(lambda fake: fake.count() == 1900)
    assert fake_es.requests[0].status is None
    ship.kill()


@pytest.mark.timeout(5 * PATIENCE_S)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_sink_that_stands_still_does_not_fill_the_memory(tmp_path, start_ship, fake_es, suffix):
    """At limits.memory reading stops; when the sink moves again, so does ship."""
    rng = random.Random(1)
    text = "".join(f"line {n} {rng.getrandbits(400):x}\n" for n in range(120_000))
    write_packed(tmp_path / f"big.log{suffix}", text.encode())
    fake_es.default_fault = faults.stall()
    inputs = [{"type": "file", "paths": [str(tmp_path / "big.log*")]}]
    more = {"state": str(tmp_path / "state"), "limits": {"memory": "8MiB"}, "retry": {"initial": "50ms"}}
    output = elastic(fake_es.url, timeout="5s", batch={"max_bytes": "64KiB"})
    ship = start_ship(["run", "-c", write_config(tmp_path / "ship.yaml", inputs, [output], **more)])
    fake_es.wait_for(lambda fake: len(fake.requests) >= 4)
    time.sleep(1)
    held = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{ship.pid}/status").read_text())
    if os.environ.get("SHIP_FLAVOUR", "release") == "release":
        assert int(held[1]) < 40_000
    assert sum(request.plain_bytes for request in fake_es.requests) < 8_000_000
    fake_es.clear()
    fake_es.wait_for(lambda fake: fake.count() == 120_000, 3 * PATIENCE_S)
    assert ship.stop().rc == 0


# ---- size ----------------------------------------------------------------------------------------


def test_413_is_halved_until_it_fits(log, replay, fake_es):
    """FB6, F9"""
    fake_es.max_bytes = 6_000
    told = summary(replay(log(1000), fake_es.url, output={"batch": {"max_events": 1000}}).expect(0))
    assert messages(fake_es) == expected(1000)
    assert (told.delivered, told.duplicates, told.dead) == (1000, 0, 0)
    assert max(fake_es.attempts.values()) == 1
    assert len(fake_es.requests) < 250


def test_413_for_a_single_event_is_a_dead_letter(log, replay, fake_es, tmp_path):
    """FB6, V3: and its neighbours are delivered."""
    fake_es.max_bytes = 6_000
    path = log(100, {50: "big " + "x" * 20_000})
    told = summary(replay(path, fake_es.url).expect(3))
    assert (told.delivered, told.dead) == (99, 1)
    (letter,) = letters(tmp_path / "state" / "dead")
    assert letter["status"] == 413
    assert letter["original"] == "big " + "x" * 20_000


# ---- what never will be taken --------------------------------------------------------------------


def test_refused_items_become_dead_letters(log, replay, fake_es, tmp_path):
    poison = {3: "poison \u00e9 \" \\ \x01 tail", 77: "poison again", 399: "poison last"}
    reason = "failed to parse field [x]: poison quoted"
    fake_es.item_rule("poison", 400, "document_parsing_exception", reason)
    path = log(400, poison)
    done = replay(path, fake_es.url).expect(3)
    told = summary(done)
    assert (told.lines, told.events, told.delivered, told.duplicates, told.dead) == (400, 400, 397, 0, 3)
    assert fake_es.count() == 397
    assert max(fake_es.attempts.values()) == 1
    assert "poison" not in done.stderr  # neither event nor reason in the log
    assert str(tmp_path / "state" / "dead" / "dead.ndjson") in done.stderr

    found = sorted(letters(tmp_path / "state" / "dead"), key=lambda letter: letter["offset"])
    raw = path.read_bytes()
    for letter, text in zip(found, poison.values(), strict=True):
        assert (letter["status"], letter["type"], letter["reason"]) == (400, "document_parsing_exception", reason)
        assert (letter["path"], letter["output"]) == (str(path), "elasticsearch")
        assert letter["original"] == text
        assert raw[letter["offset"] :].startswith(text.encode() + b"\n")
        assert letter["document"]["message"] == text
        assert letter["time"].endswith("Z")

    # Once more: what is there is there, and what was refused is refused again.
    again = summary(replay(path, fake_es.url).expect(3))
    assert (again.delivered, again.duplicates, again.dead) == (0, 397, 3)


def test_what_breaks_a_pipeline_is_not_tried_for_ever(log, replay, fake_es, tmp_path):
    """500 for one event of many, and of a kind that nobody knows: a dead letter in the end, with what was said."""
    fake_es.item_rule("poison", 500, "null_pointer_exception", "Cannot invoke \"Object.toString()\"")
    told = summary(replay(log(100, {50: "poison"}), fake_es.url, retry={"initial": "10ms", "max": "100ms"}).expect(3))
    assert (told.delivered, told.dead) == (99, 1)
    (letter,) = letters(tmp_path / "state" / "dead")
    assert (letter["status"], letter["type"], letter["original"]) == (500, "null_pointer_exception", "poison")
    assert 10 <= max(fake_es.attempts.values()) <= 20


def test_the_original_of_a_line_that_is_no_utf8(replay, fake_es, tmp_path):
    import base64

    path = tmp_path / "app.log"
    path.write_bytes(b"fine\npoison \xff\xfe\x00 bytes\nfine too\n")
    fake_es.item_rule("poison", 400)
    replay(path, fake_es.url).expect(3)
    (letter,) = letters(tmp_path / "state" / "dead")
    assert base64.b64decode(letter["original_base64"]) == b"poison \xff\xfe\x00 bytes"


@pytest.mark.threads
@pytest.mark.parametrize("suffix", [".gz", ".zst", "-"])
def test_the_original_from_where_it_cannot_be_read_again(fake_es, tmp_path, run_ship, suffix):
    """Packed files and standard input: the chunk keeps what is not settled. Small batches: they are
    refused while the chunk is still being worked on."""
    fake_es.item_rule("poison", 400)
    lines = [f"poison {n}" if n % 10 == 0 else f"line {n}" for n in range(20_000)]
    data = "".join(line + "\n" for line in lines).encode()
    path = tmp_path / f"app.log{suffix}"
    write_packed(path, data)
    output = elastic(fake_es.url, batch={"max_events": 500})
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": ["unused"]}], [output])
    args = ["-c", config, "--state", tmp_path / "state"]
    if suffix == "-":
        done = run_ship(["--replay", "-", *args], input=data).expect(3)
    else:
        done = run_ship(["--replay", path, *args]).expect(3)
    told = summary(done)
    assert (told.delivered, told.dead) == (18_000, 2_000)
    found = letters(tmp_path / "state" / "dead")
    assert sorted(letter.get("original") or "?" for letter in found) == sorted(line for line in lines if "poison" in line)
    offsets = {letter["offset"]: letter["original"] for letter in found}
    assert all(data[offset:].startswith(text.encode()) for offset, text in offsets.items())


def test_a_request_that_is_refused_for_one_event(log, replay, fake_es, tmp_path, monkeypatch):
    """S1, S3, L5: 400 for the whole request: halved until the one is alone."""
    store = fake_es._store

    def refuse(body, index, keep=None):
        if b"poison" in body:
            raise faults.Refused(400, "illegal_argument_exception", "Malformed action/metadata line [3]")
        return store(body, index, keep)

    monkeypatch.setattr(fake_es, "_store", refuse)
    told = summary(replay(log(300, {123: "poison"}), fake_es.url).expect(3))
    assert (told.delivered, told.duplicates, told.dead) == (299, 0, 1)
    assert len(fake_es.requests) < 30
    (letter,) = letters(tmp_path / "state" / "dead")
    assert (letter["status"], letter["original"]) == (400, "poison")


# ---- credentials and other things that a person must mend ----------------------------------------


@pytest.mark.parametrize("code", [401, 403])
def test_a_replay_gives_up_on_wrong_credentials(log, replay, fake_es, code):
    fake_es.default_fault = faults.status(code, body="Unauthorized")
    output = {"user": "ship", "password": PASSWORD}
    done = replay(log(500), fake_es.url, output=output).expect(1)
    told = summary(done)
    assert (told.delivered, told.dead) == (0, 0)
    assert done.seconds < 60  # of two minutes
    assert f"HTTP {code}" in done.stderr and fake_es.url in done.stderr
    assert PASSWORD not in done.stderr and PASSWORD not in done.stdout
    errors = [line for line in done.stderr.splitlines() if f"HTTP {code}" in line]
    assert len(errors) == 1, done.stderr
    assert len(fake_es.requests) <= 4  # those that were under way


@pytest.mark.parametrize("code", [401, 403])
def test_run_holds_and_tells(log, tmp_path, start_ship, fake_es, code):
    fake_es.default_fault = faults.status(code)
    output = elastic(fake_es.url, user="ship", password=PASSWORD, batch={"max_events": 50})
    inputs = [{"type": "file", "paths": [str(log(500))]}]
    config = write_config(tmp_path / "ship.yaml", inputs, [output], state=str(tmp_path / "state"))
    began = time.monotonic()
    ship = start_ship(["run", "-c", config])
    ship.wait_for(lambda: f"HTTP {code}" in ship.stderr)
    time.sleep(2)
    assert ship.process.poll() is None
    assert len(fake_es.requests) <= 5 + (time.monotonic() - began) / 10  # tried again every 20 s
    assert ship.stderr.count(f"HTTP {code}") == 1
    assert "error: " in ship.stderr and PASSWORD not in ship.stderr
    ship.kill()
    # Mended while ship was away: nothing was lost.
    fake_es.clear()
    ship = start_ship(["run", "-c", config])
    fake_es.wait_for(lambda fake: fake.count() == 500)
    assert ship.stop().rc == 0


@pytest.mark.parametrize("code", [401, 403])
def test_lost_credentials_that_are_mended(log, tmp_path, start_ship, fake_es, code):
    """S3. At work, not at its start; nothing is dropped, and it goes on by itself."""
    path = log(500)
    inputs = [{"type": "file", "paths": [str(path)]}]
    more = {"state": str(tmp_path / "state"), "retry": {"initial": "50ms", "max": "200ms"}}
    config = write_config(tmp_path / "ship.yaml", inputs, [elastic(fake_es.url, batch={"max_events": 50})], **more)
    ship = start_ship(["run", "-c", config])
    fake_es.wait_for(lambda fake: fake.count() == 500)
    fake_es.default_fault = faults.status(code)
    lines = path.read_text()
    with open(path, "a") as file:
        file.write(lines.replace("line ", "more "))
    ship.wait_for(lambda: f"HTTP {code}" in ship.stderr)
    requests = len(fake_es.requests)
    fake_es.wait_for(lambda fake: len(fake.requests) >= requests + 3)  # it tries again
    assert fake_es.count() == 500
    fake_es.default_fault = None
    fake_es.wait_for(lambda fake: fake.count() == 1000)
    assert ship.stop().rc == 0
    assert ship.stderr.count(f"HTTP {code}") == 1
    assert not (tmp_path / "state" / "dead").exists()


def test_a_redirect_is_not_followed_with_the_password(log, replay, fake_es):
    seen = []

    class Redirect(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(301)
            self.send_header("Location", fake_es.url + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirect) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            done = replay(log(10), url, output={"user": "ship", "password": PASSWORD}).expect(1)
        finally:
            server.shutdown()
            thread.join()
    assert not fake_es.requests
    assert len(seen) == 1
    assert "HTTP 301" in done.stderr and "hosts" in done.stderr


def test_items_that_are_forbidden_are_held(log, tmp_path, start_ship, fake_es):
    """The index's own trouble (read-only): the events wait, whatever comes beside them flows."""
    fake_es.item_rule("line 7", 403, "cluster_block_exception", "index blocked", times=1)
    inputs = [{"type": "file", "paths": [str(log(100))]}]
    config = write_config(tmp_path / "ship.yaml", inputs, [elastic(fake_es.url)], state=str(tmp_path / "state"))
    ship = start_ship(["run", "-c", config])
    fake_es.wait_for(lambda fake: fake.count() >= 89)
    ship.wait_for(lambda: "cluster_block_exception" in ship.stderr)
    assert not (tmp_path / "state" / "dead").exists()
    ship.kill()
    ship = start_ship(["run", "-c", config])
    fake_es.wait_for(lambda fake: fake.count() == 100)
    assert ship.stop().rc == 0


def test_the_sum_is_right_whatever_comes_together(log, replay, fake_es):
    fake_es.item_rule("line 13", 400, "mapper_parsing_exception", "no", None)
    fake_es.item_rule("line 5", 429, "es_rejected_execution_exception", "full", times=1)
    fake_es.faults(faults.drop_after(), faults.cut_reply(), faults.status(429))
    done = replay(log(2000), fake_es.url).expect(3)
    told = summary(done)
    dead = sum(1 for n in range(2000) if f"line {n}".startswith("line 13"))
    assert told.events == told.lines == 2000
    assert (told.dead, told.delivered + told.duplicates) == (dead, 2000 - dead)
    assert fake_es.count() == 2000 - dead
