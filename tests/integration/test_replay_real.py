"""A mixed corpus into a real Elasticsearch and a real OpenSearch: all of it, once, whatever happens."""

import json
import os
import random
import time
import uuid

import pytest

from shipping import summary, write_packed

IS_MILLION = os.environ.get("SHIP_TEST_MILLION") == "1"
LINES = 1_000_000 if IS_MILLION else 60_000
RUN_S = 900 if IS_MILLION else 100
BASE_S = 1_767_225_600  # 2026-01-01T00:00:00Z


def stamp(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(BASE_S + ms // 1000)) + f".{ms % 1000:03d}Z"


def lambda_text(rng, lines):
    """node.js columns, plain prints, stack traces, REPORT: one environment, request after request."""
    yield "INIT_START Runtime Version: nodejs:20.v9\tRuntime Version ARN: arn:aws:lambda:eu-central-1::runtime:x"
    ms, made = 0, 1
    while made < lines:
        request = uuid.UUID(int=rng.getrandbits(128), version=4)
        ms += rng.randrange(1, 2000)
        body = [f"{stamp(ms + n)}\t{request}\tINFO\titem {rng.randrange(10**9)} of cart {n}" for n in range(rng.randrange(1, 9))]
        if rng.random() < 0.1:
            body += [f"{stamp(ms + 9)}\t{request}\tERROR\tTypeError: cannot read property {rng.randrange(99)}", "    at handler (/var/task/index.js:7:3)"]
        if rng.random() < 0.3:
            body += [f"plain print without any id, RequestId: {uuid.UUID(int=rng.getrandbits(128))} quoted"]
        report = f"REPORT RequestId: {request}\tDuration: {rng.randrange(1, 900)}.12 ms\tBilled Duration: 901 ms\tMemory Size: 256 MB\tMax Memory Used: 91 MB"
        yield from [f"START RequestId: {request} Version: $LATEST", *body, f"END RequestId: {request}", report]
        made += len(body) + 3


def json_lines(rng, lines):
    for number in range(lines):
        yield json.dumps(
            {
                "timestamp": stamp(number * 7),
                "level": rng.choice(["INFO", "WARN", "ERROR"]),
                "requestId": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
                "message": f"order {number} für Zoë \U0001f600",
                "order": {"id": number, "total": rng.random(), "tags": ["a", "b"]},
            },
            ensure_ascii=rng.random() < 0.5,
        )


def plain(rng, lines):
    for number in range(lines):
        yield f"{stamp(number * 11)} worker[{rng.randrange(40)}]: line {number}" + " x" * rng.randrange(60)


def undated(rng, lines):
    """The same words again and again: the place tells them apart."""
    for _ in range(lines):
        yield rng.choice(["heartbeat", "listening on :8080", "\tat com.example.Shop.main(Shop.java:7)", "ok"])


CORPUS = [
    ("checkout.log", lambda_text, 0.3),
    ("orders.json.log", json_lines, 0.2),
    ("orders.json.log.1", json_lines, 0.05),
    ("orders.json.log.2.gz", json_lines, 0.1),
    ("payment.log.1.zst", lambda_text, 0.1),
    ("nested/deeper/api.log", plain, 0.15),
    ("nested/printer.log.gz", undated, 0.1),
]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """(folder, number of lines). Written once."""
    root = tmp_path_factory.mktemp("corpus")
    total = 0
    for seed, (name, maker, share) in enumerate(CORPUS):
        lines = list(maker(random.Random(seed), int(LINES * share)))
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_packed(root / name, "".join(line + "\n" for line in lines).encode())
        total += len(lines)
    return root, total


def arguments(corpus, server, index):
    return ["--replay", corpus[0], "--to", server.url, "--index", index]


@pytest.mark.slow
@pytest.mark.timeout(2 * RUN_S)
def test_twice_is_once(run_ship, server, index, corpus):
    first = summary(run_ship(arguments(corpus, server, index), timeout=RUN_S).expect(0))
    assert first.lines == corpus[1]
    assert first.events > first.lines  # each invocation is an event of its own
    assert (first.delivered, first.duplicates, first.dead) == (first.events, 0, 0)
    assert server.count(index) == first.events
    print(f"{server.kind}: {first}")

    again = summary(run_ship(arguments(corpus, server, index), timeout=RUN_S).expect(0))
    assert (again.lines, again.events) == (first.lines, first.events)
    assert (again.delivered, again.duplicates, again.dead) == (0, first.events, 0)
    assert server.count(index) == first.events
    print(f"{server.kind}: {again}")


@pytest.mark.slow
@pytest.mark.timeout(3 * RUN_S)
def test_killed_and_run_again(start_ship, run_ship, server, index, corpus):
    counts = []
    for share in (0.0, 0.15, 0.4, 0.7):
        ship = start_ship(arguments(corpus, server, index))
        ship.wait_for(lambda share=share: server.count(index) > share * corpus[1], RUN_S)
        assert ship.process.poll() is None, "it was through before it could be killed"
        ship.kill()
        counts.append(server.count(index))
    assert counts == sorted(counts)

    last = summary(run_ship(arguments(corpus, server, index), timeout=RUN_S).expect(0))
    assert last.lines == corpus[1]
    assert (last.settled, last.dead) == (last.events, 0)
    assert last.duplicates >= counts[-1] > 0.7 * corpus[1]
    assert server.count(index) == last.events
    print(f"{server.kind}: killed at {counts}; then {last}")


@pytest.mark.slow
@pytest.mark.timeout(2 * RUN_S)
def test_the_server_dies_in_the_middle(start_ship, corpus, index):
    """It comes back with its data within ship's patience: one run, nothing lost, nothing twice."""
    from peers import Peer

    with Peer("elasticsearch") as peer:
        ship = start_ship(arguments(corpus, peer, index))
        ship.wait_for(lambda: peer.count(index) > 0.1 * corpus[1], RUN_S)
        peer.kill()
        time.sleep(1)
        assert ship.process.poll() is None, "it was through before the server could be killed"
        peer.restart()
        last = summary(ship.wait(RUN_S).expect(0))
        assert (last.lines, last.settled, last.dead) == (corpus[1], last.events, 0)
        assert peer.count(index) == last.events
