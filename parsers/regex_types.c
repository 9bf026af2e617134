#include "parsers/regex_types.h"

#include <stdlib.h>
#include <string.h>

enum { SOME = 16 };

bool group_type_parse(struct slice text, enum group_type *type)
{
    static const char *const names[] = {"string", "int", "float", "bool"};

    for (int i = 0; i < 4; i++)
        if (slice_is(text, names[i])) {
            *type = (enum group_type)i;
            return true;
        }
    return false;
}

static bool is_name_char(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t name_len(const char *p)
{
    size_t n = 0;

    while (is_name_char(p[n]))
        n++;
    return n;
}

/* The length of "(?<", "(?P<" or "(?'" at p; 0 if none of them is there. */
static size_t group_head(const char *p)
{
    if (strncmp(p, "(?<", 3) == 0 || strncmp(p, "(?'", 3) == 0)
        return 3;
    return strncmp(p, "(?P<", 4) == 0 ? 4 : 0;
}

/* The end of the character class at p (a '['): behind its ']'. A ']' that comes first stands for
 * itself. */
static size_t class_len(const char *p)
{
    size_t n = 1;

    n += p[n] == '^';
    n += p[n] == ']';
    while (p[n] && p[n] != ']') {
        if (p[n] == '\\' && p[n + 1])
            n++;
        else if (p[n] == '[' && p[n + 1] == ':' && strstr(p + n, ":]"))
            n = (size_t)(strstr(p + n, ":]") - p) + 1;
        n++;
    }
    return p[n] ? n + 1 : n;
}

/* One piece of a pattern: `len` bytes that stay, of which nothing need be known; or, if the piece
 * is the head of a group with a type, its name and type, and how much of it goes. */
struct piece {
    size_t len;     /* of what stays: up to the name's end, for such a head */
    size_t dropped; /* ":float" behind it */
    struct slice name;
    struct slice type;
};

static struct piece next_piece(const char *p)
{
    struct piece piece = {.len = 1};
    size_t head = group_head(p);
    size_t name = head ? name_len(p + head) : 0;
    size_t type;

    if (*p == '\\' && p[1] == 'Q')
        piece.len = strstr(p, "\\E") ? (size_t)(strstr(p, "\\E") - p) + 2 : strlen(p);
    else if (*p == '\\' && p[1])
        piece.len = 2;
    else if (*p == '[')
        piece.len = class_len(p);
    else if (strncmp(p, "(?#", 3) == 0)
        piece.len = strcspn(p, ")");
    if (!name || p[head + name] != ':')
        return piece;
    type = name_len(p + head + name + 1);
    if (p[head + name + 1 + type] != (p[head - 1] == '<' ? '>' : '\''))
        return piece;
    piece.len = head + name;
    piece.dropped = 1 + type;
    piece.name = slice_of(p + head, name);
    piece.type = slice_of(p + head + name + 1, type);
    return piece;
}

int regex_types_add(struct regex_types *types, const struct typed_group *group, struct err *e)
{
    if (types->n_groups % SOME == 0) {
        struct typed_group *grown =
            realloc(types->groups, (types->n_groups + SOME) * sizeof *grown);

        if (!grown)
            return err_set(e, ERR_NOMEM, "out of memory");
        types->groups = grown;
    }
    types->groups[types->n_groups++] = *group;
    return 0;
}

static int add(struct regex_types *types, const struct piece *piece, struct err *e)
{
    struct typed_group group = {.name = piece->name};

    if (!group_type_parse(piece->type, &group.type))
        return err_set(e, ERR_CONFIG,
                       "group \"%.*s\": type \"%.*s\" is not one of string, int, float, bool",
                       SLICE_ARG(piece->name), SLICE_ARG(piece->type));
    return regex_types_add(types, &group, e);
}

int regex_types_take(const char *pattern, struct buffer *plain, struct regex_types *types,
                     struct err *e)
{
    for (const char *p = pattern; *p;) {
        struct piece piece = next_piece(p);

        buffer_add(plain, p, piece.len);
        if (piece.dropped && add(types, &piece, e) < 0)
            return -1;
        p += piece.len + piece.dropped;
    }
    return plain->failed ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}

size_t regex_types_offset(const char *pattern, size_t offset)
{
    const char *p = pattern;
    size_t left = offset;

    while (*p) {
        struct piece piece = next_piece(p);

        if (left < piece.len)
            break;
        left -= piece.len;
        p += piece.len + piece.dropped;
    }
    return (size_t)(p - pattern) + left;
}

void regex_types_free(struct regex_types *types)
{
    free(types->groups);
    *types = (struct regex_types){NULL, 0};
}
