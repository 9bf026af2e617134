#include <criterion/criterion.h>

#include "shipper/pipeline/stream.h"

Test(stream, origin_path)
{
    static const struct {
        const char *path;
        const char *want;
    } rows[] = {
        {"/var/log/app.log", "/var/log/app.log"},
        {"/var/log/app.log.1", "/var/log/app.log"},
        {"/var/log/app.log.2.gz", "/var/log/app.log"},
        {"/var/log/app.log.gz", "/var/log/app.log"},
        {"/var/log/app.log-20260101", "/var/log/app.log"},
        {"/var/log/app.log-20260101.zst", "/var/log/app.log"},
        {"/var/log/app.log-2026-01-01", "/var/log/app.log"},
        {"/var/log/app.log-20260101-1767225600.gz", "/var/log/app.log"},
        {"/var/log.1/app", "/var/log.1/app"},
        {"app.log", "app.log"},
        {"/x/.1", "/x/.1"},
        {"/x/1", "/x/1"},
        {"/x/.gz", "/x/.gz"},
        {"/x/app-1", "/x/app-1"},
        {"/x/20260101", "/x/20260101"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice got = stream_origin_path(slice_str(rows[i].path));

        cr_expect(slice_is(got, rows[i].want), "%s: %.*s", rows[i].path, SLICE_ARG(got));
    }
}

static struct stream opened(const struct stream_options *options, const char *host,
                            const char *path, uint64_t inode)
{
    struct stream s = {.options = options};

    stream_set_origin(&s, slice_str(host), slice_str(path), 1, inode, 7);
    stream_set_head(&s, stream_head_hash(slice_str("first line")));
    return s;
}

static bool same(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

/* What was shipped live is not repeated by a replay of the rotated, compressed file. */
Test(stream, dated_lines_keep_their_id_through_rotation)
{
    struct stream_options live = {.is_live = true};
    struct stream_options replay = {.is_live = false};
    struct stream a = opened(&live, "h", "/l/app.log", 10);
    struct stream b = opened(&replay, "h", "/l/app.log.2.gz", 99);
    struct stream c = opened(&replay, "other", "/l/app.log", 10);
    struct stream d = opened(&live, "h", "/l/app.log", 11);

    cr_expect(same(a.id_key, b.id_key));
    cr_expect_not(same(a.id_key, c.id_key), "another host, another event");
    cr_expect_not(same(a.undated_key, b.undated_key));
    cr_expect_not(same(a.undated_key, d.undated_key), "a file made anew may say the same again");
    cr_expect(same(b.id_key, b.undated_key), "a replay has no file of its own");
}

Test(stream, state_comes_back)
{
    struct stream_options live = {.is_live = true};
    struct stream a = opened(&live, "h", "/l/app.log", 10);
    struct stream b = {.options = &live};
    struct buffer state = {0};
    struct err e;

    correlate_init(&a.correlate);
    correlate_init(&b.correlate);
    a.is_in_long_line = true;
    stream_state_save(&a, &state);
    stream_set_origin(&b, slice_str("h"), slice_str("/l/app.log"), 1, 10, 7);
    cr_assert_eq(stream_state_load(&b, buffer_slice(&state), &e), 0);
    cr_expect(b.is_in_long_line && b.has_head);
    cr_expect(same(a.id_key, b.id_key));
    cr_expect(same(a.undated_key, b.undated_key));
    for (size_t cut = 0; cut < state.len; cut++)
        cr_expect_eq(stream_state_load(&b, slice_of(state.ptr, cut), &e), -1,
                     "%zu bytes of it are no state", cut);
    buffer_free(&state);
}
