/* What holds for every document, whatever the line was.
 *
 * Thread: any. */
#ifndef SHIP_TESTS_SUPPORT_DOCUMENT_CHECK_H
#define SHIP_TESTS_SUPPORT_DOCUMENT_CHECK_H

#include "shipper/base/slice.h"

/* Each line is a JSON object, in jansson's eyes too, with no key twice, and with a time, a message,
 * an offset and an id. Aborts with a word on stderr if not. */
void documents_check(struct slice documents);

#endif
