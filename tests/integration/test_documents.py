"""The documents that lines become, to the byte: tests/golden/documents/NAME.log is what is read, NAME.ndjson what comes out.

NAME.parser.json is the parser that the file is read with, as it stands in a configuration; without one, auto."""

import json
import os
import re
import subprocess

import pytest

from conftest import ROOT

LOGS = ROOT / "tests" / "golden" / "documents"
NAMES = sorted(path.stem for path in LOGS.glob("*.log"))
MTIME = 1791536000  # 2026-10-09T08:53:20Z: for lines of a file that says no time at all
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{3}|\d{6}|\d{9})Z")


@pytest.fixture
def replayed(run_ship, tmp_path):
    """replayed(name) -> the documents' lines"""

    def run(name):
        path = tmp_path / f"{name}.log"
        path.write_bytes((LOGS / f"{name}.log").read_bytes())
        os.utime(path, (MTIME, MTIME))
        args = ["--replay", path, "--host", "h", "--as", f"/var/log/functions/{name}.log"]
        parser = LOGS / f"{name}.parser.json"
        if parser.exists():
            config = tmp_path / "ship.yaml"
            parser = json.loads(parser.read_text())
            config.write_text(
                json.dumps({"inputs": [{"type": "file", "paths": [str(path)], "parser": parser}], "outputs": [{"type": "stdout"}]})
            )
            args += ["-c", config]
        return run_ship(args).expect(0).stdout

    return run


def _no_twins(pairs):
    keys = [key for key, _ in pairs]
    assert len(set(keys)) == len(keys), f"a key twice: {keys}"
    return dict(pairs)


def parsed(text):
    return [json.loads(line, object_pairs_hook=_no_twins) for line in text.splitlines()]


@pytest.mark.golden
@pytest.mark.parametrize("name", NAMES)
def test_documents(replayed, golden, name):
    golden(f"documents/{name}.ndjson", replayed(name))


def assert_every_line(data, docs):
    """Each that is not empty is one of the documents, or goes on with the one before, which says so."""
    of_offset = {doc["log.offset"]: doc for doc in docs}
    offset, last, found = 0, None, 0
    for line in data.split(b"\n"):
        if offset in of_offset:
            last, found = of_offset[offset], found + 1
        elif line.strip(b"\r"):
            assert last and "multiline" in last.get("log.flags", ()), f"lost: {line}"
        offset += len(line) + 1
    assert found == len(docs)


@pytest.mark.parametrize("name", NAMES)
def test_documents_are_sound(replayed, name):
    text = replayed(name)
    docs = parsed(text)
    assert_every_line((LOGS / f"{name}.log").read_bytes(), [doc for doc in docs if doc.get("event.action") != "invocation"])
    assert len({doc["event.id"] for doc in docs}) == len(docs)
    for doc in docs:
        assert re.fullmatch(r"[A-Za-z0-9_-]{22}", doc["event.id"])
        assert TIMESTAMP.fullmatch(doc["@timestamp"]), doc["@timestamp"]
        assert isinstance(doc["message"], str)
        assert "log.file.path" in doc and "log.offset" in doc
        assert all(isinstance(value, str) for key, value in doc.items() if key.startswith("labels."))
    again = subprocess.run(["jq", "-c", "."], input=text, capture_output=True, text=True, check=True).stdout
    as_doubles = json.JSONDecoder(parse_int=float).decode  # which is what jq has
    assert [as_doubles(line) for line in again.splitlines()] == [as_doubles(line) for line in text.splitlines()]


@pytest.mark.parametrize("kind", ["es", "opensearch"])
def test_the_servers_take_them_all(replayed, request, index, kind):
    """Every document of every format fits the index template, and no field of it is ignored as malformed."""
    peer = request.getfixturevalue(kind)
    sources = {}
    for name in NAMES:
        for doc in parsed(replayed(name)):
            sources[doc.pop("event.id")] = doc
    reply = peer.bulk(index, sources)
    refused = [item["create"] for item in reply["items"] if item["create"]["status"] != 201]
    assert not refused, refused[:3]
    peer.refresh(index)
    assert peer.count(index) == len(sources)
    ignored = peer.search(index, {"query": {"exists": {"field": "_ignored"}}, "size": 20})["hits"]["hits"]
    assert not ignored, [(hit.get("_ignored"), hit["_source"]["message"]) for hit in ignored]
