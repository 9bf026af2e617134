"""`ship dead`: what was refused for good is counted, shown, sent again under its own id, or dropped."""

import json
import sqlite3
import subprocess
import time

import pytest

import fake_es as faults
from shipping import elastic, summary, write_config

REASON = "failed to parse field [x]: \x1b[31mred\x1b[0m"


@pytest.fixture
def log(tmp_path):
    """100 lines of one request, each tenth of them poison."""
    path = tmp_path / "app.log"
    lines = ["START RequestId: 11111111-2222-3333-4444-555555555555 Version: $LATEST"]
    lines += [f"poison {n}" if n % 10 == 0 else f"line {n}" for n in range(1, 101)]
    path.write_text("".join(line + "\n" for line in lines))
    return path


def all_letters(dead):
    """Of all files, the oldest first."""
    files = sorted(dead.glob("dead-*.ndjson")) + sorted(dead.glob("dead.ndjson"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture
def dead(run_ship, log, fake_es, tmp_path):
    """The directory, with the ten letters of a replay in it; the server is not mended yet."""
    fake_es.item_rule("poison", 400, "document_parsing_exception", REASON)
    told = summary(run_ship(["--replay", log, "--to", fake_es.url], cwd=tmp_path).expect(3))
    assert (told.delivered, told.dead) == (91, 10)
    return tmp_path / "ship-state" / "dead"


@pytest.fixture
def ship_dead(run_ship, tmp_path):
    def run(*args, rc=0, **options):
        return run_ship(["dead", *args], cwd=tmp_path, **options).expect(rc)

    return run


def truth(run_ship, log):
    """The events as they are when nothing refuses them: {id: document}."""
    documents = [json.loads(line) for line in run_ship(["--replay", log]).expect().stdout.splitlines()]
    return {document.pop("event.id"): document for document in documents}


# ---- looking -------------------------------------------------------------------------------------


def test_nothing_there(ship_dead, tmp_path):
    for args in (["list"], ["show"], ["replay", "--to", "http://127.0.0.1:1"], ["drop", "--all"]):
        said = ship_dead(*args, "--dir", tmp_path / "none").stdout
        assert said == f"no dead letters in {tmp_path}/none: there is no such directory\n"
    assert not (tmp_path / "none").exists()


def test_list(ship_dead, dead, tmp_path):
    (tmp_path / "ship-state/dead/dead.ndjson").open("a").write("torn\n" + '{"time":"2026')
    said = ship_dead("list").stdout
    assert said.startswith("11 dead letters in ship-state/dead\n")  # a line that is being written is none yet
    kinds = [line.split() for line in said.splitlines()]
    assert any(words[:4] == ["10", "elasticsearch", "400", "document_parsing_exception"] and words[-1] == "1" for words in kinds)
    assert any(words[:3] == ["1", "0", "unreadable"] for words in kinds)
    assert "failed to parse field [x]: red" in said
    assert "ship-state/dead/dead.ndjson" in said
    assert "\x1b" not in said


def test_show(ship_dead, dead, fake_es):
    third = all_letters(dead)[2]
    said = ship_dead("show", "3").stdout
    assert "\x1b" not in said
    assert said.startswith("letter 3 of 10, in ship-state/dead/dead.ndjson\n")
    for word in (third["id"], "poison 30", "400 document_parsing_exception", f"app.log, byte {third['offset']}", "failed to parse field [x]: red"):
        assert word in said
    assert ship_dead("show", third["id"]).stdout == said
    assert ship_dead("show", third["id"][:12]).stdout == said
    assert json.loads(ship_dead("show", "3", "--json").stdout) == third
    assert "poison 100" in ship_dead("show").stdout
    assert "none is" in ship_dead("show", "11", rc=1).stderr
    assert "none is" in ship_dead("show", "no-such-id", rc=1).stderr


@pytest.mark.parametrize(
    "args, said",
    [
        ([], "list, show, replay or drop"),
        (["lisst"], '"lisst" is unknown; did you mean "list"?'),
        (["away"], '"away" is unknown; want list, show, replay or drop'),
        (["list", "2"], "too much"),
        (["drop"], "--type TYPE or --all"),
        (["drop", "--all", "--type", "x"], "--type TYPE or --all"),
        (["replay", "--to", "-"], "keeps nothing"),
        (["replay", "--to", "ftp://x"], "no place to send to"),
        (["replay"], "--to WHERE"),
        (["replay", "--fix", "a"], "FIELD=VALUE, -FIELD, OLD->NEW or FIELD:string"),
        (["replay", "--fix", "=a"], "no name"),
        (["replay", "--fix"], "--fix wants a value"),
        (["replay", *["--fix=a=b"] * 33], "more than 32"),
        (["list", "-c", "/nonexistent.yaml"], "/nonexistent.yaml"),
    ],
)
def test_usage(ship_dead, tmp_path, args, said):
    assert said in ship_dead(*args, rc=2).stderr


# ---- sending again -------------------------------------------------------------------------------


def test_mended(run_ship, ship_dead, dead, fake_es, log):
    """All of it arrives as if it had never been refused: the same ids, requests and documents."""
    fake_es.clear()
    done = ship_dead("replay", "--to", fake_es.url)
    assert done.stdout == "10 delivered, 0 there already, 0 refused again, 0 not sent\n"
    assert {id: json.loads(source) for id, source in fake_es.documents.items()} == truth(run_ship, log)
    assert ship_dead("list").stdout == "no dead letters in ship-state/dead\n"
    assert list(dead.iterdir()) == []
    again = summary(run_ship(["--replay", log, "--to", fake_es.url]).expect())
    assert (again.delivered, again.duplicates) == (0, 101)


def test_there_already(run_ship, ship_dead, dead, fake_es, log):
    fake_es.clear()
    assert summary(run_ship(["--replay", log, "--to", fake_es.url]).expect()).delivered == 10
    done = ship_dead("replay", "--to", fake_es.url)
    assert done.stdout.startswith("0 delivered, 10 there already, 0 refused again")
    assert fake_es.count() == 101
    assert all_letters(dead) == []


def test_refused_again(ship_dead, dead, fake_es):
    """What is refused again stays, and says why it was refused this time."""
    before = {letter["id"]: letter for letter in all_letters(dead)}
    fake_es.clear()
    fake_es.item_rule("poison 30", 400, "other_exception", "another reason")
    fake_es.item_rule("poison 70", 400, "other_exception", "another reason")
    done = ship_dead("replay", "--to", fake_es.url, rc=3)
    assert done.stdout.startswith("8 delivered, 0 there already, 2 refused again, 0 not sent\n")
    assert "poison" not in done.stderr and "another reason" not in done.stderr
    after = all_letters(dead)
    assert [letter["original"] for letter in after] == ["poison 30", "poison 70"]
    for letter in after:
        old = before[letter["id"]]
        assert (letter["status"], letter["type"], letter["reason"]) == (400, "other_exception", "another reason")
        assert letter["time"] > old["time"]
        same = set(old) - {"time", "type", "reason"}
        assert {key: letter[key] for key in same} == {key: old[key] for key in same}
    fake_es.clear()
    ship_dead("replay", "--to", fake_es.url)
    assert fake_es.count() == 101 and all_letters(dead) == []


def test_what_is_no_letter_stays(ship_dead, dead, fake_es):
    (dead / "dead.ndjson").open("a").write('not a letter\n{"time":"2026-01-01T00:00:00Z","document":{"to')
    fake_es.clear()
    done = ship_dead("replay", "--to", fake_es.url, rc=3)
    assert done.stdout.startswith("10 delivered, 0 there already, 0 refused again, 2 not sent\n")
    (file,) = dead.iterdir()
    assert file.read_text() == 'not a letter\n{"time":"2026-01-01T00:00:00Z","document":{"to\n'


def test_each_to_the_output_that_refused_it(run_ship, ship_dead, log, fake_es, tmp_path):
    with faults.FakeEs() as other:
        other.item_rule("poison", 400)
        outputs = [elastic(fake_es.url, name="first"), elastic(other.url, name="second")]
        config = write_config(tmp_path / "two.yaml", [{"type": "file", "paths": [str(log)]}], outputs, state=str(tmp_path / "state"))
        run_ship(["--replay", log, "-c", config, "--state", tmp_path / "state"]).expect(3)
        requests = len(fake_es.requests)
        other.clear()
        # A configuration that has not this output.
        one = write_config(tmp_path / "one.yaml", [{"type": "file", "paths": [str(log)]}], outputs[:1], state=str(tmp_path / "state"))
        done = ship_dead("replay", "-c", one, rc=3)
        assert "0 delivered, 0 there already, 0 refused again, 10 not sent" in done.stdout
        assert len(all_letters(tmp_path / "state" / "dead")) == 10
        ship_dead("replay", "-c", config)
        assert len(fake_es.requests) == requests
        assert sorted(other.documents) == sorted(fake_es.documents)
        assert all_letters(tmp_path / "state" / "dead") == []


def test_into_the_local_store(run_ship, ship_dead, dead, log, tmp_path):
    """Another kind of output: the same event, found by its request and its words."""
    run_ship(["--replay", log, "--to", f"local:{tmp_path}/whole.db"]).expect()
    ship_dead("replay", "--to", f"local:{tmp_path}/dead.db")
    columns = "id, origin, offset, time_ns, function, request, trace, init, level, action, message"

    def rows(name, more=""):
        with sqlite3.connect(tmp_path / name) as db:
            known = [row[1] for row in db.execute("PRAGMA table_xinfo(events)")]
            wanted = ", ".join(column for column in columns.split(", ") if column in known)
            assert "id" in known and "offset" in known
            return db.execute(f"SELECT {wanted} FROM events {more} ORDER BY offset").fetchall()

    want = [row for row in rows("whole.db") if any("poison" in str(value) for value in row)]
    assert len(want) == 10
    assert rows("dead.db") == want
    # There already, by the same key: no row twice.
    told = summary(run_ship(["--replay", log, "--to", f"local:{tmp_path}/dead.db"]).expect())
    assert (told.delivered, told.duplicates) == (91, 10)
    assert "poison 100" in run_ship(["trace", "--find", "poison", "--from", f"local:{tmp_path}/dead.db"]).expect().stdout


def test_without_a_field(run_ship, ship_dead, log, fake_es, tmp_path):
    """The field that was refused is left out; the rest of the document is as it was."""
    path = tmp_path / "json.log"
    path.write_text('{"message":"poison","a":1,"ab":2}\n')
    options = {"type": "file", "paths": [str(path)], "lift": {"a": "x.one", "ab": "x.onetwo"}}
    config = write_config(tmp_path / "ship.yaml", [options], [elastic(fake_es.url)], state=str(tmp_path / "state"))
    fake_es.item_rule('"x.one":', 400)
    run_ship(["--replay", path, "-c", config]).expect(3)
    ship_dead("replay", "-c", config, rc=3)
    ship_dead("replay", "-c", config, "--without", "x.one")
    (document,) = fake_es.events()
    assert "x.one" not in document and document["x.onetwo"] == 2 and document["message"] == "poison"


@pytest.mark.parametrize(
    "fixes, want",
    [
        (["x.one=1"], {"x.one": "1", "x.two.a": 2}),
        (["-x.one"], {"x.two.a": 2}),
        (["x.one->y.uno", "x.two.a:string"], {"y.uno": {"b": "no"}, "x.two.a": "2"}),
        (["x.one:string", "x.two->x.zwei"], {"x.one": '{"b":"no"}', "x.zwei.a": 2}),
        (["x.one.b->x.b", "-x.one"], {"x.b": "no", "x.two.a": 2}),
    ],
)
def test_mended_on_the_way(run_ship, ship_dead, fake_es, tmp_path, fixes, want):
    """--fix changes what is sent, not its id; and not the letter, if it is refused all the same."""
    path = tmp_path / "json.log"
    path.write_text('{"message":"poison","one":{"b":"no"},"two":2}\n')
    options = {"type": "file", "paths": [str(path)], "lift": {"one": "x.one", "two": "x.two.a"}}
    config = write_config(tmp_path / "ship.yaml", [options], [elastic(fake_es.url)], state=str(tmp_path / "state"))
    fake_es.item_rule("poison", 400)
    run_ship(["--replay", path, "-c", config]).expect(3)
    arguments = [word for fix in fixes for word in ("--fix", fix)]
    ship_dead("replay", "-c", config, *arguments, rc=3)
    (letter,) = all_letters(tmp_path / "state" / "dead")
    assert letter["document"]["x.one"] == {"b": "no"}
    fake_es.clear()
    ship_dead("replay", "-c", config, *arguments)
    assert list(fake_es.documents) == [letter["id"]]
    (document,) = fake_es.events()
    assert {name: document[name] for name in document if name[:2] in ("x.", "y.")} == want
    assert document["message"] == "poison" and document["@timestamp"] == letter["document"]["@timestamp"]


def test_mended_for_the_columns_too(run_ship, ship_dead, dead, fake_es, tmp_path):
    """An output that has columns of its own sees the document as it is sent."""
    store = tmp_path / "store.db"
    ship_dead("replay", "--to", f"local:{store}", "--fix", "faas.execution=00000000-0000-4000-8000-00000000abcd", "--fix", "trace.id=" + "c" * 32)
    found = run_ship(["trace", "00000000-0000-4000-8000-00000000abcd", "--from", f"local:{store}"]).expect(0)
    assert "poison" in found.stdout


def test_a_danger_is_told_once(ship_dead, dead, fake_es, tmp_path):
    """Not once for each file of letters."""
    fake_es.clear()
    for number in range(1, 4):
        (dead / f"dead-20260101T000000.00000000{number}Z.ndjson").write_text((dead / "dead.ndjson").read_text())
    output = elastic(fake_es.url, name="elasticsearch", tls={"verify": False})
    config = write_config(tmp_path / "ship.yaml", [{"type": "stdin"}], [output], state=str(tmp_path / "state"))
    done = ship_dead("replay", "--dir", dead, "-c", config)
    assert done.stdout.startswith("10 delivered, 30 there already")
    assert done.stderr.count("tls.verify is off") == 1 and "times" not in done.stderr


def test_a_server_that_is_away(ship_dead, dead, free_port):
    before = all_letters(dead)
    done = ship_dead("replay", "--to", f"http://127.0.0.1:{free_port}", rc=1)
    assert "stay" in done.stderr
    assert all_letters(dead) == before


def test_a_reply_that_never_came(ship_dead, dead, fake_es):
    """Stored, and the connection was cut: sent once more, nothing is there twice."""
    fake_es.clear()
    fake_es.faults(faults.drop_after())
    done = ship_dead("replay", "--to", fake_es.url)
    assert done.stdout.startswith("0 delivered, 10 there already")
    assert fake_es.count() == 101 and all_letters(dead) == []


@pytest.mark.parametrize("fault", [faults.stall, faults.stall_after])
def test_killed_while_it_sends(start_ship, ship_dead, dead, fake_es, tmp_path, fault):
    """Before or after the server stored them: the letters are there until it is known."""
    before = all_letters(dead)
    fake_es.clear()
    fake_es.faults(fault())
    ship = start_ship(["dead", "replay", "--dir", dead, "--to", fake_es.url])
    fake_es.wait_for(lambda fake: not fake._queue and fake.count() == (91 if fault is faults.stall else 101))
    ship.kill()
    assert all_letters(dead) == before
    fake_es.clear()
    ship_dead("replay", "--to", fake_es.url)
    assert fake_es.count() == 101 and all_letters(dead) == []


def test_killed_at_any_time(run_ship, ship, ship_env, ship_dead, fake_es, tmp_path):
    """SIGKILL every few ms, with many files: in the end each letter was delivered, and none is left."""
    path = tmp_path / "many.log"
    path.write_text("".join(f"poison {n} {'x' * 300}\n" for n in range(3000)))
    config = write_config(
        tmp_path / "many.yaml",
        [{"type": "file", "paths": [str(path)]}],
        [elastic(fake_es.url, batch={"max_events": 10})],
        state=str(tmp_path / "many"),
        dead_letters_rotate="64KiB",
    )
    fake_es.item_rule("poison", 400)
    run_ship(["--replay", path, "-c", config]).expect(3)
    dead = tmp_path / "many" / "dead"
    assert len(list(dead.iterdir())) > 10
    assert max(file.stat().st_size for file in dead.iterdir()) < 200_000
    assert len(all_letters(dead)) == 3000
    fake_es.clear()
    steps = set()
    for n in range(24):
        process = subprocess.Popen([ship, "dead", "replay", "-c", config], env=ship_env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if n % 2:  # when it has come a good deal further, whatever the machine
            there = fake_es.count()
            fake_es.wait_for(lambda fake: fake.count() >= there + 250 or process.poll() is not None)
        time.sleep(0.002 * n)
        process.kill()
        process.wait()
        fake_es.wait_quiet()
        left = {letter["id"] for letter in all_letters(dead)}
        assert len(left | set(fake_es.documents)) == 3000
        steps.add(len(left))
        if not left:
            break
    assert len(steps - {0, 3000}) >= 2, steps  # it was killed on its way
    ship_dead("replay", "-c", config)
    assert fake_es.count() == 3000 and all_letters(dead) == []
    assert list(dead.iterdir()) == []  # nothing half made either


def test_told_to_stop(start_ship, ship_dead, dead, fake_es):
    """SIGTERM ends it with all that is not known to be delivered still there."""
    before = all_letters(dead)
    fake_es.clear()
    fake_es.faults(faults.stall())
    ship = start_ship(["dead", "replay", "--dir", dead, "--to", fake_es.url])
    fake_es.wait_for(lambda fake: not fake._queue)
    assert "stopped before the end" in ship.stop().expect(1).stderr
    assert all_letters(dead) == before
    ship_dead("replay", "--to", fake_es.url)
    assert fake_es.count() == 101


def test_the_largest_letter(run_ship, ship_dead, fake_es, tmp_path):
    """A line at its limit, of bytes that take six characters each in JSON, twice in its letter."""
    path = tmp_path / "big.log"
    path.write_bytes(b"before\n" + b"\x01" * ((1 << 20) - 1) + b"\nafter\n")
    fake_es.item_rule("u0001", 400)
    run_ship(["--replay", path, "--to", fake_es.url], cwd=tmp_path).expect(3)
    assert (tmp_path / "ship-state/dead/dead.ndjson").stat().st_size > 12_000_000
    ship_dead("replay", "--to", fake_es.url, rc=3)
    fake_es.clear()
    ship_dead("replay", "--to", fake_es.url)
    assert {len(event["message"]) for event in fake_es.events()} == {6, (1 << 20) - 1, 5}
    assert ship_dead("list").stdout.startswith("no dead letters")


def test_events_without_an_id(run_ship, ship_dead, log, fake_es, tmp_path):
    """`id: none` leaves ids to the server, also the second time."""
    reading = {"type": "file", "paths": [str(log)], "id": "none"}
    config = write_config(tmp_path / "ship.yaml", [reading], [elastic(fake_es.url)], state=str(tmp_path / "state"))
    fake_es.item_rule("poison", 400)
    run_ship(["--replay", log, "-c", config]).expect(3)
    assert {letter.get("id") for letter in all_letters(tmp_path / "state" / "dead")} == {None}
    fake_es.clear()
    assert ship_dead("replay", "-c", config).stdout.startswith("10 delivered")
    assert sorted(event["message"] for event in fake_es.events() if "poison" in event["message"]) == sorted(f"poison {n}" for n in range(10, 101, 10))


# ---- beside others -------------------------------------------------------------------------------


def test_beside_a_ship_that_runs(start_ship, ship_dead, fake_es, tmp_path):
    """It goes on appending while its letters are sent; none is lost, none is sent twice."""
    path = tmp_path / "live.log"
    path.write_text("")
    config = write_config(
        tmp_path / "ship.yaml",
        [{"type": "file", "paths": [str(path)]}],
        [elastic(fake_es.url, batch={"linger": "10ms"})],
        state=str(tmp_path / "state"),
    )
    fake_es.item_rule("poison", 400)
    ship = start_ship(["run", "-c", config])
    with faults.FakeEs() as other:
        n = 0
        for _ in range(20):
            with path.open("a") as out:
                for _ in range(25):
                    out.write(f"poison {n}\n")
                    n += 1
            time.sleep(0.05)
            ship_dead("replay", "--dir", tmp_path / "state" / "dead", "--to", other.url)
        fake_es.wait_for(lambda fake: len(fake.attempts) == n)  # all is read; what is under way it ends
        ship.stop()
        ship_dead("replay", "--dir", tmp_path / "state" / "dead", "--to", other.url)
        assert sorted(int(json.loads(source)["message"].split()[1]) for source in other.documents.values()) == list(range(n))
        assert max(other.attempts.values()) == 1
        assert all_letters(tmp_path / "state" / "dead") == []


def test_read_while_it_is_written(start_ship, fake_es, tmp_path):
    """L6: whoever follows dead.ndjson meets whole lines, in order; at most the last one is still coming."""
    path = tmp_path / "app.log"
    path.write_text("".join(f"poison {number} {'x' * 300}\n" for number in range(3000)))
    fake_es.item_rule("poison", 400)
    output = elastic(fake_es.url, batch={"max_events": 100})
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": [str(path)]}], [output], state=str(tmp_path / "state"))
    ship = start_ship(["run", "-c", config])
    dead = tmp_path / "state" / "dead" / "dead.ndjson"
    ship.wait_for(dead.exists)
    seen, rest = [], b""
    with open(dead, "rb") as follower:

        def follow():
            nonlocal rest
            *whole, rest = (rest + follower.read()).split(b"\n")
            seen.extend(json.loads(line) for line in whole)
            return len(seen) >= 3000

        ship.wait_for(follow)
    assert ship.stop().rc == 0
    assert rest == b""
    assert sorted(int(letter["original"].split()[1]) for letter in seen) == list(range(3000))


def test_one_at_a_time(start_ship, ship_dead, dead, fake_es):
    fake_es.clear()
    fake_es.faults(faults.stall_after())
    ship = start_ship(["dead", "replay", "--dir", dead, "--to", fake_es.url])
    fake_es.wait_for(lambda fake: fake.count() == 101)
    assert ship_dead("list").stdout.startswith("10 dead letters")
    for args in (["replay", "--to", fake_es.url], ["drop", "--all"]):
        assert "another `ship dead` is at work" in ship_dead(*args, rc=1).stderr
    ship.kill()
    ship_dead("replay", "--to", fake_es.url)


# ---- dropping ------------------------------------------------------------------------------------


def test_drop_one_type(ship_dead, dead, fake_es):
    fake_es.clear()
    fake_es.item_rule("poison 30", 400, "other_exception")
    fake_es.item_rule("poison", 400, "document_parsing_exception")
    ship_dead("replay", "--to", fake_es.url, rc=3)
    assert ship_dead("drop", "--type", "document_parsing_exception").stdout == "9 dropped, 1 kept\n"
    (left,) = all_letters(dead)
    assert left["original"] == "poison 30"
    assert ship_dead("drop", "--type", "none such").stdout == "0 dropped, 1 kept\n"
    (dead / "dead.ndjson").write_text("torn\n")
    assert ship_dead("drop", "--type", "unreadable").stdout == "1 dropped, 1 kept\n"
    assert ship_dead("drop", "--all").stdout == "1 dropped, 0 kept\n"
    assert list(dead.iterdir()) == []


# ---- the real thing ------------------------------------------------------------------------------


def test_a_mapping_that_is_mended(run_ship, ship_dead, server, index, tmp_path):
    """A mapping conflict, the field mended, the letters sent again: all is there once."""
    index = index.replace("logs-", "plain-")  # no data stream: its mapping is the test's own
    path = tmp_path / "app.log"
    path.write_text("".join(json.dumps({"message": f"m{n}", "code": n if n % 4 else f"E{n}"}) + "\n" for n in range(40)))
    reading = {"type": "file", "paths": [str(path)], "lift": {"code": "http.code"}}
    config = write_config(tmp_path / "ship.yaml", [reading], [elastic(server.url, index=index)], state=str(tmp_path / "state"))
    mapping = {"properties": {"http": {"properties": {"code": {"type": "long"}}}}}
    server.ask("PUT", f"/{index}", {"mappings": mapping})
    told = summary(run_ship(["--replay", path, "-c", config]).expect(3))
    assert (told.delivered, told.dead) == (30, 10)
    done = ship_dead("replay", "-c", config, rc=3)
    assert done.stdout.startswith("0 delivered, 0 there already, 10 refused again")
    assert "10 dead letters" in ship_dead("list", "-c", config).stdout

    mapping["properties"]["http"]["properties"]["code"]["ignore_malformed"] = True
    server.ask("PUT", f"/{index}/_mapping", mapping)
    done = ship_dead("replay", "-c", config)
    assert done.stdout == "10 delivered, 0 there already, 0 refused again, 0 not sent\n"
    assert "no dead letters" in ship_dead("list", "-c", config).stdout
    server.refresh(index)
    assert server.count(index) == 40
    again = summary(run_ship(["--replay", path, "-c", config]).expect())
    assert (again.delivered, again.duplicates, again.dead) == (0, 40, 0)
