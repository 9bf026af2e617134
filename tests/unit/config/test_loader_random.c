/* A configuration with anything done to it: it is taken or refused with one message, nothing else.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "config/config.h"
#include "shipper/base/random.h"

static const char whole[] = "labels: {team: shop, 'stage': \"live\"}\n"
                            "limits: &limits\n"
                            "  memory: 8MiB # of events\n"
                            "limits.drain: 3s\n"
                            "inputs:\n"
                            "  - type: file\n"
                            "    paths: [/var/log/a.log, '/var/log/b/**/*.log']\n"
                            "    exclude: '*.tmp'\n"
                            "    parser:\n"
                            "      type: regex\n"
                            "      pattern: |-\n"
                            "        ^(?<level>\\w+)\\ (?<ms:int>\\d+)\n"
                            "outputs:\n"
                            "  - type: elasticsearch\n"
                            "    hosts: https://${SHIP_TEST_HOST:-es}:9200\n"
                            "    user: caf\xc3\xa9\n"
                            "    password: ${SHIP_TEST_KEY}\n"
                            "    tls: {ca_file: ~, verify: false}\n"
                            "    batch.linger: 1s\n"
                            "  - {type: stdout, name: !!str x}\n";

static const char *const pieces[] = {
    "\n",
    " ",
    "  ",
    "\t",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "\\",
    "#",
    "&a ",
    "*a",
    "!x ",
    "? ",
    "|\n",
    "---",
    "...",
    "%",
    "@",
    "~",
    "null",
    "${",
    "${A:-b}",
    "$${",
    "}",
    "0",
    "-1",
    "99999999999999999999",
    "\xff",
    "\xc3",
    "\xe2\x82",
    "\x01",
    "\\0",
    "\xef\xbb\xbf",
    "<<: ",
    "type: file\n",
    "paths:\n",
    "labels:\n",
    "*limits",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

struct text {
    char bytes[4096];
    size_t len;
};

static uint64_t below(struct random *r, uint64_t n)
{
    return random_next(r) % n;
}

static void cut(struct text *t, struct random *r)
{
    size_t from = below(r, t->len + 1);
    size_t n = below(r, 1 + (t->len - from < 20 ? t->len - from : 20));

    memmove(t->bytes + from, t->bytes + from + n, t->len - from - n);
    t->len -= n;
}

static void put(struct text *t, struct random *r, const char *bytes, size_t n)
{
    size_t at = below(r, t->len + 1);

    if (t->len + n > sizeof t->bytes)
        return;
    memmove(t->bytes + at + n, t->bytes + at, t->len - at);
    memmove(t->bytes + at, bytes, n);
    t->len += n;
}

static void mutate(struct text *t, struct random *r)
{
    const char *piece = pieces[below(r, sizeof pieces / sizeof pieces[0])];
    char copy[64];
    size_t from = below(r, t->len + 1);
    size_t n = t->len - from < sizeof copy ? t->len - from : sizeof copy;

    switch (below(r, 4)) {
    case 0:
        cut(t, r);
        return;
    case 1:
        memcpy(copy, t->bytes + from, n);
        put(t, r, copy, n);
        return;
    default:
        put(t, r, piece, strlen(piece));
    }
}

static void expect_taken_or_refused(const struct text *t, uint64_t seed)
{
    struct err e = {0};
    struct config *c = config_parse(t->bytes, t->len, "ship.yaml", &e);

    if (c) {
        cr_expect(c->n_inputs && c->n_outputs && c->inputs[0].parser.ops, "seed %llu",
                  (unsigned long long)seed);
    } else {
        cr_expect(e.code == ERR_CONFIG && strncmp(e.where, "ship.yaml:", 10) == 0 && *e.what &&
                      strlen(e.what) > 14 &&
                      strcmp(e.what + strlen(e.what) - 14, "; not starting") == 0,
                  "seed %llu: %s: %s", (unsigned long long)seed, e.where, e.what);
        cr_expect_null(strstr(e.what, "hunter2"), "seed %llu: %s", (unsigned long long)seed,
                       e.what);
    }
    config_free(c);
}

Test(config_random, anything_is_taken_or_refused, .timeout = 300)
{
    unsigned n_taken = 0;

    setenv("SHIP_TEST_KEY", "hunter2", 1);
    for (uint64_t seed = 0; seed < 5000; seed++) {
        struct random r = {seed};
        struct text t = {.len = sizeof whole - 1};
        uint64_t n = below(&r, 6);

        memcpy(t.bytes, whole, t.len);
        for (uint64_t i = 0; i < n; i++)
            mutate(&t, &r);
        expect_taken_or_refused(&t, seed);
        n_taken += n == 0;
    }
    cr_expect_gt(n_taken, 0, "some are left whole");
}
