/* A small file, read whole.
 *
 * Thread: any; blocks. */
#ifndef SHIP_CONFIG_TEXT_FILE_H
#define SHIP_CONFIG_TEXT_FILE_H

#include <stddef.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"

/* Appends the file's bytes to *out, also those of a pipe. -1 and *e (ERR_CONFIG; the reason alone,
 * the caller knows the path): not there, not readable, a directory, longer than max_bytes. */
int text_file_read(const char *path, size_t max_bytes, struct buffer *out, struct err *e);
/* Wipes and frees: what was read may hold secrets. */
void text_wipe(struct buffer *b);

#endif
