/* The letters of one file of dead letters, as events to be sent again. For `ship dead` alone; no
 * configuration can name it.
 *
 * What is sent is the letter's document, with the id, the origin and the offset that it had, and
 * only to the output that refused it. A line is one letter and at most one event; where it begins
 * in the file is its chunk's start and its item's line_offset. Lines that are no letters, and
 * letters of outputs that there are not, make no event. Thread: as every input's
 * (shipper/inputs/input.h). */
#ifndef SHIP_INPUTS_LETTERS_H
#define SHIP_INPUTS_LETTERS_H

#include "shipper/inputs/input.h"
#include "shipper/inputs/letter_fix.h"

struct letters_options {
    const char *path;           /* a file that nobody appends to */
    const char *const *outputs; /* their names, in the order of the lanes; NULL: there is one, and
                                   it gets all letters */
    size_t n_outputs;
    const struct letter_fix *fixes; /* what is done to the documents before, in this order */
    size_t n_fixes;
};

extern const struct input_ops input_letters;

#endif
