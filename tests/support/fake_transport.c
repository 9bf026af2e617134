#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/fake_transport.h"

static struct http_call *start(void *self, const struct http_request *r, struct err *e)
{
    struct fake_transport *f = self;
    struct http_call *c = f->calls;

    if (f->is_out_of_memory) {
        err_set(e, ERR_NOMEM, "out of memory for a request");
        return NULL;
    }
    while (c->is_open)
        cr_assert_lt(++c - f->calls, FAKE_CALLS);
    c->request = *r;
    snprintf(c->url, sizeof c->url, "%s", r->url);
    c->request.url = c->url;
    c->request.headers = NULL;
    c->headers.len = 0;
    for (size_t i = 0; r->headers[i]; i++) {
        buffer_add_slice(&c->headers, slice_str(r->headers[i]));
        buffer_add_char(&c->headers, '\n');
    }
    c->is_open = true;
    f->n_open++;
    return c;
}

static void end(struct fake_transport *f, struct http_call *c)
{
    c->is_open = false;
    f->n_open--;
}

static void cancel(void *self, struct http_call *c)
{
    if (c)
        end(self, c);
}

void fake_transport_init(struct fake_transport *f)
{
    memset(f, 0, sizeof *f);
    f->base = (struct transport){start, cancel, f};
}

void fake_transport_fini(struct fake_transport *f)
{
    cr_expect_eq(f->n_open, 0, "%u requests were left behind", f->n_open);
    for (size_t i = 0; i < FAKE_CALLS; i++)
        buffer_free(&f->calls[i].headers);
}

struct http_call *fake_transport_call(struct fake_transport *f)
{
    for (size_t i = 0; i < FAKE_CALLS; i++)
        if (f->calls[i].is_open)
            return &f->calls[i];
    return NULL;
}

void fake_transport_answer(struct fake_transport *f, struct http_call *c, struct http_reply reply,
                           const char *body, size_t bite)
{
    struct slice rest = slice_str(body);
    struct http_request r = c->request;

    while (rest.len) {
        struct slice part = slice_of(rest.ptr, bite < rest.len ? bite : rest.len);

        r.on_body(r.ctx, part);
        rest = slice_from(rest, part.len);
    }
    end(f, c);
    r.on_done(r.ctx, &reply);
}
