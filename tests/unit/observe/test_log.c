#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shipper/observe/log.h"

struct rig {
    int ends[2];
    struct log *log;
    char text[65536]; /* what was read last */
};

static void rig_init(struct rig *r, enum log_level least, bool as_json)
{
    cr_assert_eq(pipe(r->ends), 0);
    fcntl(r->ends[0], F_SETFL, O_NONBLOCK);
    r->log = log_new(r->ends[1], least, as_json);
    cr_assert_not_null(r->log);
}

/* What was said since the last call. */
static const char *said(struct rig *r)
{
    size_t len = 0;
    ssize_t n;

    while (len < sizeof r->text - 1 &&
           (n = read(r->ends[0], r->text + len, sizeof r->text - 1 - len)) > 0)
        len += (size_t)n;
    r->text[len] = '\0';
    return r->text;
}

static void rig_fini(struct rig *r)
{
    log_free(r->log);
    close(r->ends[0]);
    close(r->ends[1]);
}

Test(log, lines_for_a_person)
{
    struct rig r;
    struct err e = {0};

    rig_init(&r, LOG_INFO, false);
    log_line(r.log, LOG_INFO, "reading %d files", 3);
    log_line(r.log, LOG_WARN, "hm");
    log_line(r.log, LOG_DEBUG, "never asked for");
    err_set(&e, ERR_NET, "Connection refused");
    err_at(&e, "http://es:9200");
    log_err(r.log, LOG_ERROR, &e);
    cr_expect_str_eq(said(&r), "ship: reading 3 files\nship: warn: hm\n"
                               "ship: error: http://es:9200: Connection refused\n");
    rig_fini(&r);
    log_line(NULL, LOG_ERROR, "nobody wants to know");
    log_err(NULL, LOG_ERROR, &e);
}

/* Texts come from files and servers. */
Test(log, no_text_moves_the_cursor)
{
    struct rig r;

    rig_init(&r, LOG_INFO, false);
    log_line(r.log, LOG_INFO, "%s",
             "a\033[2Jb\nc\x7f\xc2\x9b"
             "31md\r\xc3\xa4\xc2\xa0\xc2");
    cr_expect_str_eq(said(&r), "ship: a?[2Jb?c???31md?\xc3\xa4\xc2\xa0\xc2\n");
    rig_fini(&r);
}

Test(log, json_lines)
{
    struct rig r;
    json_t *line;

    rig_init(&r, LOG_DEBUG, true);
    log_line(r.log, LOG_DEBUG, "%s", "\"quoted\" \\ and \xff");
    line = json_loads(said(&r), JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(line, "%s", r.text);
    cr_expect_str_eq(json_string_value(json_object_get(line, "message")),
                     "\"quoted\" \\ and \xef\xbf\xbd");
    cr_expect_str_eq(json_string_value(json_object_get(line, "log.level")), "debug");
    cr_expect_eq(strlen(json_string_value(json_object_get(line, "@timestamp"))),
                 strlen("2026-01-01T00:00:00.000000000Z"));
    json_decref(line);
    rig_fini(&r);
}

Test(log, the_same_again_is_counted)
{
    struct rig r;

    rig_init(&r, LOG_INFO, false);
    for (int i = 0; i < 5; i++)
        log_line(r.log, LOG_WARN, "again");
    cr_expect_str_eq(said(&r), "ship: warn: again\n");
    log_line(r.log, LOG_WARN, "another");
    cr_expect_str_eq(said(&r), "ship: (the last message came 4 times more)\nship: warn: another\n");
    log_line(r.log, LOG_WARN, "another");
    log_free(r.log);
    r.log = NULL;
    cr_expect_str_eq(said(&r), "ship: (the last message came 1 time more)\n", "also at the end");
    rig_fini(&r);
}

Test(log, a_long_text_is_cut_and_ends)
{
    static char text[10000];

    memset(text, 'x', sizeof text - 1);
    for (int as_json = 0; as_json < 2; as_json++) {
        struct rig r;
        size_t len;

        rig_init(&r, LOG_INFO, as_json);
        log_line(r.log, LOG_ERROR, "%s", text);
        len = strlen(said(&r));
        cr_expect_lt(len, 2400);
        cr_expect_eq(strchr(r.text, '\n'), r.text + len - 1);
        rig_fini(&r);
    }
}

/* The loop logs: a terminal that was stopped, a pipe that nobody reads, must not stop it. */
Test(log, nothing_waits_for_the_reader, .timeout = 300)
{
    struct rig r;
    unsigned n_lines = 0;
    unsigned n_missing = 0;

    rig_init(&r, LOG_INFO, false);
    for (int i = 0; i < 5000; i++)
        log_line(r.log, LOG_INFO, "line %d of a log that nobody reads", i);
    for (const char *p = said(&r); *p; p++)
        n_lines += *p == '\n';
    cr_expect_gt(n_lines, 100);
    log_line(r.log, LOG_INFO, "read again");
    cr_expect_eq(sscanf(said(&r), "ship: warn: (%u lines of this log are missing", &n_missing), 1,
                 "%s", r.text);
    cr_expect_eq(n_lines + n_missing, 5000);
    cr_expect_not_null(strstr(r.text, "\nship: read again\n"));
    rig_fini(&r);
}

static void *log_much(void *arg)
{
    for (int i = 0; i < 300; i++)
        log_line(arg, LOG_INFO, "%s", i % 2 ? "aaaaaaaaaaaaaaaaaaaaaaaaa" : "bbbbbbbbbbbbbbbbbbbb");
    return NULL;
}

Test(log, threads_do_not_break_each_other_s_lines, .timeout = 300)
{
    struct rig r;
    pthread_t threads[4];

    rig_init(&r, LOG_INFO, false);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, log_much, r.log);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (char *line = (char *)said(&r), *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        cr_expect(strcmp(line, "ship: aaaaaaaaaaaaaaaaaaaaaaaaa") == 0 ||
                      strcmp(line, "ship: bbbbbbbbbbbbbbbbbbbb") == 0 ||
                      strncmp(line, "ship: (the last", 15) == 0 ||
                      strncmp(line, "ship: warn: (", 13) == 0,
                  "%s", line);
    }
    rig_fini(&r);
}
