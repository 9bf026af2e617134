/* What one agent's inputs leave to the next one's at a reload, because it is nowhere else: bytes of
 * standard input, and descriptors of files that may have no name any more.
 *
 * Owner:  the agent; an input takes out what is its own. Thread: the loop's. */
#ifndef SHIP_INPUTS_HANDOVER_H
#define SHIP_INPUTS_HANDOVER_H

#include "shipper/base/files.h"
#include "shipper/inputs/rest.h"
#include "shipper/inputs/source_file.h"

struct left_file {
    struct left_file *next;
    struct file_id id;
    const struct files *files; /* whose descriptor it is */
    int fd;
};

struct handover {
    struct rest rest;
    struct left_file *files;
};

/* Takes the descriptor; it is closed if memory is out. */
void handover_add_file(struct handover *h, const struct files *files, const struct file_id *id,
                       int fd);
/* Gives the descriptor of this file to the caller; -1: it is not there. */
int handover_take_file(struct handover *h, const struct file_id *id);
/* *to gets what it has not got yet; `from` is left empty. */
void handover_move(struct handover *from, struct handover *to);
/* Closes and frees what nobody took; it is empty then. */
void handover_fini(struct handover *h);

#endif
