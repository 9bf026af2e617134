"""What a person at a terminal meets: one clear message, the right exit code, nothing more."""

import fcntl
import gzip
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest

from shipping import PATIENCE_S, elastic, saved_position, summary, write_config, zstd_compress


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("".join(f"line {n}\n" for n in range(2000)))
    return path


def one_line(result):
    """The one thing that was said, on standard error."""
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr.rstrip("\n")


def messages(text):
    return [json.loads(line)["message"] for line in text.split("\n")[:-1]]


# ---- reading -------------------------------------------------------------------------------------


def test_documents_on_standard_output(run_ship, log):
    done = run_ship(["--replay", log]).expect(0)
    assert messages(done.stdout) == [f"line {n}" for n in range(2000)]
    assert len({json.loads(line)["event.id"] for line in done.stdout.splitlines()}) == 2000
    told = summary(done)
    assert (told.lines, told.events, told.delivered, told.dead) == (2000, 2000, 2000, 0)
    assert done.stderr.count("\n") == 1


def test_documents_come_in_the_order_of_their_lines(run_ship, tmp_path):
    """With several workers and many batches too; a rotated file before the one that follows it."""
    names = ["a.log.2", "a.log.1", "a.log", "b.log"]
    for number, name in enumerate(names):
        (tmp_path / name).write_text("".join(f"{number} {n}\n" for n in range(30_000)))
    done = run_ship(["--replay", *reversed(names)]).expect(0)
    got = [tuple(map(int, message.split())) for message in messages(done.stdout)]
    assert len(got) == 120_000
    first = [pair for pair in got if pair[0] < 3]
    assert first == sorted(first)
    assert [pair for pair in got if pair[0] == 3] == [(3, n) for n in range(30_000)]


def test_quiet_says_nothing(run_ship, log):
    assert run_ship(["--replay", log, "-q"]).expect(0).stderr == ""


def test_a_reader_that_has_seen_enough(ship, ship_env, tmp_path):
    """ship --replay app.log | head -1"""
    big = tmp_path / "big.log"
    big.write_text("".join(f"line {n}\n" for n in range(200_000)))
    command = f"'{ship}' --replay '{big}' 2>'{tmp_path}/err' | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env=ship_env, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S)
    first, code = done.stdout.splitlines()
    assert json.loads(first)["message"] == "line 0"
    assert code == "0"
    assert (tmp_path / "err").read_text() == ""


def test_an_empty_file(run_ship, tmp_path):
    (tmp_path / "empty.log").write_text("")
    done = run_ship(["--replay", "empty.log"]).expect(0)
    assert done.stdout == ""
    assert summary(done).lines == 0


def test_empty_lines_are_no_events(run_ship, tmp_path):
    (tmp_path / "a.log").write_text("\n\none\n\r\n\ntwo")
    done = run_ship(["--replay", "a.log"]).expect(0)
    assert messages(done.stdout) == ["one", "two"]


def test_a_directory_with_everything_below_it(run_ship, tmp_path):
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "a.log").write_text("a\n")
    (tmp_path / "d" / "e" / "b.log.gz").write_bytes(gzip.compress(b"b\n"))
    (tmp_path / "d" / "e" / "c.log.zst").write_bytes(zstd_compress(b"c\n"))
    done = run_ship(["--replay", "d"]).expect(0)
    assert sorted(messages(done.stdout)) == ["a", "b", "c"]


def test_its_own_output_is_not_read(ship, ship_env, tmp_path):
    """ship --replay . >all.ndjson: the shell has made the file before ship looks."""
    (tmp_path / "app.log").write_text("a\n")
    with open(tmp_path / "0.ndjson", "a+") as out:
        out.write("old\n")
        out.flush()
        done = subprocess.run([ship, "--replay", "."], stdout=out, env=ship_env, cwd=tmp_path, timeout=PATIENCE_S)
        out.seek(0)
        assert done.returncode == 0
        assert [json.loads(line)["message"] for line in out.read().splitlines()[1:]] == ["a"]


def test_more_files_than_are_known_at_a_time(run_ship, tmp_path):
    """Each with an older one, which comes first."""
    (tmp_path / "d").mkdir()
    for n in range(1000):
        (tmp_path / "d" / f"f{n}.log").write_text(f"new {n}\n")
        (tmp_path / "d" / f"f{n}.log.1").write_text(f"old {n}\n")
    done = run_ship(["--replay", "d"]).expect(0)
    got = messages(done.stdout)
    assert sorted(got) == sorted(f"{age} {n}" for n in range(1000) for age in ("old", "new"))


def test_a_glob_that_the_shell_did_not_expand(run_ship, tmp_path):
    for name in ("a.log", "b.log", "c.txt"):
        (tmp_path / name).write_text(f"{name}\n")
    done = run_ship(["--replay", "*.log"]).expect(0)
    assert sorted(messages(done.stdout)) == ["a.log", "b.log"]


def test_a_name_with_wildcard_signs_in_it(run_ship, tmp_path):
    (tmp_path / "a[1]*.log").write_text("this one\n")
    assert messages(run_ship(["--replay", "a[1]*.log"]).expect(0).stdout) == ["this one"]


def test_the_same_file_twice_is_read_once(run_ship, log):
    os.symlink(log, log.parent / "link.log")
    done = run_ship(["--replay", log, "app.log", "./app.log", "link.log"]).expect(0)
    assert summary(done).lines == 2000


def test_standard_input(run_ship, log):
    done = run_ship(["--replay", "-"], input=log.read_bytes()).expect(0)
    assert messages(done.stdout) == [f"line {n}" for n in range(2000)]


def test_standard_input_without_a_last_newline(run_ship):
    assert messages(run_ship(["--replay", "-"], input="one\ntwo").expect(0).stdout) == ["one", "two"]


def test_a_slow_pipe(ship, ship_env, tmp_path):
    """What comes in drips leaves in drips: no line waits for the end."""
    process = subprocess.Popen([ship, "--replay", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ship_env, cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        for n in range(3):
            process.stdin.write(f"line {n}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["message"] == f"line {n}"
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_descriptor(ship, ship_env, log, closed):
    """Its number must not become that of a file of ours."""
    what = "-" if closed == 0 else str(log)
    redirect = {0: "<&-", 1: ">&-", 2: "2>&-"}[closed]
    command = f"exec '{ship}' --replay {what} {redirect}"
    done = subprocess.run(["bash", "-c", command], env=ship_env, cwd=log.parent, capture_output=True, text=True, timeout=PATIENCE_S)
    if closed == 2:
        assert (done.returncode, len(done.stdout.splitlines())) == (0, 2000)
        return
    assert done.returncode == 1
    assert "standard input" in done.stderr if closed == 0 else "standard output" in done.stderr


# ---- what is not there, or cannot be read --------------------------------------------------------


def test_a_missing_file(run_ship):
    said = one_line(run_ship(["--replay", "missing.log"]).expect(1))
    assert said == "ship: error: missing.log: no such file; nothing to replay"


def test_a_glob_that_matches_nothing(run_ship, tmp_path):
    said = one_line(run_ship(["--replay", "*.nothing"]).expect(1))
    assert said == "ship: error: *.nothing: no file matches; nothing to replay"


def test_an_empty_directory(run_ship, tmp_path):
    (tmp_path / "d").mkdir()
    said = one_line(run_ship(["--replay", "d"]).expect(1))
    assert said == "ship: error: d: no file matches; nothing to replay"


def test_one_of_two_is_missing(run_ship, log):
    said = one_line(run_ship(["--replay", log, "missing.log"]).expect(1))
    assert "missing.log: no such file" in said


def test_nothing_is_named(run_ship):
    said = one_line(run_ship(["--replay"]).expect(2))
    assert "nothing to replay" in said


@pytest.mark.parametrize(
    "words, says",
    [
        ([""], "a PATH is empty"),
        (["a.log", "--parser", "regex"], "--parser regex wants a --pattern"),
        (["a.log", "--parser", "grok"], "--parser grok wants a --pattern"),
        (["a.log", "--parser", "json", "--pattern", "x"], '--pattern is for the parsers regex and grok, not for "json"'),
    ],
)
def test_wrong_use(run_ship, words, says):
    assert f"ship: {says}" in run_ship(["--replay", *words]).expect(2).stderr


def test_a_place_that_is_none(run_ship, log):
    said = one_line(run_ship(["--replay", log, "--to", "htps://es:9200"]).expect(2))
    assert "htps://es:9200" in said and "https://HOST:PORT" in said


def test_a_fifo(run_ship, tmp_path):
    os.mkfifo(tmp_path / "pipe.log")
    done = run_ship(["--replay", "pipe.log"]).expect(1)
    assert "pipe.log: not a regular file" in done.stderr and "ship --replay -" in done.stderr
    assert len([line for line in done.stderr.splitlines() if "pipe.log" in line]) == 1


def test_a_fifo_beside_files(run_ship, tmp_path):
    """Met below a directory it is passed by."""
    (tmp_path / "d").mkdir()
    os.mkfifo(tmp_path / "d" / "pipe.log")
    (tmp_path / "d" / "a.log").write_text("a\n")
    assert messages(run_ship(["--replay", "d"]).expect(0).stdout) == ["a"]


def test_a_directory_without_permission(as_nobody, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "a.log").write_text("a\n")
    closed.chmod(0o700)
    done = as_nobody(["--replay", closed])
    assert done.returncode == 1
    assert done.stderr == f"ship: error: {closed}: Permission denied; nothing to replay\n"


def test_a_directory_without_permission_beside_a_file(as_nobody, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o700)
    log = tmp_path / "a.log"
    log.write_text("a\n")
    log.chmod(0o644)
    done = as_nobody(["--replay", closed, log])
    assert done.returncode == 1
    assert done.stderr.count("Permission denied") == 1 and str(closed) in done.stderr
    assert done.stdout.count("\n") == 1


def test_a_file_without_permission_and_one_with(as_nobody, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    folder.chmod(0o755)
    for name, mode in (("a.log", 0o644), ("b.log", 0o600)):
        (folder / name).write_text(f"{name}\n")
        (folder / name).chmod(mode)
    done = as_nobody(["--replay", folder])
    assert done.returncode == 1
    assert messages(done.stdout) == ["a.log"]
    assert done.stderr.count("Permission denied") == 1
    assert f"{folder}/b.log" in done.stderr
    assert done.stderr.splitlines()[-1] == "ship: not everything could be read, as told above; what was read is delivered"


def test_a_state_directory_without_permission(as_nobody, tmp_path, fake_es):
    closed = tmp_path / "state"
    closed.mkdir(mode=0o755)
    inputs = [{"type": "file", "paths": [str(tmp_path / "*.log")]}]
    config = write_config(tmp_path / "ship.yaml", inputs, [elastic(fake_es.url)], state=str(closed))
    config.chmod(0o644)
    done = as_nobody(["run", "-c", config])
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(closed) in done.stderr and "Permission denied" in done.stderr


@pytest.mark.parametrize("suffix, pack", [(".gz", gzip.compress), (".zst", zstd_compress)])
def test_packed_and_cut_off(run_ship, tmp_path, suffix, pack):
    """What can be unpacked is delivered; that there is no more is an error."""
    lines = [f"line {n} {os.urandom(20).hex()}" for n in range(40_000)]
    whole = pack("".join(line + "\n" for line in lines).encode())
    (tmp_path / f"a.log{suffix}").write_bytes(whole[: len(whole) // 2])
    done = run_ship(["--replay", f"a.log{suffix}"]).expect(1)
    got = messages(done.stdout)
    assert 100 < len(got) < 40_000
    assert got[:-1] == lines[: len(got) - 1]  # of the last line there may be a part
    assert lines[len(got) - 1].startswith(got[-1])
    assert f"a.log{suffix}: ends in the middle" in done.stderr


@pytest.mark.parametrize("suffix, pack", [(".gz", gzip.compress), (".zst", zstd_compress)])
def test_packed_and_damaged(run_ship, tmp_path, suffix, pack):
    lines = [f"line {n} {os.urandom(20).hex()}" for n in range(40_000)]
    damaged = bytearray(pack("".join(line + "\n" for line in lines).encode()))
    middle = len(damaged) // 2
    damaged[middle : middle + 40] = b"\xff" * 40
    (tmp_path / f"a.log{suffix}").write_bytes(damaged)
    (tmp_path / "b.log").write_text("the neighbour\n")
    done = run_ship(["--replay", f"a.log{suffix}", "b.log"]).expect(1)
    got = messages(done.stdout)
    assert "the neighbour" in got
    assert len(set(got) & set(lines)) > 100
    assert f"a.log{suffix}" in done.stderr and "damaged" in done.stderr


def test_text_that_says_it_is_packed(run_ship, tmp_path):
    (tmp_path / "a.log.gz").write_text("no gzip at all\n")
    done = run_ship(["--replay", "a.log.gz"]).expect(1)
    assert done.stdout == ""
    assert "a.log.gz" in done.stderr and "not gzip data" in done.stderr


def test_binary_junk(run_ship, tmp_path):
    """Every document is whole JSON, whatever the bytes were."""
    (tmp_path / "junk.log").write_bytes(os.urandom(300_000) + b"\n" + bytes(range(256)) * 10)
    done = run_ship(["--replay", "junk.log"]).expect(0)
    told = summary(done)
    documents = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
    assert len(documents) == told.events > 500
    assert all("@timestamp" in document for document in documents)


# ---- the far side --------------------------------------------------------------------------------


def test_a_refused_connection(run_ship, log, free_port):
    url = f"http://127.0.0.1:{free_port}"
    done = run_ship(["--replay", log, "--to", url]).expect(1)
    assert done.seconds < 100  # a replay has patience for two minutes with who answered once, for less with who never did
    told = summary(done)
    assert (told.events, told.settled) == (2000, 0)
    errors = [line for line in done.stderr.splitlines() if line.startswith("ship: error:")]
    assert len(errors) == 1
    assert url in errors[0] and "refused" in errors[0].lower()


def test_a_host_that_does_not_exist(run_ship, log):
    done = run_ship(["--replay", log, "--to", "http://no-such-host.invalid:9200"]).expect(1)
    assert "no-such-host.invalid" in done.stderr


def test_a_wrong_password(run_ship, log, fake_es):
    fake_es.authorization = "Basic cmlnaHQ="
    done = run_ship(["--replay", log, "--to", fake_es.url, "--user", "ship:wrong-Secret"]).expect(1)
    errors = [line for line in done.stderr.splitlines() if line.startswith("ship: error:")]
    assert len(errors) == 1
    assert "HTTP 401" in errors[0] and "password" in errors[0]
    assert "wrong-Secret" not in done.stderr


def test_a_url_with_a_password_keeps_it(run_ship, log, free_port):
    done = run_ship(["--replay", log, "--to", f"http://ship:wrong-Secret@127.0.0.1:{free_port}"]).expect(1)
    assert f"127.0.0.1:{free_port}" in done.stderr
    assert "wrong-Secret" not in done.stderr


# ---- a full disk ---------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(place):
    file = os.open(place / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(file, b"x" * 1024):
            pass
    except OSError:
        pass
    finally:
        os.close(file)


def test_a_full_disk_under_standard_output(ship, ship_env, small_disk, log):
    with open(small_disk / "out", "wb") as out:
        done = subprocess.run([ship, "--replay", log], stdout=out, stderr=subprocess.PIPE, env=ship_env, cwd=log.parent, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1
    assert done.stderr.count("No space left on device") == 1
    assert "standard output" in done.stderr
    # No half line is left behind.
    written = (small_disk / "out").read_bytes()
    assert written == b"" or written.endswith(b"\n")


def test_a_full_disk_under_the_local_store(run_ship, small_disk, log):
    done = run_ship(["--replay", log, "--to", f"local:{small_disk}/store.db"]).expect(1)
    errors = [line for line in done.stderr.splitlines() if line.startswith("ship: error:")]
    assert len(errors) == 1
    assert "full" in errors[0] and str(small_disk) in errors[0]


def test_a_full_disk_under_the_dead_letters(run_ship, small_disk, log, fake_es, tmp_path):
    """Not set aside is not settled: the replay says so, and later all of it goes well."""
    fake_es.item_rule("line 7", 400)
    fill(small_disk)
    args = ["--replay", log, "--to", fake_es.url, "--state", small_disk]
    done = run_ship(args).expect(1)
    assert "No space left on device" in done.stderr and "dead letters" in done.stderr
    (small_disk / "filler").unlink()
    told = summary(run_ship(args).expect(3))
    assert (told.dead, told.events) == (111, 2000)
    letters = [json.loads(line) for line in (small_disk / "dead" / "dead.ndjson").read_text().splitlines()]
    assert len(letters) == 111


def test_a_full_disk_under_letters_that_are_sent_again(run_ship, small_disk, log, fake_es):
    """Their file cannot be made anew: all of them stay, and nothing is sent for nothing or twice."""
    dead = small_disk / "dead"
    fake_es.item_rule("line 7", 400)
    run_ship(["--replay", log, "--to", fake_es.url, "--state", small_disk]).expect(3)
    before = (dead / "dead.ndjson").read_text()
    fill(small_disk)
    fake_es.clear()
    fake_es.item_rule("line 77", 400)
    args = ["dead", "replay", "--dir", dead, "--to", fake_es.url]
    done = run_ship(args).expect(1)
    assert "No space left on device" in done.stderr and "stay" in done.stderr
    (file,) = dead.iterdir()
    assert file.read_text() == before
    assert fake_es.count() == 2000 - 11
    (small_disk / "filler").unlink()
    assert run_ship(args).expect(3).stdout.startswith("0 delivered, 100 there already, 11 refused again")


def test_a_disk_that_stays_full_under_the_dead_letters(start_ship, small_disk, fake_es, tmp_path):
    """A service reads on only as far as its memory goes; nothing is lost when letters can be written again."""
    lines = 20_000
    log = tmp_path / "poison.log"
    log.write_text("".join(f"poison {n} {os.urandom(300).hex()}\n" for n in range(lines)))
    fake_es.item_rule("poison", 400)
    fill(small_disk)

    def config(dead):
        more = {"state": str(tmp_path / "state"), "dead_letters": str(dead), "limits": {"memory": "4MiB"}}
        return write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": [str(log)]}], [elastic(fake_es.url)], **more)

    ship = start_ship(["run", "-c", config(small_disk / "dead")])
    ship.wait_for(lambda: "No space left on device" in ship.stderr and "keeping the events" in ship.stderr)
    time.sleep(2)
    assert 0 < len(fake_es.attempts) < lines * 0.8
    ship.kill()
    ship = start_ship(["run", "-c", config(tmp_path / "dead")])

    def originals():
        files = (tmp_path / "dead").glob("dead*.ndjson")
        return [json.loads(line)["original"].split()[1] for file in files for line in file.read_text().splitlines(True) if line.endswith("\n")]

    ship.wait_for(lambda: len(originals()) >= lines)
    ship.stop()
    assert sorted(map(int, originals())) == list(range(lines))


def test_a_full_disk_under_the_checkpoints(start_ship, small_disk, tmp_path, fake_es):
    """Events flow on; that positions are not saved is told; afterwards they are again."""
    state = small_disk / "state"
    path = tmp_path / "app.log"
    path.write_text("one\n")
    inputs = [{"type": "file", "paths": [str(path)]}]
    config = write_config(tmp_path / "ship.yaml", inputs, [elastic(fake_es.url)], state=str(state))
    ship = start_ship(["run", "-c", config])
    fake_es.wait_for(lambda fake: fake.count() == 1)
    fill(small_disk)
    with open(path, "a") as file:
        for n in range(20):
            file.write(f"full {n}\n")
            file.flush()
            time.sleep(0.1)
    fake_es.wait_for(lambda fake: fake.count() == 21)
    ship.wait_for(lambda: "positions are not saved" in ship.stderr)
    assert ship.stderr.count("positions are not saved") == 1
    (small_disk / "filler").unlink()
    ship.wait_for(lambda: saved_position(state) == path.stat().st_size)  # it is tried again every five seconds
    ship.wait_for(lambda: "positions are saved again" in ship.stderr)
    ship.kill()
    ship = start_ship(["run", "-c", config])
    with open(path, "a") as file:
        file.write("after\n")
    fake_es.wait_for(lambda fake: fake.count() == 22)
    assert fake_es.duplicates == 0
    assert ship.stop().rc == 0


# ---- a terminal ----------------------------------------------------------------------------------


def on_a_terminal(ship, args, env, cwd, stdout=None):
    """Runs it with a terminal as standard error (and output unless given); (exit code, what it showed)."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([ship, *map(str, args)], stdin=subprocess.DEVNULL, stdout=stdout or child, stderr=child, env=env, cwd=cwd)
    os.close(child)
    shown = bytearray()

    def read():
        try:
            while data := os.read(parent, 4096):
                shown.extend(data)
        except OSError:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        code = process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
        reader.join(PATIENCE_S)
        os.close(parent)
    return code, shown.decode()


def test_progress_on_a_terminal(ship, ship_env, tmp_path, fake_es):
    path = tmp_path / "big.log"
    path.write_text("".join(f"line {n} {'x' * 100}\n" for n in range(30_000)))
    fake_es.latency_s = 0.5
    args = ["--replay", path, "--to", fake_es.url]
    code, shown = on_a_terminal(ship, args, ship_env, tmp_path)
    assert code == 0
    steps = re.findall(r"([\d.]+) MB, (\d+) events, [\d.]+ MB/s", shown)
    assert steps
    sizes = [float(size) for size, _ in steps]
    assert sizes == sorted(sizes)
    assert re.search(r"\d+ %, \d+ s left", shown)
    # Each step takes the place of the one before; at the end the summary stands alone.
    assert shown.split("\r\x1b[K")[-1].startswith("ship: read 30000 lines")
    assert all(len(step) < 80 for step in shown.split("\r\x1b[K")[:-1])


def test_no_progress_between_documents(ship, ship_env, log):
    """Documents go to the same terminal: they are what is wanted."""
    code, shown = on_a_terminal(ship, ["--replay", log], ship_env, log.parent)
    assert code == 0
    assert "MB/s" not in shown
    assert shown.count('"message":"line ') == 2000


def test_no_progress_when_quiet_or_in_a_file(ship, ship_env, log, fake_es, run_ship):
    code, shown = on_a_terminal(ship, ["--replay", log, "--to", fake_es.url, "-q"], ship_env, log.parent)
    assert (code, shown) == (0, "")
    assert "MB/s" not in run_ship(["--replay", log, "--to", fake_es.url]).expect(0).stderr


def test_interrupted(ship, ship_env, tmp_path, fake_es):
    """Ctrl-C: at once, with what was done so far."""
    path = tmp_path / "big.log"
    path.write_text("".join(f"line {n}\n" for n in range(100_000)))
    fake_es.latency_s = 3600
    process = subprocess.Popen([ship, "--replay", path, "--to", fake_es.url], env=ship_env, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    fake_es.wait_for(lambda fake: fake.requests)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)  # long before there is an answer
    assert process.returncode == 1
    assert "stopped before the end" in err


def test_interrupted_the_sums_agree(ship, ship_env, tmp_path):
    """What was delivered was read, also when it was a part of what is being read."""
    path = tmp_path / "big.log"
    path.write_text("y\n" * 5_000_000)
    with open(tmp_path / "out", "w") as out:
        process = subprocess.Popen([ship, "--replay", path], env=ship_env, cwd=tmp_path, stdout=out, stderr=subprocess.PIPE, text=True)
        while os.path.getsize(tmp_path / "out") < 20_000_000:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    read, events, delivered = map(int, re.search(r"read (\d+) lines .*?, (\d+) events: (\d+) delivered", err).groups())
    assert delivered <= events == read < 5_000_000
