/* The hosts of one cluster: their addresses, and which of them to try next.
 *
 * A host that cannot be reached rests, longer each time; the others take its share. When all rest,
 * the one that is due first is tried all the same, so that nothing waits for a host that came back.
 * Owner:  the caller's storage. Thread: one at a time; pure, time is an argument. */
#ifndef SHIP_OUTPUTS_ES_HOSTS_H
#define SHIP_OUTPUTS_ES_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/error.h"
#include "shipper/base/option.h"

enum { ES_URL_MAX = 512, ES_REST_FIRST_MS = 1000, ES_REST_MAX_MS = 60000 };

struct es_host {
    char url[ES_URL_MAX]; /* "https://es-1:9200/prefix", no credentials, no slash at the end */
    char user[128];       /* from the URL; "" none */
    char password[256];
    unsigned failures; /* in a row */
    int64_t rests_until_ms;
};

struct es_hosts {
    struct es_host *hosts;
    size_t n_hosts;
    size_t next;
};

/* Fills *out from "https://user:password@host:9200/prefix"; port 9200 unless given. -1 and *e
 * (ERR_CONFIG): what is wrong, without credentials. */
int es_host_parse(const char *text, struct es_host *out, struct err *e);

int es_hosts_init(struct es_hosts *h, const struct option_list *urls, struct err *e);
void es_hosts_fini(struct es_hosts *h);
/* Round robin over those that do not rest. */
struct es_host *es_hosts_choose(struct es_hosts *h, int64_t now_ms);
void es_host_good(struct es_host *host);
void es_host_failed(struct es_host *host, int64_t now_ms);

#endif
