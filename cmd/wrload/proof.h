/* Proof: what a visitor does when the answer to a join is that a challenge has to be solved first.
 *
 * Used by  visitor.
 */
#ifndef WRLOAD_PROOF_H
#define WRLOAD_PROOF_H

#include <stddef.h>

/* The body of the next try, with the solution of the challenge that stands in the problem document;
 * gives. NULL: it holds none that can be solved here (a captcha, or too much work for a crowd). */
char *proof_body(const char *queue, const char *problem, size_t len);

#endif
