"""What a hostile server, a local user or a writer of log lines must not get: ARCHITECTURE.md,
"What an attacker can and cannot do"."""

import json
import os
import re
import resource
import signal
import struct
import subprocess

import pytest

import fake_es as faults
from shipping import elastic, write_config

NOBODY = 65534
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to somebody else")

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


@needs_root
def test_anothers_link_is_not_followed(run_ship, start_ship, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (tmp_path / "shadow").write_text("root:secret\n")
    (tmp_path / "private").mkdir()
    (tmp_path / "private/key.log").write_text("key secret\n")
    (logs / "good.log").write_text("good\n")
    for name, target in (("theft.log", tmp_path / "shadow"), ("dir", tmp_path / "private")):
        (logs / name).symlink_to(target)
        os.chown(logs / name, NOBODY, NOBODY, follow_symlinks=False)
    done = run_ship(["--replay", logs]).expect(1)
    assert "good" in done.stdout and "secret" not in done.stdout
    assert "theft.log: a symbolic link of user 65534 leads to what is user 0's: not followed" in done.stderr
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": [f"{logs}/**/*.log"]}], [{"type": "stdout"}], state="state")
    running = start_ship(["-c", config])
    running.wait_for(lambda: '"good"' in running.stdout)
    running.stop()
    assert "secret" not in running.stdout


@needs_root
@pytest.mark.parametrize("planted", ["ship-state", "ship-state/dead"])
def test_a_planted_state_directory_is_not_used(run_ship, fake_es, log, tmp_path, planted):
    """In /tmp anybody may have made a ship-state, to have what is written there."""
    work = tmp_path / "tmp"
    (work / planted).mkdir(parents=True)
    work.chmod(0o1777)
    os.chown(work / "ship-state", NOBODY, NOBODY)
    fake_es.item_rule("line", 400, "mapper_parsing_exception", "no such type")
    done = run_ship(["--replay", log, "--to", fake_es.url], cwd=work).expect(1)
    assert f"ship-state/dead: made by user {NOBODY} where everybody may make one" in done.stderr
    if planted == "ship-state/dead":
        (work / planted / "dead.ndjson").write_text('{"document":{"message":"forged"}}\n')
        done = run_ship(["dead", "replay", "--to", fake_es.url], cwd=work).expect(1)
        assert f"made by user {NOBODY} where everybody may make one" in done.stderr
    work.chmod(0o755)
    run_ship(["--replay", log, "--to", fake_es.url], cwd=work).expect(3)


@needs_root
def test_a_link_in_place_of_the_dead_letters_is_not_followed(run_ship, fake_es, log, tmp_path):
    (tmp_path / "ship-state/dead").mkdir(parents=True)
    (tmp_path / "bashrc").write_text("untouched\n")
    (tmp_path / "ship-state/dead/dead.ndjson").symlink_to(tmp_path / "bashrc")
    fake_es.item_rule("line", 400, "mapper_parsing_exception", "no such type")
    run_ship(["--replay", log, "--to", fake_es.url]).expect(1)
    assert (tmp_path / "bashrc").read_text() == "untouched\n"


def test_what_ship_keeps_is_for_its_user_alone(run_ship, start_ship, fake_es, log, tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    fake_es.item_rule("line 3", 400, "mapper_parsing_exception", "no such type")
    outputs = [elastic(fake_es.url), {"type": "local", "path": str(tmp_path / "store.db")}]
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": [str(log)]}], outputs, state=str(state))
    running = start_ship(["-c", config])
    running.wait_for(lambda: len(fake_es.documents) == 9 and (state / "dead/dead.ndjson").exists())
    made = [path for path in [*state.rglob("*"), *tmp_path.glob("store.db*")] if path.is_file()]
    assert {path.name for path in made} >= {"checkpoints.db", "checkpoints.db-wal", "dead.ndjson", "lock", "store.db"}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def hollow_zstd(path, n_frames):
    """Frames to be skipped (RFC 8878, 3.1.2), 4 GiB each, which are holes: a terabyte on no disk."""
    with path.open("wb") as file:
        for n in range(n_frames):
            file.seek(n * (8 + 0xFFFFFFFF))
            file.write(struct.pack("<II", 0x184D2A50, 0xFFFFFFFF))
        file.truncate(n_frames * (8 + 0xFFFFFFFF))


def test_a_hollow_file_neither_holds_up_the_others_nor_the_end(start_ship, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    for n in range(3):
        hollow_zstd(logs / f"{n}.log.zst", 256)
    limits = {"workers": 1, "drain": "1s"}
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": [f"{logs}/*"]}], [{"type": "stdout"}], state="state", limits=limits)
    running = start_ship(["-c", config])
    running.wait_for(lambda: "running, configuration" in running.stderr)
    for n in range(3):
        (logs / f"{n}.new").write_text(f"line {n}\n")
        running.wait_for(lambda: f'"line {n}"' in running.stdout)
    running.stop()


SECRET = "s3cret-Word"


@pytest.mark.parametrize(
    "args",
    [
        ["--replay", "app.log", "--to", f"elastic:{SECRET}@es:9200"],
        ["--replay", "app.log", "--to", f"https//elastic:{SECRET}@es:9200"],
        ["--replay", "app.log", "--to", f"ftp://elastic:{SECRET}@es:9200"],
        ["trace", "abc", "--from", f"elastic:{SECRET}@es:9200"],
        ["trace", "abc", f"http://elastic:{SECRET}@es:9200"],
        ["check", f"http://elastic:{SECRET}@es:9200"],
        ["run", f"http://elastic:{SECRET}@es:9200"],
        ["--replay", "app.log", "--user", SECRET, "--to", "http://es:9200"],
    ],
)
def test_a_mistaken_word_does_not_show_its_password(run_ship, log, args):
    done = run_ship(args).expect(2)
    assert SECRET not in done.stdout + done.stderr
    assert "es:9200" in done.stderr or "--user" in done.stderr


@pytest.mark.parametrize("how", ["key", "user", "url", "environment"])
def test_secrets_are_not_to_be_seen_from_outside(start_ship, fake_es, log, how):
    fake_es.default_fault = faults.stall()
    words = {
        "key": ["--api-key", SECRET],
        "user": [f"--user=me:{SECRET}"],
        "url": ["--to", fake_es.url.replace("//", f"//me:{SECRET}@")],
    }
    env = {"SHIP_API_KEY": SECRET} if how == "environment" else {}
    running = start_ship(["--replay", log, "--to", fake_es.url, *words.get(how, [])], env=env)
    running.wait_for(lambda: fake_es.requests)
    seen = [open(f"/proc/{running.pid}/{name}", "rb").read() for name in ("cmdline", "environ")]
    assert b"--replay" in seen[0] and b"PATH=" in seen[1]
    assert SECRET.encode() not in b"".join(seen)


def leaves_a_core(args, cwd, env):
    """Whether the kernel dumped its memory when it was told to."""

    def may_dump():
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # who runs us in the background may ignore it
        resource.setrlimit(resource.RLIMIT_CORE, (2**26, 2**26))

    process = subprocess.Popen(
        args,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=cwd,
        env=env,
        preexec_fn=may_dump,
    )
    process.stdin.write(b"a line\n")
    process.stdin.flush()
    assert b"a line" in process.stdout.readline()  # so it is at work
    process.send_signal(signal.SIGQUIT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status
    process.stdin.close()
    process.stdout.close()
    assert os.WTERMSIG(status) == signal.SIGQUIT
    return os.WCOREDUMP(status)


def test_no_core_is_dumped(ship, ship_env, tmp_path):
    if os.environ.get("SHIP_FLAVOUR") == "asan":
        pytest.skip("its leak checker must be able to read the memory")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] not in (-1,) or not leaves_a_core(["cat"], tmp_path, ship_env):
        pytest.skip("here nobody leaves a core")
    assert not leaves_a_core([ship, "--replay", "-"], tmp_path, {**ship_env, "SHIP_API_KEY": SECRET})


def test_the_binary_is_hardened(ship):
    if os.environ.get("SHIP_FLAVOUR", "release") not in ("release", "clang"):
        pytest.skip("as released")
    told = subprocess.run(["readelf", "--wide", "--segments", "--dynamic", "--dyn-syms", "--notes", ship], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^Elf file type is DYN \(Position-Independent", told, re.M)
    assert re.search(r"GNU_RELRO", told) and re.search(r"FLAGS_1.*\bNOW\b", told), "nothing to overwrite in its tables"
    assert re.search(r"GNU_STACK +\S+ +\S+ +\S+ +\S+ +\S+ +RW ", told), "no code on the stack"
    assert "__stack_chk_fail" in told and re.search(r"__\w+_chk@", told), "canaries; FORTIFY"
    assert not re.search(r"R(UN)?PATH", told)


def test_a_line_cannot_speak_for_ship(run_ship, tmp_path):
    """Which file, which place, which label: what ship knows better than the line that says it."""
    log = tmp_path / "app.log"
    own = ("@timestamp", "log.offset", "log.file.path", "event.id", "labels.tenant", "labels.init_id", "_id", "_index")
    claims = []
    for name in own:
        for depth in range(name.count(".") + 1):
            outer, inner = name.split(".")[:depth], ".".join(name.split(".")[depth:])
            for key in (inner, "\\u%04x" % ord(inner[0]) + inner[1:]):
                claim = f'"{key}":"forged"'
                for part in reversed(outer):
                    claim = f'"{part}":{{{claim}}}'
                claims.append(f'{{"ecs.version":"8.0","message":"m","labels.other":"kept",{claim}}}')
    log.write_text("\n".join(claims) + "\n")
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": ["x"]}], [{"type": "stdout"}], labels={"tenant": "ours"})
    done = run_ship(["--replay", log, "-c", config]).expect(0)
    docs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(docs) == len(claims)
    for claim, doc in zip(claims, docs):
        assert doc["labels.tenant"] == "ours" and doc["log.file.path"] == str(log) and doc["labels.other"] == "kept", claim
        forged = json.dumps({key: value for key, value in doc.items() if key != "app"})
        assert "forged" not in forged, claim
