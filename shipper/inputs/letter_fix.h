/* Mending a document before it is sent again: what `ship dead replay --fix` says.
 *
 *   FIELD=VALUE    the field is this text, whatever it was
 *   -FIELD         the field is left out, and what is below it
 *   OLD->NEW       the field is called NEW, and so is what is below it
 *   FIELD:string   the field is text: of a number, true or false as it stands there, of an object
 * or a list its JSON; null stays null
 *
 * A field is named by its whole path, and found however the document writes it: "a.b.c":1, or
 * "a":{"b":{"c":1}}, or anything between. What is changed stands at the end afterwards, by its
 * whole path. A document without the field stays as it was, but for FIELD=VALUE. What is not named
 * is copied byte for byte. Owner:  slices point into the text that was parsed. Thread: any. */
#ifndef SHIP_INPUTS_LETTER_FIX_H
#define SHIP_INPUTS_LETTER_FIX_H

#include <stddef.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/slice.h"

enum letter_fix_kind { LETTER_FIX_SET, LETTER_FIX_REMOVE, LETTER_FIX_RENAME, LETTER_FIX_STRING };

struct letter_fix {
    enum letter_fix_kind kind;
    struct slice field;
    struct slice value; /* or the new name */
};

/* -1 and *e (ERR_CONFIG). */
int letter_fix_parse(const char *text, struct letter_fix *out, struct err *e);

/* Appends the document (a checked JSON object) as the fix makes it. False: out of memory. */
bool letter_fix_apply(const struct letter_fix *fix, struct slice document, struct buffer *out);

#endif
