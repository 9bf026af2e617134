#!/usr/bin/python3
"""Logs of cloud functions, made from a seed, with the truth about every line.

    corpus(seed, n_lines)                   streams of every style, each a file's worth
    stream(seed, n_lines, style)            one execution environment: one request at a time
    interleaved(seed, n_lines, style, n)    n environments in one file, requests open side by side

A Stream has `data` (the file's bytes), `lines` (a Truth for each line, in order) and `invocations` (an
Invocation for each request that ended). The same seed gives the same bytes, also in another version of Python.
A million lines take a few seconds.

    tests/support/corpus.py DIRECTORY --seed 7 --lines 1000000     writes the streams' files there
"""

import argparse
import collections
import dataclasses
from pathlib import Path

# request: the id that the line must have (None: none). owner: whose it really is, which a shipper cannot
# always know. kind: "line", or what the platform says by it ("start", "report", ...). level: None if it says none.
Truth = collections.namedtuple("Truth", "offset request owner kind level")


@dataclasses.dataclass
class Invocation:
    request: str
    outcome: str  # success, error, timeout, out_of_memory; unknown where nothing in the text can tell
    lines: int  # of the function's own, up to its REPORT
    is_cold: bool
    duration_ms: float


@dataclasses.dataclass
class Stream:
    name: str  # a file name
    style: str
    data: bytes
    lines: list
    invocations: dict


class Random:
    """A xorshift: Python's own gives other numbers in other versions."""

    def __init__(self, seed):
        self.state = (seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF or 1
        for _ in range(8):
            self.bits()

    def bits(self):
        x = self.state
        x ^= x << 13 & 0xFFFFFFFFFFFFFFFF
        x ^= x >> 7
        x ^= x << 17 & 0xFFFFFFFFFFFFFFFF
        self.state = x
        return x

    def below(self, n):
        return self.bits() % n

    def chance(self, one_in):
        return self.bits() % one_in == 0

    def uuid(self):
        h = f"{self.bits():016x}{self.bits():016x}"
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


class Clock:
    """Milliseconds that only go forward, as text."""

    def __init__(self, start_s=1791536000):  # 2026-10-09T08:53:20Z
        self.ms = start_s * 1000
        self._day = None
        self._date = ""

    def forward(self, ms):
        self.ms += ms

    def _parts(self):
        seconds, ms = divmod(self.ms, 1000)
        day, second = divmod(seconds, 86400)
        if day != self._day:
            self._day, self._date = day, _date(day)
        return self._date, second // 3600, second // 60 % 60, second % 60, ms

    def iso(self):
        date, h, m, s, ms = self._parts()
        return f"{date}T{h:02}:{m:02}:{s:02}.{ms:03}Z"

    def python(self):
        date, h, m, s, ms = self._parts()
        return f"{date} {h:02}:{m:02}:{s:02},{ms:03}+0000"

    def go(self):
        date, h, m, s, _ = self._parts()
        return f"{date.replace('-', '/')} {h:02}:{m:02}:{s:02}"


def _date(day):
    """Days since 1970 as yyyy-mm-dd."""
    day += 719468
    era, of_era = divmod(day, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    return f"{year + era * 400 + (month >= 10):04}-{month + 3 if month < 10 else month - 9:02}-{of_year - (153 * month + 2) // 5 + 1:02}"


# ---- what functions say -------------------------------------------------------------------------

WORDS = ("order taken", "stock reserved", "charging the card", "cache miss", "retrying in 200 ms", "payload 4 KB",
         "\ttabs\tin it", "quotes \"here\" and \\ there", "unicode: h\u00e9llo \u2713 \U0001f600", "")
# Text that only looks like the platform's: none of it may move the state. %s is another request's id.
QUOTES = ("RequestId: %s is what the other one said", "saw START RequestId: %s Version: $LATEST in a log",
          " START RequestId: %s Version: $LATEST", "END RequestId: %s came late", "REPORT RequestId: %s",
          "> REPORT RequestId: %s\tDuration: 3.10 ms\tBilled Duration: 4 ms\t",
          "caused by RequestId: %s Process exited before completing request",
          '"requestId":"%s"', "x {\"requestId\":\"%s\"}")
PYTHON_TRACE = ("Traceback (most recent call last):", '  File "/var/task/app.py", line 41, in handler',
                "    receipt = charge(order, card)", "ValueError: no such card")
JAVA_TRACE = ("java.lang.IllegalStateException: no such card", "\tat com.shop.Orders.charge(Orders.java:41)",
              "\tat com.shop.Orders.handle(Orders.java:12)", "Caused by: java.io.IOException: refused", "\t... 3 more")
NODE_TRACE = ("TypeError: Cannot read properties of undefined (reading 'id')", "    at charge (/var/task/app.js:41:7)",
              "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)")

LEVELS = ("INFO", "INFO", "INFO", "INFO", "WARN", "ERROR", "DEBUG")


class Writer:
    """The lines of one stream in the making."""

    def __init__(self):
        self.parts, self.truths, self.offset = [], [], 0

    def add(self, text, request, owner, kind="line", level=None, end="\n"):
        raw = (text + end).encode()
        self.truths.append(Truth(self.offset, request, owner, kind, level))
        self.parts.append(raw)
        self.offset += len(raw)


class Function:
    """One execution environment. `say` writes one thing that the function logs; what has no id on the line is
    `loose`: it belongs to whom the stream says."""

    json_platform = False
    trace = ()

    def __init__(self, seed, name, out, clock, is_alone=True):
        self.random, self.name, self.out, self.clock, self.is_alone = Random(seed), name, out, clock, is_alone
        self.request = None  # the one that is open
        self.last = None  # whose the loose lines are, by the rules
        self.invocations = {}
        self.neighbours = [self]  # those in the same file
        self.is_doubtful = False
        self.is_cold = False
        self.n_own = 0

    # -- one line

    def line(self, text, level=None, end="\n"):
        """One of the function's own that says its request."""
        self.n_own += 1
        self.out.add(text, self.request, self.request, "line", level, end)

    def loose(self, text, level=None, end="\n"):
        if text.strip():  # an empty line is no event
            self.n_own += 1
            self.out.add(text, self.last if self.is_alone else None, self.last, "line", level, end)

    def platform(self, text, kind, request=None, level=None):
        self.out.add(text, request, request, kind, level)

    # -- the platform

    def begin(self, is_cold):
        self.is_cold, self.is_doubtful, self.n_own = is_cold, False, 0
        if is_cold:
            self.last = None
            self.init_start()
            for _ in range(self.random.below(3)):
                self.loose(f"{self.name} is loading {self.random.below(1000)}")
        self.n_own = 0
        self.request = self.last = self.random.uuid()
        self.start()

    def init_start(self):
        if self.json_platform:
            self.platform(f'{{"time":"{self.clock.iso()}","type":"platform.initStart","record":{{"initializationType":'
                          f'"on-demand","phase":"init","runtimeVersion":"nodejs:22.v122","functionName":"{self.name}",'
                          '"functionVersion":"$LATEST"}}', "init_start")
        else:
            self.platform("INIT_START Runtime Version: nodejs:22.v122\tRuntime Version ARN: arn:aws:lambda:eu-west-1"
                          "::runtime:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "init_start")

    def start(self):
        if self.json_platform:
            self.platform(f'{{"time":"{self.clock.iso()}","type":"platform.start","record":{{"requestId":"{self.request}",'
                          '"version":"$LATEST"}}', "start", self.request)
        else:
            self.platform(f"START RequestId: {self.request} Version: $LATEST", "start", self.request)

    def end(self, outcome):
        """END, REPORT and what stands around them; then, rarely, a line of what was left running."""
        request, duration = self.request, 1 + self.random.below(300000) / 100
        used = 128 if outcome == "out_of_memory" else 91
        self.invocations[request] = Invocation(request, outcome, 0, self.is_cold, duration)
        if outcome == "out_of_memory" or (outcome == "error" and self.random.chance(2)):
            why = "signal: killed" if outcome == "out_of_memory" else "exit status 1"
            self.platform(f"RequestId: {request} Error: Runtime exited with error: {why}", "exit", request, "error")
            self.loose("Runtime.ExitError")
        elif outcome == "error":
            self.thrown()
        self.invocations[request].lines = self.n_own
        if self.is_doubtful and not self.json_platform and outcome in ("success", "error"):
            self.invocations[request].outcome = "unknown"
        if self.json_platform:
            status = {"success": "success", "timeout": "timeout"}.get(outcome, "error")
            self.platform(
                f'{{"time":"{self.clock.iso()}","type":"platform.report","record":{{"requestId":"{request}","metrics":'
                f'{{"durationMs":{duration},"billedDurationMs":{int(duration) + 1},"memorySizeMB":128,"maxMemoryUsedMB":{used}}},'
                f'"status":"{status}"}}}}', "report", request, None if status == "success" else "error")
        else:
            self.report(request, outcome, duration, used)
        self.request = None
        if self.random.chance(9):
            self.loose("a promise that was left running")

    def report(self, request, outcome, duration, used):
        is_told = outcome == "timeout" and self.random.chance(2)
        self.platform(f"END RequestId: {request}", "end", request)
        init = "Init Duration: 397.10 ms\t" if self.is_cold else ""
        self.platform(f"REPORT RequestId: {request}\tDuration: {duration:.2f} ms\tBilled Duration: {int(duration) + 1} ms\t"
                      f"Memory Size: 128 MB\tMax Memory Used: {used} MB\t{init}" + ("Status: timeout" if is_told else ""),
                      "report", request, "error" if is_told else None)
        if outcome == "timeout" and not is_told:
            self.platform(f"{self.clock.iso()} {request} Task timed out after 3.00 seconds", "timeout", request, "error")
        elif self.random.chance(2):
            root = f"{self.random.bits():016x}{self.random.bits():016x}"
            self.platform(f"XRAY TraceId: 1-{root[:8]}-{root[8:]}\tSegmentId: {root[:16]}\tSampled: true\t", "xray", request)

    # -- the function

    def thrown_loose(self, text):
        """The runtime's report of an error, which does not say in which request."""
        if not self.is_alone:
            for neighbour in self.neighbours:
                neighbour.is_doubtful = True
        self.loose(text, "error")

    def thrown(self):
        self.thrown_loose("[ERROR] KeyError: 'id'\rTraceback (most recent call last):\r\u00a0\u00a0File \"/var/task/app.py\", line 3")

    def work(self):
        """One step of an invocation."""
        self.clock.forward(1 + self.random.below(40))
        dice = self.random.below(40)
        text = WORDS[self.random.below(len(WORDS))]
        if dice < 24:
            self.say(LEVELS[self.random.below(len(LEVELS))], f"{text} {self.random.below(100000)}")
        elif dice < 32:
            self.loose(f"{text} {self.random.below(1000)}", end="\r\n" if dice == 31 else "\n")
        elif dice < 36:
            self.loose(QUOTES[self.random.below(len(QUOTES))] % self.random.uuid())
        elif dice < 38:
            self.say("INFO", QUOTES[self.random.below(len(QUOTES))] % self.random.uuid())
        else:
            for line in self.trace:
                self.loose(line)

    def say(self, level, text):
        raise NotImplementedError


def _json(text):
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")


class Node(Function):
    trace = NODE_TRACE

    def say(self, level, text):
        self.line(f"{self.clock.iso()}\t{self.request}\t{level}\t{text}", level.lower())

    def thrown(self):
        self.line(f'{self.clock.iso()}\t{self.request}\tERROR\tInvoke Error \t{{"errorType":"TypeError","errorMessage":"boom",'
                  '"stack":["TypeError: boom","    at f (/var/task/app.js:1:2)"]}', "error")


class Python(Function):
    trace = PYTHON_TRACE

    def say(self, level, text):
        name = {"WARN": "WARNING"}.get(level, level)
        self.line(f"[{name}]\t{self.clock.iso()}\t{self.request}\t{text}", level.lower())


class Prints(Function):
    """A function that never says its request."""

    trace = PYTHON_TRACE

    def say(self, level, text):
        self.loose(f"{text} ({level.lower()})")


class Go(Function):
    trace = ("goroutine 1 [running]:", "main.charge(0x0)", "\t/src/main.go:41 +0x1d")

    def say(self, level, text):
        self.loose(f"{self.clock.go()} {text}")

    def thrown(self):
        self.thrown_loose(f'{self.clock.go()} {{"errorMessage":"boom","errorType":"errorString"}}')


class Java(Function):
    trace = JAVA_TRACE

    def say(self, level, text):
        at = self.clock.iso()
        self.line(f"{at[:10]} {at[11:19]} {self.request} {level:5} com.shop.Orders:12 - {text}", level.lower())


class Dotnet(Function):
    trace = ("   at Shop.Orders.Charge() in /src/Orders.cs:line 41",)

    def say(self, level, text):
        name = {"INFO": "info", "WARN": "warn", "ERROR": "fail", "DEBUG": "dbug"}[level]
        self.line(f"{self.clock.iso()}\t{self.request}\t{name}\t{text}", level.lower())


class Powertools(Function):
    """The function logs JSON, the platform text: the usual mixture."""

    trace = PYTHON_TRACE

    def say(self, level, text):
        name = {"WARN": "WARNING"}.get(level, level)
        self.line(f'{{"level":"{name}","location":"handler:12","message":"{_json(text)}","timestamp":"{self.clock.python()}",'
                  f'"service":"shop","cold_start":{"true" if self.is_cold else "false"},"function_name":"{self.name}",'
                  f'"function_request_id":"{self.request}","order":{{"id":{self.random.below(1000)},"items":[1,2]}}}}', level.lower())


class Json(Function):
    """Lambda's JSON format; what the function prints by itself stays text."""

    json_platform = True
    trace = NODE_TRACE

    def say(self, level, text):
        self.line(f'{{"timestamp":"{self.clock.iso()}","level":"{level}","requestId":"{self.request}","message":"{_json(text)}"}}',
                  level.lower())

    def thrown(self):
        self.line(f'{{"timestamp":"{self.clock.iso()}","level":"ERROR","requestId":"{self.request}","message":{{"errorType":'
                  '"TypeError","errorMessage":"boom","stackTrace":["TypeError: boom","    at f"]}}', "error")


STYLES = {"node": Node, "python": Python, "prints": Prints, "go": Go, "java": Java, "dotnet": Dotnet,
          "powertools": Powertools, "json": Json}


# ---- streams ------------------------------------------------------------------------------------


def _outcome(random):
    dice = random.below(60)
    return {0: "timeout", 1: "error", 2: "error", 3: "out_of_memory"}.get(dice, "success")


def _finish(name, style, out, functions):
    invocations = {}
    for function in functions:
        invocations.update(function.invocations)
    return Stream(name, style, b"".join(out.parts), out.truths, invocations)


def stream(seed, n_lines, style="node", name=None, start_s=1791536000):
    """One environment: cold starts (the first request, and now and then a new environment in the same file), one
    request at a time."""
    name = name or f"{style}-{seed}"
    out = Writer()
    function = STYLES[style](seed, name, out, Clock(start_s))
    is_cold = True
    while len(out.truths) < n_lines:
        function.clock.forward(function.random.below(5000))
        function.begin(is_cold)
        for _ in range(1 + function.random.below(10)):
            function.work()
        function.end(_outcome(function.random))
        is_cold = function.random.chance(200)
    return _finish(f"{name}.log", style, out, [function])


def interleaved(seed, n_lines, style="node", n=2, name=None, start_s=1791536000):
    """Several environments in one file, from its first line on at least two requests open: what does not say its
    request must stay without one."""
    name = name or f"{style}-interleaved-{seed}"
    out = Writer()
    clock = Clock(start_s)
    functions = [STYLES[style](seed * 1000 + i, name, out, clock, is_alone=False) for i in range(n)]
    random = Random(seed)
    for function in functions:
        function.neighbours = functions
        function.begin(False)
    while len(out.truths) < n_lines:
        function = functions[random.below(n)]
        # Never the last but one that is open: then nothing would show that they are several.
        if random.chance(8) and sum(f.request is not None for f in functions) > 1 or function.request is None:
            if function.request is None:
                function.begin(False)
            else:
                function.end(_outcome(random))
        else:
            function.work()
    return _finish(f"{name}.log", style, out, functions)


def corpus(seed, n_lines, styles=tuple(STYLES)):
    """A file of each style, together about n_lines."""
    each = -(-n_lines // len(styles))
    return [stream(seed * 100 + i, each, style, start_s=1791536000 + i) for i, style in enumerate(styles)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lines", type=int, default=1000000)
    args = parser.parse_args()
    args.directory.mkdir(parents=True, exist_ok=True)
    for made in corpus(args.seed, args.lines):
        (args.directory / made.name).write_bytes(made.data)
        print(f"{made.name}: {len(made.lines)} lines, {len(made.invocations)} invocations, {len(made.data)} bytes")


if __name__ == "__main__":
    main()
