"""What a running ship says of itself: asked over its status socket, read strictly, and checked.

    scrape(tmp_path / "state/ship.sock").value("ship_events_in_total", output="elasticsearch")
    with Watcher(socket) as watcher:      # every 100 ms, whichever ship is there
        ...
    watcher.scrapes                       # every one of them was checked: the sums, no counter went down

Read by the parser of prometheus_client, which is the specification's own (python3-prometheus-client).
"""

import http.client
import socket
import threading
import time

from prometheus_client.openmetrics.parser import text_string_to_metric_families

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TIMEOUT_S = 120


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("ship", timeout=TIMEOUT_S)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self._path)


def ask(address, path, method="GET"):
    """(status, text, headers); `address` is a socket's path, or (host, port)."""
    is_tcp = isinstance(address, tuple)
    connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_S) if is_tcp else UnixConnection(address)
    try:
        connection.request(method, path, headers={"Connection": "close"})
        reply = connection.getresponse()
        return reply.status, reply.read().decode(), reply.headers
    finally:
        connection.close()


class Scrape:
    """One answer of /metrics. Values are numbers; counts are exact below 2 ** 53."""

    def __init__(self, text):
        self.text = text
        self.counters = set()
        self.values = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                key = sample.name, tuple(sorted(sample.labels.items()))
                assert key not in self.values, f"{key} is there twice"
                self.values[key] = sample.value
                if family.type == "counter":
                    self.counters.add(key)

    def value(self, name, **labels):
        return self.values[name, tuple(sorted(labels.items()))]

    def outputs(self):
        return [dict(labels)["output"] for name, labels in self.values if name == "ship_events_in_total"]

    def count(self, what, output):
        """"in", "delivered", ... of one output's events."""
        name = f"ship_events_{what}" + ("" if what == "in_flight" else "_total")
        return int(self.value(name, output=output))

    def check_sums(self):
        """in = delivered + duplicates + in flight + dead + dropped, to the event."""
        for output in self.outputs():
            parts = {name: self.count(name, output) for name in ("delivered", "duplicates", "in_flight", "dead", "dropped")}
            came = self.count("in", output)
            assert came == sum(parts.values()), f"{output}: {came} came in, and there are {parts}"
            assert min(parts.values()) >= 0, parts

    def check_after(self, before):
        """The same process: no counter went down."""
        for key in self.counters & before.counters:
            assert self.values[key] >= before.values[key], f"{key} fell from {before.values[key]} to {self.values[key]}"


def scrape(address):
    status, text, headers = ask(address, "/metrics")
    assert status == 200, f"{status}: {text}"
    assert headers["Content-Type"] == CONTENT_TYPE
    return Scrape(text)


def truth_of(fake, since=(0, 0, 0)):
    """What a FakeEs answered: (created, there already, refused for good)."""
    return [fake.answered[code] - before for code, before in zip((201, 409, 400), since)]


def numbers_of(seen, output):
    """The same, as ship counts it."""
    return [seen.count(what, output) for what in ("delivered", "duplicates", "dead")]


class Watcher:
    """Scrapes until the block ends; a ship that is not there at the moment is no failure, a wrong number is."""

    def __init__(self, address, every_s=0.1):
        self.address, self.every_s = address, every_s
        self.n, self.n_away = 0, 0
        self.lives = {}  # when each process was started, as it says: its last scrape
        self.peak = {}  # the highest value that each series had
        self.failure = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _look(self):
        try:
            now = scrape(self.address)
        except (OSError, http.client.HTTPException):
            self.n_away += 1  # killed, stopped, or not up yet
            return
        life = now.value("process_start_time_seconds")
        now.check_sums()
        if life in self.lives:
            now.check_after(self.lives[life])
        self.lives[life] = now
        self.n += 1
        for key, value in now.values.items():
            self.peak[key] = max(value, self.peak.get(key, value))

    def _run(self):
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._look()
            except Exception as error:
                self.failure = error
                return
            self._stop.wait(max(0.0, began + self.every_s - time.monotonic()))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._stop.set()
        self._thread.join()
        if self.failure and kind is None:
            raise self.failure
