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

/* {"errorType":...,"errorMessage":...,"stack" or "stackTrace":[...]} as the runtimes print behind a
 * thrown error; true if it had one of them. The slices point into `json`. */
bool lambda_take_error_json(struct slice json, struct parse_scratch *scratch, struct record *out);

/* "arn:...:function:NAME[:VERSION]": faas_arn without version, faas_name. */
void lambda_take_arn(struct value arn, struct record *out);

#endif
