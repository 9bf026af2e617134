"""Files that are hard to follow: too many, too short-lived, moved away, no files at all."""

import os
import resource
import shutil
import socket
import time

import pytest

import fake_es as faults
from scrape import scrape
from shipping import PATIENCE_S, elastic, write_config
from writers import assert_each_once

SETTLE_S = PATIENCE_S


def messages(fake):
    return sorted(event["message"] for event in fake.events())


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def test_rotated_as_soon_as_it_runs(live, logs, fake_es):
    """What was there when ship said that it runs is known, however fast it goes away."""
    paths = [logs / f"f{number:04d}.log" for number in range(3000)]
    for path in paths:
        path.write_text(f"{path.name}\n")
    live(paths=[str(logs / "*.log")])
    for path in reversed(paths):
        path.rename(f"{path}.1")
    fake_es.wait_for(lambda fake: fake.count() == len(paths), SETTLE_S)
    assert messages(fake_es) == [path.name for path in paths]


@pytest.mark.parametrize("fault", [faults.stall(3, times=8), faults.slow(1, times=20)], ids=["stalls", "is slow"])
def test_rotated_twice_while_the_sink_stalls(live, field, fake_es, tmp_path, fault):
    """The middle file is rotated away, and the next one deleted, before a byte of them is taken."""
    files = field(5)
    fake_es.faults(fault)
    output = elastic(fake_es.url, timeout="2s", batch={"max_events": 100})
    ship = live(output=output, limits={"memory": "8MiB"})
    for _ in range(3):
        files.burst(200)
        # All of it is seen, and held: what is deleted before anyone has opened it is gone.
        ship.wait_for(lambda: scrape(tmp_path / "state" / "ship.sock").value("ship_input_lines_total", input="file") >= files.written)
        files.rotate_by_rename(keep=2)
        for file in files.files:
            shutil.move(f"{file.path}.1", f"{file.path}.2")
    files.burst(50)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())


def test_deleted_and_made_again_in_a_loop(live, logs, fake_es):
    """The file system gives the number of the one that went to the one that comes."""
    ship = live(file={"poll_interval": "50ms"})
    for number in range(12):
        path = logs / "a.log"
        path.write_text(f"the same first line\nline {number}\n")
        fake_es.wait_for(lambda fake: fake.count() == 2 * (number + 1))
        path.unlink()
    assert ship.stop().rc == 0
    assert messages(fake_es) == sorted(["the same first line"] * 12 + [f"line {number}" for number in range(12)])
    assert fake_es.duplicates == 0


def test_the_same_first_4_kb(live, logs, fake_es):
    head = "".join(f"# banner {n:04d} " + "=" * 80 + "\n" for n in range(60))
    for number in range(10):
        (logs / f"{number}.log").write_text(head + f"own {number}\n")
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == 610)
    for number in range(10):
        with open(logs / f"{number}.log", "a") as file:
            file.write(f"later {number}\n")
    fake_es.wait_for(lambda fake: fake.count() == 620)
    assert ship.stop().rc == 0
    assert [text for text in messages(fake_es) if "own" in text or "later" in text] == sorted(
        f"{word} {number}" for word in ("own", "later") for number in range(10)
    )


def test_links_as_kubernetes_makes_them(live, logs, tmp_path, fake_es):
    """/var/log/containers/POD.log -> /var/log/pods/POD/0.log; after a restart of it it is 1.log."""
    pods = tmp_path / "pods"
    pods.mkdir()
    link = logs / "pod.log"
    (pods / "0.log").write_text("of the first\n")
    link.symlink_to(pods / "0.log")
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() == 1)
    for number in (1, 2, 3):
        with open(pods / f"{number - 1}.log", "a") as file:
            file.write(f"last words of {number - 1}\n")
        (pods / f"{number}.log").write_text(f"first words of {number}\n")
        link.unlink()
        link.symlink_to(pods / f"{number}.log")
        fake_es.wait_for(lambda fake: fake.count() == 1 + 2 * number, SETTLE_S)
    # The runtime rotates below the link.
    (pods / "3.log").rename(pods / "3.log.20260101-000000")
    (pods / "3.log").write_text("after a rotation\n")
    fake_es.wait_for(lambda fake: fake.count() == 8, SETTLE_S)
    assert ship.stop().rc == 0
    assert len(set(messages(fake_es))) == 8


def test_a_directory_that_vanishes_and_returns(live, logs, fake_es):
    ship = live(paths=[str(logs / "*" / "*.log")], file={"poll_interval": "200ms"})
    for number in range(3):
        (logs / "app").mkdir()
        (logs / "app" / "a.log").write_text(f"{number}\n")
        fake_es.wait_for(lambda fake: fake.count() == number + 1)
        shutil.rmtree(logs / "app")
        if number == 1:
            shutil.rmtree(logs)
            time.sleep(0.5)
            logs.mkdir()
    assert ship.stop().rc == 0
    assert messages(fake_es) == ["0", "1", "2"]


def test_what_is_no_file_in_the_glob(live, logs, fake_es):
    """A FIFO with a writer is not opened, nor a socket or a device; a directory is not read, a link to nowhere waits."""
    os.mkfifo(logs / "fifo.log")
    (logs / "device.log").symlink_to("/dev/full")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(logs / "socket.log"))
    (logs / "directory.log").mkdir()
    (logs / "nowhere.log").symlink_to(logs / "later.txt")
    (logs / "a.log").write_text("a line\n")
    ship = live(file={"watch": "poll", "poll_interval": "200ms"})
    fake_es.wait_for(lambda fake: fake.count() == 1)
    with pytest.raises(OSError):
        os.open(logs / "fifo.log", os.O_WRONLY | os.O_NONBLOCK)  # ENXIO: nobody reads it
    (logs / "later.txt").write_text("now it is there\n")
    fake_es.wait_for(lambda fake: fake.count() == 2)
    time.sleep(0.5)  # some looks more
    stopped = ship.stop()
    listener.close()
    assert stopped.rc == 0
    assert messages(fake_es) == ["a line", "now it is there"]
    for name in ("fifo.log", "device.log", "socket.log"):
        assert stopped.stderr.count(f"{logs / name}: not a regular file; not read") == 1, "told once"
    assert "directory.log" not in stopped.stderr


@pytest.mark.slow
def test_more_files_than_descriptors(live, field, fake_es):
    """500 files and `ulimit -n 64`; through a rotation, and a restart."""
    files = field(500)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ship = live()
    resource.prlimit(ship.pid, resource.RLIMIT_NOFILE, (64, 64))
    files.burst(3)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    files.burst(3)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    for file in files.files:
        os.rename(file.path, f"{file.path}.1")
        file.open()
    files.burst(3)
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    assert ship.stop().rc == 0
    files.burst(1)
    ship = live()
    fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
    assert ship.stop().rc == 0
    assert_each_once(files, fake_es.events())
    assert fake_es.duplicates == 0


def test_two_inputs_over_the_same_files(run_ship, logs, tmp_path, fake_es):
    """F6. Which two, and what both have, whether it is there yet or not."""
    (logs / "app.log").write_text("1\n")
    two = [
        ([logs / "*.log"], [logs / "a*"], logs / "app.log"),
        ([logs / "*.log"], [logs / "*.log"], logs / "*.log"),
        ([logs / "*.log"], [logs / "not-there.log"], logs / "not-there.log"),
    ]
    for first, second, both in two:
        named = (("x", first), ("y", second))
        inputs = [{"type": "file", "name": name, "paths": [str(path) for path in paths]} for name, paths in named]
        config = write_config(tmp_path / "two.yaml", inputs, [elastic(fake_es.url)], state=str(tmp_path / "state"))
        for command in (["run", "-c", config], ["check", "-c", config]):
            result = run_ship(command)
            assert result.rc != 0
            assert f"inputs[0] (x) and inputs[1] (y): {both}: both would read it" in result.stdout + result.stderr
    inputs[0]["exclude"] = ["not-there.log"]
    config = write_config(tmp_path / "two.yaml", inputs, [elastic(fake_es.url)], state=str(tmp_path / "state"))
    assert "both would read it" not in run_ship(["check", "-c", config]).stdout


def test_an_input_that_gets_another_name(live, logs, fake_es):
    """F6. Names are for people: positions are the files'."""
    log = logs / "app.log"
    log.write_text("1\n2\n")
    ship = live(file={"name": "before", "read_from": "beginning"})
    fake_es.wait_for(lambda fake: fake.count() == 2)
    assert ship.stop().rc == 0
    with log.open("a") as file:
        file.write("3\n")
    ship = live(file={"name": "after", "read_from": "end"})
    fake_es.wait_for(lambda fake: fake.count() == 3)
    assert ship.stop().rc == 0
    assert max(fake_es.attempts.values()) == 1, "nothing was sent again"
