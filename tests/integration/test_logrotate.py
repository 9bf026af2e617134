"""Debian's own logrotate, in each of its modes, over files that ship follows: every line once."""

import concurrent.futures
import itertools
import json
import subprocess
import threading
import time

import pytest

from shipping import PATIENCE_S
from writers import Field, Stream, assert_each_once

SETTLE_S = PATIENCE_S
DATES = "dateext\n dateformat -%Y%m%d-%s"  # a name a second
MODES = {
    "create": "create 0644",
    "nocreate": "nocreate",
    "compress": "create\n compress",
    "delaycompress": "create\n compress\n delaycompress",
    "dateext": f"create\n {DATES}",
    "dateext-compress": f"create\n {DATES}\n compress",
    "extension": "create\n extension .log\n compress",
    "olddir": "create\n olddir old\n createolddir 0755",
    "one-is-kept": "create\n rotate 1",
    "none-is-kept": "create\n rotate 0",
}
KEEPING = {
    "copytruncate": "copytruncate",
    "copytruncate-compress": "copytruncate\n compress",
    "copytruncate-none-is-kept": "copytruncate\n rotate 0",
}


class Logrotate:
    """`rotate()` runs the real one. Its postrotate waits until the writers have opened their files anew."""

    def __init__(self, field, directives, reopens=True):
        self.field = field
        base = field.folder.with_name(f".{field.folder.name}")
        self.state, self.config, self.request = (base.with_suffix(end) for end in (".state", ".conf", ".reopen"))
        script = f"postrotate\n touch {self.request}; while [ -e {self.request} ]; do sleep 0.01; done\nendscript"
        wanted = ["missingok", "sharedscripts", "rotate 20", directives, script if reopens else ""]
        self.config.write_text(f"{field.folder}/f[0-9][0-9][0-9][0-9].log {{\n" + "\n".join(wanted) + "\n}\n")
        self.config.chmod(0o600)
        field.folder.chmod(0o755)

    def rotate(self, *flags):
        done = threading.Event()
        writers = threading.Thread(target=self._reopen_when_told, args=(done,))
        writers.start()
        try:
            command = ["logrotate", "-s", self.state, *flags, self.config]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE_S)
        finally:
            done.set()
            writers.join()

    def _reopen_when_told(self, done):
        while not done.wait(0.005):
            if self.request.exists():
                for file in self.field.files:
                    file.open()
                self.request.unlink()


class Modes:
    """A field and its logrotate for each mode, all followed by one ship."""

    def __init__(self, folder, modes, n_files=8, reopens=True, **more):
        self.fields = {name: Field(folder / name, n_files, seed, **more) for seed, name in enumerate(modes)}
        self.rotators = [Logrotate(self.fields[name], modes[name], reopens) for name in modes]

    @property
    def written(self):
        return sum(field.written for field in self.fields.values())

    def burst(self, lines):
        for field in self.fields.values():
            field.burst(lines)

    def rotate(self, *flags):
        with concurrent.futures.ThreadPoolExecutor(len(self.rotators)) as pool:
            list(pool.map(lambda rotator: rotator.rotate(*flags), self.rotators))

    def wait_until_each_is_followed(self, ship, fake):
        """Each file, as it is now, has lines that arrived: what is rotated away and deleted before anyone has opened it
        is gone. For streams that go on."""
        files = [file for field in self.fields.values() for file in field.files]
        before = [file.number for file in files]
        # Some more than a stream writes at a time: so the first of them are in the file, and were counted.
        ship.wait_for(lambda: all(file.number > number + 3 for file, number in zip(files, before)), SETTLE_S)
        missing = {message for field in self.fields.values() for message in field.messages()}
        n_seen = 0

        def all_came():
            nonlocal n_seen
            time.sleep(0.1)
            with fake._lock:
                new = list(itertools.islice(fake.documents.values(), n_seen, None))
            n_seen += len(new)
            missing.difference_update(json.loads(source)["message"] for source in new)
            return not missing

        ship.wait_for(all_came, SETTLE_S)

    def assert_each_once(self, count, events):
        """Waits until count() is as many as were written."""
        give_up = time.monotonic() + SETTLE_S
        while count() < self.written and time.monotonic() < give_up:
            time.sleep(0.05)
        events = list(events())
        for name, field in self.fields.items():
            of_it = [event for event in events if event["log.file.path"].startswith(f"{field.folder}/")]
            try:
                assert_each_once(field, of_it)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from None

    def close(self):
        for field in self.fields.values():
            field.close()


@pytest.fixture
def modes(tmp_path):
    made = []

    def make(modes, **more):
        made.append(Modes(tmp_path / "logs", modes, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def follow(live, tmp_path):
    """follow(pattern) -> ship at work on the files of every mode."""
    return lambda pattern="*.log", **more: live(paths=[str(tmp_path / "logs" / "*" / pattern)], **more)


def test_writers_that_open_anew(modes, follow, fake_es):
    """They write on without a pause."""
    files = modes(MODES)
    ship = follow()
    streams = [Stream(field, lines=1, pause_s=0.2) for field in files.fields.values()]
    for stream in streams:
        stream.__enter__()
    for _ in range(3):
        time.sleep(1)
        files.wait_until_each_is_followed(ship, fake_es)
        files.rotate("-f")
    for stream in streams:
        stream.__exit__()
    files.assert_each_once(fake_es.count, fake_es.events)
    assert ship.stop().rc == 0
    assert "lost" not in ship.stderr


def test_only_what_is_large_is_rotated(modes, follow, fake_es):
    files = modes({limit: f"weekly\n {limit} 2k\n create\n compress" for limit in ("size", "maxsize")})
    ship = follow()
    for _ in range(4):
        files.burst(15)
        files.rotate()
    files.burst(5)
    files.assert_each_once(fake_es.count, fake_es.events)
    assert ship.stop().rc == 0
    for field in files.fields.values():
        assert len(list(field.folder.glob("*.gz"))) > 8


def test_writers_that_keep_their_descriptor(modes, follow, fake_es):
    """Between bursts: what logrotate cuts off before anyone has read it is gone."""
    files = modes(KEEPING, reopens=False)
    ship = follow()
    for _ in range(3):
        files.burst(15)
        fake_es.wait_for(lambda fake: fake.count() == files.written, SETTLE_S)
        files.rotate("-f")
    files.burst(15)
    files.assert_each_once(fake_es.count, fake_es.events)
    assert ship.stop().rc == 0


def test_writers_that_go_on_in_what_was_renamed(modes, follow, fake_es):
    """Told late: for a while their lines go to a.log.1, and then a.log is there again."""
    files = modes({"nocreate": "nocreate"}, reopens=False)
    ship = follow()
    for _ in range(2):
        files.burst(10)
        files.rotate("-f")
        files.burst(10)
        time.sleep(0.3)
        files.burst(10)
        for file in files.fields["nocreate"].files:
            file.open()
    files.burst(10)
    files.assert_each_once(fake_es.count, fake_es.events)
    assert ship.stop().rc == 0


def test_the_rotated_files_match_too(modes, follow, fake_es):
    """a.log, a.log.1 and a.log.1.gz are all in the glob, and half of the lines say no time: read again they had other ids."""
    names = ("create", "compress", "delaycompress", "dateext-compress")
    files = modes({name: MODES[name] for name in names})
    ship = follow("*.log*")
    for _ in range(3):
        files.burst(15)
        time.sleep(1.1)
        files.rotate("-f")
    files.burst(15)
    time.sleep(1)  # for what is read once more
    files.assert_each_once(fake_es.count, fake_es.events)
    assert ship.stop().rc == 0


def test_rotated_while_ship_is_away(modes, follow, fake_es):
    names = ("create", "dateext", "delaycompress", "olddir", "compress", "dateext-compress", "extension")
    files = modes({name: MODES[name] for name in names})
    for _ in range(3):
        ship = follow()
        files.burst(10)
        fake_es.wait_for(lambda fake: fake.count() >= files.written, SETTLE_S)
        assert ship.stop().rc == 0
        files.burst(10)
        files.rotate("-f")
        files.burst(10)
    ship = follow()
    files.assert_each_once(fake_es.count, fake_es.events)
    assert ship.stop().rc == 0


@pytest.mark.timeout(4 * PATIENCE_S)
def test_the_real_elasticsearch(modes, follow, es, index):
    files = modes({"delaycompress": MODES["delaycompress"]})
    output = {"type": "elasticsearch", "hosts": [es.url], "index": index, "batch": {"linger": "50ms"}}
    ship = follow(output=output)
    with Stream(files.fields["delaycompress"], pause_s=0.1):
        for _ in range(4):
            time.sleep(0.5)
            files.rotate("-f")
    files.assert_each_once(lambda: es.count(index), lambda: es.documents(index).values())
    assert ship.stop().rc == 0
