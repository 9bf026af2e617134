/* What is said of a file that is wrong: one message each, to the letter. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

#define INPUT "inputs: [{type: stdin}]\n"
#define OUTPUT "outputs: [{type: stdout}]\n"
#define ES(options) INPUT "outputs:\n  - type: elasticsearch\n" options

struct row {
    const char *text;
    /* Without "ship.yaml:" and "; not starting"; "..." at the end stands for an option's help. */
    const char *want;
};

static bool is_as_wanted(struct slice text, struct slice want)
{
    struct slice start = SLICE_LIT("ship.yaml:");
    struct slice end = SLICE_LIT("; not starting");
    struct slice any = SLICE_LIT("...");

    if (!slice_starts(text, start) || !slice_ends(text, end))
        return false;
    text = slice_from(text, start.len);
    text.len -= end.len;
    if (!slice_ends(want, any))
        return slice_eq(text, want);
    want.len -= any.len;
    return slice_starts(text, want);
}

static void expect_errors(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct err e = {0};
        char text[1200];
        struct config *c = config_parse(rows[i].text, strlen(rows[i].text), "ship.yaml", &e);

        cr_expect_null(c, "%s", rows[i].text);
        config_free(c);
        cr_expect_eq(e.code, ERR_CONFIG);
        err_text(&e, text, sizeof text);
        cr_expect(is_as_wanted(slice_str(text), slice_str(rows[i].want)), "%s\nsays %s\nwant %s",
                  rows[i].text, text, rows[i].want);
    }
}

#define EXPECT_ERRORS(rows) expect_errors((rows), sizeof(rows) / sizeof((rows)[0]))

Test(config_errors, not_yaml)
{
    static const struct row rows[] = {
        {"", "1:1: the file is empty; want inputs and outputs (see `ship help config`)"},
        {"# nothing yet\n",
         "1:1: the file is empty; want inputs and outputs (see `ship help config`)"},
        {"~", "1:1: the file is empty; want inputs and outputs (see `ship help config`)"},
        {"hello", "1:1: this is a text; want a map with inputs and outputs"},
        {"# list\n- a\n", "2:1: this is a list; want a map with inputs and outputs"},
        {"inputs:\n\t- type: file\n", "2:1: a tab; YAML is indented with spaces"},
        {"labels:\n  \xc3\xa9\xc3\xa9: x\n\ta: b\n", "3:1: a tab; YAML is indented with spaces"},
        {"inputs: [a\noutputs: b\n",
         "2:8: not YAML: did not find expected ',' or ']', while parsing a flow sequence (from "
         "line 1 on)"},
        {"state: \"a\n",
         "2:1: not YAML: found unexpected end of stream, while scanning a quoted scalar (from line "
         "1 on)"},
        {"state: \xff\n", "1:8: not UTF-8 (byte 0xff); save the file as UTF-8"},
        {"labels:\n  \xc3\xa9: \xc3\x28\n", "2:6: not UTF-8 (byte 0xc3); save the file as UTF-8"},
        {"state: a\x01\n", "1:9: a control character (U+0001); YAML takes none"},
        {"state: a: b\n",
         "1:9: a colon too many, or a wrong indentation; a text with \": \" in it needs quotes"},
        {"state: @a\n", "1:8: a text that begins with @, % or ` needs quotes"},
        {"state: !a b\n", "1:8: state: a text that begins with ! needs quotes"},
        {"state: [a, !b]\n", "1:14: a text that begins with ! needs quotes"},
        {"state: *a\n", "1:8: there is no such anchor; a text that begins with * needs quotes"},
        {"state: **\n", "1:9: a text that begins with * or & needs quotes"},
        {"state: a\n---\nstate: b\n", "3:1: a second document (behind ---); want one"},
        {"? [a]\n: b\n", "1:3: this is a list; want a name in front of the colon"},
        {"<<: {state: a}\n", "1:1: \"<<\" (merging of maps) is not supported; write it out"},
        {INPUT "outputs: [{type: elasticsearch, hosts: [https://${HOST}]}]\n",
         "2:50: between [ ] or { }, a text with ${...} needs quotes: \"${NAME}\""},
        {"state: \"a\\0b\"\n", "1:8: state: there is a NUL in it"},
    };

    EXPECT_ERRORS(rows);
}

Test(config_errors, names)
{
    static const struct row rows[] = {
        {"stat: a\n", "1:1: there is no option \"stat\"; did you mean \"state\"?"},
        {"memory: 5MiB\n", "1:1: there is no option \"memory\"; did you mean \"limits.memory\"?"},
        {"frobnicate: 5\n",
         "1:1: there is no option \"frobnicate\"; `ship help config` lists what there is"},
        {"input: []\n", "1:1: there is no option \"input\"; did you mean \"inputs\"?"},
        {"limits: {memory: 8MiB, drian: 1s}\n",
         "1:24: there is no option \"limits.drian\"; did you mean \"limits.drain\"?"},
        {"limits: 5\n", "1:9: limits: this is a text; want a map"},
        {"state: a\nstate: b\n", "2:1: state: given twice; the first is in line 1"},
        {"limits: {memory: 8MiB}\nlimits.memory: 9MiB\n",
         "2:1: limits.memory: given twice; the first is in line 1"},
        {INPUT INPUT, "2:1: inputs: given twice; the first is in line 1"},
        {"inputs:\n  - type: file\n    pathes: [a]\n",
         "3:5: inputs[0]: there is no option \"pathes\"; did you mean \"paths\"?"},
        {"inputs:\n  - type: stdin\n    watch: poll\n",
         "3:5: inputs[0]: there is no option \"watch\"; `ship help stdin` lists what there is"},
        {"inputs:\n  - type: stdin\n    type: file\n",
         "3:5: inputs[0].type: given twice; the first is in line 2"},
        {"inputs:\n  - {type: stdin, parser: {type: regex, patern: x}}\n",
         "2:41: inputs[0].parser: there is no option \"patern\"; did you mean \"pattern\"?"},
        {"inputs:\n  - {type: stdin, parser: {type: json, x: 1}}\n",
         "2:40: inputs[0].parser: there is no option \"x\"; `ship help json` lists what there is"},
        {ES("    hosts: http://a\n    ca_file: b\n"),
         "5:5: outputs[0]: there is no option \"ca_file\"; did you mean \"tls.ca_file\"?"},
        {"a\x1b[1mb: c\n", "1:2: a control character (U+001B); YAML takes none"},
        {"\"a\\e[1mb\": c\n",
         "1:1: there is no option \"a?[1mb\"; `ship help config` lists what there is"},
    };

    EXPECT_ERRORS(rows);
}

Test(config_errors, sections)
{
    static const struct row rows[] = {
        {"state: a\n", "1:1: inputs: missing; want at least one, as `inputs: [{type: file, paths: "
                       "[/var/log/app/*.log]}]`"},
        {"inputs:\n" OUTPUT, "1:8: inputs: missing; want at least one, as `inputs: [{type: file, "
                             "paths: [/var/log/app/*.log]}]`"},
        {"inputs: []\n" OUTPUT, "1:9: inputs: the list is empty; want at least one, as `inputs: "
                                "[{type: file, paths: [/var/log/app/*.log]}]`"},
        {INPUT, "1:1: outputs: missing; want at least one, as `outputs: [{type: elasticsearch, "
                "hosts: [https://es:9200]}]`"},
        {INPUT "outputs: {type: stdout}\n",
         "2:10: outputs: this is a map; want a list, as `outputs: [{type: elasticsearch, hosts: "
         "[https://es:9200]}]`"},
        {INPUT "outputs: [stdout]\n",
         "2:11: outputs[0]: this is a text; want a map, as {type: elasticsearch, hosts: "
         "[https://es:9200]}"},
        {INPUT "outputs: [{hosts: a}]\n",
         "2:11: outputs[0].type: missing; want one of elasticsearch, stdout, local"},
        {INPUT "outputs: [{type: }]\n",
         "2:18: outputs[0].type: missing; want one of elasticsearch, stdout, local"},
        {INPUT "outputs: [{type: elasticsaerch}]\n",
         "2:18: outputs[0].type: \"elasticsaerch\" is no output; want one of elasticsearch, "
         "stdout, local; did you mean \"elasticsearch\"?"},
        {INPUT "outputs: [{type: [a]}]\n", "2:18: outputs[0].type: this is a list; want a text"},
        {"inputs: [{type: stdin, parser: jsn}]\n",
         "1:32: inputs[0].parser: \"jsn\" is no parser; want one of auto, json, ..."},
        {"inputs: [{type: stdin, parser: [json, [raw]]}]\n",
         "1:39: inputs[0].parser[1]: this is a list; want a parser's name, or a map with its type"},
        {"inputs: [{type: stdin, parser: []}]\n",
         "1:32: inputs[0].parser: the list is empty; want at least one parser"},
        {"inputs: [{type: stdin, parser: [json, jsn]}]\n",
         "1:39: inputs[0].parser[1]: \"jsn\" is no parser; want one of auto, json, ..."},
        {"inputs: [{type: stdin, parser: [json, {type: raw, x: 1}]}]\n",
         "1:51: inputs[0].parser[1]: there is no option \"x\"; `ship help raw` lists what there "
         "is"},
        {"inputs: [{type: stdin, parser: {pattern: a}}]\n",
         "1:32: inputs[0].parser.type: missing; want one of auto, json, ..."},
        {"inputs: [{type: stdin, parser: {type: xml}}]\n",
         "1:39: inputs[0].parser.type: \"xml\" is no parser; want one of auto, json, ..."},
        {"inputs: [{type: stdin}, {type: stdin, name: stdin}]\n",
         "1:45: inputs[1].name: \"stdin\" is the name of inputs[0] already"},
    };

    EXPECT_ERRORS(rows);
}

Test(config_errors, values)
{
    static const struct row rows[] = {
        {"state: [a]\n", "1:8: state: this is a list; want a path"},
        {"host: 'a\nstate: b'\n",
         "1:7: host: this text goes on in line 2: is a quote or a dash missing? (text of several "
         "lines is written behind a |)"},
        {"inputs:\n  - type: file\n    paths:\n      - /a\n        /b\n",
         "4:9: inputs[0].paths[0]: this text goes on in line 5: is a quote or a dash missing? "
         "(text "
         "of several lines is written behind a |)"},
        {"labels: a\n", "1:9: labels: this is a text; want a map of names to texts"},
        {"labels: {a: [b]}\n", "1:13: labels.a: this is a list; want a text"},
        {"labels: {a: b, a: c}\n", "1:19: labels.a: given twice"},
        {"labels: {a: b}\nlabels.a: c\n", "2:11: labels.a: given twice"},
        {"labels: {'': b}\n", "1:10: labels: want a name in front of the colon"},
        {"limits: {workers: many}\n",
         "1:19: limits.workers: \"many\" is not a whole number from 0 to 64"},
        {"limits: {memory: 1KiB}\n", "1:18: limits.memory: \"1KiB\" is not a size from 4MiB to "
                                     "64GiB, as 4096, 512KiB or 1MiB"},
        {"limits.drain: 5\n", "1:15: limits.drain: \"5\" is not a duration from 0 to 1h, as 500ms, "
                              "1s, 5m or 2h"},
        {"host: ${SHIP_TEST_NOT_SET}\n",
         "1:7: host: the environment variable SHIP_TEST_NOT_SET is not set; set it, or give "
         "${NAME:-default}"},
        {"inputs: [{type: file}]\n", "1:10: inputs[0].paths: missing; want a list of texts: ..."},
        {"inputs: [{type: file, paths: [a, '[b']}]\n",
         "1:34: inputs[0].paths[1]: \"[b\": \"[\" has no \"]\"; write \"\\[\" for the byte"},
        {"inputs: [{type: file, paths: {a: b}}]\n",
         "1:30: inputs[0].paths: this is a map; want a list of texts"},
        {"inputs: [{type: file, paths: [[a]]}]\n",
         "1:31: inputs[0].paths[0]: this is a list; want a text"},
        {"inputs: [{type: file, paths: a, watch: pol}]\n",
         "1:40: inputs[0].watch: \"pol\" is not one of inotify, poll; did you mean \"poll\"?"},
        {"inputs: [{type: stdin, parser: regex}]\n",
         "1:32: inputs[0].parser.pattern: missing; want a list of texts: ..."},
        {"inputs: [{type: stdin, parser: [json, {type: regex, pattern: ['(?<a>b)', '(a']}]}]\n",
         "1:74: inputs[0].parser[1].pattern[1]: at offset 2: missing closing parenthesis"},
        {"inputs: [{type: stdin, parser: {type: access, time_format: epoch}}]\n",
         "1:60: inputs[0].parser.time_format: the parser access knows how the times of its lines "
         "are "
         "written"},
        {"inputs: [{type: stdin, parser: [json, regex]}]\n",
         "1:39: inputs[0].parser[1].pattern: missing; want a list of texts: ..."},
        {"inputs: [{type: stdin, parser: {type: regex, pattern: '(a'}}]\n",
         "1:55: inputs[0].parser.pattern: at offset 2: missing closing parenthesis"},
        {"inputs: [{type: stdin, parser: {type: regex, pattern: (?<a>), types: {x: int}}}]\n",
         "1:74: inputs[0].parser.types.x: the pattern has no group of that name"},
        {ES("    tls: {verify: yes}\n"),
         "4:19: outputs[0].tls.verify: \"yes\" is not true or false; did you mean \"true\"?"},
        {ES("    hosts: [http://a, 'htps://b']\n"),
         "4:23: outputs[0].hosts[1]: scheme \"htps\" is not http or https"},
        {ES("    hosts: htps://b\n"),
         "4:12: outputs[0].hosts[0]: scheme \"htps\" is not http or https"},
        {ES("    hosts: http://b\n    index: Logs\n"),
         "5:12: outputs[0].index: \"Logs\": names are lower case and without blanks and \\ / * ? "
         "\" < > | , # :"},
        {ES("    hosts: http://b\n    user: me\n"), "5:11: outputs[0].user: user without password"},
        {ES("    hosts: http://b\n    batch.linger: 1\n"),
         "5:19: outputs[0].batch.linger: \"1\" is not a duration from 0 to 10m, as 500ms, 1s, 5m "
         "or 2h"},
        {"inputs: [{type: stdin, lift: {a: log.level}}]\n" OUTPUT,
         "1:10: inputs[0].lift.a: \"log.level\" is no name for a field; want letters, digits, _ "
         "and "
         "-, parts joined by dots, and none that ship writes itself"},
        {"inputs: [{type: stdin, lift: {a: x.y, b: x.y}}]\n" OUTPUT,
         "1:10: inputs[0].lift.b: \"x.y\" is where a goes already"},
        {"inputs: [{type: stdin, namespace: shop, lift: {a: shop.a}}]\n" OUTPUT,
         "1:10: inputs[0].lift.a: \"shop.a\" is below shop, which is one field"},
        {"inputs: [{type: stdin, namespace: my.shop}]\n" OUTPUT,
         "1:35: inputs[0].namespace: \"my.shop\" has a dot; want one word"},
    };

    EXPECT_ERRORS(rows);
}

/* Whatever is wrong with it, or beside it: a secret is not told. */
Test(config_errors, times)
{
#define PARSER(options) "inputs: [{type: stdin, parser: {" options "}}]\n" OUTPUT
    static const struct row rows[] = {
        {PARSER("type: json, time_format: '%Q'"),
         "1:58: inputs[0].parser.time_format: %Q is not known; want strptime's letters, rfc3339 or "
         "epoch"},
        {PARSER("type: json, time_format: [rfc3339, '%H:%M']"),
         "1:58: inputs[0].parser.time_format: \"%H:%M\" gives no day; want %Y, %F, %D, %s, or "
         "month "
         "and day"},
        {PARSER("type: auto, time_zone: Europe/Nowhere"),
         "1:56: inputs[0].parser.time_zone: \"Europe/Nowhere\": "
         "/usr/share/zoneinfo/Europe/Nowhere: No such file or directory; want a zone of the "
         "system's tzdata as Europe/Berlin, local, UTC or +02:00"},
        {PARSER("type: auto, time_zone: ../etc/passwd"),
         "1:56: inputs[0].parser.time_zone: \"../etc/passwd\" is no name of a zone; want one as "
         "Europe/Berlin, local, UTC or +02:00"},
        {PARSER("type: raw, time_zone: UTC"),
         "1:55: inputs[0].parser.time_zone: the parser raw takes no times out of lines"},
    };
#undef PARSER

    EXPECT_ERRORS(rows);
}

Test(config_errors, secrets_are_not_quoted)
{
    static const char *const texts[] = {
        ES("    hosts: http://a\n    password: hunter2\n    api_key: hunter2\n    user: me\n"),
        ES("    password: hunter2\n"),
        ES("    hosts: http://a\n    password: \"hun\\x01hunter2\"\n"),
        ES("    hosts: http://a\n    password: \"hunter2\\0\"\n"),
        ES("    hosts: http://a\n    password: [hunter2]\n"),
        ES("    hosts: http://a\n    password: {hunter2: hunter2}\n"),
        ES("    hosts: http://a\n    password: !hunter2 a\n"),
        ES("    hosts: http://a\n    password: *hunter2\n"),
        ES("    hosts: http://a\n    password: @hunter2\n"),
        ES("    hosts: http://a\n    password: 'hunter2\n"),
        ES("    hosts: http://a\n    password: hunter2: a\n"),
        ES("    hosts: http://a\n    password: \"hunter2\" a\n"),
        ES("    hosts: http://a\n    password: a${hunter2}\n"),
        ES("    hosts: http://a\n    password: a${file:hunter2}\n"),
        ES("    hosts: http://a\n    password: a${hunter2\n"),
        ES("    hosts: http://a\n    password: a${hunter2!}\n"),
        ES("    hosts: http://a\n    password: ${SHIP_TEST_HUNTER}\n    api_key: b\n"),
        ES("    hosts: http://a\n    password: a\n    password: hunter2\n"),
        ES("    hosts: 'htps://me:hunter2@a'\n"),
        ES("    hosts: 'http://me:hunter2@a?b'\n"),
        ES("    hosts: 'http://me:hunter2@ a'\n"),
        ES("    hosts: 'me:hunter2@a'\n"),
    };

    setenv("SHIP_TEST_HUNTER", "hunter2", 1);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct err e = {0};
        struct config *c = config_parse(texts[i], strlen(texts[i]), "ship.yaml", &e);

        cr_expect_null(c, "%s", texts[i]);
        config_free(c);
        cr_expect_null(strstr(e.what, "hunter2"), "%s: %s", texts[i], e.what);
        cr_expect_null(strstr(e.where, "hunter2"), "%s: %s", texts[i], e.where);
    }
}

Test(config_errors, files)
{
    struct err e = {0};
    char directory[] = "/tmp/ship-config-XXXXXX";

    cr_assert(mkdtemp(directory));
    cr_expect_null(config_load(directory, &e));
    cr_expect_str_eq(e.where, directory);
    cr_expect_str_eq(e.what, "is a directory; want a file; not starting");
    rmdir(directory);
    cr_expect_null(config_load(directory, &e));
    cr_expect_str_eq(e.where, directory);
    cr_expect_str_eq(e.what,
                     "no such file (`ship help config` shows what one looks like); not starting");
}

/* What inputs, outputs and limits must agree on, at the place of the one that can be mended. */
Test(config_errors, the_whole)
{
    static const struct row rows[] = {
        {"limits.memory: 4MiB\ninputs:\n  - type: stdin\n  - type: stdin\n    max_line: "
         "64MiB\n" OUTPUT,
         "5:15: inputs[1].max_line: a line of 67108864 bytes and its documents for 1 output do not "
         "fit into limits.memory (4194304 bytes); want at most 2097152, or more memory"},
        {"limits.memory: 4MiB\n" INPUT "outputs: [{type: stdout}, {type: stdout}, {type: stdout}, "
         "{type: stdout}]\n",
         "2:10: inputs[0].max_line: a line of 1048576 bytes and its documents for 4 outputs do not "
         "fit into limits.memory (4194304 bytes); want at most 838860, or more memory"},
        {INPUT "outputs:\n  - type: stdout\n  - type: stdout\n    memory: 1GiB\n",
         "5:13: outputs[1].memory: 1073741824 bytes are more than limits.memory, which has "
         "25165824"},
        {INPUT "outputs: [{type: stdout, on_full: drop}]\n",
         "2:35: outputs[0].on_full: \"drop\" is not one of auto, block, drop-and-count, spill"},
    };

    EXPECT_ERRORS(rows);
}

/* A queue is one output's own, and says what happens when it is full. */
Test(config_errors, queues)
{
    static const struct row rows[] = {
        {INPUT "outputs:\n  - {type: stdout, on_full: spill}\n",
         "3:29: outputs[0].on_full: spill wants a disk queue, and there is none; want `queue: "
         "{path: "
         "/var/lib/ship/queue}` at the top, or on_full: block"},
        {"queue.path: /q/\n" INPUT "outputs:\n  - {type: stdout, on_full: block}\n",
         "4:29: outputs[0].on_full: block does not go with a disk queue (/q/stdout), which takes "
         "what would be blocked; want on_full: spill, or `queue: {path: none}` for this output"},
        {"queue: {path: /q}\n" INPUT "outputs:\n  - {type: stdout}\n  - type: local\n    path: /x\n"
         "    name: b\n    queue: {path: /q/stdout//}\n",
         "8:19: outputs[1].queue.path: /q/stdout is the queue of outputs[0] (stdout) already; want "
         "a "
         "directory for b alone"},
        {"queue: {path: /q}\n" INPUT "outputs:\n  - {type: stdout, name: a/b}\n",
         "4:26: outputs[0].name: \"a/b\" is to be a directory in queue.path; want a name without a "
         "slash, and without a dot at its beginning"},
        {"queue: {path: /q}\n" INPUT "outputs:\n  - {type: stdout, name: ..}\n",
         "4:26: outputs[0].name: \"..\" is to be a directory in queue.path; want a name without a "
         "slash, and without a dot at its beginning"},
        {"queue: {path: /q}\n" INPUT "outputs:\n  - {type: stdout, name: a}\n  - type: stdout\n",
         "5:5: outputs[1].name: missing; its disk queue is found by it, and there is another "
         "output "
         "of its type: want a name for each of them that has a queue (this one was called "
         "\"stdout-2\" so far)"},
        {INPUT "outputs:\n  - {type: stdout, queue: {max_bytes: 1MiB}}\n",
         "3:39: outputs[0].queue.max_bytes: there is no queue that it could be the size of; want "
         "queue.path too"},
        {"queue: {max_bytes: 1MiB}\n" INPUT OUTPUT,
         "1:20: queue.max_bytes: there is no queue that it could be the size of; want queue.path "
         "too"},
        {"queue: {path: /q, max_bytes: 1KiB}\n" INPUT OUTPUT,
         "1:30: queue.max_bytes: \"1KiB\" is not a size from 64KiB to 1024GiB, as 4096, 512KiB or "
         "1MiB"},
    };

    EXPECT_ERRORS(rows);
}
