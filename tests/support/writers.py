"""Programs that write logs, as ship meets them: many files, at once, in pieces, rotated and deleted.

    field = Field(folder, n_files=100, seed=1)
    field.burst(20)                  # 20 lines into each file, by several threads; waits for them
    with Stream(field):              # bursts without a pause, until the block ends
        ...
    field.rotate_by_rename() / field.rotate_by_copytruncate()
    field.lines                      # every whole line that was ever written, by its text

Every line is unique by its text, so that what arrived can be compared as it is. A dated line is a JSON
object with a time of its own, an undated one is plain text.
"""

import collections
import concurrent.futures
import datetime
import json
import os
import random
import shutil
import threading

THREADS = 8


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class File:
    """One log file and its writer, which holds it open as a program does."""

    def __init__(self, path, is_dated, rng):
        self.path, self.is_dated, self.rng = path, is_dated, rng
        self.number = 0
        self.fd = None
        self._guard = threading.Lock()  # over fd: a rotation may come between two writes
        self.open()

    def open(self):
        """Anew, by the path: what a program does when it is told that its file was rotated."""
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        with self._guard:
            self.fd, old = fd, self.fd
        if old is not None:
            os.close(old)

    def close(self):
        with self._guard:
            os.close(self.fd)
            self.fd = None

    def next_message(self):
        self.number += 1
        return f"{self.path.name} {self.number} x" + "x" * self.rng.randrange(120)

    def encode(self, message):
        if self.is_dated:
            return json.dumps({"timestamp": now(), "level": "INFO", "message": message}).encode() + b"\n"
        return message.encode() + b"\n"

    def write(self, data):
        """In one to three pieces: lines arrive half."""
        cuts = sorted(self.rng.randrange(len(data) + 1) for _ in range(self.rng.randrange(3)))
        with self._guard:
            for start, end in zip([0, *cuts], [*cuts, len(data)]):
                os.write(self.fd, data[start:end])

    def append(self, lines):
        messages = [self.next_message() for _ in range(lines)]
        while messages:
            take = self.rng.randrange(1, 8)
            self.write(b"".join(self.encode(message) for message in messages[:take]))
            yield from messages[:take]
            messages = messages[take:]


class Field:
    """Many files. What is written is remembered in `lines` (text -> times)."""

    def __init__(self, folder, n_files, seed, dated=lambda number: number % 2 == 0):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.lines = collections.Counter()
        self._guard = threading.Lock()
        self._pool = concurrent.futures.ThreadPoolExecutor(THREADS)
        self.seed = seed
        self._is_dated = dated
        self._made = 0
        self.files = []
        self.add(n_files)

    def add(self, n_files):
        for _ in range(n_files):
            number = self._made
            self._made += 1
            path = self.folder / f"f{number:04d}.log"
            self.files.append(File(path, self._is_dated(number), random.Random(self.seed * 100_000 + number)))

    @property
    def written(self):
        with self._guard:
            return sum(self.lines.values())

    def messages(self):
        """Those that are written by now."""
        with self._guard:
            return list(self.lines)

    def _append(self, file, lines):
        for message in file.append(lines):
            with self._guard:
                self.lines[message] += 1

    def burst(self, lines):
        list(self._pool.map(lambda file: self._append(file, lines), self.files))

    @staticmethod
    def _age(file, keep):
        """f.log.2 -> f.log.3, f.log.1 -> f.log.2"""
        for age in range(keep - 1, 0, -1):
            older = f"{file.path}.{age}"
            if os.path.exists(older):
                os.rename(older, f"{file.path}.{age + 1}")

    def rotate_by_rename(self, keep=10):
        """As logrotate does: f.log -> f.log.1, and the program opens f.log anew."""
        for file in self.files:
            self._age(file, keep)
            os.rename(file.path, f"{file.path}.1")
            file.open()

    def rotate_by_copytruncate(self, keep=10):
        for file in self.files:
            self._age(file, keep)
            shutil.copyfile(file.path, f"{file.path}.1")
            os.truncate(file.path, 0)

    def delete(self, n_files):
        """The oldest of them; their writers end."""
        gone, self.files = self.files[:n_files], self.files[n_files:]
        for file in gone:
            file.close()
            os.unlink(file.path)

    def close(self):
        self._pool.shutdown()
        for file in self.files:
            file.close()


class Stream:
    """Writes to all files of a field without a pause until it is told to stop."""

    def __init__(self, field, lines=3, pause_s=0.01):
        self.field, self.lines, self.pause_s = field, lines, pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.is_set():
            self.field.burst(self.lines)
            self._stop.wait(self.pause_s)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


# ---- what arrived ---------------------------------------------------------------------------------


def arrived(events):
    """{message: under how many ids}"""
    return collections.Counter(event["message"] for event in events)


def assert_each_once(field, events):
    there = arrived(events)
    missing = field.lines - there
    extra = there - field.lines
    assert not missing and not extra, (
        f"{sum(missing.values())} missing: {list(missing)[:5]}; {sum(extra.values())} too many: {list(extra)[:5]}"
    )
