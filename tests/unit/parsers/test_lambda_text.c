/* What the runtimes make of a function's own text (aws.md 1.3). */
#include <criterion/criterion.h>

#include "tests/support/record_text.h"

static const struct parser parser = {&parser_auto, NULL};

#define CHECK(rows) RECORD_ROWS_CHECK(&parser, rows)
#define NODE(level) "2026-10-09T08:53:20.123Z\t" ID "\t" level "\t"
#define PYTHON(level) "[" level "]\t2026-10-09T08:53:20.123Z\t" ID "\t"
#define AT "time=" T "123000000"
#define NBSP "\xC2\xA0"

Test(lambda_text, node)
{
    static const struct record_row rows[] = {
        {"console.log", NODE("INFO") "order taken",
         AT " level=info message=\"order taken\" request=" ID},
        {"console.warn", NODE("WARN") "low", AT " level=warn message=\"low\" request=" ID},
        {"console.trace", NODE("TRACE") "x", AT " level=trace message=\"x\" request=" ID},
        {"console.debug", NODE("DEBUG") "x", AT " level=debug message=\"x\" request=" ID},
        {"fatal", NODE("FATAL") "x", AT " level=fatal message=\"x\" request=" ID},
        {"before the first invocation", "2026-10-09T08:53:20.123Z\tundefined\tINFO\tloading",
         AT " level=info message=\"loading\""},
        {"a tab in the message is a part of it", NODE("INFO") "a\tb\t c",
         AT " level=info message=\"a\tb\t c\" request=" ID},
        {"a level in the message is a part of it", NODE("INFO") "ERROR\tb",
         AT " level=info message=\"ERROR\tb\" request=" ID},
        {"an empty message", NODE("INFO"), AT " level=info message=\"\" request=" ID},
        {"line breaks in the message come as CR", NODE("INFO") "a\r  b\rc",
         AT " level=info message=\"a\n  b\nc\" request=" ID},
        {"CR LF is one line break", NODE("INFO") "a\r\nb",
         AT " level=info message=\"a\nb\" request=" ID},
        {"blanks at the start of the message stay", NODE("INFO") "   x  ",
         AT " level=info message=\"   x\" request=" ID},
        {"a message that quotes a platform line",
         NODE("INFO") "START RequestId: " OTHER_ID " Version: $LATEST",
         AT " level=info message=\"START RequestId: " OTHER_ID " Version: $LATEST\" request=" ID},
    };

    CHECK(rows);
}

Test(lambda_text, node_thrown)
{
    static const struct record_row rows[] = {
        {"Invoke Error",
         NODE("ERROR") "Invoke Error \t{\"errorType\":\"TypeError\",\"errorMessage\":\"boom\","
                       "\"stack\":[\"TypeError: boom\",\"    at f\"]}",
         AT " level=error message=\"Invoke Error \t{\"errorType\":\"TypeError\",\"errorMessage\":"
            "\"boom\",\"stack\":[\"TypeError: boom\",\"    at f\"]}\" request=" ID
            " error='TypeError' reason='boom' stack=[\"TypeError: boom\",\"    at f\"] flags=32"},
        {"Uncaught Exception",
         NODE("ERROR") "Uncaught Exception \t{\"errorType\":\"E\",\"code\":1}",
         AT " level=error message=\"Uncaught Exception \t{\"errorType\":\"E\",\"code\":1}\" "
            "request=" ID " error='E' flags=32"},
        {"Unhandled Promise Rejection",
         NODE("ERROR") "Unhandled Promise Rejection \t{\"errorType\":\"Runtime."
                       "UnhandledPromiseRejection\",\"errorMessage\":\"x\",\"trace\":[]}",
         AT " level=error message=\"Unhandled Promise Rejection \t{\"errorType\":\"Runtime."
            "UnhandledPromiseRejection\",\"errorMessage\":\"x\",\"trace\":[]}\" request=" ID
            " error='Runtime.UnhandledPromiseRejection' reason='x' flags=32"},
        {"the same words by the function itself, no tab", NODE("ERROR") "Invoke Error: none",
         AT " level=error message=\"Invoke Error: none\" request=" ID},
        {"at another level it is no report of the runtime's",
         NODE("INFO") "Invoke Error \t{\"errorType\":\"X\"}",
         AT " level=info message=\"Invoke Error \t{\"errorType\":\"X\"}\" request=" ID},
        {"cut JSON", NODE("ERROR") "Invoke Error \t{\"errorType\":\"X\"",
         AT " level=error message=\"Invoke Error \t{\"errorType\":\"X\"\" request=" ID},
        {"JSON of something else", NODE("ERROR") "Invoke Error \t{\"a\":1}",
         AT " level=error message=\"Invoke Error \t{\"a\":1}\" request=" ID},
    };

    CHECK(rows);
}

/* A logger's JSON inside the columns: its own keys, the runtime's request. */
Test(lambda_text, json_in_the_message)
{
    static const struct record_row rows[] = {
        {"console.log(JSON.stringify(line))",
         NODE("INFO") "{\"level\":\"warn\",\"msg\":\"low\",\"stock\":3}",
         AT " level=warn message='low' request=" ID " [stock]=3"},
        {"its own time is finer",
         NODE("INFO") "{\"time\":\"2026-10-09T08:53:20.123456789Z\",\"message\":\"x\"}",
         "time=" T "123456789 level=info message='x' request=" ID},
        {"without a message in it the text stays the message", NODE("INFO") "{\"a\":1}",
         AT " level=info message=\"{\"a\":1}\" request=" ID " [a]=1"},
        {"a request id of its own is one of its keys",
         NODE("INFO") "{\"requestId\":\"" OTHER_ID "\",\"message\":\"x\"}",
         AT " level=info message='x' request=" ID " [requestId]='" OTHER_ID "'"},
        {"and makes no request where the runtime knows none",
         "2026-10-09T08:53:20.123Z\tundefined\tINFO\t{\"requestId\":\"" OTHER_ID "\"}",
         AT " level=info message=\"{\"requestId\":\"" OTHER_ID "\"}\" [requestId]='" OTHER_ID "'"},
        {"a platform event that the function quotes",
         NODE("INFO") "{\"type\":\"platform.start\",\"record\":{\"requestId\":\"" OTHER_ID "\"}}",
         AT " level=info message=\"{\"type\":\"platform.start\",\"record\":{\"requestId\":"
            "\"" OTHER_ID "\"}}\" request=" ID
            " [type]='platform.start' [record]={\"requestId\":\"" OTHER_ID "\"}"},
        {"Python", PYTHON("INFO") "{\"level\":\"debug\",\"message\":\"x\",\"n\":1}",
         AT " level=debug message='x' request=" ID " [n]=1"},
        {"no JSON after all", NODE("INFO") "{a: 1}",
         AT " level=info message=\"{a: 1}\" request=" ID},
        {"JSON with text behind", NODE("INFO") "{\"a\":1} and more",
         AT " level=info message=\"{\"a\":1} and more\" request=" ID},
    };

    CHECK(rows);
}

Test(lambda_text, dotnet)
{
    static const struct record_row rows[] = {
        {"info", "2026-10-09T08:53:20.123Z\t" ID "\tinfo\thi",
         AT " level=info message=\"hi\" request=" ID},
        {"fail", "2026-10-09T08:53:20.123Z\t" ID "\tfail\tno",
         AT " level=error message=\"no\" request=" ID},
        {"crit", "2026-10-09T08:53:20.123Z\t" ID "\tcrit\tno",
         AT " level=fatal message=\"no\" request=" ID},
        {"trce", "2026-10-09T08:53:20.123Z\t" ID "\ttrce\tno",
         AT " level=trace message=\"no\" request=" ID},
        {"a raw write: no level", "2026-10-09T08:53:20.123Z\t" ID "\thello there",
         AT " message=\"hello there\" request=" ID},
        {"a raw write with tabs in it", "2026-10-09T08:53:20.123Z\t" ID "\tnote\t30\tx",
         AT " message=\"note\t30\tx\" request=" ID},
        {"an exception behind the message",
         "2026-10-09T08:53:20.123Z\t" ID "\tfail\tno\r   at Shop.F()",
         AT " level=error message=\"no\n   at Shop.F()\" request=" ID},
    };

    CHECK(rows);
}

Test(lambda_text, python)
{
    static const struct record_row rows[] = {
        {"logger.info", PYTHON("INFO") "order taken",
         AT " level=info message=\"order taken\" request=" ID},
        {"WARNING", PYTHON("WARNING") "low", AT " level=warn message=\"low\" request=" ID},
        {"CRITICAL", PYTHON("CRITICAL") "x", AT " level=fatal message=\"x\" request=" ID},
        {"outside an invocation", "[INFO]\t2026-10-09T08:53:20.123Z\t\tloading",
         AT " level=info message=\"loading\""},
        {"an empty message", PYTHON("INFO"), AT " level=info message=\"\" request=" ID},
        {"a tab in the message", PYTHON("INFO") "a\tb",
         AT " level=info message=\"a\tb\" request=" ID},
        {"logger.exception: its traceback",
         PYTHON("ERROR") "failed\rTraceback (most recent call last):\r  File \"/var/task/app.py\"",
         AT " level=error message=\"failed\nTraceback (most recent call last):\n  File "
            "\"/var/task/app.py\"\" request=" ID},
        {"a level of the user's own: not the runtime's columns",
         "[AUDIT]\t2026-10-09T08:53:20.123Z\t" ID "\tx", ""},
        {"no time", "[INFO]\tnow\t" ID "\tx", ""},
        {"no id", "[INFO]\t2026-10-09T08:53:20.123Z\tme\tx", ""},
    };

    CHECK(rows);
}

Test(lambda_text, python_thrown)
{
    static const struct record_row rows[] = {
        {"one event",
         "[ERROR] KeyError: 'id'\rTraceback (most recent call last):\r" NBSP NBSP
         "File \"/var/task/app.py\", line 3, in handler\r" NBSP NBSP NBSP NBSP "return e['id']",
         "level=error message=\"KeyError: 'id'\nTraceback (most recent call last):\n" NBSP NBSP
         "File \"/var/task/app.py\", line 3, in handler\n" NBSP NBSP NBSP NBSP
         "return e['id']\" error=\"KeyError\" reason=\"'id'\" stack=\"Traceback (most recent call "
         "last):\n" NBSP NBSP "File \"/var/task/app.py\", line 3, in handler\n" NBSP NBSP NBSP NBSP
         "return e['id']\" flags=32"},
        {"a type of the function's own, told by the traceback",
         "[ERROR] OutOfStock: no mugs\rTraceback (most recent call last):\r x",
         "level=error message=\"OutOfStock: no mugs\nTraceback (most recent call last):\n x\" "
         "error=\"OutOfStock\" reason=\"no mugs\" stack=\"Traceback (most recent call last):\n "
         "x\" flags=32"},
        {"no message", "[ERROR] ValueError\rTraceback (most recent call last):\r x",
         "level=error message=\"ValueError\nTraceback (most recent call last):\n x\" "
         "error=\"ValueError\" stack=\"Traceback (most recent call last):\n x\" flags=32"},
        {"the first of many lines, as a file has them", "[ERROR] KeyError: 'id'",
         "level=error message=\"KeyError: 'id'\" error=\"KeyError\" reason=\"'id'\" flags=32"},
        {"a module that cannot be imported",
         "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'",
         "level=error message=\"Runtime.ImportModuleError: Unable to import module 'app': No "
         "module named 'x'\" error=\"Runtime.ImportModuleError\" reason=\"Unable to import module "
         "'app': No module named 'x'\" flags=32"},
        {"a dotted type", "[ERROR] botocore.exceptions.ClientError: no",
         "level=error message=\"botocore.exceptions.ClientError: no\" "
         "error=\"botocore.exceptions.ClientError\" reason=\"no\" flags=32"},
        {"the runtime's advice before it",
         "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the code.\r",
         "level=warn message=\"LAMBDA_WARNING: Unhandled exception. The most likely cause is an "
         "issue in the code.\""},
        {"Java's logger: words before a colon are no type", "[ERROR] Retry: gave up",
         "level=error message=\"Retry: gave up\""},
        {"Java's logger: a logger's name is no type", "[ERROR] com.shop.Orders: gave up",
         "level=error message=\"com.shop.Orders: gave up\""},
        {"Java's logger", "[ERROR] could not reserve: KeyError",
         "level=error message=\"could not "
         "reserve: KeyError\""},
    };

    CHECK(rows);
}

Test(lambda_text, java)
{
    static const struct record_row rows[] = {
        {"LambdaLogger with a level", "[INFO] order taken", "level=info message=\"order taken\""},
        {"LambdaLogger with a level", "[WARN] low  ", "level=warn message=\"low\""},
        {"LambdaLogger without", "order taken", ""},
        {"a word in brackets that is no level", "[ORDER] taken", ""},
        {"one letter in brackets", "[C] 2026 the shop", ""},
        {"log4j2 by its README",
         "2026-10-09 08:53:20 " ID " INFO  com.shop.Orders:12 - order taken",
         "time=" T "000000000 level=info message=\"com.shop.Orders:12 - order taken\" request=" ID},
        {"log4j2, an unknown level is text",
         "2026-10-09 08:53:20 " ID " AUDIT com.shop.Orders:12 - x",
         "time=" T "000000000 message=\"2026-10-09 08:53:20 " ID " AUDIT com.shop.Orders:12 - x\""},
        {"a stack trace's line", "\tat com.shop.Orders.handle(Orders.java:12)", ""},
    };

    CHECK(rows);
}

Test(lambda_text, go)
{
    static const struct record_row rows[] = {
        {"log.Println", "2026/10/09 08:53:20 order taken",
         "time=" T "000000000 message=\"order taken\""},
        {"with microseconds", "2026/10/09 08:53:20.123456 order taken",
         "time=" T "123456000 message=\"order taken\""},
        {"slog's default handler", "2026/10/09 08:53:20 WARN low stock=3",
         "time=" T "000000000 level=warn message=\"WARN low stock=3\""},
        {"thrown", "2026/10/09 08:53:20 {\"errorMessage\":\"boom\",\"errorType\":\"errorString\"}",
         "time=" T "000000000 level=error message=\"{\"errorMessage\":\"boom\",\"errorType\":"
         "\"errorString\"}\" error='errorString' reason='boom' flags=32"},
        {"JSON of the function's own", "2026/10/09 08:53:20 {\"a\":1}",
         "time=" T "000000000 message=\"{\"a\":1}\""},
        {"nothing behind the time", "2026/10/09 08:53:20",
         "time=" T "000000000 message=\"2026/10/09 08:53:20\""},
        {"no such day", "2026/13/09 08:53:20 x", ""},
    };

    CHECK(rows);
}

Test(lambda_text, ruby)
{
    static const struct record_row rows[] = {
        {"Logger", "I, [2026-10-09T08:53:20.123456 #8]  INFO " ID " -- : order taken",
         "time=" T "123456000 level=info message=\"order taken\" request=" ID},
        {"a program's name",
         "W, [2026-10-09T08:53:20.123456 #8]  WARN " ID " -- Shop::Cart: low: 3",
         "time=" T "123456000 level=warn message=\"low: 3\" request=" ID " logger=\"Shop::Cart\""},
        {"outside an invocation", "D, [2026-10-09T08:53:20.123456 #8] DEBUG -- : loading",
         "time=" T "123456000 level=debug message=\"loading\""},
        {"an error", "E, [2026-10-09T08:53:20.123456 #8] ERROR " ID " -- : no",
         "time=" T "123456000 level=error message=\"no\" request=" ID},
        {"of no level", "A, [2026-10-09T08:53:20.123456 #8]   ANY " ID " -- : x",
         "time=" T "123456000 message=\"x\" request=" ID},
        {"an empty message", "I, [2026-10-09T08:53:20.123456 #8]  INFO " ID " -- : ",
         "time=" T "123456000 level=info message=\"\" request=" ID},
        {"dashes in the message", "I, [2026-10-09T08:53:20.123456 #8]  INFO " ID " -- : a -- b",
         "time=" T "123456000 level=info message=\"a -- b\" request=" ID},
        {"only like it", "I, [yesterday #8] INFO -- : x", ""},
        {"only like it", "I, [2026-10-09T08:53:20.123456] INFO -- : x", ""},
        {"only like it", "I, the shop -- : x", ""},
    };

    CHECK(rows);
}

Test(lambda_text, any_text_with_a_time_or_a_level)
{
    static const struct record_row rows[] = {
        {"a time and a level", "2026-10-09T08:53:20.123Z ERROR no stock",
         AT " level=error message=\"2026-10-09T08:53:20.123Z ERROR no stock\""},
        {"a level in brackets", "2026-10-09 08:53:20,123 [WARN] low",
         AT " level=warn message=\"2026-10-09 08:53:20,123 [WARN] low\""},
        {"a time and no level", "2026-10-09T08:53:20.123Z Errors: none",
         AT " message=\"2026-10-09T08:53:20.123Z Errors: none\""},
        {"a comma behind the time", "2026-10-09 08:53:20, no stock", ""},
        {"a time and a column of the function's own", "2026-10-09T08:53:20.123Z\torders\tlow",
         AT " message=\"2026-10-09T08:53:20.123Z\torders\tlow\""},
        {"a level and a colon", "ERROR: no stock", "level=error message=\"ERROR: no stock\""},
        {"Python's basicConfig", "WARNING:root:low", "level=warn message=\"WARNING:root:low\""},
        {"a word that is no level", "ATTENTION: low", ""},
        {"a level that is only a word", "ERROR at the door", ""},
        {"JavaScript's words", "Error: boom", ""},
        {"a time in the middle", "at 2026-10-09T08:53:20.123Z it was", ""},
        {"a version number", "1.2.3 is out", ""},
        {"an address", "10.0.0.1 - - [09/Oct/2026:08:53:20 +0000] \"GET / HTTP/1.1\" 200", ""},
        {"line breaks within plain text", "a progress bar\r50 %\r100 %",
         "message=\"a progress bar\n50 %\n100 %\""},
        {"a CR at the end is none", "plain text\r", ""},
        {"colours stay", "\x1b[31mERROR\x1b[0m red", ""},
        {"nothing", "", ""},
        {"blanks", "  \t  ", ""},
        {"a bracket", "[", ""},
        {"brackets", "[[[[[[[[[[[[[[[[[[", ""},
        {"a JSON array", "[1,2,3,4,5,6]", ""},
        {"a brace", "{", "flags=4"},
        {"JSON that was cut", "{\"message\":\"cut", "flags=4"},
        {"blanks before JSON", "  {\"message\":\"x\"} ", "message='x'"},
    };

    CHECK(rows);
}

/* NULs and what is no UTF-8 are text like any other. */
Test(lambda_text, odd_bytes)
{
    static const struct slice lines[] = {
        SLICE_LIT(NODE("INFO") "a\0b\xFF\xC0 \xED\xA0\x80"),
        SLICE_LIT("2026-10-09T08:53:20.123Z\t\0\tINFO\tx"),
        SLICE_LIT("\0\0\0\0\0\0\0\0\0\0"),
        SLICE_LIT("[ERR\0]\tx and more text"),
        SLICE_LIT("I, [2026-10-09T08:53:20.123456 #\0]  INFO " ID " -- : \xFF"),
        SLICE_LIT("\xFF\xFE\xFF\xFE\xFF\xFE\xFF\xFE"),
        SLICE_LIT("2026-10-09T08:53:20.123Z ERROR\0 x"),
    };
    static const char *const want[] = {"a\0b\xFF\xC0 \xED\xA0\x80"};
    struct parse_scratch scratch = {0};
    struct record r;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        parser_parse(&parser, &scratch, lines[i], &r);
        if (i == 0)
            cr_expect(slice_eq(r.message.bytes, slice_of(want[0], 9)));
        else if (i == 6)
            cr_expect_eq(r.level, LEVEL_NONE, "a NUL ends no word");
    }
    parse_scratch_free(&scratch);
}

/* Every prefix of every form, on the heap: ASan sees a read of the byte behind it. */
Test(lambda_text, cut_anywhere)
{
    static const char *const lines[] = {
        NODE("ERROR") "Invoke Error \t{\"errorType\":\"E\",\"stack\":[\"a\"]}",
        PYTHON("INFO") "{\"a\":1}",
        "[ERROR] KeyError: 'id'\rTraceback (most recent call last):\r x",
        "I, [2026-10-09T08:53:20.123456 #8]  INFO " ID " -- prog: x",
        "2026-10-09 08:53:20 " ID " INFO  com.shop.Orders:12 - x",
        "2026/10/09 08:53:20.123456 {\"errorMessage\":\"boom\"}",
        "2026-10-09T08:53:20.123Z [ERROR] x\ry",
        "LAMBDA_WARNING: x",
        "WARNING:root:x",
    };
    struct parse_scratch scratch = {0};
    struct record r;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        for (size_t len = 0; len <= strlen(lines[i]); len++) {
            char *copy = malloc(len ? len : 1);

            memcpy(copy, lines[i], len);
            parser_parse(&parser, &scratch, slice_of(copy, len), &r);
            cr_expect_eq(r.kind, RECORD_LINE, "%.*s", (int)len, lines[i]);
            free(copy);
        }
    parse_scratch_free(&scratch);
}
