/* TLS: certificates checked against an authority and the host's name, which hiredis does not do
 * itself.
 *
 * hiredis 1.x can speak through an SSL object that it is given. Its own way of making one checks
 * who has signed the certificate and not whose it is, so any certificate of that authority would
 * do. Here the object is made with the name or the address that stands in the URL.
 *
 * Debian 12 has hiredis 0.14, which has no TLS. Then rediss:// is refused with a sentence at the
 * start.
 */
#include "tls.h"

#ifdef WR_STORE_TLS

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "waitingroom/memory.h"

struct tls {
	SSL_CTX *context;
	char *host;
};

/* The innermost reason that OpenSSL has noted. */
static enum wr_err refuse(struct err_detail *ret_detail, const char *what, const char *file)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	err_say(ret_detail, WR_BAD_CONFIG, "store URL: %s %.120s: %.80s", what, file,
			reason ? reason : "cannot be used");
	ERR_clear_error();
	return WR_BAD_CONFIG;
}

static enum wr_err use_files(SSL_CTX *context, const struct tls_files *files,
							 struct err_detail *ret_detail)
{
	int trusted = files->ca[0] ? SSL_CTX_load_verify_file(context, files->ca)
							   : SSL_CTX_set_default_verify_paths(context);
	if (!trusted)
		return refuse(ret_detail, "ca", files->ca);
	if (!files->cert[0])
		return WR_OK;
	if (SSL_CTX_use_certificate_chain_file(context, files->cert) != 1)
		return refuse(ret_detail, "cert", files->cert);
	if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1)
		return refuse(ret_detail, "key", files->key);
	return WR_OK;
}

enum wr_err tls_new(const char *host, const struct tls_files *files, struct tls **ret_tls,
					struct err_detail *ret_detail)
{
	if (!files->cert[0] != !files->key[0])
		return err_say(ret_detail, WR_BAD_CONFIG, "store URL: cert and key come together");
	struct tls *tls = mem_alloc_zero(1, sizeof(*tls));
	tls->host = mem_copy_string(host);
	tls->context = SSL_CTX_new(TLS_client_method());
	if (!tls->context)
		abort(); /* as with memory */
	SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	enum wr_err err = use_files(tls->context, files, ret_detail);
	if (err)
		tls_free(tls);
	else
		*ret_tls = tls;
	return err;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	free(tls->host);
	free(tls);
}

/* An address is held against the addresses in the certificate, a name against its names. */
static bool expect_host(SSL *ssl, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct ssl_st *tls_begin(const struct tls *tls, redisAsyncContext *connection)
{
	SSL *ssl = SSL_new(tls->context);
	if (!ssl)
		return NULL;
	/* hiredis takes the object when it could begin. */
	if (expect_host(ssl, tls->host) && redisInitiateSSL(&connection->c, ssl) == REDIS_OK)
		return ssl;
	SSL_free(ssl);
	ERR_clear_error();
	return NULL;
}

const char *tls_refusal(const struct ssl_st *ssl)
{
	long result = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	return result == X509_V_OK ? NULL : X509_verify_cert_error_string(result);
}

#else

struct tls {
	char nothing;
};

enum wr_err tls_new(const char *host, const struct tls_files *files, struct tls **ret_tls,
					struct err_detail *ret_detail)
{
	(void)host, (void)files, (void)ret_tls;
	return err_say(
		ret_detail, WR_BAD_CONFIG,
		"store URL: rediss:// (TLS) is not built in: that takes hiredis 1.0 or newer; use "
		"redis:// to a TLS proxy beside this process");
}

void tls_free(struct tls *tls)
{
	(void)tls; /* there never is one */
}

struct ssl_st *tls_begin(const struct tls *tls, redisAsyncContext *connection)
{
	(void)tls, (void)connection;
	return NULL;
}

const char *tls_refusal(const struct ssl_st *ssl)
{
	(void)ssl;
	return NULL;
}

#endif
