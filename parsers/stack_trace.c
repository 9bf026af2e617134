/* An automaton over lines; each phase says what may stand next. */
#include "parsers/stack_trace.h"

#include "parsers/lambda.h"
#include "parsers/stack_lines.h"

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
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
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

/* --- heads ----------------------------------------------------------------------------------- */

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
        if (stack_is_goroutine(head))
            return PHASE_GO;
        break;
    case '{':
        if (head.len == 1)
            return PHASE_JSON;
        break;
    default:
        break;
    }
    return stack_is_place(head) ? PHASE_PLACE : PHASE_END;
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
    if (stack_names_error(said) || stack_is_ruby_error(said))
        return PHASE_ERROR;
    if (stack_trace_is_frame(head))
        return starts(stack_unindent(head), "File \"") ? PHASE_PYTHON : PHASE_FRAMES;
    return stack_tells_of_trouble(head) ? PHASE_LINE : PHASE_END;
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
        return stack_names_error(last_column(head));
    return special_phase(head) != PHASE_END ||
           stack_split_name(stack_less_announcement(head), &name, &rest) ||
           stack_is_ruby_error(head);
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
        return stack_is_traceback(s);
    case 'g':
        return stack_is_goroutine(s);
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
    return stack_names_error(next) || is_special_line(next) || is_open_head(head);
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
    struct slice s = stack_unindent(line);

    if (stack_is_traceback(line))
        return go_on(t, PHASE_PYTHON);
    if (stack_is_goroutine(line))
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

    if (verdict == TRACE_ENDS && stack_names_error(line))
        return maybe(t, PHASE_ERROR, UNSURE_MAX);
    return verdict;
}

static enum trace_verdict next_of_error(struct stack_trace *t, struct slice line)
{
    enum trace_verdict verdict = next_of_any(t, line);

    if (verdict != TRACE_ENDS || stack_is_log_line(line) || stack_names_error(line))
        return verdict;
    return maybe(t, PHASE_ERROR, UNSURE_MAX);
}

static enum trace_verdict next_of_place(struct stack_trace *t, struct slice line)
{
    if (stack_is_log_line(line))
        return TRACE_ENDS;
    return maybe(t, stack_names_error(line) ? PHASE_ERROR : PHASE_PLACE, UNSURE_MAX);
}

static enum trace_verdict next_of_frames(struct stack_trace *t, struct slice line)
{
    enum trace_verdict verdict = next_of_any(t, line);

    if (verdict != TRACE_ENDS)
        return verdict;
    if (line.len == 0)
        return maybe(t, PHASE_FRAMES_GAP, UNSURE_MAX);
    if (starts(line, "<asynchronous suspension>") || starts(stack_unindent(line), "thrown in ") ||
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
    return stack_is_indented(line) ? go_on(t, PHASE_OBJECT) : TRACE_ENDS;
}

static enum trace_verdict next_of_python(struct stack_trace *t, struct slice line)
{
    if (line.len && stack_is_indented(line))
        return go_on(t, PHASE_PYTHON);
    return stack_names_python_error(line) ? go_on(t, PHASE_PYTHON_LAST) : TRACE_ENDS;
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
    return stack_is_traceback(line) ? go_on(t, PHASE_PYTHON) : TRACE_ENDS;
}

/* A register of a fatal signal: "rax    0x0" */
static bool is_register(struct slice s)
{
    ptrdiff_t at = slice_find(s, slice_str(" 0x"));

    return at > 1 && at < 12 && s.len < 40 && is_letter(*s.ptr) && !holds(s, ":");
}

static bool is_go_head(struct slice s)
{
    return stack_is_goroutine(s) || starts(s, "runtime stack:") || starts(s, "exit status ");
}

static enum trace_verdict next_of_go(struct stack_trace *t, struct slice line)
{
    if (line.len == 0)
        return maybe(t, PHASE_GO_GAP, UNSURE_MAX);
    if (starts(line, "exit status "))
        return go_on(t, PHASE_END);
    if (is_go_head(line) || stack_is_indented(line) || starts(line, "created by ") ||
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
    if (starts(line, "[signal ") || starts(stack_unindent(line), "panic: "))
        return go_on(t, PHASE_GO_PANIC);
    return stack_is_log_line(line) ? TRACE_ENDS : maybe(t, PHASE_GO_PANIC, UNSURE_MAX);
}

static enum trace_verdict next_of_rust(struct stack_trace *t, struct slice line)
{
    struct slice s = stack_unindent(line);

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
    if (line.len == 0 || *line.ptr == '{' || stack_unindent(line).len == line.len)
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
        return stack_is_log_line(line) ? TRACE_ENDS : go_on(t, PHASE_RUST);
    case PHASE_RUST:
        return next_of_rust(t, line);
    case PHASE_DART_SAYS:
        return stack_is_log_line(line) ? TRACE_ENDS : go_on(t, PHASE_FRAMES);
    case PHASE_JSON:
        return next_of_json(t, line);
    case PHASE_END:
        break;
    }
    return TRACE_ENDS;
}
