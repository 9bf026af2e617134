"""What every integration test may ask for. tests/README.md lists the fixtures and the markers."""

import dataclasses
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from fake_es import FakeEs  # noqa: E402
from peers import Peer, PeerError, quiet_port  # noqa: E402
from shipping import PATIENCE_S, elastic, write_config  # noqa: E402
from writers import Field  # noqa: E402

TEST_TIMEOUT_S = 400
NOBODY = 65534
PEER_OF_FIXTURE = {"es": "elasticsearch", "opensearch": "opensearch"}
peers_key = pytest.StashKey()


# ---- the session: markers, order, time limits, the two real servers ---------------------------


def pytest_configure(config):
    for line in (
        "threads: also run under ThreadSanitizer",
        "golden: compares with tests/golden/; make golden rewrites that",
        "slow: takes more than a few seconds; runs last",
        f"timeout(seconds): instead of {TEST_TIMEOUT_S}",
    ):
        config.addinivalue_line("markers", line)
    config.stash[peers_key] = {}


def _peers_of(item):
    """The fixtures of real servers that it wants, by name or as a parameter (fixture `server`)."""
    params = item.callspec.params.values() if hasattr(item, "callspec") else ()
    names = [*item.fixturenames, *(value for value in params if isinstance(value, str))]
    return PEER_OF_FIXTURE.keys() & names


def _is_with_servers(item):
    """It has one of the two, or makes one of its own."""
    return bool(_peers_of(item)) or hasattr(item.module, "Peer")


def _cost(item):
    """Fast first: a broken basic shows at once."""
    return (item.get_closest_marker("slow") is not None, bool(_peers_of(item)))


def pytest_addoption(parser):
    parser.addoption("--half", choices=("servers", "rest"), help="only what wants a real server, or only the rest")


def pytest_collection_modifyitems(config, items):
    items.sort(key=_cost)
    half = config.option.half
    if half:
        chosen = [item for item in items if _is_with_servers(item) == (half == "servers")]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def pytest_collection_finish(session):
    """Starts the servers that are going to be wanted, so that they come up beside the fast tests."""
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in _peers_of(item)}
    for fixture, kind in PEER_OF_FIXTURE.items():
        if fixture in wanted:
            peer = session.config.stash[peers_key][kind] = Peer(kind)
            try:
                peer.start()
            except (PeerError, OSError, subprocess.SubprocessError) as error:
                peer.failed = error


def pytest_sessionfinish(session):
    for peer in session.config.stash[peers_key].values():
        peer.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """A test that hangs fails by itself, wherever it hangs, and its fixtures still clean up."""
    marker = item.get_closest_marker("timeout")
    seconds = marker.args[0] if marker else TEST_TIMEOUT_S

    def on_alarm(*_):
        pytest.fail(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, on_alarm)
    # Again every 20 s: what cleans up may hang as well.
    signal.setitimer(signal.ITIMER_REAL, seconds, 20)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def _peer(request, fixture):
    peer = request.config.stash[peers_key][PEER_OF_FIXTURE[fixture]]
    if hasattr(peer, "failed"):
        pytest.fail(f"no {peer.kind}: {peer.failed}", pytrace=False)
    try:
        return peer.wait_ready()
    except PeerError as error:
        peer.failed = error
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def es(request):
    """A real Elasticsearch (tests/support/peers.py: Peer), one for the session."""
    return _peer(request, "es")


@pytest.fixture(scope="session")
def opensearch(request):
    """A real OpenSearch, one for the session."""
    return _peer(request, "opensearch")


@pytest.fixture(params=["es", "opensearch"])
def server(request):
    """Each of the two in turn: the test runs twice."""
    return request.getfixturevalue(request.param)


# ---- small things -----------------------------------------------------------------------------


@pytest.fixture
def index():
    """The name of a data stream that no other test has; ship's template matches it."""
    return f"logs-serverless.lambda-t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def fake_es():
    """A _bulk server that fails on demand (tests/support/fake_es.py: FakeEs)."""
    with FakeEs() as fake:
        yield fake


@pytest.fixture
def free_port():
    """A port where nobody listens: for a refused connection. Held, so that it stays so for the whole test: nobody
    else can be given it, nor can a connection to it begin at it and so meet itself."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def port_to_listen():
    """A port that ship may be told to listen at."""
    return quiet_port()


@pytest.fixture
def golden():
    """golden(name, text): text is what tests/golden/NAME holds; GOLDEN_UPDATE=1 writes it there."""

    def compare(name, text):
        path = ROOT / "tests" / "golden" / name
        if os.environ.get("GOLDEN_UPDATE"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        want = path.read_text() if path.exists() else ""
        assert text == want, f"not as in {path}; `make golden` rewrites it"

    return compare


# ---- ship -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def ship():
    """The path of the binary under test: $SHIP, else build/release/ship."""
    path = Path(os.environ.get("SHIP", ROOT / "build" / "release" / "ship")).resolve()
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is not there; run make, or set SHIP", pytrace=False)
    return path


@dataclasses.dataclass
class Result:
    """How a run of ship ended. Bytes that are no UTF-8 survive as surrogates."""

    rc: int
    stdout: str
    stderr: str
    seconds: float

    def expect(self, rc=0):
        """Self, if it ended with `rc`; else the test fails with what ship said."""
        assert self.rc == rc, f"exit code {self.rc}, not {rc}\nstdout: {self.stdout[-1500:]}\nstderr: {self.stderr[-3000:]}"
        return self


def _decode(data):
    return data.decode("utf-8", "surrogateescape")


@pytest.fixture
def ship_env(tmp_path):
    """The environment of ship in this test: its files stay in the test's own folder."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {**kept, "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "LC_ALL": "C.UTF-8"}


def _end(process):
    """Ends what is left of it: its whole session, for it may have children."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


@pytest.fixture
def run_ship(ship, ship_env, tmp_path):
    """run_ship(args, input=None, timeout=PATIENCE_S, env=None, cwd=None) -> Result. `input` is str or bytes."""

    def run(args, input=None, timeout=PATIENCE_S, env=None, cwd=None):
        if isinstance(input, str):
            input = input.encode("utf-8", "surrogateescape")
        began = time.monotonic()
        process = subprocess.Popen(
            [ship, *map(str, args)],
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**ship_env, **(env or {})},
            cwd=cwd or tmp_path,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            out, err = process.communicate()
            pytest.fail(f"ship {args} took longer than {timeout} s; stderr ends: {_decode(err)[-2000:]}")
        except BaseException:
            _end(process)
            raise
        return Result(process.returncode, _decode(out), _decode(err), time.monotonic() - began)

    return run


class Running:
    """A ship at work. Its output goes to files, so that no pipe can fill."""

    def __init__(self, process, out, err):
        self.process, self._out, self._err = process, out, err
        self.began = time.monotonic()

    @property
    def pid(self):
        return self.process.pid

    @property
    def stdout(self):
        return _decode(self._out.read_bytes())

    @property
    def stderr(self):
        return _decode(self._err.read_bytes())

    def wait_for(self, claim, seconds=PATIENCE_S):
        """Until claim() is true; fails with ship's stderr if it never is, or ship ends before."""
        give_up = time.monotonic() + seconds
        while not claim():
            if self.process.poll() is not None and not claim():
                pytest.fail(f"ship ended with {self.process.returncode}: {self.stderr[-3000:]}")
            if time.monotonic() > give_up:
                pytest.fail(f"not within {seconds} s; ship's stderr ends: {self.stderr[-3000:]}")
            time.sleep(0.02)

    def wait(self, seconds=PATIENCE_S):
        """Its Result, when it has ended by itself."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"ship did not end within {seconds} s; its stderr ends: {self.stderr[-3000:]}")
        return Result(self.process.returncode, self.stdout, self.stderr, time.monotonic() - self.began)

    def stop(self, seconds=PATIENCE_S):
        """SIGTERM, and its Result."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait(seconds)

    def kill(self):
        """SIGKILL, as a crash would."""
        _end(self.process)


@pytest.fixture
def start_ship(ship, ship_env, tmp_path):
    """start_ship(args, env=None, cwd=None, stdin=DEVNULL, prefix=()) -> Running; whatever still runs at the end is killed.

    `prefix` is a command that ends by exec'ing its arguments.
    """
    started = []
    numbers = itertools.count(1)

    def start(args, env=None, cwd=None, stdin=subprocess.DEVNULL, prefix=()):
        number = next(numbers)
        out, err = tmp_path / f"ship.{number}.out", tmp_path / f"ship.{number}.err"
        with open(out, "wb") as out_file, open(err, "wb") as err_file:
            process = subprocess.Popen(
                [*prefix, ship, *map(str, args)],
                stdin=stdin,
                stdout=out_file,
                stderr=err_file,
                env={**ship_env, **(env or {})},
                cwd=cwd or tmp_path,
                start_new_session=True,
            )
        started.append(process)
        return Running(process, out, err)

    yield start
    for process in started:
        _end(process)


@pytest.fixture
def field(tmp_path):
    """field(n_files, seed) -> files in logs/ with their writers (tests/support/writers.py: Field)."""
    made = []

    def make(n_files=100, seed=1, **more):
        made.append(Field(tmp_path / "logs", n_files, seed, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def live(tmp_path, fake_es, start_ship):
    """live(**changes) -> a ship at work on logs/*.log; the same again continues from its checkpoints."""

    def start(paths=None, output=None, wait=True, file=None, **more):
        inputs = [{"type": "file", "paths": paths or [str(tmp_path / "logs" / "*.log")], **(file or {})}]
        outputs = [output or elastic(fake_es.url)]
        more.setdefault("state", str(tmp_path / "state"))
        config = write_config(tmp_path / "ship.yaml", inputs, outputs, **more)
        ship = start_ship(["run", "-c", config])
        if wait:
            ship.wait_for(lambda: "running, configuration" in ship.stderr)
        return ship

    return start


@pytest.fixture
def as_nobody(ship, ship_env, tmp_path):
    """as_nobody(args) -> CompletedProcess, without root's right to read everything."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else; run by another user the tests of permissions say nothing")

    def run(args):
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        os.chown(work, NOBODY, NOBODY)
        binary = work / "ship"
        binary.write_bytes(ship.read_bytes())
        binary.chmod(0o755)
        for folder in [tmp_path, *tmp_path.parents]:
            if folder != folder.parent and not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o001)
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", binary, *map(str, args)]
        env = {**ship_env, "HOME": str(work), "XDG_STATE_HOME": str(work)}
        return subprocess.run(command, env=env, cwd=work, capture_output=True, text=True, timeout=PATIENCE_S)

    return run
