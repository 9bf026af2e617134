#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "shipper/inputs/source_packed.h"
#include "tests/support/file_rig.h"

static struct rig r;
static struct buffer packed; /* what is written to the file */
static struct buffer plain;  /* what comes out of it */
static struct source_packed *source;
static struct err why;

static void set_up(void)
{
    rig_init(&r);
}

static enum packed_window window = PACKED_WINDOW_SERVICE;

static void close_it(void)
{
    if (source)
        source_packed_base(source)->ops->close(source_packed_base(source));
    source = NULL;
    plain.len = 0;
}

static void tear_down(void)
{
    close_it();
    buffer_free(&packed);
    buffer_free(&plain);
    rig_fini(&r);
}

TestSuite(source_packed, .init = set_up, .fini = tear_down);

static void add_gzip(const char *text, size_t len)
{
    z_stream z = {0};

    cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert(buffer_reserve(&packed, deflateBound(&z, len)));
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)packed.ptr + packed.len;
    z.avail_out = (uInt)(packed.cap - packed.len);
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    packed.len += z.total_out;
    deflateEnd(&z);
}

static void add_zstd(const char *text, size_t len)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_inBuffer in = {text, len, 0};
    ZSTD_outBuffer out;

    cr_assert(buffer_reserve(&packed, ZSTD_compressBound(len)));
    out = (ZSTD_outBuffer){packed.ptr + packed.len, packed.cap - packed.len, 0};
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    cr_assert_eq(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end), 0);
    packed.len += out.pos;
    ZSTD_freeCCtx(c);
}

static void store(const char *name, size_t len)
{
    FILE *f = fopen(rig_path(&r, name), "w");

    cr_assert_not_null(f);
    cr_assert_eq(fwrite(packed.ptr, 1, len, f), len);
    fclose(f);
}

static void open_it(const char *name)
{
    bool missing;
    int fd = files_posix.open(NULL, rig_path(&r, name), &missing, &why);

    cr_assert_geq(fd, 0);
    source = source_packed_new(&files_posix, fd, name, window);
    cr_assert_not_null(source);
}

/* Reads on to where it gives no more, in pieces of `piece`; the last answer. */
static ssize_t read_on(size_t piece)
{
    struct source *base = source_packed_base(source);
    ssize_t n;

    do {
        cr_assert(buffer_reserve(&plain, piece));
        n = base->ops->read(base, plain.len, plain.ptr + plain.len, piece, &why);
        plain.len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    return n;
}

static char *make_text(size_t len)
{
    char *text = malloc(len);
    uint32_t x = 1;

    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        text[i] = i % 64 == 63 ? '\n' : (char)('a' + (x >> 24) % 20);
    }
    return text;
}

static void expect_plain(const char *text, size_t len)
{
    cr_assert_eq(plain.len, len, "%zu bytes", plain.len);
    cr_expect_eq(memcmp(plain.ptr, text, len), 0);
}

Test(source_packed, members_and_frames)
{
    enum { LEN = 1000000 };
    static const size_t pieces[] = {1 << 20, 65536, 1000};
    char *text = make_text(LEN);

    for (int kind = 0; kind < 2; kind++) {
        packed.len = 0;
        for (size_t at = 0; at < LEN; at += LEN / 4) {
            if (kind == 0)
                add_gzip(text + at, LEN / 4);
            else
                add_zstd(text + at, LEN / 4);
        }
        store(kind ? "a.zst" : "a.gz", packed.len);
        for (size_t i = 0; i < 3; i++) {
            plain.len = 0;
            open_it(kind ? "a.zst" : "a.gz");
            cr_expect_eq(read_on(pieces[i]), 0);
            expect_plain(text, LEN);
            cr_expect_eq(source_packed_end(source), PACKED_WHOLE);
            cr_expect_eq(source_packed_taken(source), packed.len);
            source_packed_base(source)->ops->close(source_packed_base(source));
            source = NULL;
        }
    }
    free(text);
}

Test(source_packed, garbage_behind_the_end)
{
    add_gzip("one\n", 4);
    buffer_add_lit(&packed, "\0\0\0 not gzip");
    store("a.gz", packed.len);
    open_it("a.gz");
    cr_expect_eq(read_on(100), 0);
    expect_plain("one\n", 4);
    cr_expect_eq(source_packed_end(source), PACKED_GARBAGE);
}

/* Cut anywhere: never an error, never a wrong byte; and it goes on when the rest is written. */
Test(source_packed, cut_and_growing)
{
    enum { LEN = 20000 };
    char *text = make_text(LEN);

    for (int kind = 0; kind < 2; kind++) {
        const char *name = kind ? "a.zst" : "a.gz";

        packed.len = 0;
        for (int half = 0; half < 2; half++) {
            if (kind)
                add_zstd(text + half * (LEN / 2), LEN / 2);
            else
                add_gzip(text + half * (LEN / 2), LEN / 2);
        }
        for (size_t cut = 0; cut < packed.len; cut += cut < 40 ? 1 : 97) {
            plain.len = 0;
            store(name, cut);
            open_it(name);
            cr_expect_eq(read_on(4096), 0, "%s cut at %zu: %s", name, cut, why.what);
            cr_expect(cut == 0 || source_packed_end(source) == PACKED_CUT || plain.len == LEN / 2);
            cr_expect_eq(memcmp(plain.ptr, text, plain.len), 0);
            store(name, packed.len);
            cr_expect_eq(read_on(4096), 0);
            expect_plain(text, LEN);
            cr_expect_eq(source_packed_end(source), PACKED_WHOLE);
            source_packed_base(source)->ops->close(source_packed_base(source));
            source = NULL;
        }
    }
    free(text);
}

Test(source_packed, damage_is_told_after_what_was_good)
{
    enum { LEN = 200000 };
    char *text = make_text(LEN);

    for (int kind = 0; kind < 2; kind++) {
        const char *name = kind ? "a.zst" : "a.gz";

        plain.len = packed.len = 0;
        if (kind) {
            add_zstd(text, LEN / 2);
            add_zstd(text + LEN / 2, LEN / 2);
        } else {
            add_gzip(text, LEN / 2);
            add_gzip(text + LEN / 2, LEN / 2);
        }
        memset(packed.ptr + packed.len / 2 + 200, 0xff, 1000);
        store(name, packed.len);
        open_it(name);
        cr_expect_eq(read_on(1 << 20), -1, "%s", name);
        cr_expect_geq(plain.len, LEN / 2, "what was before the damage");
        cr_expect_eq(memcmp(plain.ptr, text, LEN / 2), 0);
        cr_expect_not_null(strstr(why.where, name), "the file is named: %s", why.where);
        cr_expect_eq(source_packed_end(source), PACKED_BROKEN);
        cr_expect_eq(read_on(100), 0, "said once; then it is at its end");
        source_packed_base(source)->ops->close(source_packed_base(source));
        source = NULL;
    }
    free(text);
}

Test(source_packed, not_packed_at_all)
{
    buffer_add_lit(&packed, "plain text\n");
    store("a.gz", packed.len);
    open_it("a.gz");
    cr_expect_eq(read_on(100), -1);
    cr_expect_str_eq(why.what, "this is not gzip data");
}

Test(source_packed, window_too_large)
{
    static const struct {
        enum packed_window window;
        unsigned log; /* what the frame asks for */
        const char *want;
    } rows[] = {
        {PACKED_WINDOW_REPLAY, 27, NULL},
        {PACKED_WINDOW_REPLAY, 28, "wants more than 128 MiB of memory"},
        {PACKED_WINDOW_SERVICE, 23, NULL},
        {PACKED_WINDOW_SERVICE, 24, "wants more than 8 MiB of memory"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        /* RFC 8878, 3.1.1.1.2: exponent and mantissa; then a raw block, the last, of one byte. */
        unsigned char frame[] = {
            0x28, 0xb5, 0x2f, 0xfd, 0, (unsigned char)((rows[i].log - 10) << 3), 0x09, 0, 0, 'x'};

        window = rows[i].window;
        packed.len = 0;
        buffer_add(&packed, frame, sizeof frame);
        store("a.zst", packed.len);
        open_it("a.zst");
        if (rows[i].want) {
            cr_expect_eq(read_on(100), -1);
            cr_expect_not_null(strstr(why.what, rows[i].want), "%s", why.what);
        } else {
            cr_expect_eq(read_on(100), 0, "%s", why.what);
            cr_expect(slice_is(buffer_slice(&plain), "x"));
        }
        close_it();
    }
}

Test(source_packed, goes_on_in_the_middle)
{
    struct source *base;
    char buf[8];

    add_gzip("0123456789", 10);
    store("a.gz", packed.len);
    open_it("a.gz");
    base = source_packed_base(source);
    cr_expect_eq(base->ops->read(base, 6, buf, sizeof buf, &why), 4, "after a restart");
    cr_expect_eq(memcmp(buf, "6789", 4), 0);
    cr_expect_eq(base->ops->read(base, 0, buf, sizeof buf, &why), -1, "there is no way back");
}

/* --- what unpacks to nothing, or is passed over, for long ------------------------------------- */

enum { FRAME = 20 * 1024 * 1024, N_FRAMES = 4 };

/* Skippable frames (RFC 8878, 3.1.2), which are holes and take no room on the disk, and a line
 * behind each. */
static void store_holes(const char *name)
{
    static const unsigned char head[] = {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0x40, 0x01}; /* FRAME */
    FILE *f = fopen(rig_path(&r, name), "w");

    cr_assert_not_null(f);
    add_zstd("line\n", 5);
    for (int i = 0; i < N_FRAMES; i++) {
        cr_assert_eq(fwrite(head, 1, sizeof head, f), sizeof head);
        cr_assert_eq(fseek(f, FRAME, SEEK_CUR), 0);
        cr_assert_eq(fwrite(packed.ptr, 1, packed.len, f), packed.len);
    }
    fclose(f);
}

/* Reads to the end; how often it was told to ask again. */
static unsigned read_with_patience(size_t piece)
{
    unsigned n = 0;

    why = (struct err){0};
    while (read_on(piece) < 0) {
        cr_assert_eq(why.code, ERR_BUSY, "%s", why.what);
        cr_assert_lt(n++, 100);
    }
    return n;
}

Test(source_packed, what_unpacks_to_nothing_does_not_keep_a_worker)
{
    store_holes("a.zst");
    open_it("a.zst");
    cr_expect_geq(read_with_patience(65536), N_FRAMES * FRAME / (16 * 1024 * 1024));
    expect_plain("line\nline\nline\nline\n", 20);
    cr_expect_eq(source_packed_end(source), PACKED_WHOLE);
}

/* A byte now and then must not make it long either. */
Test(source_packed, single_bytes_do_not_keep_a_worker)
{
    store_holes("a.zst");
    open_it("a.zst");
    for (unsigned n_reads = 0; plain.len < 20; n_reads++) {
        uint64_t before = source_packed_taken(source);

        cr_assert_lt(n_reads, 100);
        cr_assert(read_on(65536) <= 0);
        cr_expect_leq(source_packed_taken(source) - before, 9 * 1024 * 1024, "until it says so");
    }
    expect_plain("line\nline\nline\nline\n", 20);
}

Test(source_packed, passing_over_what_was_read_does_not_keep_a_worker)
{
    enum { LEN = 66 * 1024 * 1024, REST = 10 };
    char *text = calloc(1, LEN);
    unsigned n = 0;
    char buf[64];
    ssize_t got;

    add_gzip(text, LEN);
    store("a.gz", packed.len);
    open_it("a.gz");
    while ((got = source_packed_base(source)->ops->read(source_packed_base(source), LEN - REST, buf,
                                                        sizeof buf, &why)) < 0) {
        cr_assert_eq(why.code, ERR_BUSY, "%s", why.what);
        cr_assert_lt(n++, 100);
    }
    cr_expect_eq(n, 1, "%u", n);
    cr_expect_eq(got, REST);
    free(text);
}

Test(source_packed, a_tail_goes_on_after_what_takes_long)
{
    store_holes("a.log.zst");
    rig_open(&r, "*.zst");
    rig_run(&r, 5000);
    rig_expect(&r, "line\nline\nline\nline\n", "each once");
    cr_expect_eq(r.log.len, 0, "and nothing is said");
    cr_expect_eq(input_file.stats(r.input)->errors, 0);
}
