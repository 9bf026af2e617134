"""Whose is a line? Made-up logs whose truth is known (support/corpus.py), through the built ship."""

import json
import os
import subprocess
import threading
import time

import pytest

from conftest import Result
from corpus import STYLES, corpus, interleaved, stream
from shipping import each_line, write_packed

def documents(result):
    """{(file name, offset): document of the line}, {request: document of its invocation}"""
    lines, invocations = {}, {}
    for text in result.expect(0).stdout.splitlines():
        doc = json.loads(text)
        if doc.get("event.action") == "invocation":
            assert doc["faas.execution"] not in invocations, f"summed up twice: {text}"
            invocations[doc["faas.execution"]] = doc
        else:
            key = (doc.get("log.file.path", "").rpartition("/")[2], doc["log.offset"])
            assert key not in lines, f"twice: {text}"
            lines[key] = doc
    return lines, invocations


def check(made, lines, invocations, file_name=None):
    """Every line of the stream is there once, with the request that it must have and no other."""
    name = made.name if file_name is None else file_name
    wrong = []
    for truth in made.lines:
        doc = lines.pop((name, truth.offset), None)
        if doc is None:
            wrong.append(f"lost: {truth}")
            continue
        kind = doc.get("event.action", "line")
        got = doc.get("faas.execution")
        if got != truth.request or kind != truth.kind or doc.get("log.level") != truth.level:
            wrong.append(f"{got} {kind} {doc.get('log.level')}, not {truth}: {doc['message'][:200]!r}")
        source = doc.get("labels.request_id_source")
        if (source is None) != (got is None):
            wrong.append(f"{truth}: the source of the id is {source}")
    assert not wrong, f"{made.name}: {len(wrong)} wrong, first:\n" + "\n".join(wrong[:5])
    for want in made.invocations.values():
        doc = invocations.pop(want.request)
        assert doc["labels.outcome"] == want.outcome, doc
        assert doc["aws.lambda.metrics.duration_ms"] == pytest.approx(want.duration_ms, abs=0.01), doc


def count_lines(made, invocations):
    """The lines that the summaries count, where one request at a time makes that known."""
    for want in made.invocations.values():
        assert invocations[want.request]["faas.invocation.lines"] == want.lines, (want, invocations[want.request])
        assert invocations[want.request].get("faas.coldstart") == want.is_cold, want


@pytest.fixture
def replay(run_ship, tmp_path):
    """replay(stream, ...) -> the documents of the streams, written as files and replayed."""

    def run(*streams, args=()):
        folder = tmp_path / "logs"
        folder.mkdir(exist_ok=True)
        for made in streams:
            (folder / made.name).write_bytes(made.data)
        return documents(run_ship(["--replay", folder, "--host", "h", *each_line(tmp_path), *args]))

    return run


@pytest.mark.parametrize("style", STYLES)
def test_every_line_has_its_request(replay, style):
    made = stream(11, 20000, style)
    lines, invocations = replay(made)
    count_lines(made, invocations)
    check(made, lines, invocations)
    assert not lines and not invocations, "nothing else comes out"


def test_functions_in_files_of_their_own(replay):
    streams = corpus(5, 30000)
    lines, invocations = replay(*streams)
    for made in streams:
        count_lines(made, invocations)
        check(made, lines, invocations)
    assert not lines and not invocations


@pytest.mark.parametrize("style", ["node", "prints", "json", "powertools"])
@pytest.mark.parametrize("environments", [2, 5])
def test_requests_that_interleave(replay, style, environments):
    """Lines that say no request stay without one: a wrong one is worse."""
    made = interleaved(3, 5000, style, environments)
    lines, invocations = replay(made)
    check(made, lines, invocations)
    assert not lines and not invocations


def test_however_it_is_read(run_ship, replay, ship, ship_env, tmp_path):
    """As a file, through a pipe at once and in drops, out of .gz and .zst: the same answers and the same ids."""
    made = stream(17, 6000, "powertools")
    path = tmp_path / "logs" / made.name
    whole = replay(made)
    check(made, *map(dict, whole))
    args = ["--host", "h", *each_line(tmp_path)]

    def expect_same(result, name, because):
        found = documents(result)
        check(made, *map(dict, found), file_name=name)
        assert ids(found) == ids(whole), because

    expect_same(run_ship(["--replay", "-", *args, "--as", path], input=made.data), made.name, "a pipe")
    expect_same(_in_drops([ship, "--replay", "-", *args, "--as", path], ship_env, made.data), made.name, "drops")
    for file in path.with_name(f"{made.name}.1.gz"), path.with_name(f"{made.name}.2.zst"):
        write_packed(file, made.data)
        expect_same(run_ship(["--replay", file, *args]), file.name, file.suffix)


def test_traces_are_the_same_however_they_are_read(run_ship, replay, tmp_path):
    """Stack traces are joined: the same events out of a file, a pipe and a .gz, and each in the request of its first line."""
    made = stream(19, 6000, "java")
    path = tmp_path / "logs" / made.name
    by_line, _ = replay(made)
    whole = documents(run_ship(["--replay", path, "--host", "h"]))
    joined = [doc for doc in whole[0].values() if "multiline" in doc.get("log.flags", ())]
    assert len(joined) > 20 and all(doc["error.stack_trace"] for doc in joined)
    assert len(whole[0]) < len(by_line)
    for (_, offset), doc in whole[0].items():
        assert doc.get("faas.execution") == by_line[(made.name, offset)].get("faas.execution")
    piped = documents(run_ship(["--replay", "-", "--host", "h", "--as", path], input=made.data))
    assert ids(piped) == ids(whole)
    write_packed(packed := path.with_name(f"{made.name}.1.gz"), made.data)
    assert ids(documents(run_ship(["--replay", packed, "--host", "h"]))) == ids(whole)


def ids(found):
    lines, invocations = found
    return (
        {offset: doc["event.id"] for (_, offset), doc in lines.items()},
        {request: doc["event.id"] for request, doc in invocations.items()},
    )


def _in_drops(command, env, data):
    """A run of ship that is fed 997 bytes at a time, a little later than it could read them."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)

    def feed():
        for at in range(0, len(data), 997):
            os.write(process.stdin.fileno(), data[at : at + 997])
            if at % (20 * 997) == 0:
                time.sleep(0.001)
        process.stdin.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    out = process.stdout.read()
    feeder.join()
    err = process.stderr.read()
    return Result(process.wait(), out.decode(), err.decode(), 0.0)


def test_a_pattern_of_the_users_own(replay):
    """A regex that knows the function's lines: the platform's lines still say whose they are."""
    made = stream(23, 5000, "prints")
    lines, invocations = replay(made, args=["--pattern", r"^(?<message>[a-z].*?)(?: (?<number:int>\d+))? \((?<level>\w+)\)$"])
    for truth in made.lines:
        doc = lines[(made.name, truth.offset)]
        assert doc.get("faas.execution") == truth.request, (truth, doc)
        assert doc.get("event.action", "line") == truth.kind, (truth, doc)
    numbers = [doc["app"]["number"] for doc in lines.values() if "number" in doc.get("app", {})]
    assert numbers and all(isinstance(n, int) for n in numbers)
    assert set(invocations) == set(made.invocations)


@pytest.mark.slow
def test_very_many_lines(run_ship, tmp_path):
    """In many chunks, by several workers."""
    folder = tmp_path / "logs"
    folder.mkdir()
    streams = corpus(1, 300000)
    for made in streams:
        (folder / made.name).write_bytes(made.data)
    lines, invocations = documents(run_ship(["--replay", folder, "--host", "h", *each_line(tmp_path)]))
    assert len(invocations) == sum(len(made.invocations) for made in streams)
    for made in streams:
        count_lines(made, invocations)
        check(made, lines, invocations)
    assert not lines and not invocations
