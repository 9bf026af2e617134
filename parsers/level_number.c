/* Levels as numbers. The scales overlap (30 is Python's warning and pino's info), so the key has to
 * say which it is. Sources: clouds.md 1.1 and 2.1, Python's logging, pino, bunyan, Monolog,
 * Logback, RFC 5424 6.2.1, OpenTelemetry's log data model. */
#include "parsers/level.h"

struct step {
    int value;
    enum level level;
};

/* Each ends with a value below 0. */
static const struct step syslog_steps[] = {
    {0, LEVEL_FATAL}, {1, LEVEL_FATAL}, {2, LEVEL_FATAL}, {3, LEVEL_ERROR}, {4, LEVEL_WARN},
    {5, LEVEL_INFO},  {6, LEVEL_INFO},  {7, LEVEL_DEBUG}, {-1, LEVEL_NONE},
};
static const struct step python_steps[] = {
    {10, LEVEL_DEBUG}, {20, LEVEL_INFO},  {30, LEVEL_WARN},
    {40, LEVEL_ERROR}, {50, LEVEL_FATAL}, {-1, LEVEL_NONE},
};
/* Application Insights */
static const struct step azure_steps[] = {
    {0, LEVEL_TRACE}, {1, LEVEL_INFO},  {2, LEVEL_WARN},
    {3, LEVEL_ERROR}, {4, LEVEL_FATAL}, {-1, LEVEL_NONE},
};
static const struct step google_steps[] = {
    {100, LEVEL_DEBUG}, {200, LEVEL_INFO},  {300, LEVEL_INFO},
    {400, LEVEL_WARN},  {500, LEVEL_ERROR}, {600, LEVEL_FATAL},
    {700, LEVEL_FATAL}, {800, LEVEL_FATAL}, {-1, LEVEL_NONE},
};
static const struct step other_steps[] = {
    {10, LEVEL_TRACE},   {20, LEVEL_DEBUG},   {30, LEVEL_INFO},     {40, LEVEL_WARN},
    {50, LEVEL_ERROR},   {60, LEVEL_FATAL},   {100, LEVEL_DEBUG},   {200, LEVEL_INFO},
    {250, LEVEL_INFO},   {300, LEVEL_WARN},   {400, LEVEL_ERROR},   {500, LEVEL_FATAL},
    {550, LEVEL_FATAL},  {600, LEVEL_FATAL},  {5000, LEVEL_TRACE},  {10000, LEVEL_DEBUG},
    {20000, LEVEL_INFO}, {30000, LEVEL_WARN}, {40000, LEVEL_ERROR}, {50000, LEVEL_FATAL},
    {-1, LEVEL_NONE},
};

static const struct {
    const char *key; /* in any case */
    const struct step *steps;
} scales[] = {
    {"levelno", python_steps},         {"severitylevel", azure_steps},
    {"severity", google_steps},        {"syslog_severity", syslog_steps},
    {"syslog.severity", syslog_steps}, {"severity_number", NULL},
    {"severitynumber", NULL}, /* counted in fours */
};

static enum level find(const struct step *steps, int64_t value)
{
    for (; steps->value >= 0; steps++)
        if (steps->value == value)
            return steps->level;
    return LEVEL_NONE;
}

/* TRACE 1 to 4, DEBUG 5 to 8, ... FATAL 21 to 24 */
static enum level of_opentelemetry(int64_t value)
{
    if (value < 1 || value > 24)
        return LEVEL_NONE;
    return (enum level)(LEVEL_TRACE + (value - 1) / 4);
}

enum level level_parse_number(struct slice key, struct slice digits)
{
    int64_t value;

    if (!slice_to_int(digits, &value))
        return LEVEL_NONE;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++)
        if (slice_eq_nocase(key, slice_str(scales[i].key)))
            return scales[i].steps ? find(scales[i].steps, value) : of_opentelemetry(value);
    return find(other_steps, value);
}
