/* An HTTP peer on 127.0.0.1 that answers every request with the same bytes, and then does as it is
 * told. A thread of its own; nothing of HTTP is understood but where a request ends. */
#ifndef SHIP_TESTS_SUPPORT_HTTP_PEER_H
#define SHIP_TESTS_SUPPORT_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>

enum http_peer_after {
    PEER_KEEP,  /* the connection waits for the next request */
    PEER_CLOSE, /* it is closed */
    PEER_RESET, /* it is closed by RST */
    PEER_STALL, /* silence, until the client goes or the peer ends */
};

struct http_peer_script {
    const char *reply;
    size_t reply_len; /* 0: strlen(reply) */
    enum http_peer_after after;
    bool leaves_body; /* answers when the headers are read, and reads no further */
};

struct http_peer;

struct http_peer *http_peer_new(const struct http_peer_script *script);
int http_peer_port(const struct http_peer *p);
unsigned http_peer_connections(struct http_peer *p);
unsigned http_peer_requests(struct http_peer *p);
/* All bytes that came, with a NUL; until http_peer_free. Call it when nothing is under way. */
const char *http_peer_heard(struct http_peer *p);
void http_peer_free(struct http_peer *p);

#endif
