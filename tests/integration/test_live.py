"""ship run: files that grow, rotate, shrink, come and go; ship that is killed, told to stop, reloaded."""

import gzip
import json
import os
import random
import signal
import subprocess
import time

import pytest

from scrape import scrape
from shipping import PATIENCE_S, elastic, write_config, write_packed
from writers import Stream, arrived, assert_each_once

SETTLE_S = PATIENCE_S


@pytest.fixture(params=["inotify", "poll"])
def watch(request):
    return {"watch": request.param, "poll_interval": "200ms" if request.param == "poll" else "1s"}


# ---- every line once ---------------------------------------------------------------------------


@pytest.mark.threads
def test_a_hundred_files_rotated_by_rename_and_by_copytruncate(live, field, fake_es, watch):
    files = field(100)
    ship = live(file=watch)
    for number in range(6):
        files.burst(15)
        if number % 2 == 0:
            files.rotate_by_rename()
        else:
            # What is cut off before anyone has read it is gone: between bursts, as logrotate does at night.
            fake_es.wait_for(lambda fake: fake.count() == files.written, SETTLE_S)
            files.rotate_by_copytruncate()
    files.burst(15)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    done = ship.stop()
    assert done.rc == 0
    assert "was truncated or written anew" in done.stderr
    assert "warn" not in done.stderr, "rotation as it should be is nothing to be warned of"
    assert_each_once(files, fake_es.events())
    assert fake_es.duplicates == 0


def test_new_files_and_deleted_ones(live, field, fake_es, watch):
    files = field(20)
    ship = live(file=watch)
    for _ in range(4):
        files.burst(10)
        files.add(10)
        files.burst(10)
        fake_es.wait_for(lambda fake: fake.count() == files.written, SETTLE_S)
        files.delete(8)
    files.burst(10)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_rotated_faster_than_it_looks(live, field, fake_es):
    """Several generations come and go between two looks of a poll."""
    files = field(10)
    files.burst(3)
    ship = live(file={"watch": "poll", "poll_interval": "500ms"})
    fake_es.wait_for(lambda fake: fake.count() == files.written, SETTLE_S)
    for _ in range(6):
        files.burst(4)
        files.rotate_by_rename(keep=20)
        time.sleep(0.1)
    files.burst(4)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_copies_that_match_too(live, field, fake_es):
    """With *.log* the copies are read as well: lines with a time of their own keep their id."""
    files = field(20, dated=lambda number: True)
    ship = live(paths=[str(files.folder / "*.log*")])
    for _ in range(4):
        files.burst(10)
        files.rotate_by_copytruncate()
        time.sleep(0.3)
    files.burst(10)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


@pytest.mark.threads
def test_standard_output_has_every_line_once(live, field, watch):
    files = field(30)
    ship = live(file=watch, output={"type": "stdout", "batch": {"linger": "20ms"}})
    with Stream(files):
        for _ in range(3):
            time.sleep(0.4)
            files.rotate_by_rename()
    ship.wait_for(lambda: ship.stdout.count("\n") >= files.written, SETTLE_S)
    stopped = ship.stop()
    assert stopped.rc == 0
    assert_each_once(files, [json.loads(line) for line in stopped.stdout.splitlines()])


# ---- killed and started again ------------------------------------------------------------------


@pytest.mark.threads
@pytest.mark.slow
@pytest.mark.parametrize("seed", [int(os.environ.get("SHIP_SEED", 1))])
def test_killed_while_files_are_written_and_rotated(live, field, fake_es, seed):
    rng = random.Random(seed)
    files = field(30, seed)
    fake_es.latency_s = 0.05
    # Of a file that no life has noted, what is rotated away from it is not looked for.
    files.burst(1)
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0
    with Stream(files, pause_s=0.02):
        for _ in range(5):
            ship = live(wait=False)
            time.sleep(rng.uniform(0.05, 1.0))
            if rng.random() < 0.7:
                files.rotate_by_rename(keep=20)
            time.sleep(rng.uniform(0, 0.4))
            ship.kill()
            if rng.random() < 0.5:
                files.rotate_by_rename(keep=20)  # nobody looks
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_a_stop_in_order_repeats_nothing(live, field, fake_es):
    files = field(20)
    for _ in range(3):
        ship = live()
        files.burst(10)
        fake_es.wait_for(lambda fake: fake.count() == files.written, SETTLE_S)
        assert ship.stop().rc == 0
    assert fake_es.duplicates == 0
    assert max(fake_es.attempts.values()) == 1
    assert_each_once(files, fake_es.events())


def test_truncated_while_ship_was_away(live, field, fake_es):
    """The same first line, and longer than before: only what stands before the position tells."""
    files = field(1)
    path = files.files[0].path
    banner = "# the same first line in every file\n"
    path.write_text(banner + "".join(f"old {n}\n" for n in range(50)))
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == 51, SETTLE_S)
    assert ship.stop().rc == 0
    with open(path, "r+") as file:
        file.truncate(0)
        file.write(banner + "".join(f"new {n}\n" for n in range(500)))
    ship = live()
    fake_es.wait_for(lambda fake: {f"new {n}" for n in range(500)} <= arrived(fake.events()).keys(), SETTLE_S)
    assert ship.stop().rc == 0


# ---- single lines ------------------------------------------------------------------------------


def test_a_partial_last_line_waits_for_its_end(live, tmp_path, fake_es):
    path = tmp_path / "logs" / "a.log"
    path.parent.mkdir()
    path.write_text("whole\nha")
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == 1)
    with open(path, "a") as file:
        file.write("lf")
        file.flush()
        time.sleep(1.5)
        assert [event["message"] for event in fake_es.events()] == ["whole"]
        file.write(" and half\n")
    fake_es.wait_for(lambda fake: fake.count() == 2)
    assert [event["message"] for event in fake_es.events()] == ["whole", "half and half"]
    assert ship.stop().rc == 0


def test_a_partial_line_survives_a_restart(live, tmp_path, fake_es):
    path = tmp_path / "logs" / "a.log"
    path.parent.mkdir()
    path.write_text("whole\nha")
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == 1)
    assert ship.stop().rc == 0
    with open(path, "a") as file:
        file.write("lf\n")
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == 2)
    assert [event["message"] for event in fake_es.events()] == ["whole", "half"]
    ship.stop()


def test_a_partial_line_of_a_file_that_went_away_is_a_line(live, tmp_path, fake_es):
    path = tmp_path / "logs" / "a.log"
    path.parent.mkdir()
    path.write_text("whole\nhalf")
    ship = live(file={"poll_interval": "200ms"})
    fake_es.wait_for(lambda fake: fake.count() == 1)
    os.rename(path, f"{path}.1")
    path.write_text("new\n")
    fake_es.wait_for(lambda fake: fake.count() == 3)
    assert sorted(arrived(fake_es.events()).items()) == [("half", 1), ("new", 1), ("whole", 1)]
    ship.stop()


def test_a_line_longer_than_max_line_is_cut_and_flagged(live, tmp_path, fake_es):
    path = tmp_path / "logs" / "a.log"
    path.parent.mkdir()
    path.write_text("before\n" + "L" * 5000 + "\nbetween\n" + "M" * 3_000_000 + "\nafter\n")
    ship = live(file={"max_line": "1KiB"})
    fake_es.wait_for(lambda fake: fake.count() == 5)
    events = sorted(fake_es.events(), key=lambda event: event["log.offset"])
    assert [event["message"][:10] for event in events] == ["before", "L" * 10, "between", "M" * 10, "after"]
    assert [len(event["message"]) for event in events] == [6, 1024, 7, 1024, 5]
    assert ["truncated" in event.get("log.flags", []) for event in events] == [False, True, False, True, False]
    assert ship.stop().rc == 0


def test_truncation_is_told_and_read_from_the_beginning(live, tmp_path, fake_es):
    path = tmp_path / "logs" / "a.log"
    path.parent.mkdir()
    path.write_text("".join(f"old {n}\n" for n in range(100)))
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == 100)
    with open(path, "w") as file:
        file.write("new 1\nnew 2\n")
    fake_es.wait_for(lambda fake: fake.count() == 102)
    assert f"{path}: was truncated" in ship.stderr
    assert ship.stop().rc == 0


# ---- being told --------------------------------------------------------------------------------


def test_sigterm_delivers_what_is_under_way(live, field, fake_es):
    files = field(20)
    files.burst(50)
    fake_es.latency_s = 0.3
    ship = live(output=elastic(fake_es.url, batch={"max_events": 100, "linger": "10s"}), limits={"drain": "300s"})
    fake_es.wait_for(lambda fake: len(fake.requests) >= 1)
    stopped = ship.stop()
    assert stopped.rc == 0
    # Nothing was sent that was not also noted: the next start repeats none of it.
    fake_es.latency_s = 0
    attempts = sum(fake_es.attempts.values())
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    ship.stop()
    assert sum(fake_es.attempts.values()) == files.written >= attempts
    assert_each_once(files, fake_es.events())


def test_sighup_takes_a_good_new_file(live, field, fake_es, tmp_path):
    files = field(5)
    ship = live()
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    # Answered, too: what is not is given a moment, and then it is cut off and sent again.
    ship.wait_for(lambda: scrape(tmp_path / "state" / "ship.sock").count("in_flight", "elasticsearch") == 0)
    other = tmp_path / "other.txt"
    other.write_text("from the other file\n")
    config = json.loads((tmp_path / "ship.yaml").read_text())
    config["inputs"][0]["paths"].append(str(other))
    (tmp_path / "ship.yaml").write_text(json.dumps(config))
    os.kill(ship.pid, signal.SIGHUP)
    fake_es.wait_for(lambda fake: fake.count() == files.written + 1)
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written + 1)
    assert fake_es.duplicates == 0
    assert ship.stop().rc == 0


def test_sighup_leaves_the_old_one_running_if_the_new_file_is_bad(live, field, fake_es, tmp_path):
    files = field(5)
    ship = live()
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    (tmp_path / "ship.yaml").write_text("inputs:\n  - type: fiel\n")
    os.kill(ship.pid, signal.SIGHUP)
    ship.wait_for(lambda: "stays as it is" in ship.stderr)
    assert f"{tmp_path}/ship.yaml:2:" in ship.stderr
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0


def test_a_good_file_that_does_not_start_leaves_the_old_one_running(live, field, fake_es, tmp_path):
    files = field(5)
    ship = live()
    config = json.loads((tmp_path / "ship.yaml").read_text())
    config["state"] = str(files.files[0].path / "below-a-file")
    (tmp_path / "ship.yaml").write_text(json.dumps(config))
    os.kill(ship.pid, signal.SIGHUP)
    ship.wait_for(lambda: "going on with the old one" in ship.stderr)
    files.burst(5)
    fake_es.wait_for(lambda fake: fake.count() == files.written)
    assert ship.stop().rc == 0


def test_standard_input_as_a_service(ship, ship_env, tmp_path, fake_es):
    """app | ship: ends with the app; told to stop, what it has read of an open line is not dropped."""
    config = write_config(tmp_path / "ship.yaml", [{"type": "stdin"}], [elastic(fake_es.url)], state=str(tmp_path / "state"))
    for is_told in (False, True):
        fake_es.forget()
        process = subprocess.Popen([ship, "run", "-c", config], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ship_env)
        try:
            process.stdin.write(b"one\ntwo\nopen")
            process.stdin.flush()
            fake_es.wait_for(lambda fake: fake.count() == 2)
            if is_told:
                process.terminate()
            else:
                process.stdin.close()
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
        assert sorted(event["message"] for event in fake_es.events()) == ["one", "open", "two"]


@pytest.mark.threads
def test_many_sighups_harm_nothing(live, field, fake_es):
    files = field(10)
    ship = live()
    with Stream(files):
        for _ in range(40):
            os.kill(ship.pid, signal.SIGHUP)
            time.sleep(0.01)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    assert ship.process.poll() is None
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_a_second_ship_keeps_off_the_same_state(live, field):
    field(1)
    live()
    second = live(wait=False).wait()
    assert second.rc == 1
    assert second.stderr.count("\n") == 1
    assert "another ship uses this state directory" in second.stderr


@pytest.mark.parametrize("pattern, packed", [("*.log", "app.log.1.gz"), ("*.log*", "app.log.1.zst")])
def test_what_was_packed_while_ship_was_away(live, fake_es, tmp_path, pattern, packed):
    """V5, O4. Its rest is read there, whether the patterns name it or not; these lines say no time."""
    folder = tmp_path / "logs"
    folder.mkdir()
    log = folder / "app.log"
    lines = [f"line {number}\n".encode() for number in range(4)]
    log.write_bytes(b"".join(lines[:2]))
    ship = live(paths=[str(folder / pattern)])
    fake_es.wait_for(lambda fake: fake.count() == 2)
    assert ship.stop().rc == 0
    write_packed(folder / packed, b"".join(lines[:3]))
    log.unlink()
    log.write_bytes(lines[3])
    ship = live(paths=[str(folder / pattern)])
    fake_es.wait_for(lambda fake: fake.count() == 4)
    assert ship.stop().rc == 0
    ship = live(paths=[str(folder / pattern)])
    with open(log, "ab") as file:
        file.write(b"one more\n")
    fake_es.wait_for(lambda fake: fake.count() == 5)
    assert ship.stop().rc == 0
    assert max(fake_es.attempts.values()) == 1, "nothing was sent again"


def test_what_is_gone_since_ship_was_stopped(live, run_ship, fake_es, tmp_path):
    """It is told, with the command that brings the rest."""
    folder = tmp_path / "logs"
    folder.mkdir()
    log = folder / "app.log"
    lines = [f"2026-03-01T09:00:0{number}.000Z line {number}\n" for number in range(4)]
    log.write_text("".join(lines[:2]))
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == 2)
    assert ship.stop().rc == 0
    with gzip.open(tmp_path / "elsewhere.gz", "wt") as packed:
        packed.write("".join(lines[:3]))
    log.unlink()
    log.write_text(lines[3])
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == 3)
    stderr = ship.stop().stderr
    assert f"{log}: the file that was here is gone since ship was stopped, read up to byte {len(lines[0]) * 2}" in stderr
    assert f"with --as {log}" in stderr
    run_ship(["--replay", tmp_path / "elsewhere.gz", "--as", log, "--to", fake_es.url]).expect(0)
    assert fake_es.count() == 4
