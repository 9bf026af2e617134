/* An Elasticsearch of the simulator, behind a struct transport: it stores documents under their
 * ids, and has weather: it refuses, stalls, answers half, stores and then says nothing.
 *
 * It knows the simulator's lines by their words (sim_world.h), and notes what came of each: whether
 * a line is there, under how many ids, and with which request. Thread: one. */
#ifndef SHIP_TESTS_SIM_SERVER_H
#define SHIP_TESTS_SIM_SERVER_H

#include "outputs/transport.h"
#include "shipper/base/buffer.h"
#include "shipper/base/hash.h"
#include "tests/sim/sim_random.h"

/* What an event is about: a line, or the summary of a request. */
enum sim_kind { SIM_LINE, SIM_START, SIM_END, SIM_REPORT, SIM_SUMMARY, SIM_KINDS };

enum { SIM_EVENTS_MAX = 2048, SIM_UUID_LEN = 36 };

struct sim_fact {
    bool is_stored;
    unsigned n_ids; /* different ones that it was ever stored under */
    char id[HASH_TEXT_LEN];
    char execution[SIM_UUID_LEN + 1]; /* as the document said; "" none */
    unsigned told; /* the start of ship in which it was last told that this is stored; 0 none */
};

enum sim_weather { WEATHER_FINE, WEATHER_ROUGH, WEATHER_FULL, WEATHER_AWAY, WEATHER_CLOSED };

struct sim_server {
    struct transport transport;
    struct random *random;
    int64_t now_ms;
    enum sim_weather weather;
    size_t most_bytes;     /* plain, of a request that it takes; 0: any */
    int most_bytes_status; /* 413, or 429 for one that never says why */
    unsigned poison;       /* lines whose number it divides are refused; 0: none */
    bool refuses_whole;    /* ... and the request with them */

    struct http_call *calls;   /* under way, oldest first */
    struct http_call *orphans; /* of a ship that died; it may still get to them */
    struct sim_fact facts[SIM_KINDS][SIM_EVENTS_MAX];
    struct hash128 *ids; /* open addressing; with what is stored under each */
    uint32_t *ids_of;
    unsigned n_stored;
    unsigned n_requests;
    unsigned n_starts;       /* of ship */
    uint64_t n_told_created; /* items of replies that arrived whole, since ship was started */
    uint64_t n_told_duplicates;
    unsigned malloc_left; /* failing_malloc's, while the server itself works */
    char violation[256];  /* the first promise that was broken; "" none */
    bool was_left; /* some configuration did not have it: what was settled then is not there */
};

void sim_server_init(struct sim_server *s, struct random *random);
void sim_server_fini(struct sim_server *s);
/* Ship was started: what is told is told to this one. */
void sim_server_meet(struct sim_server *s);
/* Answers one request that is due, if there is one. */
bool sim_server_step(struct sim_server *s, int64_t now_ms);
/* When the next one is due; INT64_MAX. */
int64_t sim_server_due_ms(const struct sim_server *s);
const char *sim_weather_name(enum sim_weather weather);
/* What a line's words say. False: none of the simulator's. */
bool sim_parse_event(struct slice message, enum sim_kind *kind, unsigned *n);

#endif
