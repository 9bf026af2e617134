#include "shipper/base/buffer.h"
#include "shipper/verbs/trace/story_errors.h"

/* Python: `File "/var/task/app.py", line 27, in charge`; behind U+00A0 or blanks. */
static bool take_python(struct slice line, struct buffer *out)
{
    static const struct slice begin = SLICE_LIT("File \"");
    static const struct slice middle = SLICE_LIT("\", line ");
    static const struct slice end = SLICE_LIT(", in ");
    ptrdiff_t at = slice_find(line, begin);
    struct slice file;

    if (at < 0)
        return false;
    file = slice_from(line, (size_t)at + begin.len);
    at = slice_find(file, middle);
    if (at < 0)
        return false;
    line = slice_from(file, (size_t)at + middle.len);
    file.len = (size_t)at;
    at = slice_find(line, end);
    out->len = 0; /* the innermost call stands last */
    buffer_add_slice(out, file);
    buffer_add_char(out, ':');
    buffer_add_slice(out, at < 0 ? line : slice_of(line.ptr, (size_t)at));
    if (at >= 0) {
        buffer_add_lit(out, " in ");
        buffer_add_slice(out, slice_from(line, (size_t)at + end.len));
    }
    return true;
}

/* Node.js, Java, .NET: "at charge (/var/task/index.js:10:5)", "at shop.Payment.charge(P.java:27)".
 * The innermost call stands first. */
static bool take_at(struct slice line, struct buffer *out)
{
    line = slice_trim(line);
    if (out->len || !slice_starts(line, slice_str("at ")) || slice_find(line, slice_str(":")) < 0)
        return false;
    buffer_add_slice(out, slice_from(line, 3));
    return true;
}

struct slice stack_origin(struct slice stack, struct arena *arena)
{
    struct buffer found = {0};
    struct slice copy;
    bool is_python = false;

    while (stack.len) {
        struct slice line;

        if (!slice_cut(&stack, '\n', &line)) {
            line = stack;
            stack.len = 0;
        }
        if (take_python(line, &found))
            is_python = true;
        else if (!is_python)
            take_at(line, &found);
    }
    copy = arena_copy(arena, slice_trim(buffer_slice(&found)));
    buffer_free(&found);
    return copy;
}
