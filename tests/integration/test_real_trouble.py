"""Real servers that take nothing for a while: all is held, told, and delivered once when it is mended."""

import http.client
import re
import time

import pytest

from peers import Peer, quiet_port
from shipping import PATIENCE_S, elastic, letters

RETRY = {"initial": "10ms", "max": "200ms"}  # and so what holds is tried again every 200 ms
BACK_S = PATIENCE_S  # of a machine that is busy with other things


class Trail:
    """A log that grows, and what of it is in the index."""

    def __init__(self, tmp_path, server, index):
        self.server, self.index = server, index
        (tmp_path / "logs").mkdir()
        self.path = tmp_path / "logs" / "app.log"
        self.path.touch()
        self.lines = 0
        self.dead = 0  # of them, at the beginning

    def grow(self, lines, pad=""):
        with self.path.open("a") as log:
            log.writelines(f"line {n}{pad}\n" for n in range(self.lines, self.lines + lines))
        self.lines += lines

    def arrived(self):
        """How many are there; 0 while the server cannot say it."""
        try:
            return self.server.count(self.index, seconds=1)
        except (OSError, RuntimeError, http.client.HTTPException):
            return 0

    def wait_for_all(self):
        give_up = time.monotonic() + BACK_S
        while (there := self.arrived()) != self.lines - self.dead:
            assert there <= self.lines - self.dead, "twice"
            assert time.monotonic() < give_up, f"{there} of {self.lines - self.dead}"
            time.sleep(0.05)

    def check_messages(self):
        """Each line, once."""
        hits = self.server.search(self.index, {"size": 10000, "_source": ["message"]})["hits"]["hits"]
        numbers = sorted(int(hit["_source"]["message"].split()[1]) for hit in hits)
        assert numbers == list(range(self.dead, self.lines))


@pytest.fixture
def plain_index(index):
    """A name that ship's template does not match: an index that can be closed, not a data stream."""
    return f"plain-{index}"


def set_index(server, index, **settings):
    server.ask("PUT", f"/{index}/_settings", {name.replace("__", "."): value for name, value in settings.items()})


TROUBLES = {
    "index.blocks.write": (
        lambda server, index: set_index(server, index, index__blocks__write=True),
        lambda server, index: set_index(server, index, index__blocks__write=False),
        "cluster_block_exception (HTTP 403)",
    ),
    "the disk is full": (
        lambda server, index: set_index(server, index, index__blocks__read_only_allow_delete=True),
        lambda server, index: set_index(server, index, index__blocks__read_only_allow_delete=None),
        "cluster_block_exception (HTTP 429)",
    ),
    "closed": (
        lambda server, index: server.ask("POST", f"/{index}/_close"),
        lambda server, index: server.ask("POST", f"/{index}/_open"),
        "index_closed_exception (HTTP 400)",
    ),
}


def test_an_index_that_takes_nothing_for_a_while(tmp_path, live, server, plain_index):
    """F10, S3: held and told once, nothing dropped, and it goes on by itself."""
    trail = Trail(tmp_path, server, plain_index)
    trail.grow(200)
    ship = live(output=elastic(server.url, index=plain_index), retry=RETRY)
    trail.wait_for_all()
    for name, (begin, end, said) in TROUBLES.items():
        begin(server, plain_index)
        trail.grow(200)
        ship.wait_for(lambda said=said: said in ship.stderr)
        time.sleep(0.5)  # some more tries
        assert ship.stderr.count(said) == 1, name
        end(server, plain_index)
        trail.wait_for_all()
    assert ship.stderr.count("answering again") >= 1
    assert re.search(r"; keeping \d+ events, try 2 in 0\.2 s", ship.stderr)
    assert ship.stop().rc == 0
    assert not (tmp_path / "state" / "dead").exists()
    trail.check_messages()


PROCESSORS = [
    {"fail": {"if": "ctx.message == 'fail'", "message": "refused by the pipeline"}},
    {"script": {"if": "ctx.message == 'script'", "source": "ctx.a.b.c = 1"}},
    {"drop": {"if": "ctx.message == 'drop'"}},
]


def test_what_a_pipeline_refuses(tmp_path, live, opensearch, plain_index):
    """A pipeline that is not there holds all; once it is, what it refuses is a dead letter, and nothing waits for it.
    OpenSearch answers for the event that is dropped in the place of the one that failed, and the other way round."""
    trail = Trail(tmp_path, opensearch, plain_index)
    trail.path.write_text("fail\nscript\ndrop\n" + "".join(f"line {n}\n" for n in range(200)))
    output = elastic(opensearch.url, index=plain_index, pipeline=f"p-{plain_index}")
    ship = live(output=output, retry=RETRY)
    ship.wait_for(lambda: "no event was taken: illegal_argument_exception (HTTP 400)" in ship.stderr)
    opensearch.ask("PUT", f"/_ingest/pipeline/p-{plain_index}", {"processors": PROCESSORS})
    trail.lines = 200
    trail.wait_for_all()
    dead = tmp_path / "state" / "dead" / "dead.ndjson"
    ship.wait_for(lambda: dead.exists() and dead.read_text().count("\n") == 2)
    told = ship.stop()
    sums = re.search(r"203 lines read, (\d+) events? delivered, (\d+) duplicates?, 2 dead letters", told.stderr)
    assert told.rc == 0 and int(sums[1]) + int(sums[2]) == 201, told.stderr
    found = {letter["original"]: (letter["status"], letter["type"]) for letter in letters(tmp_path / "state" / "dead")}
    assert found == {"fail": (500, "fail_processor_exception"), "script": (400, "script_exception")}
    trail.check_messages()


def set_cluster(peer, name, value):
    peer.ask("PUT", "/_cluster/settings", {"persistent": {name: value}})


@pytest.mark.slow
@pytest.mark.timeout(8 * PATIENCE_S)
def test_a_server_that_is_killed_and_has_no_room(tmp_path, live, plain_index):
    """O1, FB6: its process killed while it works, started again with room for 50 kB of requests, read-only for a
    while; and a line that is too large for it."""
    limits = ["http.max_content_length=1mb"]
    with Peer("elasticsearch", limits, port=quiet_port()) as peer:
        trail = Trail(tmp_path, peer, plain_index)
        trail.grow(1, " " + "x" * 2_000_000)  # larger than any request may be
        trail.grow(2500, " " + "x" * 400)  # one batch, larger than a request may be
        output = elastic(peer.url, index=plain_index, batch={"max_bytes": "8MiB", "max_events": 20_000, "linger": "200ms"})
        ship = live(output=output, retry=RETRY, file={"max_line": "4MiB"})
        trail.dead = 1
        trail.wait_for_all()
        dead = tmp_path / "state" / "dead" / "dead.ndjson"
        ship.wait_for(lambda: dead.exists() and dead.read_text().endswith("\n"))
        (letter,) = letters(tmp_path / "state" / "dead")
        assert (letter["status"], letter["original"][:8]) == (413, "line 0 x")

        trail.grow(500)
        peer.kill()
        trail.grow(500)
        ship.wait_for(lambda: "not reached" in ship.stderr or "interrupted" in ship.stderr)
        peer.settings = [*limits, "indexing_pressure.memory.limit=50kb"]
        peer.restart()
        trail.wait_for_all()  # its port and data are as before; batches are halved until they fit

        set_cluster(peer, "cluster.blocks.read_only", True)
        trail.grow(100)
        ship.wait_for(lambda: "HTTP 403 cluster_block_exception" in ship.stderr)
        set_cluster(peer, "cluster.blocks.read_only", None)
        trail.wait_for_all()
        assert ship.stop().rc == 0
        assert len(letters(tmp_path / "state" / "dead")) == 1
        trail.check_messages()
