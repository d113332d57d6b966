/* One signer for all tests of a program. */
#include "support/shared_signer.h"

#include <string.h>

struct signer *signer;
struct keys *signing_keys;

int shared_signer_open(void **state)
{
	(void)state;
	if (keys_parse(KEY_FILE_OF_THREE, strlen(KEY_FILE_OF_THREE), &signing_keys, NULL) != WR_OK)
		return -1;
	signer = signer_new();
	signer_use_keys(signer, signing_keys);
	return 0;
}

int shared_signer_close(void **state)
{
	(void)state;
	signer_free(signer);
	keys_free(signing_keys);
	return 0;
}
