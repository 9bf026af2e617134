#include "parsers/ecs_fields.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { LONGEST_KEYWORD = 8192 }; /* of 32766; what is no UTF-8 grows threefold */

/* In the order of the bytes of their names. */
static const struct ecs_field fields[] = {
    {SLICE_LIT("client.address"), ECS_KEYWORD},
    {SLICE_LIT("client.bytes"), ECS_LONG},
    {SLICE_LIT("client.domain"), ECS_KEYWORD},
    {SLICE_LIT("client.ip"), ECS_IP},
    {SLICE_LIT("client.port"), ECS_LONG},
    {SLICE_LIT("client.user.name"), ECS_KEYWORD},
    {SLICE_LIT("container.id"), ECS_KEYWORD},
    {SLICE_LIT("container.name"), ECS_KEYWORD},
    {SLICE_LIT("destination.address"), ECS_KEYWORD},
    {SLICE_LIT("destination.bytes"), ECS_LONG},
    {SLICE_LIT("destination.domain"), ECS_KEYWORD},
    {SLICE_LIT("destination.ip"), ECS_IP},
    {SLICE_LIT("destination.port"), ECS_LONG},
    {SLICE_LIT("dns.question.name"), ECS_KEYWORD},
    {SLICE_LIT("dns.question.type"), ECS_KEYWORD},
    {SLICE_LIT("dns.response_code"), ECS_KEYWORD},
    {SLICE_LIT("email.message_id"), ECS_KEYWORD},
    {SLICE_LIT("error.code"), ECS_KEYWORD},
    {SLICE_LIT("error.id"), ECS_KEYWORD},
    {SLICE_LIT("event.action"), ECS_KEYWORD},
    {SLICE_LIT("event.code"), ECS_KEYWORD},
    {SLICE_LIT("event.duration"), ECS_LONG},
    {SLICE_LIT("event.module"), ECS_KEYWORD},
    {SLICE_LIT("event.outcome"), ECS_KEYWORD},
    {SLICE_LIT("event.provider"), ECS_KEYWORD},
    {SLICE_LIT("event.reason"), ECS_KEYWORD},
    {SLICE_LIT("event.sequence"), ECS_LONG},
    {SLICE_LIT("event.severity"), ECS_LONG},
    {SLICE_LIT("file.directory"), ECS_KEYWORD},
    {SLICE_LIT("file.name"), ECS_KEYWORD},
    {SLICE_LIT("file.path"), ECS_KEYWORD},
    {SLICE_LIT("file.size"), ECS_LONG},
    {SLICE_LIT("host.hostname"), ECS_KEYWORD},
    {SLICE_LIT("http.request.body.bytes"), ECS_LONG},
    {SLICE_LIT("http.request.bytes"), ECS_LONG},
    {SLICE_LIT("http.request.id"), ECS_KEYWORD},
    {SLICE_LIT("http.request.method"), ECS_KEYWORD},
    {SLICE_LIT("http.request.mime_type"), ECS_KEYWORD},
    {SLICE_LIT("http.request.referrer"), ECS_KEYWORD},
    {SLICE_LIT("http.response.body.bytes"), ECS_LONG},
    {SLICE_LIT("http.response.bytes"), ECS_LONG},
    {SLICE_LIT("http.response.mime_type"), ECS_KEYWORD},
    {SLICE_LIT("http.response.status_code"), ECS_LONG},
    {SLICE_LIT("http.version"), ECS_KEYWORD},
    {SLICE_LIT("log.origin.file.line"), ECS_LONG},
    {SLICE_LIT("log.origin.file.name"), ECS_KEYWORD},
    {SLICE_LIT("log.origin.function"), ECS_KEYWORD},
    {SLICE_LIT("log.syslog.appname"), ECS_KEYWORD},
    {SLICE_LIT("log.syslog.facility.code"), ECS_LONG},
    {SLICE_LIT("log.syslog.facility.name"), ECS_KEYWORD},
    {SLICE_LIT("log.syslog.hostname"), ECS_KEYWORD},
    {SLICE_LIT("log.syslog.msgid"), ECS_KEYWORD},
    {SLICE_LIT("log.syslog.priority"), ECS_LONG},
    {SLICE_LIT("log.syslog.procid"), ECS_KEYWORD},
    {SLICE_LIT("log.syslog.severity.code"), ECS_LONG},
    {SLICE_LIT("log.syslog.severity.name"), ECS_KEYWORD},
    {SLICE_LIT("log.syslog.structured_data"), ECS_OBJECT},
    {SLICE_LIT("log.syslog.version"), ECS_KEYWORD},
    {SLICE_LIT("network.bytes"), ECS_LONG},
    {SLICE_LIT("network.forwarded_ip"), ECS_IP},
    {SLICE_LIT("network.protocol"), ECS_KEYWORD},
    {SLICE_LIT("network.transport"), ECS_KEYWORD},
    {SLICE_LIT("network.type"), ECS_KEYWORD},
    {SLICE_LIT("observer.name"), ECS_KEYWORD},
    {SLICE_LIT("organization.id"), ECS_KEYWORD},
    {SLICE_LIT("organization.name"), ECS_KEYWORD},
    {SLICE_LIT("process.command_line"), ECS_KEYWORD},
    {SLICE_LIT("process.executable"), ECS_KEYWORD},
    {SLICE_LIT("process.exit_code"), ECS_LONG},
    {SLICE_LIT("process.name"), ECS_KEYWORD},
    {SLICE_LIT("process.pid"), ECS_LONG},
    {SLICE_LIT("process.thread.id"), ECS_LONG},
    {SLICE_LIT("process.thread.name"), ECS_KEYWORD},
    {SLICE_LIT("rule.id"), ECS_KEYWORD},
    {SLICE_LIT("rule.name"), ECS_KEYWORD},
    {SLICE_LIT("server.address"), ECS_KEYWORD},
    {SLICE_LIT("server.bytes"), ECS_LONG},
    {SLICE_LIT("server.domain"), ECS_KEYWORD},
    {SLICE_LIT("server.ip"), ECS_IP},
    {SLICE_LIT("server.port"), ECS_LONG},
    {SLICE_LIT("service.address"), ECS_KEYWORD},
    {SLICE_LIT("service.environment"), ECS_KEYWORD},
    {SLICE_LIT("service.id"), ECS_KEYWORD},
    {SLICE_LIT("service.node.name"), ECS_KEYWORD},
    {SLICE_LIT("service.type"), ECS_KEYWORD},
    {SLICE_LIT("service.version"), ECS_KEYWORD},
    {SLICE_LIT("source.address"), ECS_KEYWORD},
    {SLICE_LIT("source.bytes"), ECS_LONG},
    {SLICE_LIT("source.domain"), ECS_KEYWORD},
    {SLICE_LIT("source.ip"), ECS_IP},
    {SLICE_LIT("source.port"), ECS_LONG},
    {SLICE_LIT("source.user.name"), ECS_KEYWORD},
    {SLICE_LIT("tls.cipher"), ECS_KEYWORD},
    {SLICE_LIT("tls.client.server_name"), ECS_KEYWORD},
    {SLICE_LIT("tls.version"), ECS_KEYWORD},
    {SLICE_LIT("tls.version_protocol"), ECS_KEYWORD},
    {SLICE_LIT("transaction.id"), ECS_KEYWORD},
    {SLICE_LIT("url.domain"), ECS_KEYWORD},
    {SLICE_LIT("url.extension"), ECS_KEYWORD},
    {SLICE_LIT("url.fragment"), ECS_KEYWORD},
    {SLICE_LIT("url.full"), ECS_KEYWORD},
    {SLICE_LIT("url.original"), ECS_KEYWORD},
    {SLICE_LIT("url.path"), ECS_KEYWORD},
    {SLICE_LIT("url.port"), ECS_LONG},
    {SLICE_LIT("url.query"), ECS_KEYWORD},
    {SLICE_LIT("url.scheme"), ECS_KEYWORD},
    {SLICE_LIT("url.username"), ECS_KEYWORD},
    {SLICE_LIT("user.domain"), ECS_KEYWORD},
    {SLICE_LIT("user.email"), ECS_KEYWORD},
    {SLICE_LIT("user.full_name"), ECS_KEYWORD},
    {SLICE_LIT("user.id"), ECS_KEYWORD},
    {SLICE_LIT("user.name"), ECS_KEYWORD},
    {SLICE_LIT("user_agent.name"), ECS_KEYWORD},
    {SLICE_LIT("user_agent.original"), ECS_KEYWORD},
    {SLICE_LIT("user_agent.version"), ECS_KEYWORD},
};

static int by_name(const void *a, const void *b)
{
    const struct slice *x = a;
    const struct slice *y = &((const struct ecs_field *)b)->name;
    int order = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

const struct ecs_field *ecs_field_find(struct slice name)
{
    if (!name.len || !memchr(name.ptr, '.', name.len)) /* most keys of an application have none */
        return NULL;
    return bsearch(&name, fields, sizeof fields / sizeof fields[0], sizeof fields[0], by_name);
}

bool ecs_is_integer(struct slice text)
{
    size_t from = text.len && *text.ptr == '-';

    if (text.len == from || text.len - from > 18 || (text.ptr[from] == '0' && text.len > from + 1))
        return false;
    for (size_t i = from; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

static bool is_ipv4(struct slice s)
{
    int n_parts = 1;
    int part = -1; /* no digit yet */

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (c == '.' && part >= 0 && n_parts < 4) {
            part = -1;
            n_parts++;
        } else if (c < '0' || c > '9' || part == 0) { /* 010 is eight to some, ten to others */
            return false;
        } else {
            part = (part < 0 ? 0 : part * 10) + (c - '0');
            if (part > 255)
                return false;
        }
    }
    return n_parts == 4 && part >= 0;
}

bool ecs_is_ip(struct slice s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ignored;

    if (s.len < 2 || s.len >= sizeof text)
        return false;
    if (!memchr(s.ptr, ':', s.len))
        return is_ipv4(s);
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return strlen(text) == s.len && inet_pton(AF_INET6, text, &ignored) == 1;
}

bool ecs_field_value(const struct ecs_field *field, struct slice text, struct value *out)
{
    if (!text.len || slice_is(text, "-"))
        return false;
    switch (field->type) {
    case ECS_KEYWORD:
        if (text.len > LONGEST_KEYWORD)
            return false;
        *out = value_text(text);
        return true;
    case ECS_LONG:
        if (!ecs_is_integer(text))
            return false;
        *out = (struct value){text, VALUE_JSON};
        return true;
    case ECS_IP:
        if (!ecs_is_ip(text))
            return false;
        *out = value_text(text);
        return true;
    default:
        return false;
    }
}
