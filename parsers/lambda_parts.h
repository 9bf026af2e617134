/* What the files of parsers/lambda.h share.
 *
 * Thread: any. */
#ifndef SHIP_PARSERS_LAMBDA_PARTS_H
#define SHIP_PARSERS_LAMBDA_PARTS_H

#include "parsers/lambda.h"

/* "Duration: 3.10 ms\tBilled Duration: 4 ms\t..." in any order; unknown names are passed over. */
void lambda_take_pairs(struct slice rest, struct record *out);

/* A report that says it failed, or names an error: level and error_type of the record. */
void lambda_take_failure(struct record *out);

/* In a line a CR stands for a line break (aws.md 1.1): the text with newlines for them, in
 * scratch->text if there are any. At most LAMBDA_TEXTS of one line, after lambda_reserve_texts. */
enum { LAMBDA_TEXTS = 3 };
bool lambda_reserve_texts(struct slice line, struct parse_scratch *scratch);
struct value lambda_with_newlines(struct slice s, struct parse_scratch *scratch);

/* {"errorType":...,"errorMessage":...,"stack" or "stackTrace":[...]} as the runtimes print behind a
 * thrown error; true if it had one of them. The slices point into `json`. */
bool lambda_take_error_json(struct slice json, struct parse_scratch *scratch, struct record *out);
/* node.js: "Invoke Error \t{...}", "Uncaught Exception \t{...}", "Unhandled Promise Rejection
 * \t{...}" */
void lambda_take_thrown(struct slice message, struct parse_scratch *scratch, struct record *out);
/* Python: "KeyError: 'id'", and behind a line break the traceback. */
void lambda_take_python_error(struct slice text, struct parse_scratch *scratch, struct record *out);

#endif
