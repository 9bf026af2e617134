#include "parsers/arn.h"

enum { ACCOUNT_LEN = 12, REGION_MAX = 24 };

static bool is_region(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
              s.ptr[i] == '-'))
            return false;
    return s.len <= REGION_MAX;
}

static bool is_account(struct slice s)
{
    int64_t n;

    return s.len == 0 || (s.len == ACCOUNT_LEN && slice_to_int(s, &n));
}

bool arn_parse(struct slice text, struct arn *out)
{
    struct slice rest = text;
    struct slice word;

    if (!slice_cut(&rest, ':', &word) || !slice_is(word, "arn") || !slice_cut(&rest, ':', &word) ||
        !slice_starts(word, slice_str("aws")) || !slice_cut(&rest, ':', &out->service) ||
        !slice_cut(&rest, ':', &out->region) || !slice_cut(&rest, ':', &out->account))
        return false;
    out->resource = rest;
    return rest.len && is_region(out->region) && is_account(out->account);
}
