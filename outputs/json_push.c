#include "outputs/json_push.h"

void json_push_init(struct json_push *p, json_push_fn *on_event, void *ctx)
{
    memset(p, 0, sizeof *p);
    p->on_event = on_event;
    p->ctx = ctx;
    p->state = PUSH_WANT_VALUE;
}

struct slice json_push_key(const struct json_push *p, unsigned depth)
{
    return slice_of(p->keys[depth - 1], p->key_lens[depth - 1]);
}

bool json_push_is_complete(const struct json_push *p)
{
    return p->state == PUSH_DONE;
}

bool json_push_is_behind_value(const struct json_push *p, unsigned depth)
{
    return p->state == PUSH_WANT_COMMA && p->depth == depth;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void after_value(struct json_push *p)
{
    p->state = p->depth ? PUSH_WANT_COMMA : PUSH_DONE;
}

static void add(struct json_push *p, char c)
{
    if (p->text_len < sizeof p->text)
        p->text[p->text_len++] = c;
}

static void add_unicode(struct json_push *p, unsigned u)
{
    if (u < 0x80) {
        add(p, (char)u);
    } else if (u < 0x800) {
        add(p, (char)(0xC0 | u >> 6));
        add(p, (char)(0x80 | (u & 63)));
    } else if (u >= 0xD800 && u < 0xE000) {
        add(p, '?'); /* half of a pair: texts are for people, and may lack an emoji */
    } else {
        add(p, (char)(0xE0 | u >> 12));
        add(p, (char)(0x80 | (u >> 6 & 63)));
        add(p, (char)(0x80 | (u & 63)));
    }
}

static void open_container(struct json_push *p, char kind)
{
    if (p->depth == JSON_PUSH_DEPTH) {
        p->state = PUSH_BROKEN;
        return;
    }
    p->on_event(p->ctx, p, JSON_PUSH_OPEN, p->depth, slice_of(&kind, 1));
    p->kinds[p->depth] = kind;
    p->key_lens[p->depth] = 0;
    p->depth++;
    p->state = kind == '{' ? PUSH_WANT_KEY_OR_END : PUSH_WANT_VALUE_OR_END;
}

static void close_container(struct json_push *p, char kind)
{
    if (p->depth == 0 || p->kinds[p->depth - 1] != (kind == '}' ? '{' : '[')) {
        p->state = PUSH_BROKEN;
        return;
    }
    p->depth--;
    p->on_event(p->ctx, p, JSON_PUSH_CLOSE, p->depth, slice_of(&kind, 1));
    after_value(p);
}

static void begin_value(struct json_push *p, char c)
{
    p->text_len = 0;
    if (c == '"') {
        p->is_key = false;
        p->state = PUSH_IN_STRING;
    } else if (c == '{' || c == '[') {
        open_container(p, c);
    } else if ((c >= '0' && c <= '9') || c == '-' || c == 't' || c == 'f' || c == 'n') {
        add(p, c);
        p->state = PUSH_IN_WORD;
    } else {
        p->state = PUSH_BROKEN;
    }
}

static void end_string(struct json_push *p)
{
    struct slice text = slice_of(p->text, p->text_len);

    if (p->is_key) {
        unsigned at = p->depth - 1;

        if (text.len > JSON_PUSH_KEY)
            text.len = JSON_PUSH_KEY;
        memcpy(p->keys[at], text.ptr, text.len);
        p->key_lens[at] = (uint8_t)text.len;
        p->state = PUSH_WANT_COLON;
        return;
    }
    p->on_event(p->ctx, p, JSON_PUSH_VALUE, p->depth, text);
    after_value(p);
}

static void in_escape(struct json_push *p, char c)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *at = memchr(from, c, sizeof from - 1);

    p->state = PUSH_IN_STRING;
    if (at) {
        add(p, to[at - from]);
    } else if (c == 'u') {
        p->unicode = 0;
        p->unicode_digits = 0;
        p->state = PUSH_IN_UNICODE;
    } else {
        p->state = PUSH_BROKEN;
    }
}

static void in_unicode(struct json_push *p, char c)
{
    unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                            : 16;

    if (digit == 16) {
        p->state = PUSH_BROKEN;
        return;
    }
    p->unicode = p->unicode << 4 | digit;
    if (++p->unicode_digits == 4) {
        add_unicode(p, p->unicode);
        p->state = PUSH_IN_STRING;
    }
}

static void end_word(struct json_push *p)
{
    p->on_event(p->ctx, p, JSON_PUSH_VALUE, p->depth, slice_of(p->text, p->text_len));
    after_value(p);
}

static bool is_word_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '+' || c == '-' ||
           c == 'E';
}

/* One byte outside strings and words. */
static void between(struct json_push *p, char c)
{
    if (is_blank(c))
        return;
    switch (p->state) {
    case PUSH_WANT_VALUE:
        begin_value(p, c);
        return;
    case PUSH_WANT_VALUE_OR_END:
        if (c == ']')
            close_container(p, c);
        else
            begin_value(p, c);
        return;
    case PUSH_WANT_KEY_OR_END:
    case PUSH_WANT_KEY:
        if (c == '}' && p->state == PUSH_WANT_KEY_OR_END) {
            close_container(p, c);
            return;
        }
        p->text_len = 0;
        p->is_key = true;
        p->state = c == '"' ? PUSH_IN_STRING : PUSH_BROKEN;
        return;
    case PUSH_WANT_COLON:
        p->state = c == ':' ? PUSH_WANT_VALUE : PUSH_BROKEN;
        return;
    case PUSH_WANT_COMMA:
        if (c == ',')
            p->state = p->kinds[p->depth - 1] == '{' ? PUSH_WANT_KEY : PUSH_WANT_VALUE;
        else if (c == '}' || c == ']')
            close_container(p, c);
        else
            p->state = PUSH_BROKEN;
        return;
    default:
        p->state = PUSH_BROKEN;
    }
}

static void push_byte(struct json_push *p, char c)
{
    switch (p->state) {
    case PUSH_IN_STRING:
        if (c == '"')
            end_string(p);
        else if (c == '\\')
            p->state = PUSH_IN_ESCAPE;
        else
            add(p, c);
        break;
    case PUSH_IN_ESCAPE:
        in_escape(p, c);
        break;
    case PUSH_IN_UNICODE:
        in_unicode(p, c);
        break;
    case PUSH_IN_WORD:
        if (is_word_char(c)) {
            add(p, c);
            break;
        }
        end_word(p);
        between(p, c);
        break;
    default:
        between(p, c);
    }
}

bool json_push(struct json_push *p, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len && p->state != PUSH_BROKEN; i++)
        push_byte(p, bytes.ptr[i]);
    return p->state != PUSH_BROKEN;
}
