"""A mixed corpus into a real Elasticsearch and a real OpenSearch: all of it, once, whatever happens."""

import collections
import os
import random
import subprocess
import time

import pytest

from corpus import corpus as function_logs
from peers import Peer, quiet_port
from shipping import each_line, summary, write_packed

IS_MILLION = os.environ.get("SHIP_TEST_MILLION") == "1"
LINES = 1_000_000 if IS_MILLION else 60_000
RUN_S = 1800 if IS_MILLION else 300
PLAIN_SHARE = 0.1


def plain(rng, lines):
    """The same words again and again, without a time: only the place tells them apart."""
    words = ["heartbeat", "listening on :8080", "\tat com.example.Shop.main(Shop.java:7)", "f\u00fcr Zo\u00eb \U0001f600"]
    return "".join(rng.choice(words) + "\n" for _ in range(lines)).encode()


class Corpus:
    """A folder of many kinds of files; what is in them."""

    def __init__(self, folder):
        self.folder = folder
        self.lines = self.invocations = 0
        self.of_request = collections.Counter()  # id -> lines that must have it
        for number, stream in enumerate(function_logs(7, int(LINES * (1 - 2 * PLAIN_SHARE)))):
            suffix = ["", ".gz", ".zst", ".1", ".2.gz"][number % 5]
            self._add(f"{stream.style}/{stream.name}{suffix}", stream.data, len(stream.lines))
            self.invocations += len(stream.invocations)
            self.of_request.update(truth.request for truth in stream.lines if truth.request)
        for number, name in enumerate(["nested/deeper/printer.log", "nested/printer.log.1.gz"]):
            lines = int(LINES * PLAIN_SHARE)
            self._add(name, plain(random.Random(number), lines), lines)

    def _add(self, name, data, lines):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_packed(path, data)
        self.lines += lines

    @property
    def events(self):
        return self.lines + self.invocations


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return Corpus(tmp_path_factory.mktemp("corpus"))


def arguments(corpus, server, index):
    return ["--replay", corpus.folder, "--to", server.url, "--index", index, *each_line(corpus.folder.parent)]


def without_end(corpus, server, index):
    """With standard input behind the files: it is through when that is shut, and not before."""
    verb, folder, *rest = arguments(corpus, server, index)
    return [verb, folder, "-", *rest]


@pytest.mark.slow
@pytest.mark.timeout(2 * RUN_S)
def test_twice_is_once(run_ship, server, index, corpus):
    first = summary(run_ship(arguments(corpus, server, index), timeout=RUN_S).expect(0))
    print(f"{server.kind}: {first}")
    assert (first.lines, first.events) == (corpus.lines, corpus.events)
    assert (first.delivered, first.duplicates, first.dead) == (corpus.events, 0, 0)
    assert server.count(index) == corpus.events
    for request in random.Random(1).sample(sorted(corpus.of_request), 20):
        # Its lines, and the invocation that sums them up.
        assert server.count(index, {"term": {"faas.execution": request}}) == corpus.of_request[request] + 1

    again = summary(run_ship(arguments(corpus, server, index), timeout=RUN_S).expect(0))
    print(f"{server.kind}: {again}")
    assert (again.lines, again.events) == (corpus.lines, corpus.events)
    assert (again.delivered, again.duplicates, again.dead) == (0, corpus.events, 0)
    assert server.count(index) == corpus.events


@pytest.mark.slow
@pytest.mark.timeout(3 * RUN_S)
def test_killed_and_run_again(start_ship, run_ship, server, index, corpus):
    counts = []
    for share in (0.0, 0.15, 0.4, 0.7):
        ship = start_ship(without_end(corpus, server, index), stdin=subprocess.PIPE)
        ship.wait_for(lambda share=share: server.count(index) > share * corpus.events, RUN_S)
        assert ship.process.poll() is None, "it cannot be through: nobody shuts its standard input"
        ship.kill()
        counts.append(server.count(index))
    assert counts == sorted(counts)

    last = summary(run_ship(arguments(corpus, server, index), timeout=RUN_S).expect(0))
    print(f"{server.kind}: killed at {counts}; then {last}")
    assert (last.lines, last.events) == (corpus.lines, corpus.events)
    assert (last.settled, last.dead) == (corpus.events, 0)
    assert last.duplicates >= counts[-1] > 0.7 * corpus.events
    assert server.count(index) == corpus.events


@pytest.mark.slow
@pytest.mark.timeout(2 * RUN_S)
def test_the_server_dies_in_the_middle(start_ship, corpus, index):
    """It comes back with its data within ship's patience: one run, nothing lost, nothing twice."""
    with Peer("elasticsearch", port=quiet_port()) as peer:
        ship = start_ship(without_end(corpus, peer, index), stdin=subprocess.PIPE)
        ship.wait_for(lambda: peer.count(index) > 0.1 * corpus.events, RUN_S)
        peer.kill()
        time.sleep(1)
        peer.restart()
        ship.process.stdin.close()
        last = summary(ship.wait(RUN_S).expect(0))
        assert (last.lines, last.settled, last.dead) == (corpus.lines, corpus.events, 0)
        assert peer.count(index) == corpus.events
