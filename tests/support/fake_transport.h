/* A struct transport that a test answers by hand: what was asked, and any reply to it. */
#ifndef SHIP_TESTS_SUPPORT_FAKE_TRANSPORT_H
#define SHIP_TESTS_SUPPORT_FAKE_TRANSPORT_H

#include "outputs/transport.h"
#include "shipper/base/buffer.h"

enum { FAKE_CALLS = 8 };

struct http_call {
    struct http_request request; /* headers and url as copies */
    char url[2048];
    struct buffer headers; /* each with a newline */
    bool is_open;
};

struct fake_transport {
    struct transport base;
    struct http_call calls[FAKE_CALLS];
    unsigned n_open;
    bool is_out_of_memory; /* start fails */
};

void fake_transport_init(struct fake_transport *f);
void fake_transport_fini(struct fake_transport *f);
/* The oldest call that waits; NULL. */
struct http_call *fake_transport_call(struct fake_transport *f);
/* Answers it: the body in bites of `bite` bytes, then the end. */
void fake_transport_answer(struct fake_transport *f, struct http_call *c, struct http_reply reply,
                           const char *body, size_t bite);

#endif
