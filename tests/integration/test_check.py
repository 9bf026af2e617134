"""ship check: what it says of inputs, outputs, directories and secrets, and that it changes nothing."""

import os
import subprocess

import pytest

from fake_es import stall
from shipping import PATIENCE_S, elastic, write_config

LOGS = {"type": "file", "paths": ["logs/*.log"]}
STDOUT = {"type": "stdout"}


@pytest.fixture
def config(tmp_path):
    """config(inputs, outputs, mode=0o600, **rest) -> its path; state and logs are there."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.log").write_text("line\n" * 1000)

    def write(inputs, outputs, mode=0o600, **rest):
        path = write_config(tmp_path / "ship.yaml", inputs, outputs, **{"state": "state", **rest})
        path.chmod(mode)
        return path

    return write


def everything_below(folder):
    return sorted((str(path), path.stat().st_mode, path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_all_is_well(run_ship, config, fake_es, tmp_path):
    path = config([LOGS], [elastic(fake_es.url), STDOUT, {"type": "local", "path": "events.db"}])
    before = everything_below(tmp_path)
    done = run_ship(["check", "-c", path]).expect(0)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"configuration {path}",
        "input file",
        "  logs/*.log: 1 file, 5.0 KB",
        "  parser: auto",
        "output elasticsearch",
        f"  {fake_es.url}/logs-serverless.lambda-default: ready",
        "output stdout",
        "  standard output: ready",
        "output local",
        "  local store events.db: ready",
        "state state",
        "good",
    ]
    assert everything_below(tmp_path) == before, "a check changes nothing"
    assert not fake_es.documents


def test_a_refused_connection(run_ship, config, free_port):
    done = run_ship(["check", "-c", config([LOGS], [elastic(f"http://127.0.0.1:{free_port}")])]).expect(1)
    assert f"  FAILED: http://127.0.0.1:{free_port}: not reached" in done.stdout
    assert done.stdout.splitlines()[-1] == "not ready: 1 to mend"


def test_tls_where_there_is_none(run_ship, config, fake_es):
    url = fake_es.url.replace("http:", "https:")
    done = run_ship(["check", "-c", config([LOGS], [elastic(url)])]).expect(1)
    assert f"  FAILED: {url}: not reached: " in done.stdout
    assert "that is no TLS; does it speak plain http?" in done.stdout


def test_one_of_two_hosts(run_ship, config, fake_es, free_port):
    path = config([LOGS], [elastic([fake_es.url, f"http://127.0.0.1:{free_port}"])])
    done = run_ship(["check", "-c", path]).expect(1)
    assert f"  FAILED: 1 of 2 hosts: http://127.0.0.1:{free_port}: not reached" in done.stdout


def test_offline_asks_nobody(run_ship, config, free_port):
    path = config([LOGS], [elastic(f"http://127.0.0.1:{free_port}")])
    assert run_ship(["check", "--offline", "-c", path]).expect(0).stdout.endswith("good\n")


def test_a_wrong_password(run_ship, config, fake_es):
    fake_es.authorization = "Basic cmlnaHQ="
    path = config([LOGS], [elastic(fake_es.url, user="me", password="hunter2")])
    done = run_ship(["check", "-c", path]).expect(1)
    assert "FAILED" in done.stdout and "HTTP 401" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_a_server_that_never_answers(run_ship, config, fake_es):
    fake_es.default_fault = stall()
    path = config([LOGS], [elastic(fake_es.url, timeout="3s"), elastic(fake_es.url, timeout="3s", name="second")])
    done = run_ship(["check", "-c", path]).expect(1)
    assert done.stdout.count("no answer in time") == 2
    assert fake_es.peak_concurrent == 2, "both are asked at once"


@pytest.mark.slow
def test_a_server_that_never_answers_and_much_patience(run_ship, config, fake_es):
    fake_es.default_fault = stall()
    done = run_ship(["check", "-c", config([LOGS], [elastic(fake_es.url)])]).expect(1)
    assert "no answer within 20 s" in done.stdout


def test_what_paths_find(run_ship, config, tmp_path):
    (tmp_path / "logs/deep/er").mkdir(parents=True)
    (tmp_path / "logs/deep/er/b.log").write_text("x" * 2_500_000)
    (tmp_path / "logs/deep/skip.log").write_text("x")
    inputs = [
        {"type": "file", "paths": ["logs/**/*.log", "logs/none*.log", "logs/one.log"], "exclude": ["skip*"]},
        {"type": "file", "paths": ["logs"], "name": "folder"},
        {"type": "stdin", "parser": {"type": "regex", "pattern": "(?<a>.)"}},
    ]
    done = run_ship(["check", "--offline", "-c", config(inputs, [STDOUT])]).expect(1)
    assert done.stdout.splitlines()[1:-3] == [
        "input file",
        "  logs/**/*.log: 2 files, 2.5 MB",
        "  logs/none*.log: nothing there now; it is read when it comes",
        "  logs/one.log: nothing there now; it is read when it comes",
        "  parser: auto",
        "input folder (file)",
        "  FAILED: logs: is no file; for the files of a directory write DIRECTORY/*",
        "  parser: auto",
        "input stdin",
        "  parser: regex",
    ]


def test_what_cannot_be_read(as_nobody, config, tmp_path):
    logs = tmp_path / "logs"
    for n in range(8):
        (logs / f"closed{n}.log").write_text("x")
        (logs / f"closed{n}.log").chmod(0o600)
    (logs / "folder").mkdir(mode=0o700)
    path = config([{"type": "file", "paths": [f"{logs}/*.log", f"{logs}/folder/*.log"]}], [STDOUT], mode=0o644)
    done = as_nobody(["check", "-c", path])
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert sum("FAILED: cannot read" in line and line.endswith("Permission denied") for line in lines) == 6
    assert f"  {logs}/*.log: 1 file, 5.0 KB" in lines
    assert "  FAILED: cannot read 3 more" in lines
    assert f"  {logs}/folder/*.log: nothing that can be read" in lines


def test_directories_that_cannot_be_written(as_nobody, config, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o755)
    path = config(
        [LOGS],
        [{"type": "local", "path": str(closed / "events.db")}],
        mode=0o644,
        state=str(closed / "deep/er"),
        dead_letters=str(tmp_path / "logs/a.log"),
    )
    done = as_nobody(["check", "-c", path])
    assert done.returncode == 1
    assert f"  FAILED: local store {closed}/events.db: {closed} cannot be written: Permission denied" in done.stdout
    assert f"  FAILED: cannot be made in {closed}: Permission denied" in done.stdout
    assert f"  FAILED: {tmp_path}/logs/a.log is no directory" in done.stdout


def test_positions_that_are_damaged(run_ship, config, tmp_path):
    """As `ship run` would not start."""
    path = config([LOGS], [STDOUT])
    (tmp_path / "state").mkdir()
    for content, rc in ((b"", 0), (b"SQLite format 3\0" + bytes(84), 0), (b"SQLite", 1), (b"no database " * 100, 1)):
        (tmp_path / "state/checkpoints.db").write_bytes(content)
        done = run_ship(["check", "-c", path]).expect(rc)
        assert ("  FAILED: state/checkpoints.db: the positions of all files are in it, and it is damaged" in done.stdout) == (rc == 1)


def test_a_queue_that_cannot_be(run_ship, config, tmp_path):
    (tmp_path / "file").touch()
    done = run_ship(["check", "-c", config([LOGS], [STDOUT], queue={"path": "file/queue"})]).expect(1)
    assert "  queue file/queue/stdout\n  FAILED: " in done.stdout


def test_a_store_that_is_none(run_ship, config, tmp_path):
    (tmp_path / "events.db").write_text("hello")
    done = run_ship(["check", "-c", config([LOGS], [{"type": "local", "path": "events.db"}])]).expect(1)
    assert "FAILED: " in done.stdout and "events.db" in done.stdout
    assert (tmp_path / "events.db").read_text() == "hello"


# ---- legal but dangerous -------------------------------------------------------------------------


def warnings(result):
    return [line.strip() for line in result.stdout.splitlines() if "warning:" in line]


def test_dangers_are_told(run_ship, config):
    path = config(
        [LOGS], [elastic("http://es.example.com:9200", user="me", password="hunter2", **{"tls.verify": False})], mode=0o644
    )
    done = run_ship(["check", "--offline", "-c", path]).expect(0)
    told = warnings(done)
    assert len(told) == 3
    assert "a secret stands in it" in told[0] and f"chmod 600 {path}" in told[0]
    assert "tls.verify is off" in told[1]
    assert "plain http to http://es.example.com:9200" in told[2]
    assert "hunter2" not in done.stdout + done.stderr
    assert done.stdout.endswith("good, with 3 warnings\n")


def test_a_file_that_only_its_owner_reads(run_ship, config):
    path = config([LOGS], [elastic("https://es.example.com", user="me", password="hunter2")])
    assert warnings(run_ship(["check", "--offline", "-c", path]).expect(0)) == []


def test_credentials_in_a_url_are_a_secret_too(run_ship, config):
    path = config([LOGS], [elastic("https://me:hunter2@es.example.com")], mode=0o644)
    done = run_ship(["check", "--offline", "-c", path]).expect(0)
    assert len(warnings(done)) == 1 and "hunter2" not in done.stdout


@pytest.mark.parametrize("mode, is_told", [(0o600, False), (0o640, False), (0o644, True)])
def test_secret_files(run_ship, config, tmp_path, mode, is_told):
    secret = tmp_path / "key"
    secret.write_text("hunter2\n")
    secret.chmod(mode)
    path = config([LOGS], [elastic("https://es.example.com", api_key=f"${{file:{secret}}}")], mode=0o644)
    told = warnings(run_ship(["check", "--offline", "-c", path]).expect(0))
    assert told == ([f"warning: everybody here may read {secret}: chmod 600 it"] if is_told else [])


def test_a_secret_from_the_environment_is_not_in_the_file(run_ship, config):
    path = config([LOGS], [elastic("https://es.example.com", api_key="${KEY}")], mode=0o644)
    assert warnings(run_ship(["check", "--offline", "-c", path], env={"KEY": "hunter2"}).expect(0)) == []


def test_output_that_nobody_reads(ship, ship_env, config):
    """A full standard output is told by the exit code, as everywhere."""
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [ship, "check", "--offline", "-c", config([LOGS], [STDOUT])], stdout=full, env=ship_env, timeout=PATIENCE_S
        )
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("listen", "warns"),
    [("127.0.0.1:9598", False), ("[::1]:9598", False), ("none", False), ("0.0.0.0:9598", True), ("[::]:9598", True)],
)
def test_a_status_address_that_others_reach(run_ship, config, listen, warns):
    path = config([LOGS], [STDOUT], status={"listen": listen})
    done = run_ship(["check", "--offline", "-c", path]).expect(0)
    assert f"status {listen}\n" in done.stdout
    assert ("  warning: everybody who reaches this machine may read it" in done.stdout) == warns


def test_a_state_directory_too_deep_for_a_socket(run_ship, config, tmp_path):
    path = config([LOGS], [STDOUT], state=str(tmp_path / ("d" * 100)))
    done = run_ship(["check", "--offline", "-c", path]).expect(0)
    assert "bytes, and the system allows 107; name a shorter one as status.listen; ship runs without metrics" in done.stdout


def test_a_status_address_that_is_none(run_ship, config):
    path = config([LOGS], [STDOUT], status={"listen": "example.com:80"})
    done = run_ship(["check", "--offline", "-c", path]).expect(2)
    assert 'status.listen: "example.com:80" is no address; want unix:PATH' in done.stderr
