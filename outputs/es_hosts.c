#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "outputs/es_hosts.h"

static int bad_scheme(const char *scheme, struct err *e)
{
    return err_set(e, ERR_CONFIG, "scheme \"%.20s\" is not http or https", scheme);
}

static bool take_part(CURLU *u, CURLUPart part, unsigned flags, char *out, size_t cap)
{
    char *text = NULL;
    bool fits = true;

    out[0] = '\0';
    if (curl_url_get(u, part, &text, flags) == CURLUE_OK) {
        fits = strlen(text) < cap;
        snprintf(out, cap, "%s", text);
    }
    curl_free(text);
    return fits;
}

static int take_parts(CURLU *u, struct es_host *out, struct err *e)
{
    char scheme[32];
    char host[256];
    char port[16];
    char path[200];
    char query[8];
    size_t len;

    if (!take_part(u, CURLUPART_SCHEME, 0, scheme, sizeof scheme) ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return bad_scheme(scheme, e);
    if (!take_part(u, CURLUPART_HOST, 0, host, sizeof host) || !host[0] ||
        !take_part(u, CURLUPART_PORT, 0, port, sizeof port) ||
        !take_part(u, CURLUPART_PATH, 0, path, sizeof path) ||
        !take_part(u, CURLUPART_USER, CURLU_URLDECODE, out->user, sizeof out->user) ||
        !take_part(u, CURLUPART_PASSWORD, CURLU_URLDECODE, out->password, sizeof out->password))
        return err_set(e, ERR_CONFIG, "a part of the URL is too long, or the host is missing");
    if (!take_part(u, CURLUPART_QUERY, 0, query, sizeof query) || query[0])
        return err_set(e, ERR_CONFIG, "the URL of a host has no query (nothing behind a \"?\")");
    len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        path[--len] = '\0';
    snprintf(out->url, sizeof out->url, "%s://%s:%s%s", scheme, host, port[0] ? port : "9200",
             path);
    return 0;
}

int es_host_parse(const char *text, struct es_host *out, struct err *e)
{
    const char *mark = strstr(text, "://");
    CURLU *u;
    int rc;

    memset(out, 0, sizeof *out);
    if (!mark)
        return err_set(e, ERR_CONFIG, "want http://HOST:PORT or https://HOST:PORT");
    u = curl_url();
    if (!u)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        rc = err_set(e, ERR_CONFIG, "not a URL; want http://HOST:PORT or https://HOST:PORT");
    else
        rc = take_parts(u, out, e);
    curl_url_cleanup(u);
    return rc;
}

int es_hosts_init(struct es_hosts *h, const struct option_list *urls, struct err *e)
{
    memset(h, 0, sizeof *h);
    if (urls->n_items == 0)
        return err_set(e, ERR_CONFIG, "want at least one host");
    h->hosts = calloc(urls->n_items, sizeof *h->hosts);
    if (!h->hosts)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < urls->n_items; i++)
        if (es_host_parse(urls->items[i], &h->hosts[i], e) < 0) {
            es_hosts_fini(h);
            return err_at(e, "hosts[%zu]", i);
        }
    h->n_hosts = urls->n_items;
    return 0;
}

void es_hosts_fini(struct es_hosts *h)
{
    free(h->hosts);
    memset(h, 0, sizeof *h);
}

struct es_host *es_hosts_choose(struct es_hosts *h, int64_t now_ms)
{
    struct es_host *soonest = &h->hosts[h->next % h->n_hosts];

    for (size_t i = 0; i < h->n_hosts; i++) {
        struct es_host *host = &h->hosts[(h->next + i) % h->n_hosts];

        if (host->rests_until_ms <= now_ms) {
            soonest = host;
            break;
        }
        if (host->rests_until_ms < soonest->rests_until_ms)
            soonest = host;
    }
    h->next = (size_t)(soonest - h->hosts) + 1;
    return soonest;
}

void es_host_good(struct es_host *host)
{
    host->failures = 0;
    host->rests_until_ms = 0;
}

void es_host_failed(struct es_host *host, int64_t now_ms)
{
    int64_t rest = ES_REST_FIRST_MS;

    for (unsigned i = 0; i < host->failures && rest < ES_REST_MAX_MS; i++)
        rest *= 2;
    host->failures++;
    host->rests_until_ms = now_ms + (rest < ES_REST_MAX_MS ? rest : ES_REST_MAX_MS);
}
