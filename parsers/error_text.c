#include "parsers/error_text.h"

#include "parsers/stack_trace.h"

/* --- lines ----------------------------------------------------------------------------------- */

struct lines {
    struct slice rest;
};

static bool next_line(struct lines *l, struct slice *line)
{
    const char *end;

    if (l->rest.len == 0)
        return false;
    end = memchr(l->rest.ptr, '\n', l->rest.len);
    *line = slice_of(l->rest.ptr, end ? (size_t)(end - l->rest.ptr) : l->rest.len);
    l->rest = slice_from(l->rest, end ? line->len + 1 : line->len);
    if (line->len && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

static struct slice first_line(struct slice text)
{
    struct lines l = {text};
    struct slice line = {0};

    next_line(&l, &line);
    return line;
}

static bool holds(struct slice s, const char *needle)
{
    return slice_find(s, slice_str(needle)) >= 0;
}

static bool starts(struct slice s, const char *prefix)
{
    return slice_starts(s, slice_str(prefix));
}

/* From `from`, a place in the text, to its end. */
static struct slice tail_of(struct slice text, const char *from)
{
    return slice_of(from, (size_t)(text.ptr + text.len - from));
}

static struct slice between(const char *from, const char *to)
{
    return slice_trim_end(slice_of(from, (size_t)(to - from)));
}

/* Behind the first `mark`; the whole of it if there is none. */
static struct slice behind(struct slice s, const char *mark)
{
    ptrdiff_t at = slice_find(s, slice_str(mark));

    return at < 0 ? s : slice_from(s, (size_t)at + strlen(mark));
}

static struct slice before_last(struct slice s, const char *mark)
{
    size_t len = strlen(mark);

    for (size_t n = s.len; n >= len; n--)
        if (memcmp(s.ptr + n - len, mark, len) == 0)
            return slice_of(s.ptr, n - len);
    return s;
}

/* --- languages ------------------------------------------------------------------------------- */

/* The name of the error stands below: the last line that is not indented. */
static bool find_python(struct slice text, struct error_text *out)
{
    ptrdiff_t at = slice_find(text, slice_str("Traceback (most recent call last):"));
    struct lines l;
    struct slice line;
    const char *from;

    if (at < 0)
        return false;
    for (from = text.ptr + at; from > text.ptr && from[-1] != '\n'; from--)
        ;
    out->stack = tail_of(text, from);
    l.rest = out->stack;
    next_line(&l, &line);
    while (next_line(&l, &line)) {
        struct slice type = line;
        struct slice message = {0};
        size_t n = 0;

        if (line.len == 0 || strchr(" \t+|\xC2", *line.ptr) || starts(line, "During handling") ||
            starts(line, "The above exception"))
            continue;
        while (n < line.len && line.ptr[n] != ':')
            n++;
        if (n < line.len) {
            type.len = n;
            message = slice_trim(slice_from(line, n + 1));
        }
        if (memchr(type.ptr, ' ', type.len))
            continue;
        out->type = type;
        out->message = message;
    }
    return true;
}

static bool find_go(struct slice text, struct error_text *out)
{
    struct slice head = first_line(text);
    struct slice said;
    ptrdiff_t stack = slice_find(text, slice_str("\ngoroutine "));

    if (stack < 0 || (!holds(head, "panic") && !starts(head, "fatal error: ")))
        return false;
    out->type = slice_str("panic");
    said = behind(head, "panic: ");
    if (starts(head, "fatal error: ")) {
        out->type = slice_of(head.ptr, strlen("fatal error"));
        said = behind(head, "fatal error: ");
    } else if (holds(head, "http: panic serving ")) {
        said = behind(behind(head, "http: panic serving "), ": ");
    }
    out->message = between(said.ptr, text.ptr + stack);
    out->stack = tail_of(text, text.ptr + stack + 1);
    return true;
}

/* "thread 'main' panicked at src/main.rs:2:5:" and the message on the next line; before 1.73
 * "thread 'main' panicked at 'message', src/main.rs:2:5". */
static bool find_rust(struct slice text, struct error_text *out)
{
    struct slice head = first_line(text);
    struct slice said = behind(head, "' panicked at ");
    ptrdiff_t stack = slice_find(text, slice_str("\nstack backtrace:"));

    if (!starts(head, "thread '") || said.len == head.len)
        return false;
    out->type = slice_str("panic");
    if (slice_ends(head, slice_str(":"))) {
        struct lines l = {tail_of(text, head.ptr + head.len)};

        next_line(&l, &said); /* what is left of the first */
        next_line(&l, &out->message);
    } else {
        out->message = starts(said, "'") ? before_last(slice_from(said, 1), "', ") : said;
    }
    out->stack = stack < 0 ? text : tail_of(text, text.ptr + stack + 1);
    return true;
}

static bool find_php(struct slice text, struct error_text *out)
{
    ptrdiff_t stack = slice_find(text, slice_str("\nStack trace:"));
    ptrdiff_t at = slice_find(text, slice_str("Uncaught "));
    struct slice said;

    if (stack < 0 || at < 0 || at > stack)
        return false;
    said = slice_of(text.ptr + at, (size_t)(stack - at));
    if (!stack_trace_is_error(first_line(said), &out->type, &out->message))
        return false;
    out->message = before_last(between(out->message.ptr, text.ptr + stack), " in ");
    out->stack = tail_of(text, text.ptr + at + strlen("Uncaught "));
    return true;
}

/* "app.rb:3:in `work': no such thing (KeyError)" */
static bool find_ruby(struct slice text, struct error_text *out)
{
    struct slice head = first_line(text);
    ptrdiff_t in = slice_find(head, slice_str(":in "));
    struct slice said;
    struct slice message;

    if (in < 0 || !slice_ends(head, slice_str(")")))
        return false;
    said = behind(slice_from(head, (size_t)in), ": ");
    message = before_last(said, " (");
    if (message.len == said.len)
        return false;
    out->message = message;
    out->type = slice_of(message.ptr + message.len + 2, said.len - message.len - 3);
    out->stack = text;
    return true;
}

static bool find_dart(struct slice text, struct error_text *out)
{
    struct lines l = {text};
    struct slice line;

    if (!next_line(&l, &line) || !slice_is(line, "Unhandled exception:") || !next_line(&l, &line))
        return false;
    if (!stack_trace_is_error(line, &out->type, &out->message))
        out->message = line;
    out->stack = tail_of(text, line.ptr);
    return true;
}

/* What is behind a line's columns: "...\tERROR\tTypeError: boom", "[ERROR] TypeError: boom". */
static bool names_error(struct slice line, struct error_text *out)
{
    static const char *const columns[] = {"\t", "] ", " - ", "ERROR "};

    if (stack_trace_is_error(line, &out->type, &out->message))
        return true;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        size_t len = strlen(columns[i]);

        for (size_t n = line.len; n >= len; n--)
            if (memcmp(line.ptr + n - len, columns[i], len) == 0) {
                if (stack_trace_is_error(slice_from(line, n), &out->type, &out->message))
                    return true;
                break;
            }
    }
    return false;
}

/* Java, .NET, Node: the first line that names an error, then its frames. */
static bool find_framed(struct slice text, struct error_text *out)
{
    struct lines l = {text};
    struct slice line;
    const char *named = NULL;
    const char *frame = NULL;

    while (!frame && next_line(&l, &line)) {
        if (stack_trace_is_frame(line) && line.ptr > text.ptr)
            frame = line.ptr;
        else if (!named && names_error(line, out))
            named = line.ptr;
    }
    if (!frame)
        return false;
    out->stack = tail_of(text, named ? named : frame);
    if (out->message.len)
        out->message = between(out->message.ptr, frame);
    return true;
}

/* --- the whole ------------------------------------------------------------------------------- */

static bool find(struct slice text, struct error_text *out)
{
    typedef bool find_fn(struct slice text, struct error_text * out);
    static find_fn *const languages[] = {find_python, find_go,   find_rust,  find_php,
                                         find_ruby,   find_dart, find_framed};

    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
        *out = (struct error_text){0};
        if (languages[i](text, out))
            return true;
    }
    return false;
}

/* Up to its first frame, or its first line. */
static struct slice head_of(struct slice text)
{
    struct slice head = first_line(text);
    struct lines l = {text};
    struct slice line;

    while (next_line(&l, &line))
        if (line.ptr > text.ptr && stack_trace_is_frame(line))
            return between(text.ptr, line.ptr);
    return head;
}

bool error_text_find(struct slice text, struct error_text *out)
{
    if (!find(text, out)) {
        *out = (struct error_text){.said = text};
        return false;
    }
    out->said = out->stack.ptr > text.ptr ? between(text.ptr, out->stack.ptr) : head_of(text);
    return true;
}
