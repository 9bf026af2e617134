/* The fuzz targets: each takes any bytes, and aborts with a word on stderr when a promise is
 * broken.
 *
 * libFuzzer runs one (entry.c, `make fuzz`); the unit tests run all of them over the corpus.
 * Thread: any, one call at a time. */
#ifndef SHIP_TESTS_FUZZ_TARGETS_H
#define SHIP_TESTS_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

/* The scanner against jansson, and the text functions against one another. */
int fuzz_json(const uint8_t *data, size_t size);
/* A JSON line into a record: its fields are an object in which no key comes twice. */
int fuzz_json_record(const uint8_t *data, size_t size);
/* A file into documents: each is JSON without a key twice; chunks and restarts change nothing. */
int fuzz_parse_line(const uint8_t *data, size_t size);
/* A pattern (the first line) held against a line (the rest). */
int fuzz_regex(const uint8_t *data, size_t size);
/* The first line says how, the others are read so; each becomes a document. */
int fuzz_pairs(const uint8_t *data, size_t size);
int fuzz_csv(const uint8_t *data, size_t size);
int fuzz_grok(const uint8_t *data, size_t size);
/* Times held against the C library's strptime and strftime; any format, any zone's file. */
int fuzz_timestamp(const uint8_t *data, size_t size);
/* Lines as these parsers read them; each becomes a document. */
int fuzz_access(const uint8_t *data, size_t size);
int fuzz_syslog(const uint8_t *data, size_t size);
/* A segment of the disk queue, the meta of a record, or what was settled. */
int fuzz_queue_segment(const uint8_t *data, size_t size);
/* The answer to a bulk request; before it how many events were sent, and in which pieces it comes.
 */
int fuzz_es_reply(const uint8_t *data, size_t size);
/* A dead letter, behind a line that says how to mend it. */
int fuzz_letter(const uint8_t *data, size_t size);
/* A configuration. */
int fuzz_config(const uint8_t *data, size_t size);

#endif
