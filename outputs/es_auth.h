/* How ship says to Elasticsearch and OpenSearch who it is.
 *
 * Thread: any. */
#ifndef SHIP_OUTPUTS_ES_AUTH_H
#define SHIP_OUTPUTS_ES_AUTH_H

/* "Authorization: ApiKey ..." from both forms of a key: "id:key", and what the server calls
 * encoded. malloc'd; NULL when memory is out. */
char *es_api_key_header(const char *key);

#endif
