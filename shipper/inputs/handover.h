/* What one agent's inputs leave to the next one's at a reload, because it is nowhere else: bytes of
 * standard input, and descriptors of files that may have no name any more.
 *
 * Owner:  the agent; an input takes out what is its own. Thread: the loop's. */
#ifndef SHIP_INPUTS_HANDOVER_H
#define SHIP_INPUTS_HANDOVER_H

#include "shipper/base/files.h"
#include "shipper/inputs/rest.h"
#include "shipper/inputs/source_file.h"

/* A file by its row, which is that of the text that is read, and not always the file's own. */
struct left_file {
    struct left_file *next;
    struct file_id id;
    unsigned n_rewritten;
    char *copy_path; /* a packed one, or a copy: where it was. NULL: it is the row's own */
    const struct files *files; /* whose descriptor it is */
    int fd;
};

struct handover {
    struct rest rest;
    struct left_file *files;
};

/* Takes the descriptor, which is closed if memory is out; copies copy_path. */
void handover_add_file(struct handover *h, const struct left_file *what);
/* Takes out the file of this row; NULL: it is not there. Its descriptor is the caller's, too:
 * handover_free_file after that. */
struct left_file *handover_take_file(struct handover *h, const struct file_id *id,
                                     unsigned n_rewritten);
/* Puts it back. */
void handover_return_file(struct handover *h, struct left_file *f);
/* NULL is fine; closes nothing. */
void handover_free_file(struct left_file *f);
/* *to gets what it has not got yet; `from` is left empty. */
void handover_move(struct handover *from, struct handover *to);
/* Closes and frees what nobody took; it is empty then. */
void handover_fini(struct handover *h);

#endif
