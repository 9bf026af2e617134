"""The two real servers are what the other tests take them for."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shipping import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
TIME = "2026-01-05T10:11:12.123456789Z"
SAMPLE = {
    "@timestamp": TIME,
    "message": "payment failed",
    "log.level": "error",
    "faas.execution": "7f0c1c1e-1f9b-4a7c-9a53-0f7b3ad1c001",
    "event.duration": 12_345_678,
    "app": {"order": 17, "items": [{"sku": "a"}]},
}


@pytest.fixture(params=["es", "opensearch"])
def peer(request, es, opensearch):
    return {"es": es, "opensearch": opensearch}[request.param]


def statuses(reply):
    return [item["create"]["status"] for item in reply["items"]]


def test_takes_a_gzipped_bulk_into_a_data_stream(peer, index):
    reply = peer.bulk(index, {"one": SAMPLE, "two": SAMPLE})
    assert statuses(reply) == [201, 201]
    assert reply["items"][0]["create"]["_index"].startswith(".ds-" + index)
    assert peer.count(index) == 2


def test_answers_409_for_the_same_id(peer, index):
    assert statuses(peer.bulk(index, {"one": SAMPLE})) == [201]
    reply = peer.bulk(index, {"one": SAMPLE, "two": SAMPLE})
    assert statuses(reply) == [409, 201]
    assert reply["items"][0]["create"]["error"]["type"] == "version_conflict_engine_exception"
    assert peer.count(index) == 2


def test_finds_an_event_by_its_request_and_by_the_applications_own_key(peer, index):
    peer.bulk(index, {"one": SAMPLE, "two": {**SAMPLE, "faas.execution": "another", "app": {"order": 18}}})
    assert peer.count(index, {"term": {"faas.execution": SAMPLE["faas.execution"]}}) == 1
    assert peer.count(index, {"term": {"app.order": "18"}}) == 1
    assert peer.documents(index)["one"] == SAMPLE


def test_keeps_nanoseconds(peer, index):
    late = {**SAMPLE, "@timestamp": "2026-01-05T10:11:12.123456790Z"}
    peer.bulk(index, {"late": late, "early": SAMPLE})
    hits = peer.search(index, {"sort": [{"@timestamp": "asc"}]})["hits"]["hits"]
    assert [hit["_id"] for hit in hits] == ["early", "late"]


def test_two_functions_may_disagree_about_a_key(peer, index):
    rows = [{"a": 1}, {"a": "text"}, {"a": {"b": True}}, {"a": [1, {"c": None}]}, {"a.b": 1, "a": 2}]
    reply = peer.bulk(index, {str(n): {**SAMPLE, "app": app} for n, app in enumerate(rows)})
    assert statuses(reply) == [201] * len(rows)


def test_a_number_that_is_none_does_not_refuse_the_event(peer, index):
    rows = [{"event.duration": "n/a"}, {"faas.duration_ms": 3}, {"faas.duration_ms": 3.5}, {"log.level": 30}]
    reply = peer.bulk(index, {str(n): {**SAMPLE, **row} for n, row in enumerate(rows)})
    assert statuses(reply) == [201] * len(rows)
    # A whole number that comes first does not make the field whole.
    assert peer.count(index, {"range": {"faas.duration_ms": {"gt": 3.2, "lt": 3.8}}}) == 1


def test_a_node_does_not_outlive_the_process_that_started_it(tmp_path):
    """Killed as hard as can be, the parent takes its server with it."""
    parent = subprocess.Popen(
        [sys.executable, ROOT / "tests" / "support" / "peers.py", "run", "elasticsearch"],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        assert parent.stdout.readline().startswith(b"http://127.0.0.1:")
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        assert len(children) == 1
    finally:
        parent.kill()
        parent.wait()
    give_up = time.monotonic() + PATIENCE_S
    while is_running(children[0]):
        assert time.monotonic() < give_up, "the server still runs"
        time.sleep(0.05)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_templates_differ_only_where_the_servers_do():
    read = lambda kind: json.loads((ROOT / "packaging" / "templates" / f"{kind}.json").read_text())
    es, opensearch = read("elasticsearch"), read("opensearch")
    for name in ("app", "log.syslog.structured_data"):
        assert es["template"]["mappings"]["properties"].pop(name)["type"] == "flattened"
        assert opensearch["template"]["mappings"]["properties"].pop(name) == {"type": "flat_object"}
    del es["template"]["settings"]["index.mapping.total_fields.ignore_dynamic_beyond_limit"]
    assert es == opensearch
