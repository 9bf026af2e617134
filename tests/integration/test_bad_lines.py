"""Lines that no one should write, and the lines beside them: no crash, a clear outcome, the neighbours unharmed."""

import json
import os
import re
import subprocess
import threading
import time
from pathlib import Path

import pytest

BEFORE = b'{"message":"before","n":1}'
AFTER = b'{"message":"after","n":2}'
MIB = 1 << 20

# line -> flags, message (None: the line as text), app
CASES = {
    "a key twice": (b'{"a":1,"a":2,"message":"x","o":{"b":1,"b":2}}', None, "x", {"a": 2, "o": '{"b":1,"b":2}'}),
    "the message twice": (b'{"message":"x","message":"y"}', None, "y", None),
    "the same key, escaped": (b'{"k":1,"\\u006b":2,"message":"x"}', None, "x", {"k": 2}),
    "deep": (b'{"message":"x","d":' + b"[" * 2000 + b"]" * 2000 + b"}", None, "x", {"d": "[" * 2000 + "]" * 2000}),
    "deeper than is read": (b'{"d":' + b"[" * 5000 + b"]" * 5000 + b"}", ["bad_json"], None, None),
    "a megabyte of brackets": (b'{"d":' + b"[" * (MIB - 5), ["bad_json"], None, None),
    "a megabyte of braces": ((b'{"k":' * (MIB // 5))[: MIB - 1], ["bad_json"], None, None),
    "no UTF-8": (b'{"message":"\xff\xc0\x80 \xe2\x82","k\xff":"\xfe"}', ["repaired"], "\ufffd\ufffd\ufffd \ufffd", {"k\ufffd": "\ufffd"}),
    "no UTF-8 in text": (b"text \xff\xc0", ["repaired"], "text \ufffd\ufffd", None),
    "a NUL byte in JSON": (b'{"message":"a\0b"}', ["bad_json"], None, None),
    "a NUL, escaped": (b'{"message":"a\\u0000b","k\\u0000":1}', None, "a\0b", {"k\ufffd": 1}),
    "a NUL byte in text": (b"a\0b", None, None, None),
    "a lone surrogate": (b'{"message":"\\ud800 \\udc00x","k":"\\udfff"}', ["repaired"], "\ufffd \ufffdx", {"k": "\ufffd"}),
    "a surrogate in UTF-8": (b'{"message":"\xed\xa0\x80"}', ["repaired"], "\ufffd\ufffd\ufffd", None),
    "cut": (b'{"message":"x","n":', ["bad_json"], None, None),
    "text behind": (b'{"message":"x"} and more', ["bad_json"], None, None),
    "a number without end": (b'{"message":"x","n":' + b"9" * 5000 + b"}", None, "x", {"n": "9" * 5000}),
    "a number that no double holds": (b'{"message":"x","n":1e999}', None, "x", {"n": float("inf")}),
    "many keys": (b'{"message":"x",' + b",".join(b'"k%d":%d' % (i, i) for i in range(20000)) + b"}", None, "x", {f"k{i}": i for i in range(20000)}),
    "a long value": (b'{"message":"x","s":"' + b"s" * 100000 + b'"}', None, "x", None),
}


def _replay(run_ship, path, lines):
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    result = run_ship(["--replay", path, "--host", "h"]).expect(0)
    assert "0 dead letters" in result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def _expect(doc, line, flags, message, app):
    assert doc.get("log.flags") == flags
    assert doc["message"] == (line.decode("utf-8", "replace") if message is None else message)
    if app is not None or flags is not None:
        assert doc.get("app") == app


@pytest.mark.parametrize("name", CASES)
def test_a_bad_line_between_good_ones(run_ship, tmp_path, name):
    line, flags, message, app = CASES[name]
    before, bad, after = _replay(run_ship, tmp_path / "f.log", [BEFORE, line, AFTER])
    assert (before["message"], before["app"]) == ("before", {"n": 1})
    assert (after["message"], after["app"]) == ("after", {"n": 2})
    assert "log.flags" not in before and "log.flags" not in after
    _expect(bad, line, flags, message, app)


def test_all_of_them_at_once(run_ship, tmp_path):
    lines = [line for case in CASES.values() for line in (case[0], AFTER)]
    docs = _replay(run_ship, tmp_path / "f.log", lines)
    assert len(docs) == len(lines)
    for case, bad, good in zip(CASES.values(), docs[::2], docs[1::2]):
        _expect(bad, *case)
        assert (good["message"], good["app"]) == ("after", {"n": 2})


@pytest.mark.parametrize("kind", ["es", "opensearch"])
def test_the_servers_take_them(run_ship, request, index, tmp_path, kind):
    """Whatever the line was, its document is one that the server takes: no dead letter."""
    peer = request.getfixturevalue(kind)
    path = tmp_path / "f.log"
    path.write_bytes(b"".join(line + b"\n" for case in CASES.values() for line in (case[0], AFTER)))
    result = run_ship(["--replay", path, "--host", "h", "--to", peer.url, "--index", index]).expect(0)
    assert " 0 dead letters" in result.stderr
    peer.refresh(index)
    assert peer.count(index) == 2 * len(CASES)


# ---- a line without an end ----------------------------------------------------------------------


def _peak_of(command, env, stdin):
    """Runs it to its end: standard output, and the most memory that it held. (What wait4 says of that counts the
    parent's memory too, from before the exec.)"""
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    peaks = [0]

    def watch():
        while process.returncode is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:  # it has just ended
                return
            peaks.extend(int(kb) * 1024 for kb in re.findall(r"^VmHWM:\s+(\d+) kB", status, re.M))
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, err = process.communicate()
    watcher.join()
    assert process.returncode == 0, err.decode()
    return out, max(peaks)


def _expect_bounded(peak):
    if "san" not in os.environ.get("SHIP_FLAVOUR", ""):
        assert 2 * MIB < peak < 64 * MIB, f"{peak / MIB:.1f} MiB at most"


@pytest.fixture
def endless(tmp_path):
    """A file with 100 MB that are one line, between two others; then 30 MB more that never end."""
    path = tmp_path / "f.log"
    with open(path, "wb") as file:
        file.write(BEFORE + b"\n")
        for _ in range(100):
            file.write(b"x" * 1000000)
        file.write(b"\n" + AFTER + b"\n")
        for _ in range(30):
            file.write(b'{"y' * 333333)
    return path


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_a_hundred_megabytes_without_a_line_end(ship, ship_env, endless, way):
    with open(endless, "rb") as file:
        args = ["--replay", endless] if way == "file" else ["--replay", "-"]
        out, peak = _peak_of([ship, *map(str, args), "--host", "h"], ship_env, file if way == "pipe" else subprocess.DEVNULL)
    docs = [json.loads(line) for line in out.splitlines()]
    assert [doc["message"][:6] for doc in docs] == ["before", "xxxxxx", "after", '{"y{"y']
    assert [doc.get("log.flags") for doc in docs] == [None, ["truncated"], None, ["truncated", "bad_json"]]
    assert len(docs[1]["message"]) == MIB
    assert docs[2]["log.offset"] == len(BEFORE) + 1 + 100000000 + 1
    _expect_bounded(peak)


def test_a_hundred_megabytes_packed(ship, ship_env, endless):
    subprocess.run(["gzip", "-1", endless], check=True)
    out, peak = _peak_of([ship, "--replay", f"{endless}.gz", "--host", "h"], ship_env, subprocess.DEVNULL)
    assert [json.loads(line)["message"][:6] for line in out.splitlines()] == ["before", "xxxxxx", "after", '{"y{"y']
    _expect_bounded(peak)
