#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/expand.h"

static char path[] = "/tmp/ship-expand-XXXXXX";
static char named[64];
static struct err e;

static void write_file(const char *text, size_t len)
{
    FILE *f = fopen(path, "w");

    cr_assert(f && fwrite(text, 1, len, f) == len && fclose(f) == 0);
}

static void set_up(void)
{
    int fd = mkstemp(path);

    cr_assert(fd >= 0);
    close(fd);
    setenv("NAME", "value", 1);
    setenv("EMPTY", "", 1);
    setenv("YAML", "[a, b]: &c ${NAME}\n- d", 1);
    setenv("PLACE", path, 1);
    unsetenv("NOT_SET");
    snprintf(named, sizeof named, "${file:%s}", path);
}

static void tear_down(void)
{
    unlink(path);
}

TestSuite(config_expand, .init = set_up, .fini = tear_down);

static bool expands(const char *text, bool is_secret, struct buffer *out)
{
    e = (struct err){0};
    return expand(slice_str(text), is_secret, out, NULL, &e) == 0;
}

Test(config_expand, references)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"${NAME}", "value"},
        {"a${NAME}b${NAME}", "avaluebvalue"},
        {"${EMPTY}", ""},
        {"${NOT_SET:-else}", "else"},
        {"${EMPTY:-else}", "else"},
        {"${NAME:-else}", "value"},
        {"${NOT_SET:-}", ""},
        {"${NOT_SET:-${NAME}}", "value"},
        {"${NOT_SET:-a${NAME}b}c", "avaluebc"},
        {"${NOT_SET:-a:-b}", "a:-b"},
        {"${YAML}", "[a, b]: &c ${NAME}\n- d"}, /* what comes in is not looked at again */
        {"$${NAME}", "${NAME}"},
        {"$$${NAME}", "$${NAME}"},
        {"^(?<a>.*)$", "^(?<a>.*)$"},
        {"$NAME $ $$ }{", "$NAME $ $$ }{"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out = {0};

        cr_expect(expands(rows[i].text, false, &out), "%s: %s", rows[i].text, e.what);
        cr_expect(slice_is(buffer_slice(&out), rows[i].want), "%s gave %.*s", rows[i].text,
                  SLICE_ARG(buffer_slice(&out)));
        buffer_free(&out);
    }
}

Test(config_expand, the_first_line_of_a_file)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
    } rows[] = {
        {"secret\n", "secret"},
        {"secret", "secret"},
        {"secret\r\nsecond\n", "secret"},
        {" kept as it is \n", " kept as it is "},
        {"${NAME}\n", "${NAME}"},
        {"\nsecond\n", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out = {0};

        write_file(rows[i].text, strlen(rows[i].text));
        cr_expect_eq(expands(named, true, &out), rows[i].want != NULL, "%s", rows[i].text);
        if (rows[i].want)
            cr_expect(slice_is(buffer_slice(&out), rows[i].want), "%.*s",
                      SLICE_ARG(buffer_slice(&out)));
        buffer_free(&out);
    }
    write_file("x\n", 2);
    struct buffer out = {0};

    cr_expect(expands("${file:${PLACE}}", true, &out), "%s", e.what);
    cr_expect(slice_is(buffer_slice(&out), "x"));
    buffer_free(&out);
}

Test(config_expand, what_cannot_be)
{
    static const struct {
        const char *text;
        bool is_secret;
        const char *want;
    } rows[] = {
        {"${NOT_SET}", false,
         "the environment variable NOT_SET is not set; set it, or give ${NAME:-default}"},
        {"${NOT_SET}", true,
         "the environment variable NOT_SET is not set; set it, or give ${NAME:-default}"},
        {"hun${NOT_SET}ter", true,
         "the environment variable in it is not set; set it, or give ${NAME:-default}"},
        {"${file:/nowhere/x}", true, "the file /nowhere/x: No such file or directory"},
        {"hun${file:/nowhere/x}ter", true, "a file that it names: No such file or directory"},
        {"${file:/tmp}", false, "the file /tmp: is a directory; want a file"},
        {"${file:}", false, "the file : No such file or directory"},
        {"${NAME", false, "a ${ without its }; write $${ for a plain ${"},
        {"${NOT_SET:-${NAME}", false, "a ${ without its }; write $${ for a plain ${"},
        {"${}", false,
         "what stands in ${...} is none of NAME, NAME:-default and file:/path; write $${ for a "
         "plain ${"},
        {"${A-B}", false,
         "what stands in ${...} is none of NAME, NAME:-default and file:/path; write $${ for a "
         "plain ${"},
        {"${1:-a}", false,
         "what stands in ${...} is none of NAME, NAME:-default and file:/path; write $${ for a "
         "plain ${"},
        {"${X_:-${X_:-${X_:-${X_:-${X_:-deep}}}}}", false,
         "${...} inside each other, more than 4 deep"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out = {0};

        cr_expect_not(expands(rows[i].text, rows[i].is_secret, &out), "%s", rows[i].text);
        cr_expect_str_eq(e.what, rows[i].want);
        cr_expect_eq(e.code, ERR_CONFIG);
        buffer_free(&out);
    }
}

Test(config_expand, sizes_have_a_ceiling)
{
    static char big[EXPAND_MAX_BYTES + 2];
    struct buffer out = {0};

    memset(big, 'x', sizeof big - 1);
    write_file(big, sizeof big - 1);
    cr_expect_not(expands(named, true, &out));
    cr_expect(slice_find(slice_str(e.what), slice_str("is longer than 64 KiB")) >= 0, "%s", e.what);
    setenv("BIG", big, 1);
    cr_expect_not(expands("${BIG}", true, &out));
    cr_expect_str_eq(e.what, "its text is longer than 64 KiB");
    buffer_free(&out);
}

static void on_file(void *ctx, const char *name)
{
    snprintf(ctx, 64, "%s", name);
}

Test(config_expand, notes_what_it_found)
{
    char seen[64] = "";
    struct expand_notes notes = {on_file, seen, false};
    struct buffer out = {0};

    write_file("x\n", 2);
    cr_expect_eq(expand(slice_str("plain"), false, &out, &notes, &e), 0);
    cr_expect_not(notes.has_reference);
    cr_expect_eq(expand(slice_str("${NAME}"), false, &out, &notes, &e), 0);
    cr_expect(notes.has_reference);
    cr_expect_str_eq(seen, "");
    cr_expect_eq(expand(slice_str(named), false, &out, &notes, &e), 0);
    cr_expect_str_eq(seen, path);
    buffer_free(&out);
}
