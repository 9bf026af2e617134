"""What a newcomer sees: packaging/demo/run, and the commands that it ends with."""

import re
import shutil
import subprocess
import time

import pytest

from conftest import ROOT
from shipping import PATIENCE_S, summary

FAILED_REQUEST = "05cdc426"


@pytest.fixture
def shop(tmp_path, ship):
    """A copy of the project, as far as the demo needs it."""
    shutil.copytree(ROOT / "packaging" / "demo", tmp_path / "packaging" / "demo")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "ship").symlink_to(ship)
    return tmp_path


@pytest.fixture
def demo(shop, ship_env):
    def run():
        return subprocess.run([shop / "packaging" / "demo" / "run"], env=ship_env, capture_output=True, text=True, timeout=PATIENCE_S)

    return run


def next_commands(stdout):
    """By their label: "follow a file" and so on."""
    ending = stdout.split("\nNext:\n")[1]
    return dict(re.findall(r"^  (\S[^/]*?)  +(\S.*)$", ending, re.M)), ending


@pytest.mark.golden
def test_the_story(demo, golden):
    first = demo()
    assert first.returncode == 0, first.stderr
    golden("demo.txt", first.stdout)
    assert summary(first).delivered == summary(first).events > 400


def test_a_second_run_repeats_nothing(demo):
    first, second = demo(), demo()
    assert second.stdout == first.stdout
    assert summary(second).duplicates == summary(first).delivered
    assert summary(second).delivered == 0


def test_other_logs_begin_a_new_store(demo, shop):
    before = summary(demo()).delivered
    time.sleep(0.02)
    log = shop / "packaging" / "demo" / "logs" / "notify.log"
    log.write_text(log.read_text().replace("mail to", "letter to"))
    assert summary(demo()).delivered == before


def test_the_logs_are_what_the_story_is_about(demo, shop, run_ship):
    """Four functions in one trace; one timeout, one exception with its stack, cold starts."""
    demo().check_returncode()
    found = run_ship(["trace", FAILED_REQUEST, "--from", f"local:{shop}/build/demo.db"]).expect(0).stdout
    for claim in (
        "4 functions, 4 invocations, 2 failed",
        "timeout\n",
        "Task timed out after 3.00 seconds",
        "PaymentTimeout: payment gave no answer within 3 s for order A-1049",
        "Traceback (most recent call last):",
        "at /var/task/payment_client.py:27 in charge",
        "cold start 395.5 ms",
    ):
        assert claim in found, claim


def test_next_search_the_store(demo, shop, ship_env):
    commands, _ = next_commands(demo().stdout)
    done = subprocess.run(commands["search the store"], shell=True, cwd=shop, env=ship_env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "payment did not answer, releasing the stock of kettle" in done.stdout or "payment gave no answer" in done.stdout
    assert "the bank does not answer, trying again" in done.stdout


def test_next_follow_a_file(demo, shop, start_ship):
    commands, ending = next_commands(demo().stdout)
    words = commands["follow a file"].split()
    assert words[0] == "build/ship"
    running = start_ship(words[1:], cwd=shop)
    running.wait_for(lambda: "running" in running.stderr)
    other = re.search(r"in another terminal: (.*)", ending).group(1)
    subprocess.run(other, shell=True, cwd=shop, check=True)
    running.wait_for(lambda: "the bank does not answer" in running.stdout)
    assert running.stop().rc == 0


def test_next_send_to_elasticsearch(demo, shop, ship_env, es):
    commands, ending = next_commands(demo().stdout)
    there = commands["send to Elasticsearch"]
    back = re.search(r"and back: (.*)", ending).group(1)
    at_home = subprocess.run(["build/ship", "trace", FAILED_REQUEST, "--from", "local:build/demo.db"], cwd=shop, env=ship_env, capture_output=True, text=True)
    for command in (there, back):
        assert "http://localhost:9200" in command
        done = subprocess.run(command.replace("http://localhost:9200", es.url), shell=True, cwd=shop, env=ship_env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        es.refresh("logs-serverless.lambda-default")
    assert done.stdout == at_home.stdout
