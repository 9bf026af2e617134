/* An automaton over lines; each phase says what may stand next. */
#include "parsers/stack_trace.h"

#include "parsers/lambda.h"

enum phase {
    PHASE_LINE,        /* behind a line that tells of trouble: a trace may follow */
    PHASE_PLACE,       /* Node: behind the place of an uncaught error; code, then the error */
    PHASE_ERROR,       /* behind an error's name: its message may have more lines, then frames */
    PHASE_FRAMES,      /* Java, .NET, Node, Ruby, PHP, Dart: behind a frame */
    PHASE_FRAMES_GAP,  /* and an empty line */
    PHASE_OBJECT,      /* Node: the properties of an error, from "... {" to "}" */
    PHASE_PYTHON,      /* inside a traceback */
    PHASE_PYTHON_LAST, /* behind the line that names the error */
    PHASE_PYTHON_GAP,  /* and an empty line */
    PHASE_PYTHON_NEXT, /* "During handling of the above exception, ..." */
    PHASE_GO_PANIC,    /* behind "panic: " */
    PHASE_GO,          /* inside a goroutine's stack */
    PHASE_GO_GAP,      /* and an empty line */
    PHASE_RUST_SAYS,   /* "thread 'main' panicked at src/main.rs:2:5:": its message comes */
    PHASE_RUST,        /* its backtrace */
    PHASE_DART_SAYS,   /* "Unhandled exception:" */
    PHASE_JSON,        /* inside "{" ... "}" */
    PHASE_END,
};

enum {
    UNSURE_MAX = 10, /* lines of a message that frames may follow */
    UNSURE_JSON_MAX = 200,
    LOOK_AT = 512,      /* how far into a line a word of trouble is looked for */
    NAME_MAX_LEN = 160, /* of a type of error */
};

/* --- bytes ----------------------------------------------------------------------------------- */

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

/* Less what indents it: blanks, tabs, and the U+00A0 of Python on Lambda. */
static struct slice unindent(struct slice s)
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

/* --- single lines ---------------------------------------------------------------------------- */

/* What stands before an error's name when nobody caught it. */
static struct slice less_announcement(struct slice s)
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

/* The word at the line's start, and what stands behind its colon. False: the word does not end in a
 * colon, nor is it all of the line. Node puts a code behind the name: "Error [ERR_X]: ...". */
static bool split_name(struct slice line, struct slice *name, struct slice *rest)
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
    struct slice bare = less_announcement(slice_trim_end(line));
    struct slice name, rest;

    if (!split_name(bare, &name, &rest) || !(is_error_name(name) || is_class_name(name)))
        return false;
    *type = name;
    *message = rest;
    return true;
}

static bool names_error(struct slice line)
{
    struct slice type, message;

    return stack_trace_is_error(line, &type, &message);
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
    struct slice s = unindent(line);
    bool is_indented = s.len < line.len;

    if (is_number_frame(s) || is_elision(s))
        return true;
    if (is_indented &&
        (starts(s, "at ") || starts(s, "from ") || (starts(s, "File \"") && holds(s, "\", line "))))
        return true;
    return starts(s, "Caused by: ") || starts(s, "Suppressed: ") || starts(s, "Wrapped by: ") ||
           starts(s, "--- End of ") || starts(s, "---> ");
}

static bool is_traceback(struct slice line)
{
    struct slice s = unindent(line);

    return starts(s, "Traceback (most recent call last):") ||
           starts(s, "+ Exception Group Traceback (most recent call last):");
}

static bool is_goroutine(struct slice s)
{
    return starts(s, "goroutine ") && holds(s, " [");
}

/* "/var/task/index.js:3", "file:///var/task/index.mjs:12", "node:internal/x:1" */
static bool is_place(struct slice s)
{
    size_t n = s.len;

    if (!(starts(s, "/") || starts(s, "file:///") || starts(s, "node:")) ||
        memchr(s.ptr, ' ', s.len))
        return false;
    while (n > 0 && is_digit(s.ptr[n - 1]))
        n--;
    return n > 1 && n < s.len && s.ptr[n - 1] == ':';
}

/* How a log line begins, and hardly the message of an error. */
static bool looks_like_a_log_line(struct slice s)
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

/* --- heads ----------------------------------------------------------------------------------- */

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

/* A line behind which a trace would be no surprise. */
static bool tells_of_trouble(struct slice s)
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

/* What the columns of a log line lead up to: behind its last tab. */
static struct slice last_column(struct slice s)
{
    size_t n = s.len;

    while (n > 0 && s.ptr[n - 1] != '\t')
        n--;
    return slice_from(s, n);
}

/* Heads behind which any text may stand. */
static enum phase special_phase(struct slice head)
{
    switch (*head.ptr) {
    case 't':
        if (starts(head, "thread '") && holds(head, "' panicked at "))
            return ends(head, ":") ? PHASE_RUST_SAYS : PHASE_RUST;
        break;
    case 'U':
        if (slice_is(head, "Unhandled exception:"))
            return PHASE_DART_SAYS;
        break;
    case 'p':
    case 'f':
        if (starts(head, "panic: ") || starts(head, "fatal error: "))
            return PHASE_GO_PANIC;
        break;
    case 'g':
        if (is_goroutine(head))
            return PHASE_GO;
        break;
    case '{':
        if (head.len == 1)
            return PHASE_JSON;
        break;
    default:
        break;
    }
    return is_place(head) ? PHASE_PLACE : PHASE_END;
}

/* "app.rb:3:in `work': no such thing (KeyError)" */
static bool is_ruby_error(struct slice s)
{
    return ends(s, ")") && holds(s, ":in ") && holds(s, ": ");
}

static enum phase phase_behind(struct slice head)
{
    enum phase special = special_phase(head);
    struct slice said = last_column(head);

    if (special != PHASE_END)
        return special;
    if (*head.ptr == '{')
        return PHASE_END;
    if (ends(head, "Traceback (most recent call last):"))
        return PHASE_PYTHON;
    if (names_error(said) || is_ruby_error(said))
        return PHASE_ERROR;
    if (stack_trace_is_frame(head))
        return starts(unindent(head), "File \"") ? PHASE_PYTHON : PHASE_FRAMES;
    return tells_of_trouble(head) ? PHASE_LINE : PHASE_END;
}

bool stack_trace_begin(struct stack_trace *t, struct slice head)
{
    struct record record;

    head = slice_trim_end(head);
    if (head.len == 0)
        return false;
    *t = (struct stack_trace){(uint8_t)phase_behind(head), 0};
    if (t->phase == PHASE_END)
        return false;
    record_reset(&record);
    return !lambda_platform_parse(head, &record);
}

/* A first word that ends in a colon, or is all there is; a special head. */
static bool is_open_head(struct slice head)
{
    struct slice name, rest;

    if (*head.ptr == '{')
        return head.len == 1;
    if (is_digit(*head.ptr) || *head.ptr == '[')
        return names_error(last_column(head));
    return special_phase(head) != PHASE_END || split_name(less_announcement(head), &name, &rest) ||
           is_ruby_error(head);
}

/* Begins with a letter, and stands inside traces only. */
static bool is_special_line(struct slice s)
{
    switch (*s.ptr) {
    case 'C':
    case 'S':
    case 'W':
        return stack_trace_is_frame(s) || starts(s, "Stack trace:");
    case 'T':
        return is_traceback(s);
    case 'g':
        return is_goroutine(s);
    default:
        return false;
    }
}

bool stack_trace_may_follow(struct slice head, struct slice next)
{
    if (head.len == 0 || (*head.ptr == '{' && head.len > 1))
        return false;
    if (next.len == 0)
        return is_open_head(head);
    if (is_digit(*next.ptr) || *next.ptr == '{' || *next.ptr == '[')
        return !is_digit(*head.ptr) && *head.ptr != '[' && is_open_head(head);
    if (!is_letter(*next.ptr))
        return true;
    return names_error(next) || is_special_line(next) || is_open_head(head);
}

/* --- phases ---------------------------------------------------------------------------------- */

static enum trace_verdict go_on(struct stack_trace *t, enum phase phase)
{
    t->phase = (uint8_t)phase;
    t->n_unsure = 0;
    return TRACE_GOES_ON;
}

static enum trace_verdict maybe(struct stack_trace *t, enum phase phase, unsigned most)
{
    t->phase = (uint8_t)phase;
    return ++t->n_unsure > most ? TRACE_ENDS : TRACE_MAYBE;
}

/* What belongs behind a head of any kind. */
static enum trace_verdict next_of_any(struct stack_trace *t, struct slice line)
{
    struct slice s = unindent(line);

    if (is_traceback(line))
        return go_on(t, PHASE_PYTHON);
    if (is_goroutine(line))
        return go_on(t, PHASE_GO);
    if (stack_trace_is_frame(line)) {
        if (s.len < line.len && starts(s, "File \""))
            return go_on(t, PHASE_PYTHON);
        if (starts(s, "Caused by: ") || starts(s, "Suppressed: "))
            return go_on(t, PHASE_ERROR);
        return go_on(t, ends(s, " {") ? PHASE_OBJECT : PHASE_FRAMES);
    }
    if (starts(line, "Stack trace:") || starts(line, "[stacktrace]"))
        return go_on(t, PHASE_FRAMES);
    return TRACE_ENDS;
}

static enum trace_verdict next_of_line(struct stack_trace *t, struct slice line)
{
    enum trace_verdict verdict = next_of_any(t, line);

    if (verdict == TRACE_ENDS && names_error(line))
        return maybe(t, PHASE_ERROR, UNSURE_MAX);
    return verdict;
}

static enum trace_verdict next_of_error(struct stack_trace *t, struct slice line)
{
    enum trace_verdict verdict = next_of_any(t, line);

    if (verdict != TRACE_ENDS || looks_like_a_log_line(line) || names_error(line))
        return verdict;
    return maybe(t, PHASE_ERROR, UNSURE_MAX);
}

static enum trace_verdict next_of_place(struct stack_trace *t, struct slice line)
{
    if (looks_like_a_log_line(line))
        return TRACE_ENDS;
    return maybe(t, names_error(line) ? PHASE_ERROR : PHASE_PLACE, UNSURE_MAX);
}

static enum trace_verdict next_of_frames(struct stack_trace *t, struct slice line)
{
    enum trace_verdict verdict = next_of_any(t, line);

    if (verdict != TRACE_ENDS)
        return verdict;
    if (line.len == 0)
        return maybe(t, PHASE_FRAMES_GAP, UNSURE_MAX);
    if (starts(line, "<asynchronous suspension>") || starts(unindent(line), "thrown in ") ||
        starts(line, "Node.js v"))
        return go_on(t, PHASE_FRAMES);
    if (starts(line, "Next ")) /* PHP's "caused by", the other way round */
        return go_on(t, PHASE_ERROR);
    return TRACE_ENDS;
}

static enum trace_verdict next_of_frames_gap(struct stack_trace *t, struct slice line)
{
    if (starts(line, "Node.js v"))
        return go_on(t, PHASE_END);
    if (starts(line, "Next "))
        return go_on(t, PHASE_ERROR);
    return TRACE_ENDS;
}

static enum trace_verdict next_of_object(struct stack_trace *t, struct slice line)
{
    if (line.len && (*line.ptr == '}' || *line.ptr == ']'))
        return go_on(t, PHASE_FRAMES);
    return unindent(line).len < line.len ? go_on(t, PHASE_OBJECT) : TRACE_ENDS;
}

/* Python's errors are named as one pleases; those that are not qualified, like a class. */
static bool names_python_error(struct slice line)
{
    struct slice name, rest;

    return split_name(line, &name, &rest) &&
           (is_upper(*name.ptr) || *name.ptr == '_' || memchr(name.ptr, '.', name.len)) &&
           name.ptr[name.len - 1] != '.';
}

static enum trace_verdict next_of_python(struct stack_trace *t, struct slice line)
{
    if (line.len && unindent(line).len < line.len)
        return go_on(t, PHASE_PYTHON);
    return names_python_error(line) ? go_on(t, PHASE_PYTHON_LAST) : TRACE_ENDS;
}

static enum trace_verdict next_of_python_gap(struct stack_trace *t, struct slice line)
{
    return starts(line, "During handling of the above exception") ||
                   starts(line, "The above exception was the direct cause")
               ? go_on(t, PHASE_PYTHON_NEXT)
               : TRACE_ENDS;
}

static enum trace_verdict next_of_python_next(struct stack_trace *t, struct slice line)
{
    if (line.len == 0)
        return go_on(t, PHASE_PYTHON_NEXT);
    return is_traceback(line) ? go_on(t, PHASE_PYTHON) : TRACE_ENDS;
}

/* A register of a fatal signal: "rax    0x0" */
static bool is_register(struct slice s)
{
    ptrdiff_t at = slice_find(s, slice_str(" 0x"));

    return at > 1 && at < 12 && s.len < 40 && is_letter(*s.ptr) && !holds(s, ":");
}

static bool is_go_head(struct slice s)
{
    return is_goroutine(s) || starts(s, "runtime stack:") || starts(s, "exit status ");
}

static enum trace_verdict next_of_go(struct stack_trace *t, struct slice line)
{
    if (line.len == 0)
        return maybe(t, PHASE_GO_GAP, UNSURE_MAX);
    if (starts(line, "exit status "))
        return go_on(t, PHASE_END);
    if (is_go_head(line) || unindent(line).len < line.len || starts(line, "created by ") ||
        starts(line, "...") || is_register(line) ||
        (ends(line, ")") && is_letter(*line.ptr) && holds(line, "(")))
        return go_on(t, PHASE_GO);
    return TRACE_ENDS;
}

static enum trace_verdict next_of_go_gap(struct stack_trace *t, struct slice line)
{
    if (starts(line, "exit status "))
        return go_on(t, PHASE_END);
    return is_go_head(line) || is_register(line) ? go_on(t, PHASE_GO) : TRACE_ENDS;
}

static enum trace_verdict next_of_go_panic(struct stack_trace *t, struct slice line)
{
    if (is_go_head(line))
        return next_of_go(t, line);
    if (starts(line, "[signal ") || starts(unindent(line), "panic: "))
        return go_on(t, PHASE_GO_PANIC);
    return looks_like_a_log_line(line) ? TRACE_ENDS : maybe(t, PHASE_GO_PANIC, UNSURE_MAX);
}

static enum trace_verdict next_of_rust(struct stack_trace *t, struct slice line)
{
    struct slice s = unindent(line);

    if (starts(line, "stack backtrace:") || starts(line, "note: ") || starts(line, "  left: ") ||
        starts(line, " right: "))
        return go_on(t, PHASE_RUST);
    if (s.len < line.len && (starts(s, "at ") || (s.len && is_digit(*s.ptr))))
        return go_on(t, PHASE_RUST);
    return TRACE_ENDS;
}

static enum trace_verdict next_of_json(struct stack_trace *t, struct slice line)
{
    if (line.len && *line.ptr == '}')
        return go_on(t, PHASE_END);
    if (line.len == 0 || *line.ptr == '{' || unindent(line).len == line.len)
        return TRACE_ENDS;
    return maybe(t, PHASE_JSON, UNSURE_JSON_MAX);
}

enum trace_verdict stack_trace_next(struct stack_trace *t, struct slice line)
{
    line = slice_trim_end(line);
    switch ((enum phase)t->phase) {
    case PHASE_LINE:
        return next_of_line(t, line);
    case PHASE_PLACE:
        return next_of_place(t, line);
    case PHASE_ERROR:
        return next_of_error(t, line);
    case PHASE_FRAMES:
        return next_of_frames(t, line);
    case PHASE_FRAMES_GAP:
        return next_of_frames_gap(t, line);
    case PHASE_OBJECT:
        return next_of_object(t, line);
    case PHASE_PYTHON:
        return next_of_python(t, line);
    case PHASE_PYTHON_LAST:
        return line.len == 0 ? maybe(t, PHASE_PYTHON_GAP, UNSURE_MAX) : TRACE_ENDS;
    case PHASE_PYTHON_GAP:
        return next_of_python_gap(t, line);
    case PHASE_PYTHON_NEXT:
        return next_of_python_next(t, line);
    case PHASE_GO_PANIC:
        return next_of_go_panic(t, line);
    case PHASE_GO:
        return next_of_go(t, line);
    case PHASE_GO_GAP:
        return next_of_go_gap(t, line);
    case PHASE_RUST_SAYS:
        return looks_like_a_log_line(line) ? TRACE_ENDS : go_on(t, PHASE_RUST);
    case PHASE_RUST:
        return next_of_rust(t, line);
    case PHASE_DART_SAYS:
        return looks_like_a_log_line(line) ? TRACE_ENDS : go_on(t, PHASE_FRAMES);
    case PHASE_JSON:
        return next_of_json(t, line);
    case PHASE_END:
        break;
    }
    return TRACE_ENDS;
}
