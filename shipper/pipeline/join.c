#include "shipper/pipeline/join.h"

#include "parsers/stack_trace.h"

enum { GLANCE = 160 }; /* enough of a line to see whether it may belong to the one before it */

/* The next line, not framed, and cut short if it is long. False: there is not so much of it yet. */
static bool glance(const struct frame *f, struct slice *next)
{
    struct slice rest = slice_from(f->bytes, f->at);
    size_t most = rest.len < GLANCE ? rest.len : GLANCE;
    const char *end = most ? memchr(rest.ptr, '\n', most) : NULL;

    *next = slice_of(rest.ptr, end ? (size_t)(end - rest.ptr) : most);
    if (next->len && next->ptr[next->len - 1] == '\r')
        next->len--;
    return end || most == GLANCE || (f->is_last && rest.len);
}

static bool is_short(const struct join_options *o, const struct frame_line *head,
                     const struct frame_line *line, uint32_t n_lines)
{
    return n_lines <= o->max_lines &&
           line->offset + line->text.len - head->offset <= (uint64_t)o->max_bytes;
}

/* The lines behind a head, until one does not belong to it. */
static enum join_end follow(const struct join_options *o, struct frame *f, struct frame_line *head,
                            uint32_t *n_lines, struct stack_trace *trace)
{
    struct frame probe = *f;
    struct frame_line line;
    uint32_t n_probed = *n_lines;

    while (frame_next(&probe, &line)) {
        enum trace_verdict verdict = line.is_cut || !is_short(o, head, &line, ++n_probed)
                                         ? TRACE_ENDS
                                         : stack_trace_next(trace, line.text);

        if (verdict == TRACE_ENDS)
            return JOIN_WHOLE;
        if (verdict == TRACE_MAYBE)
            continue;
        *f = probe;
        *n_lines = n_probed;
        head->text.len = (size_t)(line.text.ptr + line.text.len - head->text.ptr);
    }
    return JOIN_OPEN;
}

/* What log lines begin with, and stack traces do not: a date, a column in brackets, JSON. */
static bool begins_like_a_log(char c)
{
    return (c >= '0' && c <= '9') || c == '[' || c == '{';
}

/* Behind the head stands something that can be no part of it. Most lines are told by two bytes. */
static bool is_alone(const struct frame *f, const struct frame_line *head)
{
    struct slice next;

    if (*head->text.ptr == '{' && head->text.len > 1)
        return true;
    if (f->at < f->bytes.len && begins_like_a_log(*head->text.ptr) &&
        begins_like_a_log(f->bytes.ptr[f->at]))
        return *head->text.ptr != '{';
    return glance(f, &next) && !stack_trace_may_follow(head->text, next);
}

enum join_end join_take(const struct join_options *o, struct frame *f, struct frame_line *line,
                        uint32_t *n_lines, bool is_quiet)
{
    struct stack_trace trace;
    struct frame behind = *f;
    struct frame_line head = *line;
    uint32_t n = 1;

    *n_lines = 1;
    if (o->mode == JOIN_NONE || line->is_cut || line->text.len == 0)
        return JOIN_WHOLE;
    if (is_alone(f, line) || !stack_trace_begin(&trace, line->text))
        return JOIN_WHOLE;
    if (follow(o, &behind, &head, &n, &trace) == JOIN_OPEN && !f->is_last && !is_quiet)
        return JOIN_OPEN;
    *f = behind;
    *line = head;
    *n_lines = n;
    return JOIN_WHOLE;
}
