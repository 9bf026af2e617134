/* What the runtimes print when an invocation ends in an error that nobody caught (aws.md 1.3). */
#include "parsers/lambda_parts.h"

static struct value value_of(const struct json_member *m)
{
    return (struct value){m->value, m->type == JSON_TYPE_STRING ? VALUE_JSON_STRING : VALUE_JSON};
}

bool lambda_take_error_json(struct slice json, struct parse_scratch *scratch, struct record *out)
{
    struct json_object *o = &scratch->nested;
    const struct json_member *type;
    const struct json_member *message;
    const struct json_member *stack;

    if (json_scan(json, o) != JSON_OK)
        return false;
    type = json_find(o, "errorType");
    message = json_find(o, "errorMessage");
    stack = json_find(o, "stack");
    if (!stack)
        stack = json_find(o, "stackTrace");
    if (type && type->type == JSON_TYPE_STRING)
        out->error_type = value_of(type);
    if (message && message->type == JSON_TYPE_STRING)
        out->error_message = value_of(message);
    if (stack && (stack->type == JSON_TYPE_ARRAY || stack->type == JSON_TYPE_STRING))
        out->error_stack = value_of(stack);
    return type || message;
}

void lambda_take_thrown(struct slice message, struct parse_scratch *scratch, struct record *out)
{
    static const struct slice heads[] = {SLICE_LIT("Invoke Error \t"),
                                         SLICE_LIT("Uncaught Exception \t"),
                                         SLICE_LIT("Unhandled Promise Rejection \t")};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (slice_starts(message, heads[i]) &&
            lambda_take_error_json(slice_from(message, heads[i].len), scratch, out))
            out->flags |= RECORD_UNHANDLED;
}

/* A type's name as Python prints it: "KeyError", "botocore.exceptions.ClientError". */
static bool is_type_name(struct slice s)
{
    if (s.len == 0 || s.len > 128)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!(c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z')))
            return false;
    }
    return true;
}

/* Where no traceback says so, a word before a colon is only taken for a type if it is named like
 * one: Java's logger prints "[ERROR] Retry: gave up" too. */
static bool is_named_like_an_error(struct slice type)
{
    static const struct slice starts[] = {SLICE_LIT("Runtime."), SLICE_LIT("Function."),
                                          SLICE_LIT("Sandbox."), SLICE_LIT("Extension.")};
    static const struct slice ends[] = {SLICE_LIT("Error"), SLICE_LIT("Exception"),
                                        SLICE_LIT("SystemExit"), SLICE_LIT("KeyboardInterrupt")};

    for (size_t i = 0; i < 4; i++)
        if (slice_starts(type, starts[i]) || slice_ends(type, ends[i]))
            return true;
    return false;
}

void lambda_take_python_error(struct slice text, struct parse_scratch *scratch, struct record *out)
{
    struct slice rest = text;
    struct slice type;
    struct slice message;
    ptrdiff_t trace = slice_find(text, slice_str("Traceback (most recent call last):"));

    if (trace > 0)
        rest.len = (size_t)trace;
    rest = slice_trim_end(rest);
    message = rest;
    if (!slice_cut(&message, ':', &type)) {
        type = rest;
        message.len = 0;
    }
    if (!is_type_name(type) || (trace < 0 && !is_named_like_an_error(type)))
        return;
    out->flags |= RECORD_UNHANDLED;
    out->error_type = value_text(type);
    if (message.len)
        out->error_message = lambda_with_newlines(slice_trim(message), scratch);
    if (trace >= 0)
        out->error_stack = lambda_with_newlines(slice_from(text, (size_t)trace), scratch);
}
