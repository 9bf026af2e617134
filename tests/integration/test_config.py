"""The configuration from outside: what a wrong one says, the examples, the schema for editors, help."""

import copy
import json
import re
import subprocess

import jsonschema
import pytest
import yaml

from conftest import ROOT
from shipping import PATIENCE_S

SCHEMA = json.loads((ROOT / "config/schema/ship.schema.json").read_text())
EXAMPLES = sorted((ROOT / "config/examples").glob("*.yaml"))
GOOD = "inputs: [{type: stdin}]\noutputs: [{type: stdout}]\n"


@pytest.fixture
def check(run_ship, tmp_path):
    """check(text, env=None) -> Result of `ship check --offline` on it, in ./ship.yaml."""

    def run(text, env=None):
        path = tmp_path / "ship.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return run_ship(["check", "--offline", "-c", "ship.yaml"], env=env)

    return run


def complaint(result):
    """The one line on standard error, behind "ship: config: "."""
    assert result.rc == 2, (result.stdout, result.stderr)
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("ship: config: "), result.stderr
    return result.stderr.removeprefix("ship: config: ").rstrip("\n")


# ---- what is wrong: one message, exit code 2, whatever the verb ----------------------------------


@pytest.mark.parametrize("verb", [["check", "-c"], ["run", "-c"], ["-c"], ["--replay", "app.log", "-c"]])
def test_a_typo_whatever_the_verb(run_ship, tmp_path, verb):
    (tmp_path / "app.log").write_text("line\n")
    (tmp_path / "ship.yaml").write_text("inputs:\n  - type: file\n    pathes: [app.log]\noutputs: [{type: stdout}]\n")
    done = run_ship([*verb, "ship.yaml"])
    assert complaint(done) == (
        'ship.yaml:3:5: inputs[0]: there is no option "pathes"; did you mean "paths"?; not starting'
    )
    assert done.stdout == ""


def test_a_wrong_type(check):
    said = complaint(check("inputs: [{type: stdin}]\noutputs:\n  - type: elasticsearch\n    hosts: {a: b}\n"))
    assert said == "ship.yaml:4:12: outputs[0].hosts: this is a map; want a list of texts; not starting"


def test_an_impossible_value(check):
    said = complaint(check(GOOD + "limits.memory: 12\n"))
    assert said.startswith('ship.yaml:3:16: limits.memory: "12" is not a size from 4MiB to 64GiB')


def test_not_yaml(check):
    assert complaint(check("inputs:\n\t- type: stdin\n")) == (
        "ship.yaml:2:1: a tab; YAML is indented with spaces; not starting"
    )
    assert "not UTF-8 (byte 0xe9)" in complaint(check(b"host: caf\xe9\n" + GOOD.encode()))
    assert "the file is empty" in complaint(check(""))


@pytest.mark.parametrize("verb", [["check", "-c"], ["-c"]])
def test_a_missing_file(run_ship, verb):
    assert complaint(run_ship([*verb, "nowhere.yaml"])).startswith("nowhere.yaml: no such file")


def test_a_directory(run_ship, tmp_path):
    assert complaint(run_ship(["-c", tmp_path])) == f"{tmp_path}: is a directory; want a file; not starting"


def test_a_file_without_permission(as_nobody, tmp_path):
    path = tmp_path / "ship.yaml"
    path.write_text(GOOD)
    path.chmod(0o600)
    done = as_nobody(["-c", path])
    assert (done.returncode, done.stderr) == (2, f"ship: config: {path}: Permission denied; not starting\n")


def test_a_secret_file_without_permission(as_nobody, tmp_path):
    secret = tmp_path / "key"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    path = tmp_path / "ship.yaml"
    path.write_text(
        "inputs: [{type: stdin}]\noutputs:\n"
        f"  - type: elasticsearch\n    hosts: http://127.0.0.1:1\n    api_key: ${{file:{secret}}}\n"
    )
    done = as_nobody(["check", "-c", path])
    want = f"ship: config: {path}:5:14: outputs[0].api_key: the file {secret}: Permission denied; not starting\n"
    assert (done.returncode, done.stderr) == (2, want)


def test_a_pipe_is_a_file_too(ship, ship_env):
    done = subprocess.run(
        [ship, "check", "--offline", "-c", "/dev/stdin"], input=GOOD, text=True, capture_output=True, env=ship_env, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr


def test_a_file_too_large(check):
    assert "is longer than 1024 KiB" in complaint(check("#" * (1 << 20) + "\n" + GOOD))


def test_many_aliases_are_bounded(check):
    """A list of a thousand names, a thousand times: refused, not swallowed."""
    paths = "\n".join(f"      - /var/log/{n:0>200}.log" for n in range(1000))
    more = "\n".join("  - {type: file, paths: *p}" for _ in range(1000))
    text = f"inputs:\n  - type: file\n    paths: &p\n{paths}\n{more}\noutputs: [{{type: stdout}}]\n"
    done = check(text)
    assert "more memory than" in complaint(done)
    assert done.seconds < 60


@pytest.mark.parametrize(
    "text, said",
    [
        ("state: " + "[" * 900_000, "1:39: more than 32 maps and lists in each other"),
        ("state: " + "{a: " * 200_000, "1:132: more than 32 maps and lists in each other"),
        ("".join(f"- &a{n} x\n" for n in range(60_000)), "101:3: more than 100 anchors"),
        ("labels:\n" + "".join(f"  k{n}: v\n" for n in range(80_000)), "1002:10: labels.k1000: more than 1000 names"),
    ],
    ids=["lists", "maps", "anchors", "labels"],
)
def test_what_would_take_for_ever(check, text, said):
    done = check(text)
    assert complaint(done) == f"ship.yaml:{said}; not starting"
    assert done.seconds < 60


# ---- what comes from outside is text -------------------------------------------------------------


def test_a_value_from_the_environment_is_never_structure(run_ship, tmp_path):
    evil = "x\nlimits: {memory: bad}\n- &a [b]: ${HOME} # {}"
    (tmp_path / "app.log").write_text("line\n")
    (tmp_path / "ship.yaml").write_text("labels:\n  evil: ${EVIL}\n" + GOOD.replace("stdin", "file, paths: app.log"))
    done = run_ship(["--replay", "app.log", "-c", "ship.yaml", "-q"], env={"EVIL": evil}).expect(0)
    assert json.loads(done.stdout)["labels.evil"] == evil


def test_defaults_and_files(run_ship, tmp_path):
    (tmp_path / "app.log").write_text("line\n")
    (tmp_path / "stage").write_text("live\nsecond line\n")
    (tmp_path / "ship.yaml").write_text(
        "labels:\n  a: ${NOT_SET:-else}\n  b: ${file:stage}\n  c: ${NOT_SET:-}\n  d: a$${x}\n"
        + GOOD.replace("stdin", "file, paths: app.log")
    )
    event = json.loads(run_ship(["--replay", "app.log", "-c", "ship.yaml", "-q"]).expect(0).stdout)
    labels = {key: value for key, value in event.items() if key in {f"labels.{c}" for c in "abcd"}}
    assert labels == {"labels.a": "else", "labels.b": "live", "labels.d": "a${x}"}


# ---- the examples --------------------------------------------------------------------------------


@pytest.fixture
def example_env(tmp_path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for name in ("es_api_key", "opensearch_password"):
        (credentials / name).write_text("hunter2\n")
        (credentials / name).chmod(0o600)
    return {
        "CREDENTIALS_DIRECTORY": str(credentials),
        "ES_URL": "https://es.example.com:9200",
        "ES_API_KEY": "hunter2",
        "ES_PASSWORD": "hunter2",
    }


def test_there_is_an_example_for_each_way_of_running():
    assert {path.stem for path in EXAMPLES} >= {"service", "sidecar", "replay", "regex", "local", "opensearch"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid(run_ship, example_env, path, tmp_path):
    env = {**example_env, "SHIP_STATE": str(tmp_path)}
    done = run_ship(["check", "--offline", "-c", path], env=env).expect(0)
    assert "warning" not in done.stdout
    assert "hunter2" not in done.stdout
    jsonschema.Draft202012Validator(SCHEMA).validate(yaml.safe_load(path.read_text()))


def typos(node, path=()):
    """Every way to misspell one name of the tree, as (path, tree)."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if isinstance(node, dict) and path[-1:] not in (("labels",), ("types",)):
            wrong = copy.copy(node)
            wrong[f"{key}xyz"] = wrong.pop(key)
            yield (*path, key), wrong
        for place, changed in typos(value, (*path, key)):
            whole = copy.copy(node)
            whole[key] = changed
            yield place, whole


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_typo_in_an_example(check, example_env, path):
    """Each name, misspelt: the schema and ship both refuse it."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    found = list(typos(yaml.safe_load(path.read_text())))
    assert len(found) >= 5
    for place, wrong in found:
        assert not validator.is_valid(wrong), place
        assert re.match(r"ship\.yaml:\d+:\d+: ", complaint(check(json.dumps(wrong, indent=1), example_env))), place


# ---- the schema says what the loader says --------------------------------------------------------

FILE = {"type": "file", "paths": ["/var/log/a.log"]}
ELASTIC = {"type": "elasticsearch", "hosts": ["https://es:9200"]}

ROWS = [  # (a change to a good configuration, whether it stays good)
    ({}, True),
    ({"limits": {"memory": "8MiB"}}, True),
    ({"limits.memory": "8 MiB"}, True),
    ({"limits": {"memory": 8388608}}, True),
    ({"limits": {"memory": 12}}, False),
    ({"limits": {"memory": "8 megs"}}, False),
    ({"limits": {"memory": [8388608]}}, False),
    ({"limits": {"memory": None}}, True),
    ({"limits": None}, True),
    ({"limits": "8MiB"}, False),
    ({"limits": {"workers": 2}}, True),
    ({"limits": {"workers": "2"}}, True),
    ({"limits": {"workers": 65}}, False),
    ({"limits": {"workers": -1}}, False),
    ({"limits": {"workers": 1.5}}, False),
    ({"limits": {"workers": "two"}}, False),
    ({"limits": {"workers": True}}, False),
    ({"limits": {"workers": "${SHIP_TEST_TWO}"}}, True),
    ({"limits": {"drain": "10s"}}, True),
    ({"limits": {"drain": 0}}, True),
    ({"limits": {"drain": 10}}, False),
    ({"limits": {"drain": "10 lightyears"}}, False),
    ({"labels": {"a": "b", "c": 5, "d": True}}, True),
    ({"labels.a": "b"}, True),
    ({"labels": {"a": ["b"]}}, False),
    ({"labels": "a"}, False),
    ({"labels": ["a"]}, False),
    ({"host": "a"}, True),
    ({"host": 5}, True),
    ({"host": {"a": "b"}}, False),
    ({"nothing": "a"}, False),
    ({"inputs": []}, False),
    ({"inputs": None}, False),
    ({"inputs": FILE}, False),
    ({"inputs": ["file"]}, False),
    ({"inputs": [FILE, {"type": "stdin"}]}, True),
    ({"inputs": [{"type": "file"}]}, False),
    ({"inputs": [{**FILE, "type": "fiel"}]}, False),
    ({"inputs": [{"paths": ["a"]}]}, False),
    ({"inputs": [{**FILE, "paths": "a"}]}, True),
    ({"inputs": [{**FILE, "paths": []}]}, False),
    ({"inputs": [{**FILE, "paths": ""}]}, False),
    ({"inputs": [{**FILE, "paths": None}]}, False),
    ({"inputs": [{**FILE, "paths": [["a"]]}]}, False),
    ({"inputs": [{**FILE, "paths": {"a": "b"}}]}, False),
    ({"inputs": [{**FILE, "watch": "poll"}]}, True),
    ({"inputs": [{**FILE, "watch": "pole"}]}, False),
    ({"inputs": [{**FILE, "watch": "${SHIP_TEST_POLL}"}]}, True),
    ({"inputs": [{"type": "stdin", "watch": "poll"}]}, False),
    ({"inputs": [{**FILE, "invocations": False}]}, True),
    ({"inputs": [{**FILE, "invocations": "false"}]}, True),
    ({"inputs": [{**FILE, "invocations": "nope"}]}, False),
    ({"inputs": [{**FILE, "invocations": 0}]}, False),
    ({"inputs": [{**FILE, "parser": "json"}]}, True),
    ({"inputs": [{**FILE, "parser": None}]}, True),
    ({"inputs": [{**FILE, "parser": "xml"}]}, False),
    ({"inputs": [{**FILE, "parser": "regex"}]}, False),
    ({"inputs": [{**FILE, "parser": ["json", {"type": "logfmt"}]}]}, True),
    ({"inputs": [{**FILE, "parser": []}]}, False),
    ({"inputs": [{**FILE, "parser": [["json"]]}]}, False),
    ({"inputs": [{**FILE, "parser": {"type": "regex", "pattern": "(?<a>.)"}}]}, True),
    ({"inputs": [{**FILE, "parser": {"type": "regex"}}]}, False),
    ({"inputs": [{**FILE, "parser": {"pattern": "(?<a>.)"}}]}, False),
    ({"inputs": [{**FILE, "parser": {"type": "json", "pattern": "(?<a>.)"}}]}, False),
    ({"outputs": [ELASTIC, {"type": "stdout"}]}, True),
    ({"outputs": [{**ELASTIC, "tls": {"verify": False}, "batch": {"linger": "1s"}}]}, True),
    ({"outputs": [{**ELASTIC, "tls.verify": False, "batch.linger": "1s"}]}, True),
    ({"outputs": [{**ELASTIC, "tls": {"verfy": False}}]}, False),
    ({"outputs": [{**ELASTIC, "verify": False}]}, False),
    ({"outputs": [{**ELASTIC, "concurrency": 33}]}, False),
    ({"outputs": [{"type": "local"}]}, False),
]


@pytest.mark.parametrize("change, is_good", ROWS, ids=[json.dumps(change)[:60] for change, _ in ROWS])
def test_the_schema_and_ship_agree(check, change, is_good):
    config = {"inputs": [FILE], "outputs": [{"type": "stdout"}], **change}
    done = check(json.dumps(config, indent=1), {"SHIP_TEST_TWO": "2", "SHIP_TEST_POLL": "poll"})
    assert (done.rc == 0) == is_good, (done.stdout, done.stderr)
    errors = [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(config)]
    assert (not errors) == is_good, errors


def test_the_schema_itself(run_ship):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    done = run_ship(["schema"]).expect(0)
    assert json.loads(done.stdout) == SCHEMA
    assert run_ship(["schema", "x"]).expect(2).stdout == ""


# ---- help ----------------------------------------------------------------------------------------


def verbs(run_ship):
    """(word to type, summary) of each verb, by the help screen."""
    return re.findall(r"^  ship (\S+) +(\S.*)$", run_ship(["help"]).expect(0).stdout.split("Try:")[0], re.M)


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["help"]])
def test_the_help_fits_on_one_screen(run_ship, args):
    done = run_ship(args).expect(0)
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert len(lines) <= 23  # and the prompt
    assert max(map(len, lines)) <= 80
    for word in ("--replay", "trace", "check", "Exit codes"):
        assert word in done.stdout


def test_every_verb_has_its_own_help(run_ship):
    found = verbs(run_ship)
    assert {"run", "--replay", "trace", "check", "schema", "help"} <= {verb for verb, _ in found}
    for verb, _ in found:
        text = run_ship(["help", verb]).expect(0).stdout
        assert text.startswith("usage: ship ")
        assert max(map(len, text.splitlines())) <= 80, verb


@pytest.mark.parametrize("verb", ["run", "replay", "trace", "check", "schema", "help"])
def test_a_verb_that_is_asked_itself(run_ship, verb):
    assert run_ship([verb, "--help"]).expect(0).stdout == run_ship(["help", verb]).stdout


@pytest.mark.parametrize(
    "name, words",
    [
        ("elasticsearch", ["hosts: a list of texts; required", "tls.ca_file: a path", "batch.linger: a duration"]),
        ("file", ["paths: a list of texts; required", "watch: one of inotify, poll; default inotify", "max_line"]),
        ("regex", ["pattern: a list of texts; required", "match_limit: a whole number from 1000 to 10000000"]),
        ("config", ["limits.memory: a size", "  regex ", "  elasticsearch ", "${file:/path}"]),
    ],
)
def test_the_options_of_a_type(run_ship, name, words):
    text = run_ship(["help", name]).expect(0).stdout
    for word in words:
        assert word in text, text
    assert max(map(len, text.splitlines())) <= 80


def test_help_for_what_there_is_not(run_ship):
    done = run_ship(["help", "elastik"]).expect(2)
    assert '"elastik"' in done.stderr
    assert done.stderr.count("\n") == 1 and done.stdout == ""


@pytest.mark.parametrize("args", [["--version"], ["-V"]])
def test_the_version(run_ship, args):
    assert re.fullmatch(r"ship \d+\.\d+\.\d+\n", run_ship(args).expect(0).stdout)


@pytest.mark.parametrize("args, word", [(["chekc"], '"chekc"; did you mean "check"?'), (["check", "--frobnicate"], '"--frobnicate"'), (["check", "a"], '"a"'), (["check", "-c"], "--config"),
    (["--replay", "a", "--apikey=hunter2"], '"--apikey"; did you mean "--api-key"?')])
def test_words_that_are_none(run_ship, args, word):
    done = run_ship(args).expect(2)
    assert word in done.stderr and "ship help" in done.stderr
    assert done.stderr.count("\n") == 1 and done.stdout == ""


def test_what_is_dangerous_is_told_at_the_start(run_ship, tmp_path, free_port):
    """Not only by `ship check`, which the owner of a service may never run."""
    (tmp_path / "a.log").write_text("a line\n")
    (tmp_path / "ship.yaml").write_text(
        "inputs: [{type: stdin}]\n"
        f"outputs: [{{type: elasticsearch, hosts: ['https://127.0.0.1:{free_port}'], tls.verify: false}}]\n"
    )
    said = run_ship(["--replay", "a.log", "-c", "ship.yaml"]).expect(1).stderr
    assert "warn: output elasticsearch: tls.verify is off" in said
