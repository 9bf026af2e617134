"""The local output: durable, once, and readable while it is written; or one clear message."""

import contextlib
import json
import os
import re
import resource
import sqlite3
import stat
import subprocess
import threading
import time

import pytest

from shipping import PATIENCE_S, summary, write_config

LINES = 60_000
ID = "c3a671a2-f923-4468-b891-b9fb880b2fcc"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """One function's log of LINES lines, plain text with times."""
    path = tmp_path_factory.mktemp("log") / "app.log"
    with open(path, "w") as out:
        for n in range(LINES):
            out.write(f"2026-10-09T08:{n // 60000 % 60:02d}:{n // 1000 % 60:02d}.{n % 1000:03d}Z INFO line {n} word{n % 97} " + "x" * (n % 60) + "\n")
    return path


@pytest.fixture
def replay(run_ship):
    def run(path, store, *more, **options):
        return run_ship(["--replay", path, "--to", f"local:{store}", *more], **options)

    return run


def ask(store, sql, *values):
    # Not mode=ro: what a killed writer left behind has to be recovered first.
    db = sqlite3.connect(f"file:{store}?mode=rw", uri=True, timeout=PATIENCE_S)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()


def is_made(store):
    """The file is there a moment before its tables are; and who asks in between may be turned away."""
    try:
        return store.exists() and store.stat().st_size > 0 and ask(store, "PRAGMA user_version") == [(1,)]
    except sqlite3.OperationalError:
        return False


def count(store):
    return ask(store, "SELECT count(*) FROM events")[0][0]


def assert_sound(store):
    """Not damaged, and the full-text index is of exactly the messages that are there."""
    db = sqlite3.connect(store)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.execute("INSERT INTO events_text (events_text, rank) VALUES ('integrity-check', 1)")
    db.close()


# ---- what is in it -----------------------------------------------------------------------------


def test_events_are_there_once(replay, log, tmp_path):
    store = tmp_path / "store.db"
    first = summary(replay(log, store).expect(0))
    assert first.delivered == first.events == LINES
    again = summary(replay(log, store).expect(0))
    assert (again.delivered, again.duplicates) == (0, LINES)
    assert count(store) == LINES
    assert_sound(store)
    assert stat.S_IMODE(store.stat().st_mode) == 0o600


def test_a_row_is_the_document(replay, run_ship, tmp_path, log):
    """As stdout would have it; the columns are what the document says."""
    few = tmp_path / "few.log"
    few.write_text("".join(log.read_text().splitlines(keepends=True)[:50]) + '{"level":"warn","message":"caf\\u00e9 \\"q\\"","requestId":"1b6f9a2e-0000-4000-8000-000000000001"}\n')
    shown = [json.loads(line) for line in run_ship(["--replay", few]).expect(0).stdout.splitlines()]
    replay(few, tmp_path / "s.db").expect(0)
    rows = ask(tmp_path / "s.db", "SELECT document, id, request, level, message, time FROM events ORDER BY seq")
    assert [json.loads(row[0]) for row in rows] == shown
    last = rows[-1]
    assert last[1:5] == (shown[-1]["event.id"], "1b6f9a2e-0000-4000-8000-000000000001", "warn", 'café "q"')
    assert rows[0][5] == 1791532800000000000
    assert ask(tmp_path / "s.db", "SELECT count(*) FROM events_text WHERE events_text MATCH 'cafe'") == [(1,)]


def test_without_ids_every_event_is_new(run_ship, tmp_path):
    (tmp_path / "a.log").write_text("2026-10-09T08:00:00Z one\n2026-10-09T08:00:00Z two\n")
    config = write_config(
        tmp_path / "ship.yaml",
        [{"type": "file", "paths": ["unused"], "id": "none"}],
        [{"type": "local", "path": str(tmp_path / "s.db")}],
    )
    for n in (1, 2):
        assert summary(run_ship(["--replay", tmp_path / "a.log", "-c", config]).expect(0)).delivered == 2
        assert ask(tmp_path / "s.db", "SELECT count(*), count(id) FROM events") == [(2 * n, 0)]


# ---- whatever happens ----------------------------------------------------------------------------


def fed_but_for_the_last_line(start_ship, log, store):
    """(a replay that cannot come to its end, the thread that writes to it)"""
    running = start_ship(["--replay", "-", "--as", log, "--to", f"local:{store}"], stdin=subprocess.PIPE)
    data = log.read_bytes()

    def feed():
        with contextlib.suppress(BrokenPipeError):
            running.process.stdin.write(data[: data.rindex(b"\n", 0, -1) + 1])
            running.process.stdin.flush()

    feeder = threading.Thread(target=feed)
    feeder.start()
    return running, feeder


@pytest.mark.slow
def test_killed_in_the_middle_and_run_again(start_ship, replay, log, tmp_path):
    store = tmp_path / "store.db"
    seen = []
    for share in (0, 0.1, 0.25, 0.4, 0.6):
        running, feeder = fed_but_for_the_last_line(start_ship, log, store)
        running.wait_for(lambda: is_made(store) and count(store) > share * LINES)
        running.kill()
        feeder.join()
        seen.append(count(store))
        assert_sound(store)
    assert seen == sorted(seen), "what was stored stays"
    assert all(0 < n < LINES for n in seen), "it was killed in the middle"
    last = summary(replay(log, store).expect(0))
    assert last.delivered + last.duplicates == LINES
    assert last.duplicates == seen[-1]
    assert count(store) == LINES
    assert_sound(store)


def test_readers_while_it_is_written(start_ship, run_ship, log, tmp_path):
    """In some steps, and each reader sees each of them: a slow machine could read but once."""
    store, growing = tmp_path / "store.db", tmp_path / "app.log"
    config = write_config(
        tmp_path / "ship.yaml",
        [{"type": "file", "paths": [str(growing)]}],
        [{"type": "local", "path": str(store), "batch": {"max_events": 500, "linger": "50ms"}}],
        state=str(tmp_path / "state"),
    )
    parts = log.read_text().splitlines(keepends=True)
    parts = ["".join(parts[n : n + LINES // 6]) for n in range(0, LINES, LINES // 6)]
    growing.write_text("")
    running = start_ship(["-c", config])
    running.wait_for(lambda: is_made(store))
    counts, errors, done = [[], []], [], threading.Event()

    def read(mine):
        while not done.is_set():
            try:
                whole, words = ask(store, "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM events_text WHERE events_text MATCH 'line')")[0]
                assert whole == words, "a reader sees whole transactions"
                mine.append(whole)
            except (sqlite3.OperationalError, AssertionError) as error:
                errors.append(error)
                return

    threads = [threading.Thread(target=read, args=(mine,), daemon=True) for mine in counts]
    for thread in threads:
        thread.start()
    try:
        for number, part in enumerate(parts, 1):
            with open(growing, "a") as out:
                out.write(part)
            running.wait_for(lambda: errors or all(mine and mine[-1] == number * LINES // len(parts) for mine in counts))
            found = run_ship(["trace", "--find", "word5", "--from", f"local:{store}"])
            assert found.rc == 0 or "no message has" in found.stderr or "nothing was stored" in found.stderr, found.stderr
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not errors
    for mine in counts:
        assert mine == sorted(mine) and len(set(mine)) >= len(parts)
    assert running.stop().rc == 0
    assert count(store) == LINES


def test_two_writers(start_ship, tmp_path, log):
    """Two ships into one store: each waits for the other; nothing is lost, nothing twice."""
    store = tmp_path / "store.db"
    lines = log.read_text().splitlines(keepends=True)
    for name, part in (("a", lines[:20000]), ("b", lines[20000:40000])):
        (tmp_path / f"{name}.log").write_text("".join(part))
    both = [start_ship(["--replay", tmp_path / f"{name}.log", "--to", f"local:{store}", "--state", tmp_path / name]) for name in "ab"]
    for running in both:
        assert running.wait(PATIENCE_S).rc == 0, running.stderr
    assert count(store) == 40000
    assert_sound(store)


# ---- one clear message ---------------------------------------------------------------------------

FULL_DISK = """
set -u
mount -t tmpfs -o size=4m none "$1" || exit 99
"$2" --replay "$3" --to "local:$1/store.db" --state "$4" 2>"$4/first"
echo $? >"$4/first.rc"
mount -o remount,size=200m "$1" || exit 99
"$2" --replay "$3" --to "local:$1/store.db" --state "$4" 2>"$4/second"
echo $? >"$4/second.rc"
cp "$1/store.db" "$4/"
"""


def test_a_full_disk(ship, ship_env, tmp_path, log):
    """A file system of 4 MiB of its own; then a larger one, and all of it is there."""
    disk, notes = tmp_path / "disk", tmp_path / "notes"
    disk.mkdir()
    notes.mkdir()
    apart = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    done = subprocess.run([*apart, "sh", "-c", FULL_DISK, "sh", disk, ship, log, notes], env=ship_env, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"nothing may be mounted here: {done.stderr}")
    first, second = (notes / "first").read_text(), (notes / "second").read_text()
    assert (notes / "first.rc").read_text() == "1\n", first
    assert f"local store {disk}/store.db: database or disk is full" in first
    assert "not everything was delivered; run it again" in first
    assert (notes / "second.rc").read_text() == "0\n", second
    assert f"{LINES} events" in second
    assert count(notes / "store.db") == LINES
    assert_sound(notes / "store.db")


def without_override(command):
    """root without the right to ignore permissions."""
    if os.geteuid():
        return command
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda d: d.chmod(0o500), "Permission denied"),
        (lambda d: (d / "store.db").touch(0o400), "Permission denied"),
        (lambda d: d.rmdir(), "No such file or directory"),
        (lambda d: (d / "store.db").mkdir(), "Is a directory"),
        (lambda d: (d / "store.db").write_text("START RequestId\n" * 100), "no ship store (and no SQLite database)"),
        (lambda d: sqlite3.connect(d / "store.db").executescript("CREATE TABLE friends (name)").close(), "a database of another program"),
        (lambda d: sqlite3.connect(d / "store.db").executescript("PRAGMA application_id=0x73686970; PRAGMA user_version=99; CREATE TABLE x (y)").close(), "made by a newer ship (version 99"),
    ],
    ids=["directory without permission", "file without permission", "no directory", "a directory", "a text", "another's database", "a newer store"],
)
def test_what_cannot_be_written(ship, ship_env, tmp_path, log, make, says):
    directory = tmp_path / "d"
    directory.mkdir()
    make(directory)
    before = (directory / "store.db").read_bytes() if (directory / "store.db").is_file() and os.access(directory / "store.db", os.R_OK) else None
    done = subprocess.run(without_override([ship, "--replay", log, "--to", f"local:{directory}/store.db"]), cwd=tmp_path, env=ship_env, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) == 1 and says in lines[0] and f"local store {directory}/store.db: " in lines[0], done.stderr
    if before is not None:
        assert (directory / "store.db").read_bytes() == before, "left as it was"
    directory.exists() and directory.chmod(0o700)


def test_no_room_while_ship_runs(start_ship, tmp_path):
    """The service holds, says so once, and keeps what it has for the next start."""
    log, store = tmp_path / "a.log", tmp_path / "s.db"
    log.write_text("".join(f"2026-10-09T08:00:00.{n:03d}Z line {n}\n" for n in range(100)))
    config = write_config(
        tmp_path / "c.yaml",
        [{"type": "file", "paths": [str(log)]}],
        [{"type": "local", "path": str(store), "batch": {"linger": "20ms"}}],
        state=str(tmp_path / "state"),
        limits={"drain": "500ms"},
    )
    running = start_ship(["-c", config])
    running.wait_for(lambda: is_made(store) and count(store) == 100)
    unlimited = resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    with open(log, "a") as out:
        out.write("".join(f"2026-10-09T08:00:01.{n:03d}Z more {n}\n" for n in range(100)))
    running.wait_for(lambda: re.search(r"local store \S+: .*keeping 100 events", running.stderr))
    time.sleep(0.5)
    assert running.stderr.count("keeping 100 events") == 1, "it does not try again and again"
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, unlimited)
    assert running.stop().rc == 0  # with a last try, that may succeed
    again = start_ship(["-c", config])
    again.wait_for(lambda: "running, configuration" in again.stderr and count(store) == 200)
    assert again.stop().rc == 0
    assert ask(store, "SELECT count(DISTINCT id) FROM events") == [(200,)]


def test_the_store_is_not_read_as_a_log(replay, start_ship, run_ship, tmp_path):
    """It lies below the directory that is read, with the state: it would grow for ever."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "app.log").write_text("".join(f"2026-10-09T08:00:0{n}.000Z line {n}\n" for n in range(5)))
    for new in (5, 0):
        run = replay(".", "events.db", "--state", "state", cwd=logs).expect(0)
        assert (summary(run).lines, summary(run).delivered) == (5, new)
    inputs = [{"type": "file", "paths": [str(logs / "**")]}]
    outputs = [{"type": "local", "path": str(logs / "live.db")}]
    (logs / "events.db").unlink()
    ship = start_ship(["run", "-c", write_config(tmp_path / "ship.yaml", inputs, outputs, state=str(logs / "state"))])
    ship.wait_for(lambda: "running, configuration" in ship.stderr)
    ship.wait_for(lambda: is_made(logs / "live.db") and count(logs / "live.db") == 5)
    time.sleep(0.5)
    assert "stopped: 5 lines read, 5 events delivered" in ship.stop().stderr
    named = run_ship(["--replay", "live.db"], cwd=logs).expect(0)
    assert summary(named).lines > 0, "another store is a file as any"


def test_a_store_of_somebody_else_can_be_read(replay, as_nobody, tmp_path):
    """In a directory where the reader may make nothing, as on a medium that is read-only."""
    (tmp_path / "app.log").write_text(f"START RequestId: {ID} Version: 1\n[INFO]\t2026-10-09T08:00:00.000Z\t{ID}\thello\n")
    folder = tmp_path / "of root, 100%?#"
    folder.mkdir(mode=0o755)
    replay(tmp_path / "app.log", folder / "a.db").expect(0)
    (folder / "a.db").chmod(0o644)
    done = as_nobody(["trace", ID[:8], "--from", f"local:{folder}/a.db"])
    assert (done.returncode, done.stderr) == (0, "")
    assert "hello" in done.stdout
    assert [file.name for file in folder.iterdir()] == ["a.db"]
