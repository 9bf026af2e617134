#include "parsers/trace_context.h"
#include "shipper/base/word.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* All of s, a multiple of 8 hex digits, as lower-case ones into out, padded with zeros on the left;
 * an all-zero id is none. */
static bool take_hex(struct slice s, char *out, size_t want)
{
    const uint64_t zeros = WORD_ALL('0');
    bool has_one = false;

    memset(out, '0', want - s.len);
    for (size_t i = 0; i < s.len; i += 8) {
        uint64_t word = word_load(s.ptr + i, 8);

        if (!word_is_hex(word))
            return false;
        has_one |= word != zeros;
        word = word_lower(word);
        memcpy(out + want - s.len + i, &word, sizeof word);
    }
    return has_one;
}

static bool set_trace(struct slice s, struct record *out)
{
    char id[sizeof out->trace_id];

    if ((s.len != 32 && s.len != 16) || !take_hex(s, id, sizeof id))
        return false;
    memcpy(out->trace_id, id, sizeof id);
    out->has_trace_id = true;
    return true;
}

bool trace_parse_span_id(struct slice s, struct record *out)
{
    char id[sizeof out->span_id];

    if (s.len != 16 || !take_hex(s, id, sizeof id))
        return false;
    memcpy(out->span_id, id, sizeof id);
    out->has_span_id = true;
    return true;
}

/* "1-5759e988-bd862e3fe1be46a994272793": the 8 and the 24 digits are the id. */
static bool xray_root(struct slice s, struct record *out)
{
    char joined[32];

    if (s.len != 35 || s.ptr[0] != '1' || s.ptr[1] != '-' || s.ptr[10] != '-')
        return false;
    memcpy(joined, s.ptr + 2, 8);
    memcpy(joined + 8, s.ptr + 11, 24);
    return set_trace(slice_of(joined, sizeof joined), out);
}

bool trace_parse_xray(struct slice s, struct record *out)
{
    struct slice span = {0};
    bool has_root = false;

    if (xray_root(s, out))
        return true;
    while (s.len) {
        struct slice part;

        if (!slice_cut(&s, ';', &part)) {
            part = s;
            s.len = 0;
        }
        part = slice_trim(part);
        if (slice_starts(part, slice_str("Root=")))
            has_root = xray_root(slice_from(part, 5), out);
        else if (slice_starts(part, slice_str("Parent=")))
            span = slice_from(part, 7);
    }
    if (has_root && span.len)
        trace_parse_span_id(span, out);
    return has_root;
}

/* "00-<32 hex>-<16 hex>-01": version 00 has just these 55 bytes; a higher one may go on behind a
 * dash; ff is none. */
static bool is_traceparent(struct slice s)
{
    bool is_zero = s.len >= 2 && s.ptr[0] == '0' && s.ptr[1] == '0';

    if (s.len < 55 || s.ptr[2] != '-' || s.ptr[35] != '-' || s.ptr[52] != '-' ||
        hex(s.ptr[0]) < 0 || hex(s.ptr[1]) < 0 || hex(s.ptr[53]) < 0 || hex(s.ptr[54]) < 0)
        return false;
    return !slice_eq_nocase(slice_of(s.ptr, 2), slice_str("ff")) &&
           (s.len == 55 || (!is_zero && s.ptr[55] == '-'));
}

bool trace_parse_traceparent(struct slice s, struct record *out)
{
    struct record found = *out;

    /* An id of zeros makes all of it invalid. */
    if (!is_traceparent(s) || !set_trace(slice_of(s.ptr + 3, 32), &found) ||
        !trace_parse_span_id(slice_of(s.ptr + 36, 16), &found))
        return false;
    *out = found;
    return true;
}

bool trace_parse_b3(struct slice s, struct record *out)
{
    struct slice trace;
    struct slice span;

    if (!slice_cut(&s, '-', &trace))
        return false;
    if (!slice_cut(&s, '-', &span))
        span = s;
    if (span.len != 16 || !set_trace(trace, out))
        return false;
    trace_parse_span_id(span, out);
    return true;
}

bool trace_parse_decimal_span_id(struct slice s, struct record *out)
{
    uint64_t value = 0;

    if (s.len == 0 || s.len > 20)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(s.ptr[i] - '0');

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value == 0)
        return false;
    for (int i = 15; i >= 0; i--, value >>= 4)
        out->span_id[i] = "0123456789abcdef"[value & 15];
    out->has_span_id = true;
    return true;
}

bool trace_parse_cloud(struct slice s, struct record *out)
{
    ptrdiff_t at = slice_find(s, slice_str("/traces/"));
    struct slice trace;
    struct slice span;

    if (slice_starts(s, slice_str("projects/")) && at >= 0)
        s = slice_from(s, (size_t)at + 8);
    if (!slice_cut(&s, '/', &trace)) {
        trace = s;
        s.len = 0;
    }
    if (trace.len != 32 || !set_trace(trace, out))
        return false;
    if (!slice_cut(&s, ';', &span))
        span = s;
    trace_parse_decimal_span_id(span, out);
    return true;
}

/* Without the dashes of a UUID. */
static bool from_uuid(struct slice s, struct record *out)
{
    char joined[32];
    size_t n = 0;

    if (s.len != 36 || s.ptr[8] != '-' || s.ptr[13] != '-' || s.ptr[18] != '-' || s.ptr[23] != '-')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '-' && n < sizeof joined)
            joined[n++] = s.ptr[i];
    return n == sizeof joined && set_trace(slice_of(joined, n), out);
}

bool trace_parse_id(struct slice s, struct record *out)
{
    return set_trace(s, out) || xray_root(s, out) || from_uuid(s, out);
}
