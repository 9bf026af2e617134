#include "parsers/stack_lines.h"

#include "parsers/stack_trace.h"

enum {
    LOOK_AT = 512,      /* how far into a line a word of trouble is looked for */
    NAME_MAX_LEN = 160, /* of a type of error */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
    return is_upper(c) || (c >= 'a' && c <= 'z');
}

static bool is_name_char(char c)
{
    return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '$' || c == '\\';
}

static bool starts(struct slice s, const char *prefix)
{
    return slice_starts(s, slice_str(prefix));
}

static bool ends(struct slice s, const char *suffix)
{
    return slice_ends(s, slice_str(suffix));
}

static bool holds(struct slice s, const char *needle)
{
    return slice_find(s, slice_str(needle)) >= 0;
}

struct slice stack_unindent(struct slice s)
{
    for (;;) {
        if (s.len && (*s.ptr == ' ' || *s.ptr == '\t'))
            s = slice_from(s, 1);
        else if (starts(s, "\xC2\xA0"))
            s = slice_from(s, 2);
        else
            return s;
    }
}

/* What stands before an error's name when nobody caught it. */
bool stack_is_indented(struct slice line)
{
    return stack_unindent(line).len < line.len;
}

struct slice stack_less_announcement(struct slice s)
{
    static const struct slice heads[] = {
        SLICE_LIT("Unhandled exception. "),
        SLICE_LIT("Unhandled Exception: "),
        SLICE_LIT("Uncaught "),
        SLICE_LIT("Caused by: "),
        SLICE_LIT("Suppressed: "),
        SLICE_LIT("Wrapped by: "),
    };
    ptrdiff_t quote;

    if (s.len == 0 || !strchr("CESUW", *s.ptr))
        return s;
    if (starts(s, "Exception in thread \"") && (quote = slice_find(s, slice_str("\" "))) > 0)
        return slice_from(s, (size_t)quote + 2);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (slice_starts(s, heads[i]))
            return slice_from(s, heads[i].len);
    return s;
}

static bool is_error_name(struct slice name)
{
    static const struct slice tails[] = {
        SLICE_LIT("Error"), SLICE_LIT("Exception"), SLICE_LIT("Throwable"), SLICE_LIT("Failure"),
        SLICE_LIT("Fault"), SLICE_LIT("Warning"),   SLICE_LIT("Exit"),      SLICE_LIT("Interrupt"),
    };

    if (name.len == 0 || name.len > NAME_MAX_LEN || !is_letter(*name.ptr) ||
        name.ptr[name.len - 1] == '.')
        return false;
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
        if (slice_ends(name, tails[i]))
            return true;
    return false;
}

/* "com.shop.OutOfStock": qualified, its last part like a class. */
static bool is_class_name(struct slice name)
{
    size_t part = name.len;

    while (part > 0 && name.ptr[part - 1] != '.' && name.ptr[part - 1] != '\\')
        part--;
    return part > 1 && part < name.len && name.len <= NAME_MAX_LEN && is_letter(*name.ptr) &&
           is_upper(name.ptr[part]);
}

bool stack_split_name(struct slice line, struct slice *name, struct slice *rest)
{
    size_t n = 0;
    size_t at;

    while (n < line.len && is_name_char(line.ptr[n]))
        n++;
    *name = slice_of(line.ptr, n);
    at = n;
    if (at + 2 < line.len && line.ptr[at] == ' ' && line.ptr[at + 1] == '[') {
        const char *close = memchr(line.ptr + at, ']', line.len - at);

        at = close ? (size_t)(close - line.ptr) + 1 : at;
    }
    *rest = slice_from(line, at);
    if (rest->len == 0)
        return n > 0;
    if (*rest->ptr != ':')
        return false;
    *rest = slice_trim(slice_from(*rest, 1));
    return n > 0;
}

bool stack_trace_is_error(struct slice line, struct slice *type, struct slice *message)
{
    struct slice bare = stack_less_announcement(slice_trim_end(line));
    struct slice name, rest;

    if (!stack_split_name(bare, &name, &rest) || !(is_error_name(name) || is_class_name(name)))
        return false;
    *type = name;
    *message = rest;
    return true;
}

bool stack_names_error(struct slice line)
{
    struct slice type, message;

    return stack_trace_is_error(line, &type, &message);
}

bool stack_names_python_error(struct slice line)
{
    struct slice name, rest;

    return stack_split_name(line, &name, &rest) &&
           (is_upper(*name.ptr) || *name.ptr == '_' || memchr(name.ptr, '.', name.len)) &&
           name.ptr[name.len - 1] != '.';
}

static bool is_number_frame(struct slice s)
{
    size_t n = 1;

    if (s.len < 3 || *s.ptr != '#')
        return false;
    while (n < s.len && is_digit(s.ptr[n]))
        n++;
    return n > 1 && n < s.len && s.ptr[n] == ' ';
}

/* "... 23 more", "... 12 common frames omitted" */
static bool is_elision(struct slice s)
{
    return starts(s, "... ") && s.len > 4 && is_digit(s.ptr[4]);
}

bool stack_trace_is_frame(struct slice line)
{
    struct slice s = stack_unindent(line);
    bool is_indented = s.len < line.len;

    if (is_number_frame(s) || is_elision(s))
        return true;
    if (is_indented &&
        (starts(s, "at ") || starts(s, "from ") || (starts(s, "File \"") && holds(s, "\", line "))))
        return true;
    return starts(s, "Caused by: ") || starts(s, "Suppressed: ") || starts(s, "Wrapped by: ") ||
           starts(s, "--- End of ") || starts(s, "---> ");
}

bool stack_is_traceback(struct slice line)
{
    struct slice s = stack_unindent(line);

    return starts(s, "Traceback (most recent call last):") ||
           starts(s, "+ Exception Group Traceback (most recent call last):");
}

bool stack_is_goroutine(struct slice s)
{
    return starts(s, "goroutine ") && holds(s, " [");
}

bool stack_is_place(struct slice s)
{
    size_t n = s.len;

    if (!(starts(s, "/") || starts(s, "file:///") || starts(s, "node:")) ||
        memchr(s.ptr, ' ', s.len))
        return false;
    while (n > 0 && is_digit(s.ptr[n - 1]))
        n--;
    return n > 1 && n < s.len && s.ptr[n - 1] == ':';
}

bool stack_is_ruby_error(struct slice s)
{
    return ends(s, ")") && holds(s, ":in ") && holds(s, ": ");
}

bool stack_is_log_line(struct slice s)
{
    static const struct slice heads[] = {SLICE_LIT("START RequestId: "),
                                         SLICE_LIT("END RequestId: "),
                                         SLICE_LIT("REPORT RequestId: "), SLICE_LIT("INIT_START ")};

    if (s.len > 1 && *s.ptr == '{')
        return true;
    if (s.len > 4 && is_digit(s.ptr[0]) && is_digit(s.ptr[1]) && is_digit(s.ptr[2]) &&
        is_digit(s.ptr[3]) && (s.ptr[4] == '-' || s.ptr[4] == '/'))
        return true;
    if (s.len > 2 && *s.ptr == '[' && (is_upper(s.ptr[1]) || is_digit(s.ptr[1])))
        return true;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (slice_starts(s, heads[i]))
            return true;
    return false;
}

static bool has_word_at(const char *at, const char *end)
{
    static const struct slice words[] = {
        SLICE_LIT("error"),     SLICE_LIT("exception"), SLICE_LIT("traceback"), SLICE_LIT("panic"),
        SLICE_LIT("fatal"),     SLICE_LIT("uncaught"),  SLICE_LIT("unhandled"), SLICE_LIT("warn"),
        SLICE_LIT("fail"),      SLICE_LIT("crit"),      SLICE_LIT("severe"),    SLICE_LIT("throw"),
        SLICE_LIT("assertion"),
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if ((size_t)(end - at) >= words[i].len &&
            slice_eq_nocase(slice_of(at, words[i].len), words[i]))
            return true;
    return false;
}

bool stack_tells_of_trouble(struct slice s)
{
    const char *end = s.ptr + (s.len < LOOK_AT ? s.len : LOOK_AT);

    for (const char *at = s.ptr; at < end; at++)
        switch (*at | 0x20) {
        case 'a':
        case 'c':
        case 'e':
        case 'f':
        case 'p':
        case 's':
        case 't':
        case 'u':
        case 'w':
            if (has_word_at(at, end))
                return true;
            break;
        default:
            break;
        }
    return false;
}
