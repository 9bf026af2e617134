/* Elastic Load Balancing: the Application Load Balancer's lines, and the Classic one's, which lack
 * the type in front and most of what stands behind. */
#include "parsers/access_parts.h"
#include "parsers/trace_context.h"

enum { MOST_WORDS = 40, LEAST_WORDS = 12, MOST_OWN = 24 };

/* The words of a line, counted from the time on. */
enum word {
    WORD_TIME,
    WORD_ELB,
    WORD_CLIENT,
    WORD_TARGET,
    WORD_REQUEST_TIME,
    WORD_TARGET_TIME,
    WORD_RESPONSE_TIME,
    WORD_STATUS,
    WORD_TARGET_STATUS,
    WORD_RECEIVED,
    WORD_SENT,
    WORD_REQUEST,
    WORD_AGENT,
    WORD_CIPHER,
    WORD_PROTOCOL,
    WORD_TARGET_GROUP,
    WORD_TRACE,
    WORD_DOMAIN,
    WORD_CERTIFICATE,
    WORD_RULE,
    WORD_CREATED,
    WORD_ACTIONS,
    WORD_REDIRECT,
    WORD_ERROR,
    WORD_TARGETS,
    WORD_TARGET_STATUSES,
    WORD_CLASS,
    WORD_CLASS_REASON,
    WORD_CONNECTION,
};

static bool is_type(struct slice s)
{
    static const char *const types[] = {"http", "https", "h2", "grpcs", "ws", "wss"};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_is(s, types[i]))
            return true;
    return false;
}

static size_t cut_words(struct slice rest, struct slice *words)
{
    size_t n = 0;

    while (n < MOST_WORDS && access_word(&rest, &words[n]))
        n++;
    return n;
}

/* All that it took, of the parts that are known; -1 for each that did not happen. */
static int64_t took_ns(const struct slice *words)
{
    int64_t sum = -1;

    for (int i = WORD_REQUEST_TIME; i <= WORD_RESPONSE_TIME; i++) {
        int64_t ns = access_ns(words[i], 1000000000);

        if (ns >= 0)
            sum = (sum < 0 ? 0 : sum) + ns;
    }
    return sum;
}

static void put_own(struct access *a, const struct slice *words, size_t n)
{
    static const struct {
        const char *name;
        enum word word;
        enum group_type type;
    } own[] = {
        {"elb", WORD_ELB, GROUP_STRING},
        {"request_processing_time", WORD_REQUEST_TIME, GROUP_FLOAT},
        {"target_processing_time", WORD_TARGET_TIME, GROUP_FLOAT},
        {"response_processing_time", WORD_RESPONSE_TIME, GROUP_FLOAT},
        {"target_status_code", WORD_TARGET_STATUS, GROUP_INT},
        {"target_group_arn", WORD_TARGET_GROUP, GROUP_STRING},
        {"chosen_cert_arn", WORD_CERTIFICATE, GROUP_STRING},
        {"matched_rule_priority", WORD_RULE, GROUP_INT},
        {"request_creation_time", WORD_CREATED, GROUP_STRING},
        {"actions_executed", WORD_ACTIONS, GROUP_STRING},
        {"redirect_url", WORD_REDIRECT, GROUP_STRING},
        {"target_port_list", WORD_TARGETS, GROUP_STRING},
        {"target_status_code_list", WORD_TARGET_STATUSES, GROUP_STRING},
        {"classification", WORD_CLASS, GROUP_STRING},
        {"classification_reason", WORD_CLASS_REASON, GROUP_STRING},
        {"conn_trace_id", WORD_CONNECTION, GROUP_STRING},
    };

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (own[i].word < n)
            access_own(a, own[i].name, own[i].type, words[own[i].word]);
}

static void put_rest(struct access *a, const struct slice *words, size_t n)
{
    if (n > WORD_AGENT)
        access_put_quoted(a, ACCESS_USER_AGENT, words[WORD_AGENT]);
    if (n > WORD_PROTOCOL) {
        access_put(a, ACCESS_TLS_CIPHER, words[WORD_CIPHER]);
        access_tls(a, words[WORD_PROTOCOL]);
    }
    if (n > WORD_TRACE)
        trace_parse_xray(words[WORD_TRACE], a->out);
    if (n > WORD_DOMAIN)
        access_put(a, ACCESS_TLS_NAME, words[WORD_DOMAIN]);
    if (n > WORD_ERROR)
        access_put(a, ACCESS_REASON, words[WORD_ERROR]);
}

/* "- http://x:80- -" is how it writes a request that it could not read. */
static void put_request(struct access *a, struct slice request)
{
    if (!slice_starts(request, slice_str("- ")))
        access_request(a, request);
}

bool access_alb_parse(struct parse_scratch *scratch, struct slice line, struct record *out)
{
    struct slice all[MOST_WORDS];
    size_t n = cut_words(line, all);
    bool has_type = n && is_type(all[0]);
    const struct slice *words = all + has_type;
    struct access a;

    n -= has_type;
    if (n < LEAST_WORDS ||
        (!access_is_status(words[WORD_STATUS]) && !slice_is(words[WORD_STATUS], "-")) ||
        !ecs_is_integer(words[WORD_RECEIVED]) || !ecs_is_integer(words[WORD_SENT]) ||
        !access_start(&a, scratch, line, out, MOST_OWN) || !access_time(&a, words[WORD_TIME]))
        return false;
    access_peer(&a, ACCESS_SOURCE_ADDRESS, words[WORD_CLIENT]);
    access_peer(&a, ACCESS_TARGET_ADDRESS, words[WORD_TARGET]);
    put_request(&a, words[WORD_REQUEST]);
    access_status(&a, words[WORD_STATUS]);
    access_put(&a, ACCESS_REQUEST_BYTES, words[WORD_RECEIVED]);
    access_put(&a, ACCESS_RESPONSE_BYTES, words[WORD_SENT]);
    access_duration(&a, took_ns(words));
    put_rest(&a, words, n);
    if (has_type)
        access_own(&a, "type", GROUP_STRING, all[0]);
    put_own(&a, words, n);
    return true;
}
