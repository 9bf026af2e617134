/* Which lines become one record; and that it does not matter how they are read. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "shipper/pipeline/join.h"

static const struct join_options usual = {JOIN_AUTO, 500, 256 * 1024, 2000};

enum { RECORDS_MAX = 64 };

struct records {
    size_t ends[RECORDS_MAX]; /* behind each, in the bytes */
    uint32_t n_lines[RECORDS_MAX];
    size_t n;
};

static struct records join_all(const struct join_options *o, struct slice bytes, bool is_last,
                               bool is_quiet)
{
    struct records r = {0};
    struct frame f;
    struct frame_line line;
    uint32_t n;

    frame_init(&f, bytes, 1 << 20, false, is_last);
    while (r.n < RECORDS_MAX && frame_next(&f, &line)) {
        if (join_take(o, &f, &line, &n, is_quiet) == JOIN_OPEN)
            break;
        r.ends[r.n] = f.at;
        r.n_lines[r.n++] = n;
    }
    return r;
}

/* "3 1 2": the lines of each record */
static void say(const struct records *r, char *out, size_t cap)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < r->n && len < cap; i++)
        len += (size_t)snprintf(out + len, cap - len, i ? " %u" : "%u", r->n_lines[i]);
}

#define JAVA "java.lang.IllegalStateException: boom\n\tat a.B.c(B.java:12)\n\tat a.B.d(B.java:3)\n"
#define ID "8f5e77a1-0c55-4b2e-9d5e-0a3c1f2b4d6e"

struct row {
    const char *name;
    const char *text;
    const char *records;
};

static const struct row rows[] = {
    {"plain lines", "a\nb\nc\n", "1 1 1"},
    {"an error that nothing follows", "error: a\nb\n", "1 1"},
    {"java", JAVA "next\n", "3 1"},
    {"java behind its log line", "2026-10-09 08:53:20 ERROR a.B - failed\n" JAVA "2026-10-09 x\n",
     "4 1"},
    {"java, caused by, suppressed, more",
     JAVA "\t... 23 more\nCaused by: a.b.X: y\n\tat c\n\tSuppressed: z.A: t\n\t\tat q\n\t\t... 1 "
          "more\nok\n",
     "9 1"},
    {"java, a message of several lines",
     "a.b.Bad: first\nsecond\n\nthird\n\tat a.b(C.java:1)\nnext\n", "5 1"},
    {"java, logback's root cause first", "a.b.X: y\n\tat c\nWrapped by: a.b.Z: w\n\tat d\n", "4"},
    {"java, uncaught", "Exception in thread \"main\" " JAVA, "3"},
    {"two traces", JAVA JAVA, "3 3"},
    {"an info line before a trace is no part of it", "2026-10-09 08:53:20 INFO done\n" JAVA, "1 3"},
    {"frames whose head is gone", "\tat a.b(C.java:1)\n\tat a.b(C.java:2)\nx\n", "2 1"},
    {"dotnet",
     "Unhandled exception. System.InvalidOperationException: bad\n ---> System.ArgumentException: "
     "inner\n   at A.B() in /x.cs:line 3\n   --- End of inner exception stack trace ---\n   at "
     "A.C() in /x.cs:line 9\ndone\n",
     "5 1"},
    {"python",
     "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    "
     "main()\nKeyError: 'id'\nnext: x\n",
     "4 1"},
    {"python behind logging.exception",
     "ERROR:root:failed\nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\n    "
     "g()\nrequests.exceptions.Timeout: late\nok\n",
     "5 1"},
    {"python, chained",
     "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\nKeyError: 1\n\nDuring "
     "handling of the above exception, another exception occurred:\n\nTraceback (most recent call "
     "last):\n  File \"a.py\", line 5, in f\nValueError: x\n\nother\n",
     "9 1 1"},
    {"python, a group",
     "  + Exception Group Traceback (most recent call last):\n  |   File \"a.py\", line 1, in f\n  "
     "| ExceptionGroup: two (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | "
     "ValueError: 1\n    +------------------------------------\nok\n",
     "6 1"},
    {"python on Lambda, without the error's name at its end",
     "[ERROR] KeyError: 'id'\nTraceback (most recent call last):\n\xC2\xA0\xC2\xA0"
     "File \"/var/task/app.py\", line 3, in handler\nEND RequestId: " ID "\n",
     "3 1"},
    {"python, and what is printed behind it",
     "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\nKeyError: 1\ndone\n",
     "3 1"},
    {"node",
     "TypeError: x is not a function\n    at f (/var/task/a.js:3:1)\n    at async g "
     "(/var/task/a.js:4:1)\nok\n",
     "3 1"},
    {"node, uncaught, with properties",
     "/var/task/index.js:3\n    throw new Error('boom');\n    ^\n\nError: boom\n    at f "
     "(/var/task/index.js:3:11) {\n  code: 'X',\n  [cause]: {\n    a: 1\n  }\n}\n\nNode.js "
     "v22.1.0\nok\n",
     "13 1"},
    {"node, an assertion",
     "AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:\n\n1 !== 2\n\n    at "
     "f (/a.js:1:1)\n",
     "5"},
    {"node in Lambda's columns",
     "2026-10-09T08:53:20.123Z\t" ID "\tERROR\tError: boom\n    at f (/a.js:1:1)\n"
     "2026-10-09T08:53:20.124Z\t" ID "\tINFO\tok\n",
     "2 1"},
    {"ruby", "app.rb:3:in `work': no such thing (KeyError)\n\tfrom app.rb:7:in `<main>'\nok\n",
     "2 1"},
    {"ruby, with the place shown",
     "app.rb:1:in 'f': undefined method 'y' for nil (NoMethodError)\n\n  foo.y\n     ^^\n\tfrom "
     "app.rb:5:in 'g'\n",
     "5"},
    {"ruby's error in JSON",
     "{\n  \"errorType\": \"A\",\n  \"stackTrace\": [\n    \"b\"\n  ]\n}\nok\n", "6 1"},
    {"a brace that is never closed", "{\n  \"a\": 1,\nok\n", "1 1 1"},
    {"go",
     "panic: runtime error: index out of range [3] with length 3\n\ngoroutine 1 "
     "[running]:\nmain.f(...)\n\t/tmp/a.go:7\nmain.main()\n\t/tmp/a.go:11 +0x1d\n\ngoroutine 18 "
     "[select]:\nmain.g()\n\t/tmp/a.go:20 +0x2\ncreated by main.main\n\t/tmp/a.go:9 +0x1\nexit "
     "status 2\nok\n",
     "14 1"},
    {"go, a signal",
     "panic: x [recovered]\n\tpanic: x\n[signal SIGSEGV: segmentation violation code=0x1]\n\n"
     "goroutine 1 [running]:\nmain.f()\n\t/a.go:7 +0x1\n",
     "7"},
    {"go's http server",
     "2026/10/09 08:53:20 http: panic serving 127.0.0.1:5: boom\ngoroutine 7 [running]:\n"
     "main.f()\n\t/a.go:7 +0x1\n2026/10/09 08:53:21 ok\n",
     "4 1"},
    {"php",
     "PHP Fatal error:  Uncaught Exception: boom in /a.php:3\nStack trace:\n#0 /a.php(7): f()\n#1 "
     "{main}\n  thrown in /a.php on line 3\nok\n",
     "5 1"},
    {"rust",
     "thread 'main' panicked at src/main.rs:2:5:\nexplicit panic\nstack backtrace:\n   0: a::b\n   "
     "          at ./src/a.rs:3:5\nnote: Some details are omitted\nok\n",
     "6 1"},
    {"rust, before 1.73",
     "thread 'main' panicked at 'boom', src/main.rs:2:5\nnote: run with `RUST_BACKTRACE=1`\nok\n",
     "2 1"},
    {"dart",
     "Unhandled exception:\nFormatException: x\n#0      main (file:///x.dart:3:5)\n<asynchronous "
     "suspension>\n#1      g (dart:a)\nok\n",
     "5 1"},
    {"python's init failure on Lambda: two events",
     "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function "
     "code.\n[ERROR] Runtime.ImportModuleError: no module\rTraceback (most recent call "
     "last):\nok\n",
     "1 1 1"},
    {"platform lines are alone",
     "START RequestId: " ID " Version: $LATEST\n\tat a\nREPORT RequestId: " ID
     "\tDuration: 1 ms\tStatus: error\tError Type: Runtime.ExitError\n\tat b\n",
     "1 1 1 1"},
    {"JSON is alone", "{\"level\":\"error\"}\n\tat a\n{\"a\":1}\n", "1 1 1"},
    {"CR LF", "java.lang.Error: boom\r\n\tat a.b(C.java:1)\r\nok\r\n", "2 1"},
    {"empty lines", "\n\nerror\n\n\nok\n", "1 1 1 1 1 1"},
};

Test(join, records)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct records r = join_all(&usual, slice_str(rows[i].text), true, false);
        char got[256];

        say(&r, got, sizeof got);
        cr_expect_str_eq(got, rows[i].records, "%s", rows[i].name);
    }
}

/* What is taken from a part of the text is taken from all of it: no record is closed too early. */
Test(join, however_it_is_cut)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice all = slice_str(rows[i].text);
        struct records want = join_all(&usual, all, true, false);

        for (size_t len = 0; len < all.len; len++) {
            struct records got = join_all(&usual, slice_of(all.ptr, len), false, false);

            cr_expect_leq(got.n, want.n, "%s, %zu bytes", rows[i].name, len);
            for (size_t k = 0; k < got.n && k < want.n; k++)
                cr_expect_eq(got.ends[k], want.ends[k], "%s, %zu bytes, record %zu", rows[i].name,
                             len, k);
        }
    }
}

/* The same, beginning behind any record: nothing is remembered between them. */
Test(join, wherever_it_begins)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice all = slice_str(rows[i].text);
        struct records want = join_all(&usual, all, true, false);

        for (size_t k = 0; k + 1 < want.n; k++) {
            struct records rest = join_all(&usual, slice_from(all, want.ends[k]), true, false);

            cr_expect_eq(rest.n, want.n - k - 1, "%s, behind record %zu", rows[i].name, k);
        }
    }
}

Test(join, what_is_quiet_is_whole)
{
    struct slice text = slice_str("error: x\nTraceback (most recent call last):\n  File \"a");
    struct records open = join_all(&usual, text, false, false);
    struct records quiet = join_all(&usual, text, false, true);

    cr_expect_eq(open.n, 0);
    cr_assert_eq(quiet.n, 1);
    cr_expect_eq(quiet.n_lines[0], 2, "the line that has no end is none yet");
}

Test(join, limits)
{
    struct join_options few = {JOIN_AUTO, 2, 1 << 20, 0};
    struct join_options small = {JOIN_AUTO, 100, 60, 0};
    struct join_options none = {JOIN_NONE, 100, 1 << 20, 0};
    struct records r = join_all(&few, slice_str(JAVA "\tat e\nok\n"), true, false);
    char got[64];

    say(&r, got, sizeof got);
    cr_expect_str_eq(got, "2 2 1", "the frames behind the limit are a record of their own");
    r = join_all(&small, slice_str(JAVA "ok\n"), true, false);
    say(&r, got, sizeof got);
    cr_expect_str_eq(got, "2 1 1");
    r = join_all(&none, slice_str(JAVA), true, false);
    say(&r, got, sizeof got);
    cr_expect_str_eq(got, "1 1 1");
}

Test(join, a_line_that_was_cut_ends_it)
{
    struct frame f;
    struct frame_line line;
    uint32_t n;

    frame_init(&f, slice_str("Error: x\n\tat aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n\tat b\n"), 20,
               false, true);
    cr_assert(frame_next(&f, &line));
    cr_expect_eq(join_take(&usual, &f, &line, &n, false), JOIN_WHOLE);
    cr_expect_eq(n, 1);
}
