#include <stdio.h>

#include "parsers/json_scan.h"
#include "shipper/base/ecs.h"
#include "shipper/pipeline/stream.h"

static struct hash128 mix(const char *what, struct hash128 key)
{
    return hash128_keyed(slice_str(what), &key);
}

uint64_t stream_head_hash(struct slice first_line)
{
    if (first_line.len > HEAD_MAX)
        first_line.len = HEAD_MAX;
    return hash64(first_line);
}

void stream_set_origin(struct stream *s, struct slice host, struct slice path, uint64_t device,
                       uint64_t inode, uint64_t generation)
{
    struct hash128 seed = mix("ship event id 1", (struct hash128){0, 0});

    seed = hash128_keyed(host, &seed);
    s->origin_key = hash128_keyed(stream_origin_path(path), &seed);
    s->file_key = mix("file", (struct hash128){device ^ generation * 0x9E3779B97F4A7C15u, inode});
    s->has_head = false;
}

void stream_set_head(struct stream *s, uint64_t head_hash)
{
    s->head_hash = head_hash;
    s->has_head = true;
    s->id_key = hash128_keyed(slice_of((const char *)&head_hash, sizeof head_hash), &s->origin_key);
    s->undated_key =
        s->options->is_live
            ? hash128_keyed(slice_of((const char *)&s->file_key, sizeof s->file_key), &s->id_key)
            : s->id_key;
}

bool stream_is_holding(const struct stream *s)
{
    return s->has_open_record || s->correlate.has_held;
}

void stream_drop_rest(struct stream *s)
{
    buffer_free(&s->carry);
    s->has_open_record = false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The length of `s` without ".N" (one to six digits), "-YYYYMMDD" (with more digits or dashes
 * behind), or 0 if it ends in neither. */
static size_t cut_rotation(struct slice s)
{
    size_t end = s.len;
    size_t from;

    for (from = end; from > 0 && (is_digit(s.ptr[from - 1]) || s.ptr[from - 1] == '-'); from--)
        ;
    if (from > 0 && from < end && s.ptr[from - 1] == '.' && end - from <= 6 &&
        is_digit(s.ptr[from]) && is_digit(s.ptr[end - 1]))
        return from - 1;
    /* dateext: "-20260101", "-20260101-1767225600", "-2026-01-01" */
    if (from < end && s.ptr[from] == '-' && end - from >= 9 && is_digit(s.ptr[from + 1]) &&
        is_digit(s.ptr[end - 1]))
        return from;
    if (from > 0 && from < end && s.ptr[from - 1] == '.' && end - from >= 8 &&
        is_digit(s.ptr[from]) && is_digit(s.ptr[end - 1]))
        return from - 1;
    return 0;
}

struct slice stream_origin_path(struct slice path)
{
    static const struct slice packed[] = {SLICE_LIT(".gz"), SLICE_LIT(".zst")};
    size_t base = path.len;
    size_t cut;

    while (base > 0 && path.ptr[base - 1] != '/')
        base--;
    for (size_t i = 0; i < sizeof packed / sizeof packed[0]; i++)
        if (slice_ends(path, packed[i]) && path.len - packed[i].len > base)
            path.len -= packed[i].len;
    cut = cut_rotation(slice_from(path, base));
    if (cut > 0)
        path.len = base + cut;
    return path;
}

static void add_member(struct buffer *out, const char *key, struct slice value)
{
    if (value.len == 0)
        return;
    buffer_add_lit(out, ",\"");
    json_escape(slice_str(key), out);
    buffer_add_lit(out, "\":\"");
    json_escape(value, out);
    buffer_add_char(out, '"');
}

void stream_profile_build(struct stream_profile *p, const struct profile_parts *parts,
                          struct buffer *store)
{
    const struct slice texts[] = {parts->path, parts->host, parts->function, parts->dataset,
                                  parts->namespace.len ? parts->namespace : slice_str("app")};
    struct slice *const places[] = {&p->path, &p->host, &p->function, &p->dataset, &p->namespace};
    size_t at[2];

    memset(p, 0, sizeof *p);
    store->len = 0;
    p->has_id = parts->has_id;
    p->with_original = parts->with_original;
    p->lift_keys = parts->lift_keys;
    p->lift_names = parts->lift_names;
    p->n_lifts = parts->n_lifts;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buffer_add_slice(store, texts[i]);
    at[0] = store->len;
    add_member(store, "log.file.path", parts->path);
    at[1] = store->len;
    add_member(store, "host.name", parts->host);
    add_member(store, "event.dataset", parts->dataset);
    add_member(store, "event.kind", slice_str("event"));
    add_member(store, "ecs.version", slice_str(ECS_VERSION));
    for (size_t i = 0; i < parts->n_labels; i++) {
        char key[256];

        snprintf(key, sizeof key, "labels.%s", parts->label_keys[i]);
        add_member(store, key, slice_str(parts->label_values[i]));
    }
    if (store->failed)
        return; /* an empty profile: documents lack their origin, ids are unharmed */
    for (size_t i = 0, from = 0; i < sizeof texts / sizeof texts[0]; from += texts[i++].len)
        *places[i] = slice_of(store->ptr + from, texts[i].len);
    p->static_path_json = slice_of(store->ptr + at[0], at[1] - at[0]);
    p->static_json = slice_of(store->ptr + at[1], store->len - at[1]);
}

/* Version, flags, head, mark; then correlation's own bytes. */
enum { STATE_VERSION = 2, STATE_HEAD = 2, STATE_MARK = 10, STATE_FIXED = 18 };

static void put_u64(unsigned char *to, uint64_t n)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(n >> (8 * i));
}

static uint64_t get_u64(const char *from)
{
    uint64_t n = 0;

    for (int i = 0; i < 8; i++)
        n |= (uint64_t)(unsigned char)from[i] << (8 * i);
    return n;
}

void stream_state_save(const struct stream *s, struct buffer *out)
{
    unsigned char fixed[STATE_FIXED] = {STATE_VERSION};

    fixed[1] = (unsigned char)((s->has_head ? 1 : 0) | (s->is_in_long_line ? 2 : 0) |
                               (s->has_inherited ? 4 : 0) | (s->is_aside ? 8 : 0) |
                               (s->holds_elders ? 16 : 0));
    put_u64(fixed + STATE_HEAD, s->head_hash);
    put_u64(fixed + STATE_MARK, s->mark);
    buffer_add(out, fixed, sizeof fixed);
    correlate_save(&s->correlate, out);
}

int stream_state_load(struct stream *s, struct slice bytes, struct err *e)
{
    if (bytes.len < STATE_FIXED || bytes.ptr[0] != STATE_VERSION)
        return err_set(e, ERR_STORE, "a checkpoint of another version");
    if (bytes.ptr[1] & 1)
        stream_set_head(s, get_u64(bytes.ptr + STATE_HEAD));
    s->mark = get_u64(bytes.ptr + STATE_MARK);
    s->is_in_long_line = bytes.ptr[1] & 2;
    s->has_inherited = bytes.ptr[1] & 4;
    s->is_aside = bytes.ptr[1] & 8;
    s->holds_elders = bytes.ptr[1] & 16;
    return correlate_load(&s->correlate, slice_from(bytes, STATE_FIXED), e);
}

uint64_t stream_state_mark(struct slice bytes)
{
    return bytes.len < STATE_FIXED || bytes.ptr[0] != STATE_VERSION
               ? 0
               : get_u64(bytes.ptr + STATE_MARK);
}
