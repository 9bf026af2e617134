/* A parser: bytes of a line in, fields out. No I/O, no loop, no clock.
 *
 * A new parser is a file pair with a `const struct parser_ops`, a row in config/registry.c, a test
 * and a line in the README.
 * Owner:  parser_ops.make gives an instance to the configuration; it is read-only afterwards and
 *         shared by all workers. What a parse needs to write goes into the worker's parse_scratch.
 * Thread: parse runs on workers. */
#ifndef SHIP_PARSERS_PARSER_H
#define SHIP_PARSERS_PARSER_H

#include <stdbool.h>

#include "parsers/json_names.h"
#include "parsers/json_scan.h"
#include "parsers/record.h"
#include "parsers/timestamp.h"
#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/option.h"
#include "shipper/base/slice.h"

enum { PARSE_ROOT_MAX = 48 };

/* What a worker lends to parsers; zeroed at birth, freed by parse_scratch_free. */
struct parse_scratch {
    struct json_object object; /* the line's members */
    struct json_object nested; /* members of a value inside it */
    struct json_object third;  /* one level further */
    struct json_name_memo memos[JSON_NAME_MEMOS];
    struct time_context times; /* what times may leave out; set by who reads the lines */
    struct buffer one_line;    /* JSON over several lines, as one */
    struct buffer repaired;    /* the line after json_repair */
    struct buffer text;        /* texts made for this line; reset by parser_parse. Reserve before
                                  taking slices into it: it moves when it grows */
    struct field *fields;
    size_t fields_cap;
    struct field root[PARSE_ROOT_MAX]; /* of record.root */
    void *match;                       /* the regex parser's; given back by match_free */
    void (*match_free)(void *match);
};

void parse_scratch_free(struct parse_scratch *s);
/* Empties it for the next line, or for the next parser of the same line. */
void parse_scratch_restart(struct parse_scratch *s);
/* Room for n fields; NULL when memory is out. */
struct field *parse_scratch_fields(struct parse_scratch *s, size_t n);

/* The time that the text says, into the record; by scratch->times. False, with the record as it
 * was: it is none. */
bool parse_take_time(const struct time_context *c, struct slice text, struct record *out);
/* The same from the start of the text; *used is how many bytes it took. */
bool parse_take_time_prefix(const struct time_context *c, struct slice text, struct record *out,
                            size_t *used);

/* The same in any usual form, whatever the configuration says about forms: for lines whose format
 * says how times are written. The configured zone counts. */
bool parse_take_usual_time(const struct time_context *c, struct slice text, struct record *out);

struct parser_ops {
    const char *name;
    const char *help; /* one line */
    bool is_timeless; /* it takes no times out of lines: time_format and time_zone mean nothing */
    bool has_own_format; /* its lines' format says how times are written: time_format means nothing
                          */
    struct option_table options;
    /* NULL and *e if the options do not work (a regex that does not compile); e->where names the
     * option. */
    void *(*make)(const void *options, struct err *e);
    void (*free)(void *self);
    /* Fills *out (reset before) from one line without its line end, less the spaces at its end.
     * False: not this parser's kind of line; *out is then reset again, but for RECORD_MATCH_LIMIT
     * in its flags. */
    bool (*parse)(const void *self, struct parse_scratch *scratch, struct slice line,
                  struct record *out);
    /* The platform's own lines are not its business: they are recognised before it is asked, since
     * they say which request the others belong to. */
    bool is_after_platform;
};

struct parser {
    const struct parser_ops *ops;
    void *self;
};

/* Frees what ops->make gave; one without ops is fine. */
void parser_free(struct parser *p);

/* Resets *out, parses. What the parser refuses may still be a platform line; else the record is the
 * text of the line with RECORD_NO_MATCH. Never fails. */
void parser_parse(const struct parser *p, struct parse_scratch *scratch, struct slice line,
                  struct record *out);
/* The same for a text of several lines: the parser reads the first, the others go on with its
 * message; a stack trace in it becomes error.*. JSON over several lines is read as one. */
void parser_parse_lines(const struct parser *p, struct parse_scratch *scratch, struct slice text,
                        struct record *out);

extern const struct parser_ops parser_auto;  /* decides line by line; the default */
extern const struct parser_ops parser_json;  /* JSON objects only */
extern const struct parser_ops parser_regex; /* a user's patterns */
extern const struct parser_ops parser_grok;
extern const struct parser_ops parser_logfmt;
extern const struct parser_ops parser_kv;
extern const struct parser_ops parser_csv;
extern const struct parser_ops parser_syslog;
extern const struct parser_ops parser_access;
extern const struct parser_ops parser_raw; /* the line is the message */

#endif
