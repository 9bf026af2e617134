#include <criterion/criterion.h>
#include <stdlib.h>

#include "config/config.h"
#include "outputs/es_options.h"
#include "parsers/regex.h"
#include "shipper/inputs/file_input.h"

static struct config *parse(const char *text, struct err *e)
{
    return config_parse(text, strlen(text), "ship.yaml", e);
}

Test(config_loader, times_of_a_parser)
{
    struct err e = {0};
    struct config *c = parse("inputs:\n"
                             "  - type: stdin\n"
                             "    parser: {type: json, time_format: '%d.%m.%Y %T', time_zone: "
                             "Europe/Berlin}\n"
                             "  - type: stdin\n"
                             "    name: other\n"
                             "    parser: json\n"
                             "outputs: [{type: stdout}]\n",
                             &e);
    const struct time_rules *times;

    cr_assert(c, "%s: %s", e.where, e.what);
    times = c->inputs[0].common.times;
    cr_assert(times);
    cr_assert_eq(times->n_formats, 1);
    cr_expect_str_eq(times->formats[0], "%d.%m.%Y %T");
    cr_expect(times->zone);
    cr_expect_null(c->inputs[1].common.times);
    config_free(c);
}

Test(config_loader, a_whole_configuration)
{
    struct err e = {0};
    const struct es_options *es;
    const struct file_options *file;
    struct config *c;

    setenv("KEY", "id:key # not: [yaml]", 1);
    c = parse("labels: {team: shop, stage: live}\n"
              "limits:\n"
              "  memory: 8MiB\n"
              "limits.drain: 3s\n"
              "inputs:\n"
              "  - type: file\n"
              "    paths: [/var/log/a.log, '/var/log/b/*.log']\n"
              "    exclude: '*.tmp'\n"
              "    watch: poll\n"
              "    labels: {stage: test}\n"
              "    parser:\n"
              "      type: regex\n"
              "      pattern: |\n"
              "        ^(?<level>\\w+) (?<message>.*)$\n"
              "outputs:\n"
              "  - type: elasticsearch\n"
              "    hosts: https://es:9200\n"
              "    api_key: ${KEY}\n"
              "    tls: {ca_file: /etc/ca.pem}\n"
              "    tls.verify: false\n"
              "    batch: {linger: 1s}\n",
              &e);
    cr_assert(c, "%s: %s", e.where, e.what);
    cr_expect_eq(c->global.memory_bytes, 8 << 20);
    cr_expect_eq(c->global.drain_ms, 3000);
    cr_expect_eq(c->global.retry_max_ms, 20000, "a default");
    cr_assert_eq(c->n_inputs, 1);
    file = c->inputs[0].options;
    cr_assert_eq(file->paths.n_items, 2);
    cr_expect_str_eq(file->paths.items[1], "/var/log/b/*.log");
    cr_expect_str_eq(file->exclude.items[0], "*.tmp");
    cr_expect_eq(file->watch, FILE_WATCH_POLL);
    cr_expect_eq(file->poll_interval_ms, 1000);
    cr_expect_eq(c->inputs[0].common.labels.n_items, 2, "two names, of which one is its own");
    cr_expect_str_eq(c->inputs[0].common.labels.values[0], "test");
    cr_expect_str_eq(c->inputs[0].common.labels.keys[1], "team");
    cr_expect_eq(c->inputs[0].parser.ops, &parser_regex);
    cr_expect_str_eq(
        ((const struct regex_options *)c->inputs[0].parsers[0].options)->pattern.items[0],
        "^(?<level>\\w+) (?<message>.*)$", "without the line end that | adds");
    cr_expect(c->inputs[0].common.with_invocations);
    es = c->outputs[0].options;
    cr_expect_str_eq(es->api_key, "id:key # not: [yaml]", "what comes from outside is text");
    cr_expect_str_eq(es->ca_file, "/etc/ca.pem");
    cr_expect_not(es->verify);
    cr_expect_str_eq(es->index, "logs-serverless.lambda-default");
    cr_expect_eq(c->outputs[0].common.batch.linger_ms, 1000);
    config_free(c);
}

Test(config_loader, from_the_command_line)
{
    struct err e = {0};
    struct config *c = config_new();
    struct input_config *in = config_add_input(c, "file", &e);
    struct output_config *out;
    const struct file_options *file = in->options;

    cr_assert_eq(config_set(c, &in->ops->options, in->options, "paths", "a", &e), 0);
    cr_assert_eq(config_set(c, &in->ops->options, in->options, "paths", "${b}", &e), 0);
    cr_expect_eq(file->paths.n_items, 2);
    cr_expect_str_eq(file->paths.items[1], "${b}", "a path given by hand is as it is");
    cr_assert_eq(config_set_parser(c, in, "json", &e), 0);
    out = config_add_output(c, "elasticsearch", &e);
    cr_expect_eq(config_finish(c, &e), -1, "hosts is required");
    cr_expect_str_eq(e.where, "elasticsearch: hosts");
    cr_assert_eq(config_set(c, &out->ops->options, out->options, "hosts", "http://es", &e), 0);
    cr_expect_eq(config_finish(c, &e), 0, "%s: %s", e.where, e.what);
    cr_expect_eq(c->inputs[0].parser.ops, &parser_json);
    cr_expect_null(config_add_input(c, "flie", &e));
    cr_expect_str_eq(e.what,
                     "\"flie\" is no input; want one of file, stdin; did you mean \"file\"?");
    config_free(c);
}

Test(config_loader, a_list_of_parsers)
{
    struct err e = {0};
    struct config *c = parse("inputs:\n"
                             "  - type: stdin\n"
                             "    parser:\n"
                             "      - json\n"
                             "      - type: regex\n"
                             "        pattern: ['^a (?<a>\\w+)', '^b (?<b>\\w+)']\n"
                             "outputs: [{type: stdout}]\n",
                             &e);
    const struct input_config *in;
    struct parse_scratch scratch = {0};
    struct record r;

    cr_assert(c, "%s: %s", e.where, e.what);
    in = &c->inputs[0];
    cr_assert_eq(in->n_parsers, 2);
    cr_expect_eq(in->parsers[0].ops, &parser_json);
    cr_expect_eq(in->parsers[1].ops, &parser_regex);
    parser_parse(&in->parser, &scratch, slice_str("b x"), &r);
    cr_assert_eq(r.n_fields, 1);
    cr_expect(slice_is(r.fields[0].key, "b"));
    parser_parse(&in->parser, &scratch, slice_str("{\"c\":1}"), &r);
    cr_assert_eq(r.n_fields, 1);
    cr_expect(slice_is(r.fields[0].key, "c"));
    parse_scratch_free(&scratch);
    config_free(c);
}

Test(config_loader, anchors)
{
    struct err e = {0};
    struct config *c = parse("labels: &l {a: b}\n"
                             "inputs:\n"
                             "  - {type: stdin, labels: *l, function: &name shop}\n"
                             "outputs: [{type: stdout, name: *name}]\n",
                             &e);

    cr_assert(c, "%s: %s", e.where, e.what);
    cr_expect_eq(c->inputs[0].common.labels.n_items, 1);
    cr_expect_str_eq(c->outputs[0].common.name, "shop");
    config_free(c);
}

/* What blocks may hold all of the memory; what drops gets an even part, so that the others go on.
 */
Test(config, shares_of_the_memory)
{
    static const char text[] = "limits.memory: 24MiB\n"
                               "inputs: [{type: stdin}]\n"
                               "outputs:\n"
                               "  - {type: stdout}\n"
                               "  - {type: stdout, on_full: block, memory: 1MiB}\n"
                               "  - {type: stdout, on_full: drop-and-count}\n";
    struct err e = {0};
    struct config *c = config_parse(text, sizeof text - 1, "ship.yaml", &e);

    cr_assert_not_null(c, "%s: %s", e.where, e.what);
    cr_expect_eq(c->outputs[0].common.on_full, ON_FULL_BLOCK);
    cr_expect_eq(c->outputs[0].common.memory_bytes, 24 << 20);
    cr_expect_eq(c->outputs[1].common.memory_bytes, 1 << 20);
    cr_expect_eq(c->outputs[2].common.on_full, ON_FULL_DROP);
    cr_expect_eq(c->outputs[2].common.memory_bytes, 6 << 20);
    config_free(c);
}

/* What an output is known by in the next life: not its place among others of its type. */
Test(config, identities)
{
    static const char text[] = "inputs: [{type: stdin}]\n"
                               "outputs:\n"
                               "  - {type: stdout}\n"
                               "  - {type: local, path: /a, name: one}\n"
                               "  - {type: local, path: /b}\n"
                               "  - {type: local, path: /c, name: three}\n";
    static const char *const want[] = {"stdout stdout", "local one", NULL, "local three"};
    struct err e = {0};
    struct config *c = config_parse(text, sizeof text - 1, "ship.yaml", &e);

    cr_assert_not_null(c, "%s: %s", e.where, e.what);
    for (size_t i = 0; i < 4; i++) {
        const char *identity = c->outputs[i].common.identity;

        cr_expect_str_eq(identity ? identity : "none", want[i] ? want[i] : "none");
    }
    cr_expect_str_eq(c->outputs[2].common.name, "local-2");
    config_free(c);
}

Test(config, queues)
{
    static const char text[] = "queue: {path: /var/q/, max_bytes: 2MiB}\n"
                               "limits.memory: 24MiB\n"
                               "inputs: [{type: stdin}]\n"
                               "outputs:\n"
                               "  - {type: stdout, name: one}\n"
                               "  - {type: stdout, queue: {path: /q/own/, max_bytes: 3MiB}}\n"
                               "  - {type: stdout, name: three, on_full: drop-and-count}\n"
                               "  - {type: stdout, queue: {path: none}}\n";
    static const struct {
        const char *path;
        int64_t max_bytes;
        int on_full;
        int64_t memory_bytes;
    } want[] = {{"/var/q/one", 2 << 20, ON_FULL_SPILL, (24 << 20) / 5},
                {"/q/own", 3 << 20, ON_FULL_SPILL, (24 << 20) / 5},
                {"/var/q/three", 2 << 20, ON_FULL_DROP, (24 << 20) / 5},
                {"", 2 << 20, ON_FULL_BLOCK, 24 << 20}};
    struct err e = {0};
    struct config *c = config_parse(text, sizeof text - 1, "ship.yaml", &e);

    cr_assert_not_null(c, "%s: %s", e.where, e.what);
    for (size_t i = 0; i < 4; i++) {
        const struct output_common *out = &c->outputs[i].common;

        cr_expect_str_eq(out->queue_path ? out->queue_path : "", want[i].path);
        cr_expect_eq(out->queue_max_bytes, want[i].max_bytes);
        cr_expect_eq(out->on_full, want[i].on_full);
        cr_expect_eq(out->memory_bytes, want[i].memory_bytes);
    }
    config_free(c);
}
