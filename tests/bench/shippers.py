"""The shippers that tests/bench/run compares: how each is told to read a file and to feed the sink.

Each is run as a process of its own, with its own configuration, state and pid file in the run's folder; no daemon of
the machine is touched. `command(job)` gives the words to run; it may write files into job.folder.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ACCESS_PATTERN = (HERE / "access.regex").read_text().strip()


@dataclass
class Job:
    """One run of one shipper."""

    kind: str  # of corpus: json, lambda, access
    files: list
    port: int  # the sink's, on 127.0.0.1
    folder: Path
    workers: int = 0  # ship's; 0: as it chooses


def first_line(words):
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.split("\n")[0]


class Ship:
    """As a user has it: every default, gzip, ids, correlation, summaries of the requests."""

    name = "ship"
    ends_by_itself = True

    def __init__(self, path):
        self.path = path

    def version(self):
        return first_line([self.path, "--version"])

    def command(self, job):
        words = [self.path, "--replay", *map(str, job.files), "--state", str(job.folder / "state")]
        if job.kind == "access":
            words += ["--pattern", ACCESS_PATTERN]
        if not job.workers:
            return words + ["--to", f"http://127.0.0.1:{job.port}"]
        config = job.folder / "ship.yaml"
        config.write_text(
            f"limits: {{workers: {job.workers}}}\n"
            f"inputs: [{{type: file, paths: [{job.folder}/none]}}]\n"
            f"outputs: [{{type: elasticsearch, hosts: ['http://127.0.0.1:{job.port}']}}]\n"
        )
        return words + ["-c", str(config)]


RSYSLOG = """
global(workDirectory="{folder}" maxMessageSize="64k" net.enableDNS="off")
module(load="imfile" mode="inotify")
module(load="mmjsonparse")
module(load="omelasticsearch")
template(name="json" type="list") {{ property(name="$!all-json") }}
template(name="lambda" type="list") {{
    constant(value="{{\\"@timestamp\\":\\"") property(name="timereported" dateFormat="rfc3339")
    constant(value="\\",\\"message\\":\\"") property(name="msg" format="json")
    constant(value="\\",\\"log.file.path\\":\\"") property(name="$!metadata!filename" format="json")
    constant(value="\\",\\"host.name\\":\\"") property(name="hostname")
    constant(value="\\",\\"event.dataset\\":\\"serverless.lambda\\",\\"ecs.version\\":\\"8.17.0\\"}}")
}}
{inputs}
ruleset(name="ship" queue.type="LinkedList" queue.size="10000" queue.dequeueBatchSize="500") {{
    {parse}
    action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" searchIndex="bench" searchType=""
           bulkmode="on" template="{kind}" action.resumeRetryCount="-1")
}}
"""


class Rsyslog:
    """imfile, mmjsonparse, omelasticsearch in bulk mode.

    The queue is what its documentation advises for bulks (linked list, bulks of hundreds), and of several sizes tried
    (batches 256 to 10000, queues 10000 to 100000, one and two workers, linked and fixed) among the best both in CPU and
    in memory. JSON lines are parsed and written again ($!all-json); text lines are taken as they are: rsyslog gives
    them no request, no level and no id, so its work there is less than ship's. It cannot compress.
    """

    name = "rsyslog"
    ends_by_itself = False

    def __init__(self, path):
        self.path = path

    def version(self):
        return first_line([self.path, "-v"]).split(" (")[0]

    def command(self, job):
        inputs = "\n".join(
            f'input(type="imfile" file="{f}" tag="bench" ruleset="ship" freshStartTail="off" addMetadata="on")'
            for f in job.files
        )
        parse = 'action(type="mmjsonparse" cookie="")' if job.kind == "json" else ""
        config = job.folder / "rsyslog.conf"
        config.write_text(RSYSLOG.format(folder=job.folder, inputs=inputs, parse=parse, port=job.port, kind=job.kind))
        return [self.path, "-n", "-f", str(config), "-i", str(job.folder / "pid")]


FLUENT_BIT = """
[SERVICE]
    flush 1
    parsers_file {folder}/parsers.conf
[INPUT]
    name tail
    path {path}
    read_from_head true
    buffer_max_size 1M
    parser {parser}
[OUTPUT]
    name es
    match *
    host 127.0.0.1
    port {port}
    index bench
    suppress_type_name on
    compress gzip
    workers 1
"""


class FluentBit:
    """tail and es with gzip, one output worker; only where FLUENT_BIT names its program."""

    name = "fluent-bit"
    ends_by_itself = False

    def __init__(self, path):
        self.path = path

    def version(self):
        return first_line([self.path, "--version"])

    def command(self, job):
        (job.folder / "parsers.conf").write_text(
            "[PARSER]\n    name json\n    format json\n"
            "[PARSER]\n    name text\n    format regex\n    regex ^(?<message>.*)$\n"
        )
        config = job.folder / "fluent-bit.conf"
        config.write_text(
            FLUENT_BIT.format(
                folder=job.folder,
                path=",".join(map(str, job.files)),
                port=job.port,
                parser="json" if job.kind == "json" else "text",
            )
        )
        return [self.path, "-c", str(config)]


def find_rsyslog():
    """Its program is in sbin, which is not on everyone's path."""
    path = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    return Rsyslog(path) if path else None
