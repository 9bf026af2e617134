"""What a hostile server, a local user or a writer of log lines must not get: ARCHITECTURE.md,
"What an attacker can and cannot do"."""

import json
import re

import pytest

import fake_es as faults
from shipping import elastic, write_config

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
ESCAPES = "\x1b]0;owned\x07\x1b[31mred\u009b2J"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("".join(f"line {n}\n" for n in range(10)))
    return path


def test_a_servers_words_do_not_reach_the_terminal_raw(run_ship, fake_es, log, tmp_path):
    reply = json.dumps({"error": {"type": ESCAPES, "reason": ESCAPES}, "status": 403})
    fake_es.default_fault = faults.status(403, body=reply)
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": [str(log)]}], [elastic(fake_es.url)])
    for args in (["--replay", log, "--to", fake_es.url], ["check", "-c", config]):
        done = run_ship(args).expect(1)
        assert "403" in done.stdout + done.stderr
        assert not CONTROL.search(done.stdout + done.stderr), args


def test_file_names_do_not_reach_the_terminal_raw(as_nobody, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a\x1b[31m\n  good\x07.log").write_text("x\n")
    for path in logs.iterdir():
        path.chmod(0)
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": [f"{logs}/*.log"]}], [{"type": "stdout"}])
    config.chmod(0o644)
    done = as_nobody(["check", "--offline", "-c", config])
    assert "cannot read" in done.stdout and "Permission denied" in done.stdout
    assert not CONTROL.search(done.stdout) and "\n  good" not in done.stdout
