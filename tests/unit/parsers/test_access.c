#include <criterion/criterion.h>

#include "parsers/access_parts.h"
#include "tests/support/record_text.h"

static const struct parser access_parser = {&parser_access, NULL};

#define AT "[09/Oct/2026:10:53:20 +0200]"
#define OK "http.response.status_code=200 event.outcome=\"success\""

/* What is at the root is what a mapping expects under that name. */
Test(access, fields_are_those_of_ecs)
{
    for (int i = 0; i < ACCESS_N_FIELDS; i++) {
        const struct ecs_field *known = ecs_field_find(access_fields[i].name);

        cr_assert(known, "%.*s", SLICE_ARG(access_fields[i].name));
        cr_expect_eq(known->type, access_fields[i].type, "%.*s", SLICE_ARG(known->name));
    }
}

Test(access, common_and_combined)
{
    static const struct record_row rows[] = {
        {"common", "10.0.0.1 - bob " AT " \"GET /a/b?c=d HTTP/1.0\" 200 17",
         "time=" T "000000000 source.address=\"10.0.0.1\" source.ip=\"10.0.0.1\" user.name=\"bob\" "
         "http.request.method=\"GET\" url.original=\"/a/b?c=d\" url.query=\"c=d\" "
         "url.path=\"/a/b\" http.version=\"1.0\" " OK " http.response.body.bytes=17"},
        {"combined", "2001:db8::1 - - " AT " \"POST / HTTP/1.1\" 503 - \"-\" \"x \\\"y\\\" \\x41\"",
         "time=" T "000000000 source.address=\"2001:db8::1\" source.ip=\"2001:db8::1\" "
         "http.request.method=\"POST\" url.original=\"/\" url.path=\"/\" http.version=\"1.1\" "
         "http.response.status_code=503 event.outcome=\"failure\" "
         "user_agent.original=\"x \"y\" A\""},
        {"a host's name, a user's with a blank",
         "client.example ident Bob Smith " AT " \"GET / HTTP/1.1\" 200 1 \"http://x/\" \"a\"",
         "time=" T "000000000 source.address=\"client.example\" user.name=\"Bob Smith\" "
         "http.request.method=\"GET\" url.original=\"/\" url.path=\"/\" http.version=\"1.1\" " OK
         " http.response.body.bytes=1 http.request.referrer=\"http://x/\" "
         "user_agent.original=\"a\" [ident]=\"ident\""},
        {"with its virtual host",
         "x.example:443 10.0.0.1 - - " AT " \"GET / HTTP/2.0\" 304 0 \"-\" \"-\"",
         "time=" T "000000000 source.address=\"10.0.0.1\" source.ip=\"10.0.0.1\" "
         "http.request.method=\"GET\" url.original=\"/\" url.path=\"/\" http.version=\"2.0\" "
         "url.domain=\"x.example\" url.port=443 http.response.status_code=304 "
         "event.outcome=\"success\" http.response.body.bytes=0"},
        {"nginx: forwarded for, and the time that it took",
         "10.0.0.1 - - " AT
         " \"GET / HTTP/1.1\" 200 1 \"-\" \"a\" \"192.0.2.1, 10.0.0.2\" 0.005 17",
         "time=" T "000000000 source.address=\"10.0.0.1\" source.ip=\"10.0.0.1\" "
         "http.request.method=\"GET\" url.original=\"/\" url.path=\"/\" http.version=\"1.1\" " OK
         " http.response.body.bytes=1 user_agent.original=\"a\" event.duration=5000000 "
         "[x_forwarded_for]=\"192.0.2.1, 10.0.0.2\""},
        {"ingress-nginx: a length before it",
         "10.0.0.1 - - " AT " \"GET / HTTP/1.1\" 200 1 \"-\" \"a\" 517 1.250 [default-shop-80] []",
         "time=" T "000000000 source.address=\"10.0.0.1\" source.ip=\"10.0.0.1\" "
         "http.request.method=\"GET\" url.original=\"/\" url.path=\"/\" http.version=\"1.1\" " OK
         " http.response.body.bytes=1 user_agent.original=\"a\" event.duration=1250000000"},
        {"API Gateway's common format",
         "10.0.0.1 - - " AT " \"GET /orders/{id} HTTP/1.1\" 200 12 " ID " bk1aGF-sDoEFnQ=",
         "time=" T "000000000 source.address=\"10.0.0.1\" source.ip=\"10.0.0.1\" "
         "http.request.method=\"GET\" url.original=\"/orders/{id}\" url.path=\"/orders/{id}\" "
         "http.version=\"1.1\" " OK " http.response.body.bytes=12 http.request.id=\"" ID "\" "
         "[extended_request_id]=\"bk1aGF-sDoEFnQ=\""},
        {"no request came", "10.0.0.1 - - " AT " \"-\" 408 -",
         "time=" T "000000000 source.address=\"10.0.0.1\" source.ip=\"10.0.0.1\" "
         "http.response.status_code=408 event.outcome=\"failure\""},
        {"a request that is none", "10.0.0.1 - - " AT " \"\\x16\\x03\\x01\" 400 157",
         "time=" T "000000000 source.address=\"10.0.0.1\" source.ip=\"10.0.0.1\" "
         "http.response.status_code=400 event.outcome=\"failure\" http.response.body.bytes=157 "
         "[request]=\"\x16\x03\x01\""},
        {"to a proxy", "10.0.0.1 - - " AT " \"GET http://x.example:8080/a HTTP/1.1\" 200 1",
         "time=" T "000000000 source.address=\"10.0.0.1\" source.ip=\"10.0.0.1\" "
         "http.request.method=\"GET\" url.original=\"http://x.example:8080/a\" url.scheme=\"http\" "
         "url.domain=\"x.example\" url.port=8080 url.path=\"/a\" http.version=\"1.1\" " OK
         " http.response.body.bytes=1"},
        {"through one", "10.0.0.1 - - " AT " \"CONNECT x.example:443 HTTP/1.1\" 200 1",
         "time=" T "000000000 source.address=\"10.0.0.1\" source.ip=\"10.0.0.1\" "
         "http.request.method=\"CONNECT\" url.original=\"x.example:443\" http.version=\"1.1\" " OK
         " http.response.body.bytes=1"},
        {"a time that is none", "10.0.0.1 - - [today] \"GET / HTTP/1.1\" 200 1",
         "message=\"10.0.0.1 - - [today] \"GET / HTTP/1.1\" 200 1\" flags=16"},
        {"cut off", "10.0.0.1 - - " AT " \"GET / HTT",
         "message=\"10.0.0.1 - - " AT " \"GET / HTT\" flags=16"},
        {"something else", "it works [well]", "message=\"it works [well]\" flags=16"},
        {"nothing", "", "message=\"\" flags=16"},
        {"a platform line", "END RequestId: " ID, "kind=end request=" ID},
    };

    RECORD_ROWS_CHECK(&access_parser, rows);
}

Test(access, load_balancers)
{
    static const struct record_row rows[] = {
        {"ALB, https",
         "https 2026-10-09T08:53:20.186641Z app/my-lb/50dc6c495c0c9188 192.168.131.39:2817 "
         "10.0.0.1:80 0.086 0.048 0.037 200 200 34 57 \"GET https://www.example.com:443/a?b=c "
         "HTTP/1.1\" \"curl/7.46.0\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 "
         "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2d6bc24d8a067 "
         "\"Root=" ROOT "\" \"www.example.com\" "
         "\"arn:aws:acm:us-east-2:123456789012:certificate/12345678\" 1 "
         "2026-10-09T08:53:20.100000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\" "
         "TID_1234abcd5678ef90",
         "time=" T "186641000 trace=" TRACE
         " source.address=\"192.168.131.39\" source.ip=\"192.168.131.39\" source.port=2817 "
         "destination.address=\"10.0.0.1\" destination.ip=\"10.0.0.1\" destination.port=80 "
         "http.request.method=\"GET\" url.original=\"https://www.example.com:443/a?b=c\" "
         "url.scheme=\"https\" url.domain=\"www.example.com\" url.port=443 url.query=\"b=c\" "
         "url.path=\"/a\" http.version=\"1.1\" " OK " http.request.bytes=34 http.response.bytes=57 "
         "event.duration=171000000 user_agent.original=\"curl/7.46.0\" "
         "tls.cipher=\"ECDHE-RSA-AES128-GCM-SHA256\" tls.version=\"1.2\" "
         "tls.version_protocol=\"tls\" tls.client.server_name=\"www.example.com\" [type]=\"https\" "
         "[elb]=\"app/my-lb/50dc6c495c0c9188\" [request_processing_time]=0.086 "
         "[target_processing_time]=0.048 [response_processing_time]=0.037 "
         "[target_status_code]=200 "
         "[target_group_arn]=\"arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/"
         "73e2d6bc24d8a067\" "
         "[chosen_cert_arn]=\"arn:aws:acm:us-east-2:123456789012:certificate/12345678\" "
         "[matched_rule_priority]=1 [request_creation_time]=\"2026-10-09T08:53:20.100000Z\" "
         "[actions_executed]=\"forward\" [target_port_list]=\"10.0.0.1:80\" "
         "[target_status_code_list]=\"200\" [conn_trace_id]=\"TID_1234abcd5678ef90\""},
        {"ALB, a Lambda function that failed",
         "http 2026-10-09T08:53:20Z app/my-lb/50dc6c495c0c9188 192.168.131.39:2817 - -1 -1 -1 502 "
         "- "
         "34 366 \"GET http://www.example.com:80/ HTTP/1.1\" \"curl/7.46.0\" - - "
         "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2d6bc24d8a067 "
         "\"Root=" ROOT "\" \"-\" \"-\" 0 2026-10-09T08:53:19.364000Z \"forward\" \"-\" "
         "\"LambdaInvalidResponse\" \"-\" \"-\" \"-\" \"-\"",
         "time=" T "000000000 trace=" TRACE
         " source.address=\"192.168.131.39\" source.ip=\"192.168.131.39\" source.port=2817 "
         "http.request.method=\"GET\" url.original=\"http://www.example.com:80/\" "
         "url.scheme=\"http\" url.domain=\"www.example.com\" url.port=80 url.path=\"/\" "
         "http.version=\"1.1\" http.response.status_code=502 event.outcome=\"failure\" "
         "http.request.bytes=34 http.response.bytes=366 user_agent.original=\"curl/7.46.0\" "
         "event.reason=\"LambdaInvalidResponse\" [type]=\"http\" "
         "[elb]=\"app/my-lb/50dc6c495c0c9188\" [request_processing_time]=-1 "
         "[target_processing_time]=-1 [response_processing_time]=-1 "
         "[target_group_arn]=\"arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/"
         "73e2d6bc24d8a067\" [matched_rule_priority]=0 "
         "[request_creation_time]=\"2026-10-09T08:53:19.364000Z\" [actions_executed]=\"forward\""},
        {"the Classic one",
         "2026-10-09T08:53:20.945958Z my-lb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 "
         "0.000057 200 200 0 29 \"GET http://www.example.com:80/ HTTP/1.1\" \"curl/7.38.0\" - -",
         "time=" T "945958000 source.address=\"192.168.131.39\" source.ip=\"192.168.131.39\" "
         "source.port=2817 destination.address=\"10.0.0.1\" destination.ip=\"10.0.0.1\" "
         "destination.port=80 http.request.method=\"GET\" "
         "url.original=\"http://www.example.com:80/\" url.scheme=\"http\" "
         "url.domain=\"www.example.com\" url.port=80 url.path=\"/\" http.version=\"1.1\" " OK
         " http.request.bytes=0 http.response.bytes=29 event.duration=1178000 "
         "user_agent.original=\"curl/7.38.0\" [elb]=\"my-lb\" "
         "[request_processing_time]=0.000073 [target_processing_time]=0.001048 "
         "[response_processing_time]=0.000057 [target_status_code]=200"},
        {"too short", "https 2026-10-09T08:53:20Z app/my-lb/50dc 10.0.0.1:2817",
         "message=\"https 2026-10-09T08:53:20Z app/my-lb/50dc 10.0.0.1:2817\" flags=16"},
        {"many words", "a b c d e f g h i j k l m n o p q r s t u v w x y z",
         "message=\"a b c d e f g h i j k l m n o p q r s t u v w x y z\" flags=16"},
    };

    RECORD_ROWS_CHECK(&access_parser, rows);
}

Test(access, cloudfront)
{
    static const struct record_row rows[] = {
        {"all columns",
         "2026-10-09\t08:53:20\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/"
         "index.html\t200\t-\tMozilla/5.0%20(Windows%20NT)\ta=b\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_"
         "BGlTAC4KyHmureZmBNrjGdRLiNIQ==\tx.example\thttps\t23\t0.001\t-\tTLSv1.3\tTLS_AES_128_GCM_"
         "SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-",
         "time=" T "000000000 source.address=\"192.0.2.100\" source.ip=\"192.0.2.100\" "
         "http.request.method=\"GET\" url.path=\"/index.html\" url.query=\"a=b\" "
         "url.original=\"/index.html?a=b\" " OK " http.response.bytes=392 "
         "user_agent.original=\"Mozilla/5.0 (Windows NT)\" "
         "http.request.id=\"SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\" "
         "url.scheme=\"https\" http.request.bytes=23 tls.cipher=\"TLS_AES_128_GCM_SHA256\" "
         "source.port=11040 http.response.mime_type=\"text/html\" http.response.body.bytes=78 "
         "url.domain=\"x.example\" event.duration=1000000 tls.version=\"1.3\" "
         "tls.version_protocol=\"tls\" http.version=\"2.0\" [x-edge-location]=\"LAX1\" "
         "[cs(Host)]=\"d111111abcdef8.cloudfront.net\" [x-edge-result-type]=\"Hit\" "
         "[x-edge-response-result-type]=\"Hit\" [time-to-first-byte]=0.001 "
         "[x-edge-detailed-result-type]=\"Hit\""},
        {"of long ago",
         "2026-10-09\t08:53:20\tLAX1\t392\t192.0.2.100\tGET\td1.cloudfront.net\t/a\t404\t-\tx\t-",
         "time=" T "000000000 source.address=\"192.0.2.100\" source.ip=\"192.0.2.100\" "
         "http.request.method=\"GET\" url.path=\"/a\" url.original=\"/a\" "
         "http.response.status_code=404 event.outcome=\"failure\" http.response.bytes=392 "
         "user_agent.original=\"x\" url.domain=\"d1.cloudfront.net\" [x-edge-location]=\"LAX1\" "
         "[cs(Host)]=\"d1.cloudfront.net\""},
        {"what names the columns", "#Fields: date time x-edge-location",
         "message=\"#Fields: date time x-edge-location\""},
        {"another comment", "#nothing", "message=\"#nothing\" flags=16"},
        {"other tabs", "a\tb\tc", "message=\"a\tb\tc\" flags=16"},
    };

    RECORD_ROWS_CHECK(&access_parser, rows);
}

Test(access, api_gateway_json)
{
    static const struct record_row rows[] = {
        {"REST, as in its examples",
         "{\"requestId\":\"" OTHER_ID "\",\"ip\":\"192.0.2.1\",\"caller\":\"-\",\"user\":\"-\","
         "\"requestTime\":\"09/Oct/2026:08:53:20 +0000\",\"httpMethod\":\"GET\",\"resourcePath\":"
         "\"/orders/{id}\",\"status\":\"200\",\"protocol\":\"HTTP/1.1\",\"responseLength\":\"12\"}",
         "time=" T "000000000 http.request.id=\"" OTHER_ID "\" source.address=\"192.0.2.1\" "
         "source.ip=\"192.0.2.1\" http.request.method=\"GET\" " OK
         " http.version=\"1.1\" http.response.body.bytes=12 [resourcePath]='/orders/{id}'"},
        {"HTTP, with the function's request and more",
         "{\"requestId\":\"gw\",\"integrationRequestId\":\"" ID "\",\"xrayTraceId\":\"" ROOT
         "\",\"requestTimeEpoch\":1791536000123,\"routeKey\":\"GET /a\",\"path\":\"/prod/a\","
         "\"status\":502,\"responseLatency\":\"12\",\"errorMessage\":\"Internal Server Error\","
         "\"stage\":\"prod\",\"n\":1}",
         "time=" T "123000000 request=" ID " trace=" TRACE
         " reason=\"Internal Server Error\" http.request.id=\"gw\" url.original=\"/prod/a\" "
         "url.path=\"/prod/a\" http.response.status_code=502 event.outcome=\"failure\" "
         "event.duration=12000000 [routeKey]='GET /a' [stage]='prod' [n]=1"},
        {"the same thing by two names",
         "{\"requestId\":\"gw\",\"ip\":\"192.0.2.1\",\"sourceIp\":\"192.0.2.2\",\"httpMethod\":"
         "\"GET\",\"requestTimeEpoch\":1791536000000,\"status\":\"200\"}",
         "time=" T "000000000 http.request.id=\"gw\" source.address=\"192.0.2.1\" "
         "source.ip=\"192.0.2.1\" http.request.method=\"GET\" " OK " [sourceIp]='192.0.2.2'"},
        {"another JSON line", "{\"requestId\":\"" ID "\",\"level\":\"info\"}",
         "message=\"{\"requestId\":\"" ID "\",\"level\":\"info\"}\" flags=16"},
        {"no JSON", "{\"requestId\":", "message=\"{\"requestId\":\" flags=16"},
    };

    RECORD_ROWS_CHECK(&access_parser, rows);
}

Test(access, durations)
{
    static const struct {
        const char *text;
        int64_t unit_ns;
        int64_t ns;
    } rows[] = {
        {"0", 1000000000, 0},
        {"1", 1000000000, 1000000000},
        {"0.001048", 1000000000, 1048000},
        {"12.5", 1000000, 12500000},
        {"0.0000000019", 1000000000, 1},
        {"999999999", 1000000000, 999999999000000000},
        {"9999999999", 1000000000, -1},
        {"-1", 1000000000, -1},
        {"", 1000000000, -1},
        {"1.", 1000000000, -1},
        {".5", 1000000000, -1},
        {"1.5s", 1000000000, -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(access_ns(slice_str(rows[i].text), rows[i].unit_ns), rows[i].ns, "%s",
                     rows[i].text);
}
