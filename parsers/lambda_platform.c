/* Lambda's platform lines in text form, by their first bytes and in their exact form. */
#include <math.h>

#include "parsers/arn.h"
#include "parsers/lambda_parts.h"
#include "parsers/timestamp.h"
#include "parsers/trace_context.h"
#include "shipper/base/word.h"

enum { REQUEST_ID_LEN = 36 };

bool lambda_is_request_id(struct slice s)
{
    const char *p = s.ptr;

    if (s.len != REQUEST_ID_LEN || p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
        return false;
    return word_is_hex(word_load(p, 8)) && word_is_hex(word_load(p + 9, 4)) &&
           word_is_hex(word_load(p + 14, 4)) && word_is_hex(word_load(p + 19, 4)) &&
           word_is_hex(word_load(p + 24, 8)) && word_is_hex(word_load(p + 28, 8));
}

/* "<prefix><uuid>" from the start of *rest, which moves behind it. */
static bool take_id(struct slice *rest, const char *prefix, struct slice *id)
{
    struct slice p = slice_str(prefix);

    if (!slice_starts(*rest, p) || rest->len < p.len + REQUEST_ID_LEN)
        return false;
    *id = slice_of(rest->ptr + p.len, REQUEST_ID_LEN);
    if (!lambda_is_request_id(*id))
        return false;
    *rest = slice_from(*rest, p.len + REQUEST_ID_LEN);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "$LATEST" or a number. */
static bool is_version(struct slice s)
{
    int64_t n;

    return slice_is(s, "$LATEST") || slice_to_int(s, &n);
}

/* What may stand behind the version: whether a tenant does is not documented. */
static bool is_tenant(struct slice s)
{
    return s.len >= 6 && slice_eq_nocase(slice_of(s.ptr, 6), slice_str("tenant"));
}

/* "START RequestId: <uuid> Version: $LATEST"; a tab before Version as the local emulator has it. */
static bool parse_start(struct slice line, struct record *out)
{
    struct slice rest = line;
    struct slice id;
    struct slice version;
    size_t n = 0;

    if (!take_id(&rest, "START RequestId: ", &id) || !rest.len || !is_blank(*rest.ptr) ||
        !slice_starts(slice_from(rest, 1), slice_str("Version: ")))
        return false;
    rest = slice_from(rest, 10);
    while (n < rest.len && !is_blank(rest.ptr[n]))
        n++;
    version = slice_of(rest.ptr, n);
    rest = slice_trim(slice_from(rest, n));
    if (!is_version(version) || (rest.len && !is_tenant(rest)))
        return false;
    out->kind = RECORD_START;
    out->request_id = id;
    out->faas_version = value_text(version);
    return true;
}

static bool parse_end(struct slice line, struct record *out)
{
    struct slice rest = line;
    struct slice id;

    if (!take_id(&rest, "END RequestId: ", &id) || rest.len)
        return false;
    out->kind = RECORD_END;
    out->request_id = id;
    return true;
}

/* "REPORT RequestId: <uuid>\tDuration: ...", the pairs in any order; very old ones had a blank
 * before the tab. */
static bool parse_report(struct slice line, struct record *out)
{
    struct record found = *out;
    struct slice rest = line;

    if (!take_id(&rest, "REPORT RequestId: ", &found.request_id))
        return false;
    while (rest.len && *rest.ptr == ' ')
        rest = slice_from(rest, 1);
    if (!rest.len || *rest.ptr != '\t')
        return false;
    lambda_take_pairs(rest, &found);
    if (isnan(found.report.duration_ms))
        return false;
    found.kind = RECORD_REPORT;
    lambda_take_failure(&found);
    *out = found;
    return true;
}

/* "INIT_REPORT Init Duration: 431.38 ms\tPhase: invoke\t...", "RESTORE_REPORT Restore Duration:
 * ..." */
static bool parse_phase_report(struct slice line, const char *prefix, enum record_kind kind,
                               struct record *out)
{
    struct record found = *out;
    struct slice p = slice_str(prefix);

    if (!slice_starts(line, p))
        return false;
    lambda_take_pairs(slice_from(line, p.len), &found);
    if (isnan(kind == RECORD_INIT_REPORT ? found.report.init_ms : found.report.restore_ms))
        return false;
    found.kind = kind;
    lambda_take_failure(&found);
    *out = found;
    return true;
}

/* "INIT_START Runtime Version: python:3.12.v43\tRuntime Version ARN: arn:..." */
static bool parse_phase_start(struct slice line, const char *prefix, enum record_kind kind,
                              struct record *out)
{
    struct slice p = slice_str(prefix);
    struct slice arn_key = slice_str("Runtime Version ARN: ");
    struct slice rest;
    struct slice version;
    struct arn arn;

    if (!slice_starts(line, p))
        return false;
    rest = slice_from(line, p.len);
    if (slice_cut(&rest, '\t', &version)) {
        if (!slice_starts(rest, arn_key))
            return false;
        if (arn_parse(slice_trim(slice_from(rest, arn_key.len)), &arn))
            out->cloud_region = arn.region;
    } else {
        version = rest;
    }
    version = slice_trim(version);
    if (!version.len || memchr(version.ptr, ' ', version.len))
        return false;
    out->runtime_version = version;
    out->kind = kind;
    return true;
}

/* "XRAY TraceId: 1-...\tSegmentId: ...\tSampled: true": the second half of a REPORT. */
static bool parse_xray(struct slice line, struct record *out)
{
    struct record found = *out;

    if (!slice_starts(line, slice_str("XRAY TraceId: ")))
        return false;
    lambda_take_pairs(line, &found);
    if (!found.has_trace_id)
        return false;
    *out = found;
    out->kind = RECORD_XRAY;
    return true;
}

static bool parse_extension(struct slice line, struct record *out)
{
    static const struct slice names[] = {SLICE_LIT("EXTENSION\tName: "),
                                         SLICE_LIT("TELEMETRY\tName: "), SLICE_LIT("LOGS\tName: ")};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_starts(line, names[i]) && slice_find(line, slice_str("\tState: ")) > 0) {
            out->kind = RECORD_PLATFORM;
            lambda_take_pairs(line, out);
            lambda_take_failure(out);
            return true;
        }
    return false;
}

static void set_error(struct record *out, struct slice type, struct slice message)
{
    out->level = LEVEL_ERROR;
    if (type.len)
        out->error_type = value_text(type);
    out->error_message = value_text(message);
}

/* "RequestId: <uuid> Error: Runtime exited with error: signal: killed", and behind a line break
 * (a CR within a line, aws.md 1.1) the type; "RequestId: <uuid> Process exited before completing
 * request". */
static bool parse_exit(struct slice line, struct record *out)
{
    struct slice rest = line;
    struct slice id;
    struct slice type = slice_str("Runtime.ExitError");
    size_t n = 0;

    if (!take_id(&rest, "RequestId: ", &id))
        return false;
    while (n < rest.len && rest.ptr[n] != '\r' && rest.ptr[n] != '\n')
        n++;
    if (n < rest.len) {
        type = slice_trim(slice_from(rest, n));
        rest.len = n;
        if (!slice_starts(type, slice_str("Runtime.")))
            return false;
    }
    if (!slice_starts(rest, slice_str(" Error: Runtime exited with")) &&
        !slice_is(rest, " Process exited before completing request"))
        return false;
    rest = slice_trim(rest);
    if (slice_starts(rest, slice_str("Error: ")))
        rest = slice_from(rest, 7);
    out->kind = RECORD_EXIT;
    out->request_id = id;
    set_error(out, type, rest);
    return true;
}

/* "<time> <uuid> Task timed out after 3.00 seconds" */
static bool parse_timeout(struct slice line, struct record *out)
{
    int64_t ns;
    size_t used;
    struct slice rest;
    struct slice id;

    if (!slice_ends(line, slice_str(" seconds")) || !timestamp_parse_prefix(line, &ns, &used))
        return false;
    rest = slice_from(line, used);
    if (!take_id(&rest, " ", &id) || !slice_starts(rest, slice_str(" Task timed out after ")))
        return false;
    out->kind = RECORD_TIMEOUT;
    out->has_time = true;
    out->time_ns = ns;
    out->request_id = id;
    set_error(out, slice_str("Sandbox.Timedout"), slice_from(rest, 1));
    return true;
}

bool lambda_platform_parse(struct slice line, struct record *out)
{
    line = slice_trim_end(line);
    if (line.len < 12)
        return false;
    switch (line.ptr[0]) {
    case 'S':
        return parse_start(line, out);
    case 'E':
        return line.ptr[1] == 'N' ? parse_end(line, out) : parse_extension(line, out);
    case 'R':
        if (line.ptr[2] == 'P')
            return parse_report(line, out);
        if (line.ptr[2] == 'q')
            return parse_exit(line, out);
        return parse_phase_start(line, "RESTORE_START Runtime Version: ", RECORD_RESTORE_START,
                                 out) ||
               parse_phase_report(line, "RESTORE_REPORT ", RECORD_RESTORE_REPORT, out);
    case 'I':
        return parse_phase_start(line, "INIT_START Runtime Version: ", RECORD_INIT_START, out) ||
               parse_phase_report(line, "INIT_REPORT ", RECORD_INIT_REPORT, out);
    case 'X':
        return parse_xray(line, out);
    case 'T':
    case 'L':
        return parse_extension(line, out);
    case '1':
    case '2':
        return parse_timeout(line, out);
    default:
        return false;
    }
}
