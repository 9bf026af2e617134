#include <criterion/criterion.h>
#include <stdio.h>

#include "config/lookup.h"
#include "config/units.h"
#include "config/values.h"

struct sample {
    const char *text;
    const char *secret;
    bool flag;
    int64_t count;
    int64_t size;
    int64_t delay_ms;
    int choice;
    struct option_list list;
    struct option_map map;
};

static const char *const choices[] = {"inotify", "poll", NULL};

#define AT(field) offsetof(struct sample, field)

static const struct option sample_options[] = {
    {.name = "text", .type = OPTION_STRING, .offset = AT(text), .fallback = "as it was"},
    {.name = "secret", .type = OPTION_SECRET, .offset = AT(secret)},
    {.name = "flag", .type = OPTION_BOOL, .offset = AT(flag), .fallback = "true"},
    {.name = "count", .type = OPTION_INT, .offset = AT(count), .min = 1, .max = 32},
    {.name = "size", .type = OPTION_BYTES, .offset = AT(size), .max = 1 << 30},
    {.name = "delay", .type = OPTION_DURATION, .offset = AT(delay_ms), .min = 10, .max = 3600000},
    {.name = "a.choice", .type = OPTION_ENUM, .offset = AT(choice), .choices = choices},
    {.name = "a.list", .type = OPTION_LIST, .offset = AT(list)},
    {.name = "map", .type = OPTION_MAP, .offset = AT(map)},
};
static const struct option_table table = {
    sample_options, sizeof sample_options / sizeof sample_options[0], sizeof(struct sample)};

static struct keep *k;
static struct sample sample;
static struct err e;

static void set_up(void)
{
    k = keep_new();
    sample = (struct sample){0};
    e = (struct err){0};
    cr_assert_eq(values_default(k, &table, &sample, &e), 0);
}

static void tear_down(void)
{
    keep_free(k);
}

TestSuite(config_values, .init = set_up, .fini = tear_down);

static int set(const char *name, const char *text)
{
    return value_set(k, lookup_option(&table, slice_str(name), NULL), &sample, slice_str(text), &e);
}

Test(config_values, numbers_with_units)
{
    static const struct {
        enum option_type type;
        const char *text;
        int64_t want; /* -1: refused */
    } rows[] = {
        {OPTION_INT, "0", 0},
        {OPTION_INT, "42", 42},
        {OPTION_INT, "-1", -1},
        {OPTION_INT, "1.5", -1},
        {OPTION_INT, "0x10", -1},
        {OPTION_INT, "1e3", -1},
        {OPTION_INT, "four", -1},
        {OPTION_INT, "4 ", -1},
        {OPTION_INT, "9223372036854775807", INT64_MAX},
        {OPTION_INT, "9223372036854775808", -1},
        {OPTION_BYTES, "4096", 4096},
        {OPTION_BYTES, "4096B", 4096},
        {OPTION_BYTES, "1KiB", 1024},
        {OPTION_BYTES, "1 MiB", 1048576},
        {OPTION_BYTES, "1mib", 1048576},
        {OPTION_BYTES, "2GiB", INT64_C(2147483648)},
        {OPTION_BYTES, "1KB", 1000},
        {OPTION_BYTES, "3MB", 3000000},
        {OPTION_BYTES, "1GB", 1000000000},
        {OPTION_BYTES, "1M", -1},
        {OPTION_BYTES, "MiB", -1},
        {OPTION_BYTES, "1  MiB", -1},
        {OPTION_BYTES, "9007199254740992KiB", -1}, /* 2^63 */
        {OPTION_BYTES, "9007199254740991KiB", INT64_C(9007199254740991) * 1024},
        {OPTION_DURATION, "500ms", 500},
        {OPTION_DURATION, "1s", 1000},
        {OPTION_DURATION, "5m", 300000},
        {OPTION_DURATION, "2h", 7200000},
        {OPTION_DURATION, "7d", 604800000},
        {OPTION_DURATION, "2 h", 7200000},
        {OPTION_DURATION, "0", 0},
        {OPTION_DURATION, "0s", 0},
        {OPTION_DURATION, "10", -1}, /* of what? */
        {OPTION_DURATION, "5M", -1}, /* minutes or months */
        {OPTION_DURATION, "1h30m", -1},
        {OPTION_DURATION, "soon", -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t n = -1;
        bool is_good = units_parse(rows[i].type, slice_str(rows[i].text), &n);

        cr_expect_eq(is_good ? n : -1, rows[i].want, "\"%s\" gave %lld", rows[i].text,
                     (long long)n);
    }
}

Test(config_values, numbers_are_written_with_their_largest_unit)
{
    static const struct {
        enum option_type type;
        int64_t n;
        const char *want;
    } rows[] = {
        {OPTION_INT, 0, "0"},
        {OPTION_INT, 1000, "1000"},
        {OPTION_BYTES, 0, "0"},
        {OPTION_BYTES, 100, "100"},
        {OPTION_BYTES, 1536, "1536"},
        {OPTION_BYTES, 2048, "2KiB"},
        {OPTION_BYTES, 1 << 20, "1MiB"},
        {OPTION_BYTES, 1000000, "1MB"},
        {OPTION_DURATION, 0, "0"},
        {OPTION_DURATION, 1500, "1500ms"},
        {OPTION_DURATION, 1000, "1s"},
        {OPTION_DURATION, 90000, "90s"},
        {OPTION_DURATION, 3600000, "1h"},
        {OPTION_DURATION, 172800000, "2d"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[32];
        int64_t back = -1;

        units_format(rows[i].type, rows[i].n, text, sizeof text);
        cr_expect_str_eq(text, rows[i].want);
        cr_expect(units_parse(rows[i].type, slice_str(text), &back) && back == rows[i].n, "%s",
                  text);
    }
}

Test(config_values, what_fits_is_set)
{
    cr_expect_str_eq(sample.text, "as it was");
    cr_expect(sample.flag);
    cr_expect_eq(set("text", "x"), 0);
    cr_expect_str_eq(sample.text, "x");
    cr_expect_eq(set("text", ""), 0);
    cr_expect_str_eq(sample.text, "x", "nothing is as if it were not there");
    cr_expect_eq(set("flag", "False"), 0);
    cr_expect_not(sample.flag);
    cr_expect_eq(set("count", "32"), 0);
    cr_expect_eq(sample.count, 32);
    cr_expect_eq(set("delay", "1m"), 0);
    cr_expect_eq(sample.delay_ms, 60000);
    cr_expect_eq(set("a.choice", "poll"), 0);
    cr_expect_eq(sample.choice, 1);
    for (int i = 0; i < 9; i++)
        cr_expect_eq(set("a.list", i % 2 ? "odd" : "even"), 0);
    cr_assert_eq(sample.list.n_items, 9);
    for (int i = 0; i < 9; i++)
        cr_expect_str_eq(sample.list.items[i], i % 2 ? "odd" : "even");
}

Test(config_values, what_does_not_fit_is_told)
{
    static const struct {
        const char *name;
        const char *text;
        const char *want;
    } rows[] = {
        {"flag", "yes", "\"yes\" is not true or false; did you mean \"true\"?"},
        {"flag", "Off", "\"Off\" is not true or false; did you mean \"false\"?"},
        {"flag", "1", "\"1\" is not true or false"},
        {"count", "33", "\"33\" is not a whole number from 1 to 32"},
        {"count", "0", "\"0\" is not a whole number from 1 to 32"},
        {"count", "many", "\"many\" is not a whole number from 1 to 32"},
        {"size", "2GiB", "\"2GiB\" is not a size from 0 to 1GiB, as 4096, 512KiB or 1MiB"},
        {"delay", "5", "\"5\" is not a duration from 10ms to 1h, as 500ms, 1s, 5m or 2h"},
        {"delay", "1ms", "\"1ms\" is not a duration from 10ms to 1h, as 500ms, 1s, 5m or 2h"},
        {"a.choice", "pol", "\"pol\" is not one of inotify, poll; did you mean \"poll\"?"},
        {"a.choice", "kqueue", "\"kqueue\" is not one of inotify, poll"},
        {"map", "x", "\"x\" is not a map of names to texts"},
        {"secret", "hunter\n2", "there is a control character in this secret"},
        {"count", "a\nb\x1b[0m", "\"a?b?[0m\" is not a whole number from 1 to 32"},
        {"count", "0123456789012345678901234567890123456789012345678901234567\xc3\xa9\xc3\xa9",
         "\"0123456789012345678901234567890123456789012345678901234567\xc3\xa9...\" is not a whole "
         "number from 1 to 32"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(set(rows[i].name, rows[i].text), -1, "%s", rows[i].text);
        cr_expect_str_eq(e.what, rows[i].want);
        cr_expect_eq(e.code, ERR_CONFIG);
    }
    cr_expect_eq(value_set(k, &sample_options[0], &sample, slice_of("a\0b", 3), &e), -1);
    cr_expect_str_eq(e.what, "there is a NUL in it");
}

Test(config_values, pairs)
{
    const struct option *o = &sample_options[8];
    char key[16];

    for (int i = 0; i < 5; i++) {
        snprintf(key, sizeof key, "k%d", i);
        cr_expect_eq(value_add_pair(k, o, &sample, slice_str(key), slice_str("v"), &e), 0);
    }
    cr_expect_eq(value_add_pair(k, o, &sample, slice_str("k3"), slice_str("w"), &e), -1);
    cr_expect_str_eq(e.what, "given twice");
    cr_assert_eq(sample.map.n_items, 5);
    cr_expect_str_eq(sample.map.keys[4], "k4");
    cr_expect_str_eq(sample.map.values[3], "v");
    for (int i = 5; i < VALUE_PAIRS_MAX; i++) {
        snprintf(key, sizeof key, "k%d", i);
        cr_expect_eq(value_add_pair(k, o, &sample, slice_str(key), slice_str("v"), &e), 0);
    }
    cr_expect_eq(value_add_pair(k, o, &sample, slice_str("one more"), slice_str("v"), &e), -1);
    cr_expect_str_eq(e.what, "more than 1000 names");
}

Test(config_values, names)
{
    struct slice key;

    cr_expect_eq(lookup_option(&table, slice_str("a.list"), NULL), &sample_options[7]);
    cr_expect_null(lookup_option(&table, slice_str("a"), NULL));
    cr_expect(lookup_is_group(&table, slice_str("a")));
    cr_expect_not(lookup_is_group(&table, slice_str("a.")));
    cr_expect_not(lookup_is_group(&table, slice_str("a.list")));
    cr_expect_not(lookup_is_group(&table, slice_str("")));
    cr_expect_eq(lookup_option(&table, slice_str("map.x.y"), &key), &sample_options[8]);
    cr_expect(slice_is(key, "x.y"));
    cr_expect_null(lookup_option(&table, slice_str("mapx"), &key));
    cr_expect_null(lookup_option(&table, slice_str("map."), &key), "a key without a letter");
}

/* A configuration that wants more than its ceiling is refused, and nothing breaks. */
Test(config_values, memory_has_a_ceiling)
{
    static char big[1 << 20];
    int rc = 0;

    memset(big, 'x', sizeof big - 1);
    for (int i = 0; i < 32 && rc == 0; i++)
        rc = set("a.list", big);
    cr_expect_eq(rc, -1);
    cr_expect_lt(sample.list.n_items, 16);
    cr_expect_eq(strlen(sample.list.items[sample.list.n_items - 1]), sizeof big - 1);
    cr_expect_eq(set("count", "3"), 0, "numbers still fit");
}
