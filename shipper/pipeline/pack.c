#include <stdlib.h>

#include <isa-l/igzip_lib.h>

#include "shipper/pipeline/pack.h"
#include "shipper/pipeline/pool.h"

#if defined(__x86_64__)
/* igzip's AVX routines leave the upper halves of the vector registers in use. On such a thread
 * every SSE instruction that follows drags them along: parsing and encoding ran at 2/3 of their
 * speed. */
__attribute__((target("avx"))) static void zero_upper_halves(void)
{
    __builtin_ia32_vzeroupper();
}

static void tidy_vector_registers(void)
{
    if (__builtin_cpu_supports("avx"))
        zero_upper_halves();
}
#else
static void tidy_vector_registers(void)
{
}
#endif

/* What one compressor needs; a worker keeps it, since it is large. */
struct igzip {
    struct isal_zstream stream;
    uint8_t level_buf[ISAL_DEF_LVL1_DEFAULT];
};

static bool is_ready(struct worker *w, size_t bound)
{
    if (!w->igzip)
        w->igzip = malloc(sizeof(struct igzip));
    w->packed.len = 0;
    if (!buffer_reserve(&w->packed, bound)) {
        w->packed.failed = false;
        return false;
    }
    return w->igzip;
}

static bool deflate_all(struct igzip *g, struct slice plain, struct buffer *out)
{
    struct isal_zstream *z = &g->stream;
    int rc;

    isal_deflate_init(z);
    z->level = 1;
    z->level_buf = g->level_buf;
    z->level_buf_size = sizeof g->level_buf;
    z->gzip_flag = IGZIP_GZIP;
    z->end_of_stream = 1;
    z->flush = NO_FLUSH;
    z->next_in = (uint8_t *)plain.ptr;
    z->avail_in = (uint32_t)plain.len;
    z->next_out = (uint8_t *)out->ptr;
    z->avail_out = (uint32_t)out->cap;
    rc = isal_deflate(z);
    tidy_vector_registers();
    if (rc != COMP_OK || z->avail_in > 0 || z->internal_state.state != ZSTATE_END)
        return false;
    out->len = z->total_out;
    return true;
}

bool pack_bytes(struct worker *w, struct slice plain, struct buffer *out)
{
    /* What does not shrink is stored: five bytes for each 64 KiB, header and trailer. */
    size_t bound = plain.len + plain.len / 1000 + 1024;

    if (!is_ready(w, bound) || !deflate_all(w->igzip, plain, &w->packed))
        return false;
    out->ptr = malloc(w->packed.len);
    if (!out->ptr)
        return false;
    memcpy(out->ptr, w->packed.ptr, w->packed.len);
    out->len = out->cap = w->packed.len;
    return true;
}

bool unpack_bytes(struct slice packed, size_t plain_len, struct buffer *out)
{
    struct inflate_state *z = malloc(sizeof *z);
    bool is_whole;

    /* One byte of room more, so that a longer text shows itself. */
    if (!z || !buffer_reserve(out, plain_len + 1)) {
        free(z);
        return false;
    }
    isal_inflate_init(z);
    z->crc_flag = ISAL_GZIP;
    z->next_in = (uint8_t *)packed.ptr;
    z->avail_in = (uint32_t)packed.len;
    z->next_out = (uint8_t *)out->ptr + out->len;
    z->avail_out = (uint32_t)(plain_len + 1);
    /* Its end was seen, so its checksum was compared. */
    is_whole = isal_inflate(z) == ISAL_DECOMP_OK && z->block_state == ISAL_BLOCK_FINISH &&
               z->total_out == plain_len;
    tidy_vector_registers();
    if (is_whole)
        out->len += plain_len;
    free(z);
    return is_whole;
}
