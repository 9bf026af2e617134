#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "config/registry.h"
#include "config/schema.h"
#include "config/text_file.h"

static const char schema_path[] = "config/schema/ship.schema.json";

/* `make golden` rewrites the file. Tests run in the project's folder. */
Test(config_schema, golden_copy_for_editors)
{
    struct buffer now = {0};
    struct buffer kept = {0};
    struct err e = {0};

    schema_write(&now);
    cr_assert_not(now.failed);
    if (getenv("GOLDEN_UPDATE")) {
        FILE *f = fopen(schema_path, "w");

        cr_assert(f && fwrite(now.ptr, 1, now.len, f) == now.len && fclose(f) == 0);
    }
    cr_assert_eq(text_file_read(schema_path, 1 << 20, &kept, &e), 0, "%s: %s", schema_path, e.what);
    cr_expect(slice_eq(buffer_slice(&kept), buffer_slice(&now)),
              "%s is not what the option tables say: run `make golden`", schema_path);
    buffer_free(&now);
    buffer_free(&kept);
}

static bool has(const struct buffer *b, const char *needle)
{
    return slice_find(buffer_slice(b), slice_str(needle)) >= 0;
}

static void expect_no_wide_line(const struct buffer *b)
{
    struct slice line;

    for (struct slice rest = buffer_slice(b); slice_cut(&rest, '\n', &line);)
        cr_expect_leq(line.len, 80, "%.*s", SLICE_ARG(line));
}

/* Every option of every type is in its help, and no line is wider than a terminal. */
Test(config_schema, help_tells_everything)
{
    struct registry_entry entry;

    for (int kind = 0; kind < REGISTRY_KINDS; kind++)
        for (size_t i = 0; registry_entry((enum registry_kind)kind, i, &entry); i++) {
            struct buffer text = {0};

            cr_assert(schema_help_type(entry.name, &text));
            for (size_t o = 0; o < entry.options->n_options; o++)
                cr_expect(has(&text, entry.options->options[o].name), "%s: %s", entry.name,
                          entry.options->options[o].name);
            expect_no_wide_line(&text);
            buffer_free(&text);
        }
}

Test(config_schema, help_of_one_type)
{
    struct buffer text = {0};

    cr_assert(schema_help_type("elasticsearch", &text));
    cr_expect(has(&text, "elasticsearch (output)\n"));
    cr_expect(has(&text, "  hosts: a list of texts; required\n      URLs of the cluster's nodes"));
    cr_expect(has(&text, "  concurrency: a whole number from 1 to 32; default 4\n"));
    cr_expect(has(&text, "  batch.linger: a duration from 0 to 10m; default 200ms\n"),
              "what all outputs share");
    text.len = 0;
    cr_assert(schema_help_type("file", &text));
    cr_expect(has(&text, "  watch: one of inotify, poll; default inotify\n"));
    cr_expect(has(&text, "  max_line: a size from 1KiB to 64MiB; default 1MiB\n"));
    text.len = 0;
    cr_expect_not(schema_help_type("elasticsaerch", &text));
    cr_expect_eq(text.len, 0);
    schema_help_file(&text);
    cr_expect(has(&text, "  limits.memory: a size from 4MiB to 64GiB; default 24MiB\n"));
    cr_expect(has(&text, "  regex          a pattern of yours"));
    expect_no_wide_line(&text);
    buffer_free(&text);
}
