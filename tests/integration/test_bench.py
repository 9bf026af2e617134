"""The bench's tools, so that they do not rot: its sink counts right, by itself and against ship."""

import gzip
import http.client
import json
import subprocess
import sys
from pathlib import Path

import pytest

from shipping import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "tests" / "bench"
ITEM = b'{"create":{"_id":"%d"}}\n{"message":"m"}\n'


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    """The tools but for `stages`, which is linked with the library."""
    folder = tmp_path_factory.mktemp("bench-tools")
    for name, sources in {
        "bulk_sink": ["bulk_sink.c", "bulk_body.c", "-lisal"],
        "corpus": ["corpus.c"],
        "measure": ["measure.c"],
    }.items():
        words = [str(BENCH / s) if s.endswith(".c") else s for s in sources]
        flags = ["-std=c17", "-O1", f"-I{ROOT}", "-D_POSIX_C_SOURCE=200809L"]
        subprocess.run(["cc", *flags, *words, "-o", str(folder / name)], check=True)
    return folder


class Sink:
    """The sink at work; closed at the end of the test, whatever comes."""

    def __init__(self, tools, *words):
        self.process = subprocess.Popen(
            [tools / "bulk_sink", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline().split()[1])
        self.peers = []

    def connect(self):
        self.peers.append(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S))
        return self.peers[-1]

    def end(self):
        for peer in self.peers:
            peer.close()
        out, _ = self.process.communicate(timeout=PATIENCE_S)
        return json.loads(out.splitlines()[-1])


@pytest.fixture
def start_sink(tools):
    sinks = []

    def start(*words):
        sinks.append(Sink(tools, *words))
        return sinks[-1]

    yield start
    for sink in sinks:
        sink.process.kill()
        sink.process.wait()


def post(peer, body, path="/x/_bulk", **headers):
    peer.request("POST", path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = peer.getresponse()
    assert answer.status == 200
    return json.loads(answer.read())


def test_sink_counts_every_form_of_a_body(start_sink):
    sink = start_sink("--verify")
    one, other = sink.connect(), sink.connect()
    bodies = [b"".join(ITEM % (1000 * i + n) for n in range(100)) for i in range(4)]

    assert len(post(one, bodies[0])["items"]) == 100
    assert len(post(other, gzip.compress(bodies[1]), Content_Encoding="gzip")["items"]) == 100
    pieces = [bodies[2][i : i + 7] for i in range(0, len(bodies[2]), 7)]
    assert len(post(one, iter(pieces))["items"]) == 100  # chunked
    assert len(post(other, bodies[3], Expect="100-continue")["items"]) == 100
    seen = sink.end()

    assert (seen["events"], seen["requests"], seen["connections"]) == (400, 4, 2)
    assert (seen["bad_lines"], seen["repeated"]) == (0, 0)
    assert seen["plain_bytes"] == sum(map(len, bodies))


def test_sink_answers_as_it_is_asked(start_sink):
    sink = start_sink()
    peer = sink.connect()

    assert post(peer, ITEM % 1, "/x/_bulk?filter_path=items.*.status")["items"] == [{"create": {"status": 201}}]
    whole = post(peer, b'{"index":{}}\n{"message":"m"}\n')["items"][0]["index"]
    assert whole["status"] == 201 and whole["result"] == "created"
    peer.request("GET", "/")
    assert json.loads(peer.getresponse().read())["version"]["number"] == "8.19.0"
    assert sink.end()["events"] == 2


@pytest.mark.parametrize(
    ("body", "bad_lines", "repeated"),
    [
        (ITEM % 1 + ITEM % 1, 0, 1),
        (b'{"create":{"_id":"1"}}\nnot json\n', 1, 0),
        (b'{"delete":{"_id":"1"}}\n{"message":"m"}\n', 1, 0),
        (ITEM % 1 + b'{"create":{"_id":"2"}}\n', 1, 0),
        (ITEM % 1 + b'{"create":{"_id":"2"}}\n{"cut', 2, 0),
    ],
    ids=["an id twice", "no document", "no action of ours", "no document behind an action", "cut off"],
)
def test_sink_sees_what_is_wrong(start_sink, body, bad_lines, repeated):
    sink = start_sink("--verify")
    post(sink.connect(), body)
    seen = sink.end()
    assert (seen["bad_lines"], seen["repeated"]) == (bad_lines, repeated)


def test_sink_says_when_it_has_what_it_expects(start_sink):
    sink = start_sink("--expect", "3")
    peer = sink.connect()
    post(peer, ITEM % 1 + ITEM % 2)
    post(peer, ITEM % 3 + ITEM % 4)
    assert json.loads(sink.process.stdout.readline())["events"] == 4
    assert sink.end()["events"] == 4


def test_bench_counts_every_event_of_ship(tools, ship, tmp_path):
    out = tmp_path / "bench.json"
    words = ["--alone", "--verify", "--lines", "10000", "--rounds", "1"]
    subprocess.run(
        [sys.executable, BENCH / "run", *words, "--ship", ship, "--tools", tools, "--out", out], check=True, timeout=PATIENCE_S
    )
    said = json.loads(out.read_text())
    assert said["median"]["json"]["ship"]["events"] == 10000
    assert said["median"]["lambda"]["ship"]["events"] > 10000  # and the summaries of its requests
    assert said["median"]["regex"]["ship"]["mb_per_cpu_s"] > 0
