#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "shipper/inputs/unpack.h"

enum { GZIP_ONLY = 16, MAGIC_MAX = 4 };

struct unpack {
    enum packing packing;
    enum packed_window window;
    z_stream gzip;
    bool has_gzip;
    ZSTD_DStream *zstd;
    bool is_inside;   /* a member has begun and not ended */
    bool has_member;  /* at least one was whole */
    bool has_output;  /* stopped for want of room */
    unsigned n_magic; /* bytes of the next member's magic number that have been seen */
    unsigned char magic[MAGIC_MAX];
};

struct unpack *unpack_new(enum packing packing, enum packed_window window)
{
    struct unpack *u = calloc(1, sizeof *u);

    if (!u)
        return NULL;
    u->packing = packing;
    u->window = window;
    if (packing == PACKING_GZIP) {
        u->has_gzip = inflateInit2(&u->gzip, MAX_WBITS + GZIP_ONLY) == Z_OK;
    } else {
        u->zstd = ZSTD_createDStream();
        if (u->zstd)
            ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, (int)window);
    }
    if (!u->has_gzip && !u->zstd) {
        free(u);
        return NULL;
    }
    return u;
}

void unpack_free(struct unpack *u)
{
    if (!u)
        return;
    if (u->has_gzip)
        inflateEnd(&u->gzip);
    ZSTD_freeDStream(u->zstd);
    free(u);
}

bool unpack_has_output(const struct unpack *u)
{
    return u->has_output;
}

/* Whether what has been seen of a magic number can still become one. */
static bool is_magic(const struct unpack *u)
{
    static const unsigned char gzip[] = {0x1f, 0x8b};
    static const unsigned char zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

    if (u->packing == PACKING_GZIP)
        return memcmp(u->magic, gzip, u->n_magic) == 0;
    /* RFC 8878, 3.1.2: skippable frames, 0x184D2A5? little-endian */
    if ((u->magic[0] & 0xf0) == 0x50)
        return memcmp(u->magic + 1, (unsigned char[]){0x2a, 0x4d, 0x18}, u->n_magic - 1) == 0;
    return memcmp(u->magic, zstd, u->n_magic) == 0;
}

static unsigned magic_len(const struct unpack *u)
{
    return u->packing == PACKING_GZIP ? 2 : 4;
}

static enum unpack_step run_gzip(struct unpack *u, struct slice in, size_t *used, char *out,
                                 size_t cap, size_t *made, struct err *e)
{
    z_stream *z = &u->gzip;
    int rc;

    z->next_in = (Bytef *)in.ptr; /* zlib only reads it */
    z->avail_in = in.len > UINT_MAX ? UINT_MAX : (uInt)in.len;
    z->next_out = (Bytef *)out;
    z->avail_out = cap > UINT_MAX ? UINT_MAX : (uInt)cap;
    rc = inflate(z, Z_NO_FLUSH);
    *used = (size_t)((const char *)z->next_in - in.ptr);
    *made = (size_t)((char *)z->next_out - out);
    u->has_output = z->avail_out == 0;
    if (rc == Z_STREAM_END) {
        u->has_output = false;
        inflateReset(z);
        return UNPACK_BETWEEN;
    }
    if (rc == Z_OK || rc == Z_BUF_ERROR)
        return UNPACK_INSIDE;
    err_set(e, rc == Z_MEM_ERROR ? ERR_NOMEM : ERR_INPUT, "damaged gzip data: %s",
            z->msg ? z->msg : zError(rc));
    return UNPACK_BROKEN;
}

static enum unpack_step run_zstd(struct unpack *u, struct slice in, size_t *used, char *out,
                                 size_t cap, size_t *made, struct err *e)
{
    ZSTD_inBuffer input = {in.ptr, in.len, 0};
    ZSTD_outBuffer output = {out, cap, 0};
    size_t rc = ZSTD_decompressStream(u->zstd, &output, &input);

    *used = input.pos;
    *made = output.pos;
    u->has_output = !ZSTD_isError(rc) && rc != 0 && output.pos == cap;
    if (rc == 0)
        return UNPACK_BETWEEN;
    if (!ZSTD_isError(rc))
        return UNPACK_INSIDE;
    if (ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge)
        err_set(
            e, ERR_INPUT,
            "this zstd data wants more than %d MiB of memory; unpack it with zstd -d, or read it "
            "once with ship --replay",
            1 << (u->window - 20));
    else
        err_set(e, ERR_INPUT, "damaged zstd data: %s", ZSTD_getErrorName(rc));
    return UNPACK_BROKEN;
}

static enum unpack_step run(struct unpack *u, struct slice in, size_t *used, char *out, size_t cap,
                            size_t *made, struct err *e)
{
    enum unpack_step how = u->packing == PACKING_GZIP ? run_gzip(u, in, used, out, cap, made, e)
                                                      : run_zstd(u, in, used, out, cap, made, e);

    if (how == UNPACK_BETWEEN) {
        u->is_inside = false;
        u->has_member = true;
        u->n_magic = 0;
    }
    return how;
}

/* Between members: takes bytes until they are a magic number, or cannot become one. */
static enum unpack_step look_for_member(struct unpack *u, struct slice in, size_t *used,
                                        struct err *e)
{
    while (*used < in.len && u->n_magic < magic_len(u)) {
        u->magic[u->n_magic++] = (unsigned char)in.ptr[(*used)++];
        if (is_magic(u))
            continue;
        if (u->has_member)
            return UNPACK_GARBAGE;
        err_set(e, ERR_INPUT, "this is not %s data", u->packing == PACKING_GZIP ? "gzip" : "zstd");
        return UNPACK_BROKEN;
    }
    if (u->n_magic < magic_len(u))
        return u->n_magic ? UNPACK_INSIDE : UNPACK_BETWEEN;
    u->is_inside = true;
    return UNPACK_INSIDE;
}

enum unpack_step unpack_run(struct unpack *u, struct slice in, size_t *used, char *out, size_t cap,
                            size_t *made, struct err *e)
{
    enum unpack_step how;
    size_t ignored;
    size_t none;

    *used = *made = 0;
    if (u->is_inside)
        return run(u, in, used, out, cap, made, e);
    how = look_for_member(u, in, used, e);
    if (!u->is_inside)
        return how;
    /* The magic number may have come in two pieces: it is given from our copy. It makes no output.
     */
    return run(u, slice_of((const char *)u->magic, u->n_magic), &ignored, out, cap, &none, e);
}

/* RFC 1952, 2.3.1: ISIZE, modulo 2^32; RFC 8878, 3.1.1.1: Frame_Content_Size. */
uint64_t unpack_size(enum packing packing, const char bytes[UNPACK_SIZE_MAX], uint64_t *mask)
{
    const unsigned char *end = (const unsigned char *)bytes + UNPACK_SIZE_MAX;
    unsigned long long size;

    if (packing == PACKING_GZIP) {
        *mask = UINT32_MAX;
        return end[-4] | (uint64_t)end[-3] << 8 | (uint64_t)end[-2] << 16 | (uint64_t)end[-1] << 24;
    }
    size = ZSTD_getFrameContentSize(bytes, UNPACK_SIZE_MAX);
    *mask = size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR ? 0 : UINT64_MAX;
    return size;
}
