/* The tab-separated pairs of REPORT, INIT_REPORT and RESTORE_REPORT, and what follows them. */
#include <math.h>

#include "parsers/lambda_parts.h"
#include "parsers/trace_context.h"

enum { LONGEST_NUMBER = 15 };

/* "812.25" of "812.25 ms". */
static double number_before(struct slice value, const char *unit)
{
    /* Up to 15 digits and a power of ten are exact as doubles, and so is their quotient rounded. */
    int64_t digits = 0;
    int64_t scale = 1;
    bool is_behind_point = false;
    size_t n = 0;

    for (; n < value.len && n < LONGEST_NUMBER; n++) {
        char c = value.ptr[n];

        if (c == '.' && n > 0 && !is_behind_point) {
            is_behind_point = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        digits = digits * 10 + (c - '0');
        scale *= is_behind_point ? 10 : 1;
    }
    if (n == 0 || !slice_is(slice_trim(slice_from(value, n)), unit))
        return NAN;
    return (double)digits / (double)scale;
}

static bool take_number(struct slice name, struct slice value, struct report *r)
{
    const struct {
        struct slice name;
        const char *unit;
        double *into;
    } numbers[] = {
        {SLICE_LIT("Duration"), "ms", &r->duration_ms},
        {SLICE_LIT("Billed Duration"), "ms", &r->billed_ms},
        {SLICE_LIT("Memory Size"), "MB", &r->memory_mb},
        {SLICE_LIT("Max Memory Used"), "MB", &r->max_memory_mb},
        {SLICE_LIT("Init Duration"), "ms", &r->init_ms},
        {SLICE_LIT("Restore Duration"), "ms", &r->restore_ms},
        {SLICE_LIT("Billed Restore Duration"), "ms", &r->billed_restore_ms},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (slice_eq(name, numbers[i].name)) {
            *numbers[i].into = number_before(value, numbers[i].unit);
            return !isnan(*numbers[i].into);
        }
    return false;
}

static void take_pair(struct slice name, struct slice value, struct record *out)
{
    if (take_number(name, value, &out->report))
        return;
    if (slice_is(name, "Status"))
        out->report.status = value;
    else if (slice_is(name, "Error Type"))
        out->report.error_type = value;
    else if (slice_is(name, "XRAY TraceId"))
        trace_parse_xray(value, out);
    else if (slice_is(name, "SegmentId"))
        trace_parse_span_id(value, out);
}

void lambda_take_pairs(struct slice rest, struct record *out)
{
    while (rest.len) {
        struct slice pair;
        ptrdiff_t colon;

        if (!slice_cut(&rest, '\t', &pair)) {
            pair = rest;
            rest.len = 0;
        }
        pair = slice_trim(pair);
        colon = slice_find(pair, slice_str(": "));
        if (colon < 0)
            continue;
        take_pair(slice_of(pair.ptr, (size_t)colon),
                  slice_trim(slice_from(pair, (size_t)colon + 2)), out);
    }
}

void lambda_take_failure(struct record *out)
{
    const struct report *r = &out->report;

    if (!r->error_type.len && (!r->status.len || slice_is(r->status, "success")))
        return;
    out->level = LEVEL_ERROR;
    if (r->error_type.len)
        out->error_type = value_text(r->error_type);
}
