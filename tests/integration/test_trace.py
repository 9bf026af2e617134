"""ship trace: the same story from the local store, from Elasticsearch and from OpenSearch."""

import fcntl
import http.server
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import uuid

import pytest

from conftest import ROOT
from shipping import PATIENCE_S, elastic, write_config

LOGS = ROOT / "packaging" / "demo" / "logs"
FAILED = "05cdc426-a5f3-43d2-b446-cce766d30592"
TRACE = "6ac8ab4fae5826b066ea5a523671a7c4"


@pytest.fixture
def store(tmp_path, run_ship):
    """The demo's logs in a local store."""
    run_ship(["--replay", LOGS, "--to", f"local:{tmp_path}/demo.db"]).expect(0)
    return f"local:{tmp_path}/demo.db"


@pytest.fixture
def trace(run_ship):
    """trace(words, where=..., ...) -> Result"""

    def run(*words, where=None, **more):
        return run_ship(["trace", *words, *(["--from", where] if where else [])], **more)

    return run


def replay(run_ship, path, where, *more):
    return run_ship(["--replay", path, "--to", where, *more]).expect(0)


def lambda_log(path, request, lines, trace_id=None, report=True):
    """One invocation in Lambda's text form."""
    text = [f"START RequestId: {request} Version: 1"]
    text += [f"2026-10-09T08:00:{n // 1000 % 60:02d}.{n % 1000:03d}Z\t{request}\tINFO\t{line}" for n, line in enumerate(lines)]
    if report:
        text += [f"END RequestId: {request}", f"REPORT RequestId: {request}\tDuration: 5.00 ms\tBilled Duration: 5 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB"]
    if trace_id:
        text += [f"XRAY TraceId: 1-{trace_id[:8]}-{trace_id[8:]}\tSegmentId: 1f882deb56f27a6d\tSampled: true"]
    path.write_bytes(b"".join(line.encode("utf-8", "surrogateescape") + b"\n" for line in text))
    return path


# ---- what an id may be ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "id",
    [FAILED, FAILED[:8], FAILED.upper(), f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent=1f882deb56f27a6d;Sampled=1", f"00-{TRACE}-1f882deb56f27a6d-01", TRACE, TRACE[:8], TRACE.upper(), f"1-{TRACE[:8]}-{TRACE[8:]}", f"1-{TRACE[:8]}", "10c560d1", "c3a671a2", "af0ec314"],
)
def test_every_id_of_a_trace_tells_its_story(trace, store, id):
    told = json.loads(trace(id, "--json", where=store).expect(0).stdout)
    assert told["trace"] == TRACE
    assert [i["function"] for i in told["invocations"]] == ["storefront", "checkout", "inventory", "payment"]
    assert [i["outcome"] for i in told["invocations"]] == ["success", "error", "success", "timeout"]
    assert [e["type"] for e in told["errors"]] == ["Sandbox.Timedout", "PaymentTimeout"]
    assert told["is_cut"] is False


def test_a_story_has_every_line_of_its_requests_and_no_other(trace, store):
    told = json.loads(trace(FAILED, "--json", where=store).expect(0).stdout)
    words = ["05cdc426", "c3a671a2", "af0ec314", "10c560d1"]
    assert {e["request"][:8] for e in told["events"] if "request" in e} == set(words)
    assert [e["message"] for e in told["events"] if "request" not in e and "action" not in e] == ["table shop-stock opened"]
    assert "stock lookup for kettle" in [e["message"] for e in told["events"]], "a print without an id"
    assert [e["time"] for e in told["events"]] == sorted(e["time"] for e in told["events"])
    assert all(e["time"].startswith("2026-10-09T08:52:3") for e in told["events"])


def test_ambiguous_and_unknown(trace, store):
    many = trace("c", where=store).expect(1)
    assert many.stdout == ""
    assert "c3a671a2-f923-4468-b891-b9fb880b2fcc" in many.stderr and "c4132c77" in many.stderr
    none = trace("zzzz", where=store).expect(1)
    assert none.stdout == "" and 'no request and no trace begins with "zzzz"' in none.stderr


# ---- the same everywhere -----------------------------------------------------------------------


IDS = [FAILED, TRACE[:10], f"1-{TRACE[:8]}", "aeba6fd2", "ca369234", "02e2763b", "zzzz", "c"]
WORDS = [[], ["--find", "kettle"], ["--find", '"running low"'], ["--find", "pay* answer"], ["--find", "A-1049"], ["--find", "receipt charge"], ["--find", "no such words"]]


@pytest.fixture
def is_the_same(trace, store, run_ship):
    """is_the_same(peer, index): every story and every list, in both forms, is what the store tells."""

    def check(peer, index):
        replay(run_ship, LOGS, peer.url, "--index", index)
        peer.refresh(index)
        for words in [[id, *flags] for id in IDS for flags in ([], ["--json"])] + [[*words, "--json"] for words in WORDS]:
            here = trace(*words, where=store)
            there = trace(*words, "--index", index, where=peer.url)
            assert (there.rc, there.stdout) == (here.rc, here.stdout), f"{words}\n{there.stderr}"

    return check


def test_the_same_from_elasticsearch(is_the_same, es, index):
    is_the_same(es, index)


def test_the_same_from_opensearch(is_the_same, opensearch, index):
    is_the_same(opensearch, index)


def test_an_elasticsearch_index_without_a_template(is_the_same, es):
    """The server guesses text with a keyword beside it; ship finds it."""
    is_the_same(es, f"plain-{uuid.uuid4().hex[:10]}")


def test_an_opensearch_index_without_a_template(is_the_same, opensearch):
    is_the_same(opensearch, f"plain-{uuid.uuid4().hex[:10]}")


# ---- where it reads by itself --------------------------------------------------------------------


def test_without_from_it_reads_ship_db(trace, run_ship, tmp_path):
    missing = trace(FAILED).expect(2)
    assert "no /etc/ship/ship.yaml and no ./ship.db" in missing.stderr
    replay(run_ship, LOGS, "local:ship.db")
    assert "4 functions" in trace(FAILED).expect(0).stdout


def test_from_a_configuration(trace, tmp_path, run_ship, free_port):
    config = write_config(
        tmp_path / "ship.yaml",
        [{"type": "file", "paths": [str(LOGS / "*.log")]}],
        [elastic(f"http://127.0.0.1:{free_port}"), {"type": "local", "path": str(tmp_path / "mine.db")}],
    )
    replay(run_ship, LOGS, f"local:{tmp_path}/mine.db")
    assert "4 functions" in trace(FAILED, "-c", config).expect(0).stdout, "a store before a server"
    config = write_config(tmp_path / "other.yaml", [{"type": "file", "paths": ["x"]}], [{"type": "stdout"}])
    assert "no output that can be read back" in trace(FAILED, "-c", config).expect(2).stderr


@pytest.mark.parametrize(
    "words, says",
    [
        (["a", "b"], "one ID at a time"),
        (["a", "--find", "b"], "either an ID or --find"),
        ([""], "the ID is empty"),
        (["--find", "*"], "--find wants words"),
        (["a", "--from", "-"], "cannot be read back"),
        (["a", "--from", "ftp://x"], "--from: \"ftp://x\" is no place; want local:FILE"),
        (["a", "--nonsense"], "unknown option"),
    ],
)
def test_wrong_use(trace, words, says):
    result = trace(*words).expect(2)
    assert says in result.stderr and result.stdout == ""


# ---- what can go wrong ---------------------------------------------------------------------------


def test_a_store_that_is_none(trace, tmp_path):
    (tmp_path / "text.db").write_text("START RequestId: 1\n" * 100)
    (tmp_path / "empty.db").write_text("")
    for where, says in (("nowhere.db", "No such file"), ("text.db", "no ship store"), ("empty.db", "nothing was stored"), (".", "Is a directory")):
        result = trace("abc", where=f"local:{tmp_path}/{where}").expect(1)
        assert says in result.stderr, where
    assert not (tmp_path / "nowhere.db").exists()


@pytest.fixture
def http_server():
    """http_server(status, body) -> its URL; `asked` are (path, headers)."""
    servers = []

    def start(status, body, content_type="application/json"):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                start.asked.append((self.path, dict(self.headers)))
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    start.asked = []
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    "status, body, says",
    [
        (401, b"Unauthorized", "HTTP 401: the credentials were refused"),
        (403, b"{}", "HTTP 403"),
        (404, b'{"error":{"reason":"no such index [x]"}}', 'there is no "logs-'),
        (200, b"<html>hello</html>", "no JSON"),
        (502, b"<html>", "HTTP 502"),
        (500, b'{"error":{"root_cause":[{"reason":"all shards failed"}]}}', "HTTP 500: all shards failed"),
    ],
)
def test_a_server_that_says_no(trace, http_server, status, body, says):
    url = http_server(status, body)
    result = trace("abc", "--user", "me:s3cret", where=url).expect(1)
    assert says in result.stderr and url in result.stderr
    assert "s3cret" not in result.stderr


def test_credentials_go_along(trace, http_server):
    url = http_server(401, b"{}")
    trace("abc", "--user", "me:s3cret", where=url)
    trace("abc", "--api-key", "id:key", where=url)
    trace("abc", where=url, env={"SHIP_API_KEY": "ZW5jb2RlZA=="})
    trace("abc", where=url.replace("http://", "http://you:pass@"))
    assert [headers.get("Authorization") for _, headers in http_server.asked] == [
        "Basic bWU6czNjcmV0",
        "ApiKey aWQ6a2V5",
        "ApiKey ZW5jb2RlZA==",
        "Basic eW91OnBhc3M=",
    ]


def test_nobody_listens(trace, free_port):
    result = trace("abc", where=f"http://127.0.0.1:{free_port}").expect(1)
    assert "not reached" in result.stderr and str(free_port) in result.stderr


def test_a_reader_that_goes_away(ship, ship_env, tmp_path, store):
    done = subprocess.run(f"{ship} trace {FAILED} --from {store} | head -1", shell=True, env=ship_env, capture_output=True, text=True)
    assert done.stdout.startswith("trace ") and done.stderr == ""


# ---- what is printed -----------------------------------------------------------------------------


def test_hostile_text_stays_text(trace, run_ship, tmp_path):
    lines = ["\x1b]0;owned\x07", "\x1b[2J\x1b[31mred\x1b[0m", "\x9b31m", "bad \udcff\udcfe bytes", "a‮b", "NUL \x00 inside", 'quote " and \\ back']
    lambda_log(tmp_path / "hostile.log", FAILED, lines)
    replay(run_ship, tmp_path / "hostile.log", f"local:{tmp_path}/h.db")
    text = trace(FAILED, where=f"local:{tmp_path}/h.db").expect(0).stdout
    assert not set(text) & set("\x1b\x07\x9b\x00‮"), "no control character is left"
    for shown in ("\\x1b]0;owned\\x07", "\\x1b[2Jred", "\\x9b31m", "a\\u202eb", "NUL \\x00 inside", 'quote " and \\ back'):
        assert shown in text, shown
    told = json.loads(trace(FAILED, "--json", where=f"local:{tmp_path}/h.db").expect(0).stdout)
    assert [e["message"] for e in told["events"] if "action" not in e][0] == "\x1b]0;owned\x07"


def on_a_terminal(ship, env, words, columns):
    """What ship writes to a terminal of so many columns."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([ship, *words], stdin=subprocess.DEVNULL, stdout=side, stderr=subprocess.PIPE, env=env)
    os.close(side)
    out = b""
    while True:
        try:
            out += os.read(main, 65536)
        except OSError:
            break
    os.close(main)
    assert process.wait(PATIENCE_S) == 0, process.stderr.read()
    process.stderr.close()
    return out.decode().replace("\r\n", "\n")


COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def test_a_terminal_gets_colours_and_no_line_is_too_long(ship, ship_env, store):
    env = {**ship_env, "TERM": "xterm"}
    plain = {**env, "NO_COLOR": "1"}
    words = ["trace", FAILED, "--from", store]
    for columns in (80, 100, 120, 200):
        text = on_a_terminal(ship, env, words, columns)
        assert COLOUR.search(text)
        bare = COLOUR.sub("", text)
        assert "\x1b" not in bare
        lines = bare.split("\nthe errors")[0].split("\n\n")[-1].splitlines()
        assert max(map(len, lines)) <= columns
        assert on_a_terminal(ship, plain, words, columns) == bare
    assert "\x1b" not in on_a_terminal(ship, {**ship_env, "TERM": "dumb"}, words, 80)


def test_a_large_trace_is_bounded_and_says_so(trace, run_ship, tmp_path, es, index):
    trace_id = uuid.uuid4().hex
    logs = tmp_path / "logs"
    logs.mkdir()
    for n in range(3):
        lambda_log(logs / f"f{n}.log", str(uuid.uuid4()), [f"line {k}" for k in range(2500)], trace_id)
    replay(run_ship, logs, f"local:{tmp_path}/l.db")
    replay(run_ship, logs, es.url, "--index", index)
    es.refresh(index)
    for where in ([f"local:{tmp_path}/l.db"], [es.url, "--index", index]):
        result = run_ship(["trace", trace_id, "--from", *where]).expect(0)
        assert "There is more: only the earliest 5000 events were read." in result.stdout
        told = json.loads(run_ship(["trace", trace_id, "--json", "--from", *where]).expect(0).stdout)
        assert told["is_cut"] is True and len(told["events"]) + len(told["invocations"]) <= 5000 + 3


def test_ids_of_sources_without_traces(trace, run_ship, tmp_path):
    """A request alone, still at work; and lines that belong by the stream only."""
    request = str(uuid.uuid4())
    lambda_log(tmp_path / "one.log", request, ["in"], report=False)
    with open(tmp_path / "one.log", "a") as log:
        log.write("printed without an id\n")
    replay(run_ship, tmp_path / "one.log", f"local:{tmp_path}/one.db")
    text = trace(request[:6], where=f"local:{tmp_path}/one.db").expect(0).stdout
    assert text.startswith(f"request {request}\n")
    assert "printed without an id" in text and "not reported" in text


def test_summary_of_find(trace, store):
    """A request once, its newest match; newest first."""
    found = json.loads(trace("--find", "kettle", "--json", where=store).expect(0).stdout)
    requests = [e["request"] for e in found]
    assert len(requests) == len(set(requests)) == 15
    assert [e["time"] for e in found] == sorted((e["time"] for e in found), reverse=True)
    assert trace("--find", "no such words", where=store).expect(1).stdout == ""
    assert len(trace(where=store).expect(0).stdout.splitlines()) == 2, "what failed"
