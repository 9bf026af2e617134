/* corpus KIND LINES [SEED]: log lines of a small shop's functions on standard output, the same for
 * the same seed.
 *
 *   json    structured lines of a logger, about 450 bytes each, one function
 *   lambda  Lambda's text format: START, node.js columns, bare prints (each line an event), END,
 * REPORT access  lines for a user's regex of ten groups (tests/bench/run has it) */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct corpus {
    uint64_t random; /* splitmix64's state */
    uint64_t left;
    int64_t now_ms; /* the lines' own clock */
    char request[40];
    char trace[40];
};

static uint64_t draw(struct corpus *c)
{
    uint64_t z = c->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static unsigned below(struct corpus *c, unsigned n)
{
    return (unsigned)(draw(c) % n);
}

#define PICK(c, words) (words)[below((c), sizeof(words) / sizeof(words)[0])]

static const char *const levels[] = {"INFO", "INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"};
static const char *const verbs[] = {"charged",  "reserved", "looked up", "sent",
                                    "rejected", "priced",   "refunded",  "validated"};
static const char *const things[] = {"order",   "basket",   "payment", "parcel",
                                     "invoice", "customer", "voucher", "stock item"};
static const char *const paths[] = {"/v1/orders", "/v1/orders/{id}", "/v1/payments",
                                    "/v1/baskets/{id}/items", "/health"};
static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
static const char *const agents[] = {"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101",
                                     "okhttp/4.12.0", "python-requests/2.32.3",
                                     "shop-ios/7.4.1 (iPhone; iOS 18.1)"};
static const char *const cities[] = {"Berlin", "M\xC3\xBCnchen", "Z\xC3\xBCrich", "Lyon", "Oslo"};

/* --- pieces --- */

/* The clock goes on by up to `most` ms. */
static const char *tick(struct corpus *c, unsigned most)
{
    static char text[40];
    struct tm t;
    time_t s;
    size_t n;

    c->now_ms += below(c, most + 1);
    s = (time_t)(c->now_ms / 1000);
    gmtime_r(&s, &t);
    n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &t);
    snprintf(text + n, sizeof text - n, ".%03dZ", (int)(c->now_ms % 1000));
    return text;
}

static void next_request(struct corpus *c)
{
    uint64_t a = draw(c);
    uint64_t b = draw(c);

    snprintf(c->request, sizeof c->request, "%08" PRIx32 "-%04x-4%03x-a%03x-%012" PRIx64,
             (uint32_t)(a >> 32), (unsigned)(a >> 16 & 0xFFFF), (unsigned)(a & 0xFFF),
             (unsigned)(b >> 52), b & UINT64_C(0xFFFFFFFFFFFF));
    snprintf(c->trace, sizeof c->trace, "1-%08" PRIx32 "-%012" PRIx64 "%012" PRIx64,
             (uint32_t)(c->now_ms / 1000), draw(c) >> 16, draw(c) >> 16);
}

/* False once all lines are out. */
static bool end_line(struct corpus *c)
{
    putchar('\n');
    return --c->left > 0;
}

/* --- json --- */

static void json_line(struct corpus *c)
{
    const char *level = PICK(c, levels);
    const char *verb = PICK(c, verbs);
    const char *thing = PICK(c, things);
    unsigned number = below(c, 1000000);

    printf("{\"level\":\"%s\",\"message\":\"%s %s %u%s\",", level, verb, thing, number,
           below(c, 8) ? "" : " for \\\"gold\\\" customers");
    printf("\"timestamp\":\"%s\",\"service\":\"checkout\",\"cold_start\":%s,", tick(c, 12),
           below(c, 50) ? "false" : "true");
    printf("\"function_name\":\"shop-checkout\",\"function_request_id\":\"%s\",", c->request);
    printf("\"xray_trace_id\":\"%s\",\"order_id\":%u,\"amount\":%u.%02u,\"currency\":\"EUR\",",
           c->trace, number, below(c, 900), below(c, 100));
    printf("\"city\":\"%s\",\"http\":{\"method\":\"%s\",\"route\":\"%s\",\"status\":%u},",
           PICK(c, cities), PICK(c, methods), PICK(c, paths), 200 + 100 * below(c, 4));
    printf("\"user_agent\":\"%s\",\"retries\":%u}", PICK(c, agents), below(c, 3));
}

static void write_json(struct corpus *c)
{
    do {
        if (below(c, 20) == 0)
            next_request(c);
        json_line(c);
    } while (end_line(c));
}

/* --- lambda --- */

static void node_line(struct corpus *c)
{
    const char *time = tick(c, 20);

    printf("%s\t%s\t%s\t%s %s %u in %u ms for customer %u: %s %s {\"city\":\"%s\",\"items\":%u,"
           "\"total\":%u.%02u}",
           time, c->request, PICK(c, levels), PICK(c, verbs), PICK(c, things), below(c, 1000000),
           below(c, 300), below(c, 100000), PICK(c, methods), PICK(c, paths), PICK(c, cities),
           1 + below(c, 9), below(c, 900), below(c, 100));
}

static void bare_line(struct corpus *c)
{
    switch (below(c, 4)) {
    case 0:
        printf("Retrieving secret shop/checkout/payment-key from cache, age %u s", below(c, 900));
        break;
    case 1:
        printf("loaded price list with %u entries for %s", below(c, 5000), PICK(c, cities));
        break;
    case 2:
        printf("    handler: checkout step %u of 400 took longer than planned", below(c, 400));
        break;
    default:
        fputs("(node:8) DeprecationWarning: Buffer() is deprecated; use Buffer.alloc()", stdout);
    }
}

static void thrown_line(struct corpus *c)
{
    printf("%s\t%s\tERROR\tInvoke Error \t{\"errorType\":\"PaymentError\",\"errorMessage\":\"card "
           "%u refused\",\"stack\":[\"PaymentError: card refused\",\"    at charge "
           "(/var/task/src/pay.js:%u:11)\",\"    at async handler (/var/task/src/index.js:9:5)\"]}",
           tick(c, 20), c->request, below(c, 10000), below(c, 200));
}

/* One invocation. False once all lines are out. */
static bool invocation(struct corpus *c)
{
    unsigned duration = 5 + below(c, 900);

    next_request(c);
    printf("START RequestId: %s Version: $LATEST", c->request);
    if (!end_line(c))
        return false;
    for (unsigned i = 6 + below(c, 8); i > 0; i--) {
        unsigned kind = below(c, 40);

        if (kind == 0)
            thrown_line(c);
        else if (kind < 8)
            bare_line(c);
        else
            node_line(c);
        if (!end_line(c))
            return false;
    }
    printf("END RequestId: %s", c->request);
    if (!end_line(c))
        return false;
    printf("REPORT RequestId: %s\tDuration: %u.%02u ms\tBilled Duration: %u ms\tMemory Size: 256 "
           "MB\tMax Memory Used: %u MB\t",
           c->request, duration, below(c, 100), duration + 1, 80 + below(c, 100));
    return end_line(c);
}

static void write_lambda(struct corpus *c)
{
    printf("INIT_START Runtime Version: nodejs:22.v122\tRuntime Version ARN: "
           "arn:aws:lambda:eu-west-1::runtime:%064d",
           0);
    if (!end_line(c))
        return;
    while (invocation(c))
        ;
}

/* --- access --- */

static void write_access(struct corpus *c)
{
    do {
        if (below(c, 20) == 0)
            next_request(c);
        printf("%s %s %s pid=%u user=%u %s %s status=%u bytes=%u took=%u.%03u \"%s\"", tick(c, 12),
               PICK(c, levels), c->request, 1000 + below(c, 50), below(c, 100000), PICK(c, methods),
               PICK(c, paths), 200 + 100 * below(c, 4), below(c, 100000), below(c, 3),
               below(c, 1000), PICK(c, agents));
    } while (end_line(c));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(struct corpus *c);
    } kinds[] = {{"json", write_json}, {"lambda", write_lambda}, {"access", write_access}};
    struct corpus c = {.now_ms = INT64_C(1760000000000)};

    if (argc >= 3)
        c.left = strtoull(argv[2], NULL, 10);
    c.random = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    next_request(&c);
    for (size_t i = 0; c.left && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(argv[1], kinds[i].name) == 0) {
            kinds[i].write(&c);
            return fflush(stdout) == 0 ? 0 : 1;
        }
    fputs("usage: corpus json|lambda|access LINES [SEED]\n", stderr);
    return 2;
}
