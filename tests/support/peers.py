#!/usr/bin/python3
"""Real Elasticsearch and OpenSearch nodes for the tests, from Maven's jars: no container, no root.

From the command line:

    tests/support/peers.py build [KIND ...]       # the jars, once; into ~/.cache/ship-test-peers
    tests/support/peers.py run KIND [--port N]    # one node with ship's index template, until Ctrl-C

KIND is elasticsearch or opensearch. From pytest: the fixtures `es` and `opensearch`.

A node never outlives the process that started it: the kernel kills it when that dies. That holds for
the thread that started it, so call start() from the main thread.
"""

import argparse
import ctypes
import fcntl
import gzip
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUPPORT = Path(__file__).resolve().parent
ROOT = SUPPORT.parent.parent
READY_S = 300  # on a machine that is slow and busy with other things
STOP_S = 60
BUILD_S = 600
QUICK_START = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
PR_SET_PDEATHSIG = 1


class PeerError(RuntimeError):
    """A node that could not be built, started or asked; the text has the end of its log."""


# ---- building ---------------------------------------------------------------------------------


def cache_root():
    if "SHIP_TEST_PEERS" in os.environ:
        return Path(os.environ["SHIP_TEST_PEERS"])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "ship-test-peers"


def recipe_key(kind):
    """Changes when any file of the recipe does, so that an old build is never taken for a new one."""
    digest = hashlib.sha256()
    for path in sorted((SUPPORT / kind).iterdir()) + [SUPPORT / "jars.sh"]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def build(kind):
    """The folder with that kind's jars and classes; made if it is not there."""
    root = cache_root()
    out = root / f"{kind}-{recipe_key(kind)}"
    if out.is_dir():
        return out
    root.mkdir(parents=True, exist_ok=True)
    # One lock for both kinds: Maven's own cache does not like two writers.
    with open(root / "build.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.is_dir():
            build_into(kind, out)
    return out


def build_into(kind, out):
    print(f"peers: building {kind} into {out}", file=sys.stderr, flush=True)
    half = Path(tempfile.mkdtemp(prefix=out.name + ".", dir=out.parent))
    half.chmod(0o755)
    try:
        done = subprocess.run(
            [SUPPORT / kind / "build.sh", half],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=BUILD_S,
            preexec_fn=die_with_parent(),
        )
        if done.returncode != 0:
            text = done.stdout.decode(errors="replace")[-3000:]
            raise PeerError(f"building {kind} failed:\n{text}")
        half.rename(out)
    finally:
        shutil.rmtree(half, ignore_errors=True)


# ---- one node ---------------------------------------------------------------------------------


def die_with_parent():
    """For Popen's preexec_fn: a function that ties the child's life to ours."""
    parent = os.getpid()
    libc = ctypes.CDLL(None)

    def in_child():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return in_child


def quiet_port():
    """A port that is free, and that the kernel gives to nobody: its own begin at 32768. For who closes his port and
    comes back to it, or tells another to listen: one of the kernel's would be somebody's by then, or that of a
    connection to itself."""
    for _ in range(100):
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise PeerError("no free port from 20000 to 32000")


def sweep_leftovers():
    """Folders of runs that were killed before they could take theirs away."""
    for path in Path(tempfile.gettempdir()).glob("ship-peer-*"):
        found = re.match(r"ship-peer-(\d+)-", path.name)
        if found and path.stat().st_uid == os.getuid() and not Path("/proc", found[1]).exists():
            shutil.rmtree(path, ignore_errors=True)


class Peer:
    """One node in a folder of its own: start(), wait_ready(), ask it, stop()."""

    def __init__(self, kind, settings=(), jvm=None, port=0):
        """`settings`: "name=value" of the server. `port` 0 lets the kernel choose: no race."""
        self.kind = kind
        self.settings = list(settings)
        heap = "512m" if kind == "elasticsearch" else "768m"
        self.jvm = [f"-Xmx{heap}"] + (QUICK_START if jvm is None else list(jvm))
        self.port = port
        self.dir = None
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    # -- life --

    def start(self):
        """Starts the server and returns at once; wait_ready() says whether it worked."""
        classes = build(self.kind)
        if self.dir is None:
            sweep_leftovers()
            self.dir = Path(tempfile.mkdtemp(prefix=f"ship-peer-{os.getpid()}-"))
        for sub in ("tmp", "logs"):
            (self.dir / sub).mkdir(exist_ok=True)
        self._ports_file().unlink(missing_ok=True)
        with open(self.dir / "out.log", "ab") as log:
            self.process = subprocess.Popen(
                self._command(classes),
                cwd=self.dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us, and we stop it in order
                preexec_fn=die_with_parent(),
            )
        return self

    def _command(self, classes):
        java = ["java", *self.jvm, f"-Djava.io.tmpdir={self.dir}/tmp", "-XX:-UsePerfData"]
        java += ["-cp", f"{classes}/main:{classes}/lib/*"]
        common = [str(self.port), "node.portsfile=true", *self.settings]
        if self.kind == "opensearch":
            return java + ["OpenSearchPeer", str(self.dir / "node"), *common]
        paths = [f"path.data={self.dir}/data", f"path.logs={self.dir}/logs"]
        return java + ["ElasticsearchPeer", f"{classes}/home", *common, *paths]

    def _ports_file(self):
        logs = "node/node_1/logs" if self.kind == "opensearch" else "logs"
        return self.dir / logs / "http.ports"

    def wait_ready(self, seconds=READY_S):
        """Returns self when the node answers and has ship's template; PeerError if it never does."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            if self.process.poll() is not None:
                raise self._error(f"ended with {self.process.returncode} while starting")
            if self._answers():
                self.put_template()
                return self
            time.sleep(0.1)
        error = self._error(f"did not answer within {seconds} s")
        self.stop()
        raise error

    def _answers(self):
        try:
            self.port = int(re.findall(r"^127\.0\.0\.1:(\d+)$", self._ports_file().read_text(), re.M)[-1])
            return self.request("GET", "/_cluster/health?timeout=1s", timeout=5)[0] == 200
        except (OSError, IndexError, http.client.HTTPException, ValueError):
            return False

    def _error(self, what):
        log = (self.dir / "out.log").read_text(errors="replace")[-3000:]
        return PeerError(f"{self.kind} {what}; its log ends with:\n{log}")

    def kill(self):
        """As a power cut would: SIGKILL. The data stays; restart() finds it."""
        self.process.kill()
        self.process.wait()

    def restart(self):
        """The same node on the same port and data, after kill() or shut_down()."""
        return self.start().wait_ready()

    def shut_down(self):
        """SIGTERM, then SIGKILL. The data stays."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGCONT)  # a test may have stopped it
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def stop(self):
        """Ends the node and takes its folder away. Twice is fine."""
        self.shut_down()
        if self.dir is not None:
            shutil.rmtree(self.dir, ignore_errors=True)
            self.dir = None

    def __enter__(self):
        try:
            return self.start().wait_ready()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    # -- asking --

    def request(self, method, path, body=None, headers=None, timeout=120):
        """(status, decoded JSON or text). A body that is no bytes is sent as JSON."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            reply = connection.getresponse()
            text = reply.read().decode(errors="replace")
        finally:
            connection.close()
        try:
            return reply.status, json.loads(text)
        except ValueError:
            return reply.status, text

    def ask(self, method, path, body=None):
        """As request(), but anything except 2xx is an error."""
        status, reply = self.request(method, path, body)
        if not 200 <= status < 300:
            raise PeerError(f"{self.kind}: {method} {path}: {status} {str(reply)[:500]}")
        return reply

    def put_template(self):
        """The template that ship's users install, as it is shipped."""
        text = (ROOT / "packaging" / "templates" / f"{self.kind}.json").read_bytes()
        self.ask("PUT", "/_index_template/ship-logs", text)

    def bulk(self, index, documents, compress=True):
        """Creates {id: source, ...}; returns the reply. For what a test wants there beforehand."""
        lines = []
        for key, source in documents.items():
            lines += [json.dumps({"create": {"_id": key}}), json.dumps(source)]
        body = "".join(line + "\n" for line in lines).encode()
        headers = {"Content-Encoding": "gzip"} if compress else {}
        status, reply = self.request("POST", f"/{index}/_bulk", gzip.compress(body) if compress else body, headers)
        if status != 200:
            raise PeerError(f"{self.kind}: _bulk: {status} {str(reply)[:500]}")
        return reply

    def refresh(self, index):
        """Makes what was written so far visible. No such index is no error: nothing to see."""
        self.request("POST", f"/{index}/_refresh?ignore_unavailable=true")

    def count(self, index, query=None, seconds=120):
        """How many documents; 0 if there is no such index. Refreshes first."""
        give_up = time.monotonic() + seconds
        path = f"/{index}/_count?ignore_unavailable=true"
        while True:
            self.refresh(index)
            status, reply = self.request("POST", path, {"query": query} if query else None)
            if status == 200:
                return reply["count"]
            # An index that was made a moment ago has no shard yet: "all shards failed".
            if status != 503 or time.monotonic() > give_up:
                raise PeerError(f"{self.kind}: _count: {status} {str(reply)[:500]}")
            time.sleep(0.05)

    def search(self, index, body=None):
        """The reply of _search. Refreshes first."""
        self.refresh(index)
        return self.ask("POST", f"/{index}/_search?ignore_unavailable=true", body or {})

    def documents(self, index):
        """{id: source} of all documents, however many."""
        self.refresh(index)
        found = {}
        path, body = f"/{index}/_search?ignore_unavailable=true&scroll=5m", {"size": 5000}
        while True:
            reply = self.ask("POST", path, body)
            hits, scroll = reply["hits"]["hits"], reply.get("_scroll_id")
            found.update((hit["_id"], hit["_source"]) for hit in hits)
            if not hits:
                self.request("DELETE", "/_search/scroll", {"scroll_id": scroll})
                return found
            path, body = "/_search/scroll", {"scroll": "5m", "scroll_id": scroll}


# ---- the command line -------------------------------------------------------------------------


def run(kind, port):
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    with Peer(kind, port=port) as peer:
        print(peer.url, flush=True)
        try:
            peer.process.wait()
            raise peer._error(f"ended with {peer.process.returncode}")
        except KeyboardInterrupt:
            pass


def main():
    kinds = ["elasticsearch", "opensearch"]
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    building = verbs.add_parser("build", help="fetch the jars and compile, if that was not done yet")
    building.add_argument("kind", nargs="*", help=" or ".join(kinds) + "; both if none is named")
    running = verbs.add_parser("run", help="one node until Ctrl-C; prints its URL")
    running.add_argument("kind", choices=kinds)
    running.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    try:
        if args.verb == "run":
            run(args.kind, args.port)
        else:
            for kind in args.kind or kinds:
                if kind not in kinds:
                    parser.error(f"{kind} is none of: {', '.join(kinds)}")
                build(kind)
    except PeerError as error:
        sys.exit(f"peers: {error}")


if __name__ == "__main__":
    main()
