"""What tests of whole runs share: configurations, ship's summary as numbers, packed files."""

import ctypes
import ctypes.util
import dataclasses
import gzip
import json
import re
import sqlite3
from pathlib import Path

# For whatever is waited for: a machine that is slow and busy with other things gets there too. Only a test that
# fails waits so long.
PATIENCE_S = 120

SUMMARY = re.compile(
    r"^ship: read (\d+) lines? \(([\d.]+) MB\), (\d+) events?: (\d+) delivered, (\d+) duplicates?, "
    r"(\d+) dead letters?, in ([\d.]+) s$",
    re.M,
)


@dataclasses.dataclass(frozen=True)
class Summary:
    """The last line of a replay. Over all outputs: delivered, duplicates, dead."""

    lines: int
    megabytes: float
    events: int
    delivered: int
    duplicates: int
    dead: int
    seconds: float

    @property
    def settled(self):
        return self.delivered + self.duplicates + self.dead


def summary(result):
    """The one summary line in the stderr of a Result or Running."""
    found = SUMMARY.findall(result.stderr)
    assert len(found) == 1, f"no single summary in: {result.stderr[-2000:]}"
    number = [float(text) if "." in text else int(text) for text in found[0]]
    return Summary(*number)


def write_config(path, inputs, outputs, **rest):
    """JSON is YAML. `inputs` and `outputs` are lists of maps; the rest is for the top level."""
    path.write_text(json.dumps({**rest, "inputs": inputs, "outputs": outputs}, indent=2))
    return path


def each_line(folder):
    """Arguments that make each line an event, also those of a stack trace: for a truth that speaks of lines."""
    inputs = [{"type": kind, **more, "multiline": {"type": "none"}} for kind, more in (("file", {"paths": ["/"]}), ("stdin", {}))]
    return ["-c", write_config(folder / "each_line.yaml", inputs, [{"type": "stdout"}])]


def elastic(url, **more):
    """An output that tests do not have to wait for."""
    batch = {"linger": "50ms", **more.pop("batch", {})}
    return {"type": "elasticsearch", "hosts": [url] if isinstance(url, str) else list(url), "batch": batch, **more}


ZSTD_C_CHECKSUM_FLAG = 201


def zstd_compress(data):
    """As the program does it, with a checksum; Python 3.11 has none of its own."""
    lib = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    lib.ZSTD_createCCtx.restype = ctypes.c_void_p
    for name in ("ZSTD_compressBound", "ZSTD_compress2"):
        getattr(lib, name).restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(lib.ZSTD_compressBound(ctypes.c_size_t(len(data))))
    context = ctypes.c_void_p(lib.ZSTD_createCCtx())
    lib.ZSTD_CCtx_setParameter(context, ZSTD_C_CHECKSUM_FLAG, 1)
    done = lib.ZSTD_compress2(context, out, ctypes.c_size_t(len(out)), data, ctypes.c_size_t(len(data)))
    lib.ZSTD_freeCCtx(context)
    assert not lib.ZSTD_isError(ctypes.c_size_t(done))
    return out.raw[:done]


def write_packed(path, data):
    """By the name's end: .gz, .zst or plain."""
    pack = {".gz": lambda d: gzip.compress(d, 1), ".zst": zstd_compress}.get(Path(path).suffix, bytes)
    Path(path).write_bytes(pack(data))


def saved_position(state):
    """The furthest one that a ship would go on from if this one were killed now; -1: none, or just now it cannot be read."""
    try:
        with sqlite3.connect(f"file:{state}/checkpoints.db?mode=ro", uri=True, timeout=0.1) as db:
            rows = db.execute("SELECT position FROM checkpoints").fetchall()
    except sqlite3.OperationalError:
        return -1
    return max((row[0] for row in rows), default=-1)


def letters(directory):
    """The dead letters that are there whole, decoded: the last one may be on its way, or cut off by a kill."""
    lines = (Path(directory) / "dead.ndjson").read_text().split("\n")
    return [json.loads(line) for line in lines[:-1]]
