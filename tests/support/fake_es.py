#!/usr/bin/python3
"""A small server that speaks _bulk and fails on demand; it remembers all it took.

In a test (fixture `fake_es`, or `with FakeEs() as fake:`):

    fake.faults(status(429, retry_after=1), drop_after())   # the next requests, in this order
    fake.default_fault = stall(seconds=5)                   # every request that has no other
    fake.item_rule("poison", 400, "mapper_parsing_exception", "no such type")
    fake.max_bytes = 100_000                                # larger bodies (plain): 413
    fake.most_open = 2                                      # a third request at a time: 429
    fake.authorization = "ApiKey c2VjcmV0"                  # else 401
    ...
    fake.documents                # {id: source bytes}: the truth about what is stored
    fake.attempts[id]             # how often it was sent in a request that was read
    fake.duplicates               # how many 409 were answered
    fake.answered                 # {status: items}, of replies that went out whole and answer for every item
    fake.requests                 # one Request per _bulk, with its fault and outcome
    fake.peak_concurrent          # the most _bulk requests open at one time

From outside: `tests/support/fake_es.py --port N`, POST /__control with
{"faults": [{"kind": "status", "status": 503}], "max_bytes": 1000, ...}, GET /__state.

What it refuses, it refuses as Elasticsearch does (seen on 8.19): a body without a last newline, a
malformed action line or an id over 512 bytes is 400 for the request; a broken source or no
@timestamp is 400 for the item; "index" into a data stream is 400; corrupt gzip closes the
connection.
"""

import argparse
import base64
import collections
import dataclasses
import http.server
import json
import os
import random
import socket
import socketserver
import struct
import sys
import threading
import time
import urllib.parse
import urllib.request
import zlib

from shipping import PATIENCE_S

# ---- faults: what can happen to a request ----------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Fault:
    """`kind` decides; the rest is for the kinds that want it. `times`: how many requests it hits."""

    kind: str
    status: int = 0
    retry_after: object = None  # seconds, or an HTTP date; None sends no header
    body: str = None
    seconds: float = 3600.0
    times: int = 1
    keep_items: float = 0.5


def status(code, retry_after=None, body=None, times=1):
    """Answers `code` without looking at the documents."""
    return Fault("status", status=code, retry_after=retry_after, body=body, times=times)


def status_after(code, times=1):
    """Stores everything, and then answers `code`, as a proxy whose server was too slow for it."""
    return Fault("status_after", status=code, body="<html>", times=times)


def drop_before(times=1):
    """Closes the connection by RST; nothing was stored."""
    return Fault("drop_before", times=times)


def drop_after(times=1):
    """Stores everything, then closes without a reply: the sender cannot know."""
    return Fault("drop_after", times=times)


def stall(seconds=3600.0, times=1):
    """Says nothing for that long, then closes; nothing was stored."""
    return Fault("stall", seconds=seconds, times=times)


def stall_after(seconds=3600.0, times=1):
    """Stores everything, then says nothing for that long and closes."""
    return Fault("stall_after", seconds=seconds, times=times)


def slow(seconds, times=1):
    """Waits, then does everything right."""
    return Fault("slow", seconds=seconds, times=times)


def garbage(body="<html>It works!</html>", times=1):
    """200 with a body that is no bulk reply; nothing was stored."""
    return Fault("garbage", body=body, times=times)


def cut_reply(times=1):
    """Stores everything; the reply ends in the middle of its body."""
    return Fault("cut_reply", times=times)


def cut_headers(times=1):
    """Stores everything; the reply ends in the middle of its headers (libcurl calls that 200)."""
    return Fault("cut_headers", times=times)


def short_items(keep_items=0.5, times=1):
    """Takes only the first part of the batch and answers only for that: 200, errors false."""
    return Fault("short_items", keep_items=keep_items, times=times)


@dataclasses.dataclass
class ItemRule:
    """Items whose source has `needle` are answered so, `times` times for each id (None: always)."""

    needle: bytes
    status: int
    type: str
    reason: str
    times: int = None


@dataclasses.dataclass
class Request:
    """What one _bulk was."""

    path: str
    headers: dict
    wire_bytes: int
    plain_bytes: int
    at: float  # time.monotonic() when it was read
    fault: str = None  # the kind, if one hit it
    status: int = None  # None: no reply was sent
    items: int = 0
    took_s: float = 0.0


class Refused(Exception):
    """The whole request is answered with this status."""

    def __init__(self, code, kind, reason):
        super().__init__(reason)
        self.code, self.kind, self.reason = code, kind, reason


# ---- the server -------------------------------------------------------------------------------


class FakeEs:
    """Listens on a free port of 127.0.0.1 from start() to stop(); all state is guarded by one lock."""

    def __init__(self, port=0, latency_s=0.0):
        self._lock = threading.RLock()
        self._queue = collections.deque()
        self._rules = []
        self._rule_hits = collections.Counter()
        self._open = 0
        self._stopped = threading.Event()
        self.latency_s = latency_s  # before each reply, as a busy server
        self.default_fault = None
        self.chaos = None  # (random.Random, [(probability, Fault), ...])
        self.max_bytes = None
        self.most_open = None  # requests at a time; the others: 429
        self.authorization = None
        self.version = {"number": "8.19.0", "build_flavor": "default"}
        self.forget()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.fake = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def forget(self):
        """An empty store, as on the first day; the faults stay."""
        with self._lock:
            self.documents = {}  # id -> source bytes
            self.index_of = {}  # id -> index
            self.attempts = collections.Counter()
            self.duplicates = 0
            self.answered = collections.Counter()
            self.requests = []
            self.peak_concurrent = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        """Closes the port and every connection; those that stall end now."""
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self._thread.join()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # -- what the test says beforehand --

    def faults(self, *faults):
        """Queues faults for the next _bulk requests, in this order, each `times` times."""
        with self._lock:
            for fault in faults:
                self._queue.extend([fault] * fault.times)

    def set_chaos(self, seed, *odds):
        """(probability, fault) pairs tried on each request by a seeded generator."""
        self.chaos = (random.Random(seed), odds)

    def item_rule(self, needle, status, type="mapper_parsing_exception", reason="refused", times=None):
        if isinstance(needle, str):
            needle = needle.encode()
        with self._lock:
            self._rules.append(ItemRule(needle, status, type, reason, times))

    def clear(self):
        """No faults and no rules from now on; the store stays."""
        with self._lock:
            self._queue.clear()
            self._rules.clear()
            self._rule_hits.clear()
            self.default_fault = self.chaos = self.max_bytes = self.most_open = self.authorization = None

    # -- what the test asks afterwards --

    def events(self):
        """The stored sources, decoded, in the order in which they came."""
        with self._lock:
            return [json.loads(source) for source in self.documents.values()]

    def count(self):
        with self._lock:
            return len(self.documents)

    def wait_quiet(self):
        """Until each request that was ever sent has been read and dealt with: for counts that must not move any more.

        Whoever has sent them is gone. What he sent last may still wait to be accepted: connections are accepted in
        their order, so it is once one that comes after it has its answer.
        """
        with urllib.request.urlopen(f"{self.url}/__state", timeout=PATIENCE_S) as reply:
            reply.read()
        self.wait_for(lambda fake: not fake._server.n_connections())

    def wait_for(self, claim, seconds=PATIENCE_S):
        """Until claim(self) is true; TimeoutError with the state if for so long it was not, and nothing came."""
        seen, give_up = self.count(), time.monotonic() + seconds
        while not claim(self):
            if self.count() != seen:
                seen, give_up = self.count(), time.monotonic() + seconds
            if time.monotonic() > give_up:
                raise TimeoutError(f"not within {seconds} s; {self.state()}")
            time.sleep(0.01)

    def state(self):
        with self._lock:
            return {
                "documents": len(self.documents),
                "attempts": sum(self.attempts.values()),
                "duplicates": self.duplicates,
                "requests": len(self.requests),
                "peak_concurrent": self.peak_concurrent,
                "faults_left": len(self._queue),
            }

    # -- inside: called from the connections' threads --

    def _next_fault(self):
        with self._lock:
            if self._queue:
                return self._queue.popleft()
            if self.chaos:
                generator, odds = self.chaos
                for probability, fault in odds:
                    if generator.random() < probability:
                        return fault
            return self.default_fault

    def _enter(self):
        with self._lock:
            self._open += 1
            self.peak_concurrent = max(self.peak_concurrent, self._open)

    def _leave(self):
        with self._lock:
            self._open -= 1

    def _pause(self, seconds):
        self._stopped.wait(seconds)

    def _control(self, wish):
        for name in ("max_bytes", "most_open", "authorization", "latency_s"):
            if name in wish:
                setattr(self, name, wish[name])
        if wish.get("clear"):
            self.clear()
        self.faults(*[Fault(**fault) for fault in wish.get("faults", [])])
        if "default_fault" in wish:
            fault = wish["default_fault"]
            self.default_fault = Fault(**fault) if fault else None
        for rule in wish.get("rules", []):
            self.item_rule(**rule)

    def take_bulk(self, body, default_index, keep=None):
        """Stores what a _bulk brings, or the first part of it; how many items, and the reply's body."""
        items = self._store(body, default_index, keep)
        errors = any("error" in answer for item in items for answer in item.values())
        return len(items), json.dumps({"took": 1, "errors": errors, "items": items}).encode()

    def note_answered(self, reply):
        statuses = [answer["status"] for item in json.loads(reply)["items"] for answer in item.values()]
        with self._lock:
            self.answered.update(statuses)

    def _store(self, body, default_index, keep=None):
        """Takes a bulk body apart and does what it says; the items of the reply."""
        operations = list(_operations(body, default_index))
        if keep is not None:
            operations = operations[: int(len(operations) * keep)]
        with self._lock:
            return [self._store_one(*operation) for operation in operations]

    def _store_one(self, verb, index, key, source):
        self.attempts[key] += 1
        answer = {"_index": index, "_id": key}
        if key in self.documents and verb == "create":
            self.duplicates += 1
            reason = f"[{key}]: version conflict, document already exists (current version [1])"
            return {verb: {**answer, **_error(409, "version_conflict_engine_exception", reason)}}
        error = self._rule_for(key, source) or _source_error(verb, source)
        if error:
            return {verb: {**answer, **error}}
        self.documents[key] = source
        self.index_of[key] = index
        return {verb: {**answer, "_version": 1, "result": "created", "status": 201}}

    def _rule_for(self, key, source):
        for number, rule in enumerate(self._rules):
            if rule.needle not in source:
                continue
            if rule.times is not None and self._rule_hits[number, key] >= rule.times:
                continue
            self._rule_hits[number, key] += 1
            return _error(rule.status, rule.type, rule.reason)
        return None


# ---- the bulk body ----------------------------------------------------------------------------


def _error(code, kind, reason):
    return {"status": code, "error": {"type": kind, "reason": reason}}


def _operations(body, default_index):
    """(verb, index, id, source) of each; Refused if the request as a whole is wrong."""
    if not body:
        raise Refused(400, "parse_exception", "request body is required")
    if not body.endswith(b"\n"):
        raise Refused(400, "illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]")
    lines = iter(body[:-1].split(b"\n"))
    for line in lines:
        if not line.strip():
            continue
        verb, index, key = _action(line, default_index)
        source = next(lines, None)
        if source is None:
            return  # as the real ones: an action without its source is not even answered
        yield verb, index, key, source


def _action(line, default_index):
    try:
        ((verb, meta),) = json.loads(line).items()
        unknown = set(meta) - {"_index", "_id", "routing", "pipeline", "require_alias", "dynamic_templates"}
    except (ValueError, AttributeError, TypeError):
        raise Refused(400, "illegal_argument_exception", "Malformed action/metadata line") from None
    if verb not in ("create", "index") or unknown:
        raise Refused(400, "illegal_argument_exception", f"Malformed action/metadata line: {verb} {sorted(unknown)}")
    key = meta.get("_id")
    if key is None:
        key = base64.urlsafe_b64encode(os.urandom(15)).decode()
    if not key or len(key.encode()) > 512:
        raise Refused(400, "action_request_validation_exception", "Validation Failed: 1: id is too long or empty")
    index = meta.get("_index", default_index)
    if not index:
        raise Refused(400, "action_request_validation_exception", "Validation Failed: 1: index is missing")
    return verb, index, key


def _no_twins(pairs):
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("Duplicate field")
    return made


def _no_constant(name):
    raise ValueError(f"{name} is no JSON")


def _source_error(verb, source):
    if verb != "create":
        reason = "only write ops with an op_type of create are allowed in data streams"
        return _error(400, "illegal_argument_exception", reason)
    try:
        # Strict: UTF-8, no raw control bytes, no twins, no NaN.
        document = json.loads(source.decode(), object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return _error(400, "document_parsing_exception", f"failed to parse: {str(error)[:100]}")
    if not isinstance(document, dict) or not isinstance(document.get("@timestamp"), (str, int)):
        reason = "data stream timestamp field [@timestamp] is missing"
        return _error(400, "document_parsing_exception", reason)
    if "" in document:
        return _error(400, "document_parsing_exception", "field name cannot be an empty string")
    return None


# ---- HTTP -------------------------------------------------------------------------------------


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *args):
        self._connections = set()
        self._to_reset = set()
        self._guard = threading.Lock()
        super().__init__(*args)

    def process_request(self, request, address):
        with self._guard:
            self._connections.add(request)
        super().process_request(request, address)

    def n_connections(self):
        with self._guard:
            return len(self._connections)

    def reset_on_close(self, request):
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with self._guard:
            self._to_reset.add(request)

    def shutdown_request(self, request):
        with self._guard:
            self._connections.discard(request)
            wants_reset = request in self._to_reset
            self._to_reset.discard(request)
        if wants_reset:
            request.close()  # without the FIN that shutdown() would send first
        else:
            super().shutdown_request(request)

    def close_connections(self):
        with self._guard:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def handle_error(self, request, address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    @property
    def fake(self):
        return self.server.fake

    # -- routes --

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/__state":
            self._reply(200, self.fake.state())
        elif not self._allowed():
            self._reply(401, _error(401, "security_exception", "missing or wrong credentials"))
        elif path == "/":
            self._reply(200, {"name": "fake", "version": self.fake.version, "tagline": "You Know, for Search"})
        elif path.endswith("/_count"):
            self._reply(200, {"count": self.fake.count()})
        elif path.startswith("/_cluster/health"):
            self._reply(200, {"status": "green"})
        else:
            self._reply(404, _error(404, "resource_not_found_exception", path))

    do_HEAD = do_GET

    def do_PUT(self):
        self._read()
        self._reply(200, {"acknowledged": True})

    def do_POST(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/__control":
            self.fake._control(json.loads(self._read()))
            self._reply(200, {})
        elif path.endswith("/_refresh"):
            self._read()
            self._reply(200, {})
        elif path.endswith("/_bulk"):
            self.fake._enter()
            try:
                self._bulk(path)
            finally:
                self.fake._leave()
        else:
            self._read()
            self._reply(404, _error(404, "resource_not_found_exception", path))

    def _allowed(self):
        wanted = self.fake.authorization
        return wanted is None or self.headers.get("Authorization") == wanted

    # -- reading --

    def _read(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(iter(self._read_chunk, b""))
        want = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(want)
        if len(body) < want:
            raise ConnectionResetError("the sender went away in the middle")
        return body

    def _read_chunk(self):
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _plain(self, body):
        if self.headers.get("Content-Encoding", "identity").lower() != "gzip":
            return body
        plain = b""
        while body:  # several members are one text
            inflate = zlib.decompressobj(31)
            plain += inflate.decompress(body) + inflate.flush()
            if not inflate.eof:
                raise zlib.error("cut")
            body = inflate.unused_data
        return plain

    # -- one bulk --

    def _bulk(self, path):
        began = time.monotonic()
        body = self._read()
        try:
            plain = self._plain(body)
        except zlib.error:
            self._reset()
            return
        fault = self.fake._next_fault()
        seen = Request(path, dict(self.headers), len(body), len(plain), began, fault and fault.kind)
        with self.fake._lock:
            self.fake.requests.append(seen)
        try:
            self._answer(seen, plain, fault)
        except Refused as no:
            seen.status = no.code
            self._reply(no.code, _error(no.code, no.kind, no.reason))
        finally:
            seen.took_s = time.monotonic() - began

    def _answer(self, seen, plain, fault):
        kind = fault.kind if fault else None
        if kind == "drop_before":
            self._reset()
        elif kind == "stall":
            self.fake._pause(fault.seconds)
            self._reset()
        elif kind in ("status", "garbage"):
            seen.status = fault.status or 200
            self._reply_fault(seen.status, fault)
        elif not self._allowed():
            raise Refused(401, "security_exception", "missing or wrong credentials")
        elif self.fake.max_bytes is not None and len(plain) > self.fake.max_bytes:
            seen.status = 413
            self._reply(413, b"")
        elif self.fake.most_open is not None and self.fake._open > self.fake.most_open:
            raise Refused(429, "es_rejected_execution_exception", "rejected execution of coordinating operation")
        else:
            self._check_type()
            self._process(seen, plain, fault, kind)

    def _check_type(self):
        kind = self.headers.get("Content-Type", "")
        known = ("application/json", "application/x-ndjson", "application/vnd.elasticsearch+")
        if not kind.startswith(known):
            raise Refused(406, "media_type_header_exception", f"Content-Type header [{kind}] is not supported")

    def _process(self, seen, plain, fault, kind):
        index = seen.path.strip("/").split("/")[0]
        default_index = None if index == "_bulk" else urllib.parse.unquote(index)
        keep = fault.keep_items if kind == "short_items" else None
        seen.items, reply = self.fake.take_bulk(plain, default_index, keep)
        self.fake._pause(fault.seconds if kind in ("slow", "stall_after") else self.fake.latency_s)
        if kind in ("drop_after", "stall_after"):
            self._reset()
            return
        if kind == "status_after":
            seen.status = fault.status
            self._reply_fault(fault.status, fault)
        elif kind == "cut_headers":
            self._send_raw(b"HTTP/1.1 200 OK\r\nContent-Type: appli")
        elif kind == "cut_reply":
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(reply)}\r\n\r\n"
            self._send_raw(head.encode() + reply[: len(reply) // 2])
        else:
            seen.status = 200
            self._reply(200, reply)
            if keep is None:
                self.fake.note_answered(reply)

    # -- replying --

    def _reply(self, code, body, headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-elastic-product", "Elasticsearch")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _reply_fault(self, code, fault):
        body = fault.body
        if body is None:
            body = json.dumps(_error(code, "es_rejected_execution_exception", f"made up {code}"))
        headers = [] if fault.retry_after is None else [("Retry-After", str(fault.retry_after))]
        self._reply(code, body.encode(), headers)

    def _send_raw(self, text):
        self.wfile.write(text)
        self.wfile.flush()
        self.close_connection = True

    def _reset(self):
        """Closes by RST, so that the peer cannot take it for an orderly end."""
        self.close_connection = True
        self.server.reset_on_close(self.connection)


def main():
    parser = argparse.ArgumentParser(description="A _bulk server that fails on demand.")
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    with FakeEs(port=args.port) as fake:
        print(fake.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
