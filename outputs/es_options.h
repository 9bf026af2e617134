/* What can be configured of the elasticsearch output, and how its events are written.
 *
 * Thread: read-only; es_encode on workers. */
#ifndef SHIP_OUTPUTS_ES_OPTIONS_H
#define SHIP_OUTPUTS_ES_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/option.h"

struct event;

struct es_options {
    struct option_list hosts;
    const char *index;
    const char *user;
    const char *password;
    const char *api_key;
    const char *ca_file;
    bool verify;
    int64_t timeout_ms;
    int64_t connect_ms;
    int64_t concurrency;
    const char *pipeline;
};

enum { ES_N_OPTIONS = 11, ES_NAME_MAX = 255 };
extern const struct option es_option_list[ES_N_OPTIONS];

int es_validate(const void *options, struct err *e);
void es_warn(const void *options, struct buffer *out);

/* One item of a `_bulk` body: the action line and the document. `create`, never `index`: a second
 * try answers 409, and data streams take nothing else. */
void es_encode(const void *options, const struct event *event, struct buffer *body);

#endif
