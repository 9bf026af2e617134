"""Every command that the README shows is run, as it stands there, in a folder laid out as it says."""

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from shipping import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
LOGS = ROOT / "packaging" / "demo" / "logs"
# What a server refused yesterday and takes today.
LETTER = json.dumps(
    {
        "time": "2026-10-09T08:53:20.123Z",
        "output": "elasticsearch",
        "status": 400,
        "type": "document_parsing_exception",
        "reason": "failed to parse field [code]",
        "id": "Yxj4q8mGq0m1v4qA0aFQhw",
        "origin": "0123456789abcdef",
        "path": "/var/log/functions/app.log",
        "offset": 0,
        "original": "a line",
        "document": {"@timestamp": "2026-10-09T08:53:19.000Z", "message": "a line"},
    }
)
SERVER = "http://127.0.0.1:9200"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def commands():
    return [line for block in blocks("sh") for line in block.splitlines() if line.strip()]


@pytest.fixture
def folder(tmp_path):
    """What the README takes for granted: logs, a configuration, the templates."""
    place = tmp_path / "somewhere"
    place.mkdir()
    shutil.copytree(LOGS, place / "logs")
    shutil.copy(LOGS / "checkout.log", place / "app.log")
    (place / "old").mkdir()
    shutil.copy(LOGS / "notify.log", place / "old" / "notify.log")
    subprocess.run(["gzip", place / "old" / "notify.log"], check=True)
    (place / "ship-state" / "dead").mkdir(parents=True)
    (place / "ship-state" / "dead" / "dead.ndjson").write_text(LETTER + "\n")
    (place / "access.log").write_text("10.0.0.1 GET / 12.5ms\n10.0.0.2 GET /cart 3.25ms\n")
    (place / "packaging").symlink_to(ROOT / "packaging")
    return place


def configuration(server, folder):
    """The README's own YAML (the whole one, no part of one), its hosts and paths moved here."""
    [text] = [block for block in blocks("yaml") if "\noutputs:" in block]
    (folder / "es_api_key").write_text("id:key\n")
    (folder / "es_api_key").chmod(0o600)
    text = re.sub(r"hosts: \[.*\]", f"hosts: [{server}]", text)
    text = text.replace("/etc/ship/es_api_key", str(folder / "es_api_key"))
    text = text.replace("/var/log/functions/*.log", f"{folder}/logs/*.log")
    (folder / "ship.yaml").write_text(text + f"state: {folder}/state\n")


@pytest.fixture
def shell(ship, ship_env, folder):
    """shell(line) -> CompletedProcess: as a person's shell would run it there."""
    (folder / "bin").mkdir()
    (folder / "bin" / "ship").symlink_to(ship)
    env = {**ship_env, "PATH": f"{folder}/bin:{os.environ['PATH']}"}

    def run(line, **options):
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line], cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE_S, **options
        )

    run.env = env
    return run


def run_service(line, shell, folder, es):
    """`ship run` goes on until it is told to stop."""
    before = es.count("logs-serverless.lambda-default")
    service = subprocess.Popen(
        shlex.split(line), cwd=folder, env=shell.env, stderr=subprocess.PIPE, text=True, executable=folder / "bin" / "ship"
    )
    with open(folder / "logs" / "notify.log", "a") as log:
        log.write('{"time":"2026-10-09T09:00:00Z","message":"one more"}\n')
    deadline = time.monotonic() + PATIENCE_S
    while es.count("logs-serverless.lambda-default") == before and time.monotonic() < deadline:
        es.refresh("logs-serverless.lambda-default")
        time.sleep(0.1)
    service.terminate()
    _, said = service.communicate(timeout=PATIENCE_S)
    assert service.returncode == 0, said
    assert es.count("logs-serverless.lambda-default") > before, said


def test_commands(shell, folder, es):
    configuration(es.url, folder)
    n = 0
    for line in commands():
        line = line.replace(SERVER, es.url)
        if line.startswith("ship run "):
            run_service(line, shell, folder, es)
        else:
            done = shell(line)
            assert done.returncode == 0, f"{line}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
            assert done.stdout or done.stderr, f"{line}\nsaid nothing"
        if "--to http" in line:
            es.refresh("logs-serverless.lambda-default")
        n += 1
    assert n >= 10


def test_make_targets():
    """What the README tells people to type to make is there."""
    named = set(re.findall(r"`?make ([a-z]+)", README))
    assert {"demo", "test", "install", "uninstall", "bench"} <= named
    for target in named:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stderr


def test_files_are_there():
    for name in re.findall(r"\]\(([A-Za-z/.]+)\)|`((?:config|packaging|tests|build)/[\w./-]*)`", README):
        path = name[0] or name[1]
        if not path.startswith("build/"):
            assert (ROOT / path).exists(), path


def test_options_exist(run_ship):
    """Each long option that the README names is in some verb's help."""
    helps = "".join(run_ship(["help", verb]).stdout for verb in ("replay", "trace", "check", "run", "dead"))
    for option in set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", README)):
        if option in ("--data-binary", "--request", "--unix-socket"):
            continue  # curl's
        assert option in helps, option


@pytest.mark.golden
def test_story_is_the_demo_s(run_ship, tmp_path):
    """The story at its top is what ship says of the demo's logs, up to its middle."""
    store = f"local:{tmp_path}/demo.db"
    run_ship(["--replay", LOGS, "--to", store]).expect()
    said = run_ship(["trace", "c3a671a2", "--from", store]).expect().stdout
    shown = next(block for block in blocks("text") if block.startswith("trace "))
    for line in shown.splitlines():
        if line.strip() not in ("", "..."):
            assert line in said.splitlines(), line
