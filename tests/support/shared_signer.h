/* One signer with the keys of key_texts.h, for all tests of a program.
 *
 *     return cmocka_run_group_tests(tests, shared_signer_open, shared_signer_close);
 *
 * A pod whose WR_TOKEN_KEYS_FILE holds KEY_FILE_OF_THREE signs and verifies the same.
 */
#ifndef SUPPORT_SHARED_SIGNER_H
#define SUPPORT_SHARED_SIGNER_H

#include "support/key_texts.h"
#include "waitingroom/token.h"

/* From shared_signer_open to shared_signer_close. */
extern struct signer *signer;
extern struct keys *signing_keys; /* that it uses */

/* For cmocka; they do not look at state. */
int shared_signer_open(void **state);
int shared_signer_close(void **state);

#endif
