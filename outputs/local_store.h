/* The file behind the local output: one SQLite database in WAL mode.
 *
 * `events` has a row per event: what one looks for in columns, the event itself as the JSON
 * document that other outputs would send. `events_text` is the full-text index on the message; it
 * keeps no text of its own (external content). Only event.id makes a row unique.
 * Durable: a transaction is on the disk before it is acknowledged (synchronous=FULL).
 * Readers see whole transactions and never wait for the writer, nor it for them.
 * Thread: one at a time for each store. */
#ifndef SHIP_OUTPUTS_LOCAL_STORE_H
#define SHIP_OUTPUTS_LOCAL_STORE_H

#include <stdatomic.h>
#include <stddef.h>

#include "shipper/base/error.h"

struct local_record;
struct sqlite3;
struct local_store;

enum { LOCAL_STORE_VERSION = 1 };

/* What an attempt to write came to. */
enum local_result {
    LOCAL_OK,
    LOCAL_KNOWN, /* an event of this id is there */
    LOCAL_BUSY,  /* another writer, or no memory: worth another try soon */
    LOCAL_STUCK, /* full disk, read-only, damaged: someone must mend it */
};

/* Opens for writing; makes the file (mode 0600) and its tables if there are none. Once *is_stopping
 * is set, nothing waits for another writer any more. NULL and *e (ERR_STORE, with the path). */
struct local_store *local_store_open(const char *path, const atomic_bool *is_stopping,
                                     struct err *e);
void local_store_close(struct local_store *s);

/* One transaction: begin, add as often as wanted, commit. After anything but OK and KNOWN it is
 * rolled back, as if it had never begun, and *e says why. */
enum local_result local_store_begin(struct local_store *s, struct err *e);
enum local_result local_store_add(struct local_store *s, const struct local_record *r,
                                  struct err *e);
enum local_result local_store_commit(struct local_store *s, struct err *e);

/* Opens for reading only, also while ship writes. Nothing is made. NULL and *e; the caller closes
 * it with sqlite3_close. */
struct sqlite3 *local_store_read(const char *path, struct err *e);

#endif
