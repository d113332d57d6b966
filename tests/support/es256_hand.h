/* A hand that signs whatever it is given with s1's key (key_texts.h): so that what refuses a token
 * is the rule under test, not the signature. */
#ifndef SUPPORT_ES256_HAND_H
#define SUPPORT_ES256_HAND_H

#include <stddef.h>

/* fills with header.payload.signature and NUL; gives its length. */
size_t es256_hand(const char *header, const char *payload, char *ret_token, size_t room);

#endif
