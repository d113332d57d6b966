/* Keys for tests, as a key file writes them. Public by being here: for tests only. */
#ifndef SUPPORT_KEY_TEXTS_H
#define SUPPORT_KEY_TEXTS_H

/* clang-format off */
#define KEY_ROW(kid, use, alg, key) \
	"{\"kid\":\"" kid "\",\"use\":\"" use "\",\"alg\":\"" alg "\",\"key\":\"" key "\"}"
#define KEY_FILE(rows) "{\"keys\":[" rows "]}"

/* The 32 bytes 00 01 .. 1f, 20 21 .. 3f, and 40 41 .. 5f. */
#define SECRET_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define SECRET_B "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
#define SECRET_C "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8"

#define PEM_A \
	"-----BEGIN PRIVATE KEY-----\\n" \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgO9CrotL4LcaloSDz\\n" \
	"3zpZH+W56PoEOYPb1nOi27dkx3qhRANCAASuN8iJ435E5mmR4OmyvS6qddyhraBK\\n" \
	"AcI9z0ROqC/t4MqiPXgX8S8bYpgMjnvSOU+crsDa4iOWZa2v80UHygiZ\\n" \
	"-----END PRIVATE KEY-----\\n"
#define PEM_B \
	"-----BEGIN PRIVATE KEY-----\\n" \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbPRJuW8eBZ0wAb6y\\n" \
	"dS0qL2Ai2FVbiXydqycWt4lCCSGhRANCAARE54wNGNvvKXNkSJWntpI0GWuFK+Rz\\n" \
	"jrUM5g2OHyv9i0QrqdI+jRvoZ++ZXs5f5Ic0o3FQmeJSwbfPkbYrI8uu\\n" \
	"-----END PRIVATE KEY-----\\n"

#define POSITION_ROW KEY_ROW("p1", "position", "HS256", SECRET_A)
#define SESSION_ROW KEY_ROW("s1", "session", "ES256", PEM_A)
#define IDENTITY_ROW KEY_ROW("i1", "identity", "HS256", SECRET_B)
/* clang-format on */

/* One key of each use: p1, s1, i1. */
#define KEY_FILE_OF_THREE KEY_FILE(POSITION_ROW "," SESSION_ROW "," IDENTITY_ROW)

#endif
