#include "parsers/level.h"

enum { LONGEST_SPELLING = 13 };

struct spelling {
    const char *text; /* lower case */
    enum level level;
};

/* By length, so that a lookup compares with a handful. Sources: aws.md 1.3 and 1.4 (the Lambda
 * runtimes), log4j and java.util.logging, Python, .NET, syslog, zap, winston, klog, GCP. */
static const struct spelling of_1[] = {
    {"t", LEVEL_TRACE}, {"v", LEVEL_TRACE}, {"d", LEVEL_DEBUG}, {"i", LEVEL_INFO},
    {"w", LEVEL_WARN},  {"e", LEVEL_ERROR}, {"f", LEVEL_FATAL}, {"c", LEVEL_FATAL},
};
/* bunyan and pino; what else is a number: level_number.c */
static const struct spelling of_2[] = {
    {"10", LEVEL_TRACE}, {"20", LEVEL_DEBUG}, {"30", LEVEL_INFO},
    {"40", LEVEL_WARN},  {"50", LEVEL_ERROR}, {"60", LEVEL_FATAL},
};
static const struct spelling of_3[] = {
    {"inf", LEVEL_INFO},  {"err", LEVEL_ERROR}, {"wrn", LEVEL_WARN},  {"dbg", LEVEL_DEBUG},
    {"trc", LEVEL_TRACE}, {"vrb", LEVEL_TRACE}, {"ftl", LEVEL_FATAL}, {"log", LEVEL_INFO},
};
static const struct spelling of_4[] = {
    {"info", LEVEL_INFO},  {"warn", LEVEL_WARN},  {"fail", LEVEL_ERROR}, {"dbug", LEVEL_DEBUG},
    {"trce", LEVEL_TRACE}, {"crit", LEVEL_FATAL}, {"fine", LEVEL_DEBUG}, {"note", LEVEL_INFO},
};
static const struct spelling of_5[] = {
    {"error", LEVEL_ERROR}, {"debug", LEVEL_DEBUG}, {"trace", LEVEL_TRACE},
    {"fatal", LEVEL_FATAL}, {"panic", LEVEL_FATAL}, {"alert", LEVEL_FATAL},
    {"emerg", LEVEL_FATAL}, {"finer", LEVEL_TRACE}, {"silly", LEVEL_TRACE},
};
static const struct spelling of_6[] = {
    {"notice", LEVEL_INFO},  {"severe", LEVEL_ERROR}, {"finest", LEVEL_TRACE},
    {"dpanic", LEVEL_FATAL}, {"config", LEVEL_DEBUG},
};
static const struct spelling of_7[] = {
    {"warning", LEVEL_WARN},
    {"verbose", LEVEL_TRACE},
    {"success", LEVEL_INFO},
};
static const struct spelling of_8[] = {{"critical", LEVEL_FATAL}};
static const struct spelling of_9[] = {
    {"emergency", LEVEL_FATAL},
    {"exception", LEVEL_ERROR},
};
static const struct spelling of_11[] = {{"information", LEVEL_INFO}};
static const struct spelling of_13[] = {{"informational", LEVEL_INFO}};

#define ROWS(table)                                                                                \
    {                                                                                              \
        (table), sizeof(table) / sizeof(table)[0]                                                  \
    }

static const struct {
    const struct spelling *rows;
    size_t n_rows;
} by_length[LONGEST_SPELLING + 1] = {
    [1] = ROWS(of_1), [2] = ROWS(of_2),   [3] = ROWS(of_3),   [4] = ROWS(of_4),
    [5] = ROWS(of_5), [6] = ROWS(of_6),   [7] = ROWS(of_7),   [8] = ROWS(of_8),
    [9] = ROWS(of_9), [11] = ROWS(of_11), [13] = ROWS(of_13),
};

/* Go's slog writes what lies between its levels as "WARN+1", "DEBUG-4". */
static struct slice less_go_offset(struct slice text)
{
    size_t n = text.len;

    while (n && text.ptr[n - 1] >= '0' && text.ptr[n - 1] <= '9')
        n--;
    if (n > 1 && n < text.len && (text.ptr[n - 1] == '+' || text.ptr[n - 1] == '-'))
        text.len = n - 1;
    return text;
}

bool level_is_unsaid(struct slice text)
{
    return slice_is(text, "UNDEFINED") || slice_is(text, "DEFAULT");
}

enum level level_parse(struct slice text)
{
    text = less_go_offset(slice_trim(text));
    if (text.len > LONGEST_SPELLING)
        return LEVEL_NONE;
    for (size_t i = 0; i < by_length[text.len].n_rows; i++) {
        const struct spelling *row = &by_length[text.len].rows[i];

        /* Upper and lower case differ in one bit; for digits it is set already. */
        if ((text.ptr[0] | 0x20) == row->text[0] &&
            slice_eq_nocase(text, slice_of(row->text, text.len)))
            return row->level;
    }
    return LEVEL_NONE;
}

struct slice level_name(enum level level)
{
    static const struct slice names[] = {
        [LEVEL_NONE] = SLICE_LIT(""),       [LEVEL_TRACE] = SLICE_LIT("trace"),
        [LEVEL_DEBUG] = SLICE_LIT("debug"), [LEVEL_INFO] = SLICE_LIT("info"),
        [LEVEL_WARN] = SLICE_LIT("warn"),   [LEVEL_ERROR] = SLICE_LIT("error"),
        [LEVEL_FATAL] = SLICE_LIT("fatal"),
    };

    return names[level];
}
