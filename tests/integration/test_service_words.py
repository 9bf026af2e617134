"""What a service says to a person when something is in its way: the thing, what was wanted, what ship does next."""

import json
import os
import shutil
import signal

import pytest

from fake_es import status
from shipping import elastic, saved_position, write_config


@pytest.fixture
def config(tmp_path, fake_es):
    """config(**changes) -> the path of one that is good but for them."""

    def write(**changes):
        inputs = changes.pop("inputs", [{"type": "file", "paths": [str(tmp_path / "logs" / "*.log")]}])
        outputs = changes.pop("outputs", [elastic(fake_es.url)])
        changes.setdefault("state", str(tmp_path / "state"))
        return write_config(tmp_path / "ship.yaml", inputs, outputs, **changes)

    return write


def lines_about(text, stderr):
    return [line for line in stderr.splitlines() if text in line]


# ---- it does not start -------------------------------------------------------------------------


def test_a_state_directory_that_cannot_be(config, run_ship, tmp_path):
    (tmp_path / "file").touch()
    done = run_ship(["run", "-c", config(state=str(tmp_path / "file" / "state"))]).expect(1)
    assert done.stderr.startswith(f"ship: error: {tmp_path}/file") and done.stderr.endswith("; not starting\n"), done.stderr


def test_a_state_directory_of_somebody_else(config, as_nobody, tmp_path):
    (tmp_path / "state").mkdir(mode=0o755)
    done = as_nobody(["run", "-c", config()])
    want = f"ship: error: {tmp_path}/state/lock: cannot be written: Permission denied; not starting\n"
    assert (done.returncode, done.stderr) == (1, want)


def test_damaged_positions(config, run_ship, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "checkpoints.db").write_text("no database " * 100)
    done = run_ship(["run", "-c", config()]).expect(1)
    assert "it is damaged (file is not a database). Move it away to begin as at the first start" in done.stderr
    assert done.stderr.count("not starting") == 1 and done.stderr.endswith("; not starting\n")


def test_what_does_not_start_says_so_in_json_too(config, run_ship, tmp_path):
    (tmp_path / "file").touch()
    done = run_ship(["run", "--log-json", "-c", config(state=str(tmp_path / "file"))]).expect(1)
    (said,) = map(json.loads, done.stderr.splitlines())
    assert said["log.level"] == "error" and said["message"].endswith("; not starting")


# ---- it does not reload ------------------------------------------------------------------------


def test_a_bad_file_on_sighup_is_one_line(config, start_ship, tmp_path):
    ship = start_ship(["run", "-c", config()])
    ship.wait_for(lambda: "running, configuration" in ship.stderr)
    config(lables={"a": "b"})
    os.kill(ship.pid, signal.SIGHUP)
    ship.wait_for(lambda: "lables" in ship.stderr)
    (told,) = lines_about("error", ship.stderr)
    assert told.endswith('there is no option "lables"; did you mean "labels"?; the running configuration stays as it is'), told
    assert "not starting" not in ship.stderr
    assert ship.stop().rc == 0


# ---- what it keeps is taken away while it runs -------------------------------------------------


def test_a_state_directory_that_is_deleted(config, start_ship, fake_es, tmp_path):
    """Nothing is lost: it is told, also at the end, and the next start finds the events there already."""
    log = tmp_path / "logs" / "a.log"
    log.parent.mkdir()
    log.write_text("one\n")
    ship = start_ship(["run", "-c", config()])
    fake_es.wait_for(lambda fake: fake.count() == 1)
    ship.wait_for(lambda: saved_position(tmp_path / "state") == log.stat().st_size)  # and nothing more is to be written
    shutil.rmtree(tmp_path / "state")
    with open(log, "a") as file:
        file.write("two\n")
    ship.wait_for(lambda: "positions are not saved until this is mended" in ship.stderr)
    fake_es.wait_for(lambda fake: fake.count() == 2)
    stopped = ship.stop()
    assert stopped.rc == 0
    told = lines_about(f"{tmp_path}/state/checkpoints.db: was deleted", stopped.stderr)
    assert len(told) == 2 and told[1].endswith("is sent again by the next start, under the same ids"), stopped.stderr

    ship = start_ship(["run", "-c", config()])
    fake_es.wait_for(lambda fake: fake.duplicates == 2)
    assert ship.stop().rc == 0
    assert fake_es.count() == 2


def test_a_queue_that_is_deleted(config, start_ship, fake_es, tmp_path):
    """What was only there is lost, and told; what comes afterwards is safe."""
    log, queue = tmp_path / "logs" / "a.log", tmp_path / "queue"
    log.parent.mkdir()
    log.write_text("one\n")
    fake_es.default_fault = status(503)
    ship = start_ship(["run", "-c", config(queue={"path": str(queue)})])
    ship.wait_for(lambda: any(path.stat().st_size > 64 for path in queue.rglob("*.segment")))  # behind its head
    ship.wait_for(lambda: "keeping 1 event" in ship.stderr)  # it is durable
    shutil.rmtree(queue)
    with open(log, "a") as file:
        file.write("two\n")
    ship.wait_for(lambda: f"{queue}/elasticsearch: was deleted, and is made anew; what was only there is lost" in ship.stderr)
    ship.wait_for(lambda: any(path.stat().st_size > 64 for path in queue.rglob("*.segment")))
    stopped = ship.stop()
    assert stopped.rc == 0
    assert "was deleted: 1 record in it, not sent yet, is lost" in stopped.stderr

    fake_es.default_fault = None
    ship = start_ship(["run", "-c", config(queue={"path": str(queue)})])
    fake_es.wait_for(lambda fake: fake.count() == 1)
    assert ship.stop().rc == 0
    assert [event["message"] for event in fake_es.events()] == ["two"]


# ---- a slip of the finger ----------------------------------------------------------------------


def test_help_knows_what_was_meant(run_ship):
    for word, meant in (("elasticserch", "elasticsearch"), ("chek", "check"), ("fiel", "file")):
        assert f'is called "{word}"; did you mean "{meant}"?' in run_ship(["help", word]).expect(2).stderr
    assert "did you mean" not in run_ship(["help", "nothing-like-it"]).expect(2).stderr


def test_a_map_that_is_misspelled(config, run_ship, tmp_path):
    done = run_ship(["check", "-c", config(qeue={"path": str(tmp_path / "queue")})]).expect(2)
    assert 'there is no option "qeue"; did you mean "queue.path"?' in done.stderr
