/* Captcha: one thread, one curl multi handle, a bounded number of questions.
 *
 *     captcha_ask ─► 'fresh' (locked) ─► curl ─► what it means ─► breaker, counts ─► fn
 *
 * The lock is held for a few instructions and never during a call of libcurl or of 'fn'. Shared
 * under it: the list of fresh questions, breakers, counts, and the flag to stop. Everything else
 * belongs to the thread. Redirects are not followed, other protocols are not spoken, an answer over
 * ANSWER_MAX_BYTES is broken off.
 *
 * Which failures count against the provider: no answer, a late one, one without meaning. That it
 * does not know our keys is told in the log and counts for nothing: the queues of others use the
 * same provider with good keys.
 */
#include "waitingroom/captcha.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "breaker.h"
#include "captcha_text.h"
#include "waitingroom/clock.h"
#include "waitingroom/log.h"
#include "waitingroom/memory.h"

#define QUESTIONS_MAX 512
#define CONNECTIONS_MAX 16
#define ANSWER_MAX_BYTES 16384
#define KEY_HEADER_BYTES 320
#define POLL_MS 1000

struct question {
	struct captcha *captcha;
	enum captcha_provider provider;
	char *body, *challenge;
	char key_header[KEY_HEADER_BYTES]; /* "" none */
	char trace_header[80];			   /* "" none */
	captcha_fn fn;
	void *ctx;
	CURL *easy;
	struct curl_slist *headers;
	char *answer;
	size_t answer_len;
	struct question *next, *prev; /* of the thread's list */
};

struct captcha {
	struct captcha_options options;
	pthread_t thread;
	struct question under_way; /* a ring; the thread's own */

	pthread_mutex_t lock; /* of all that follows; 'multi' is only written under it */
	CURLM *multi;		  /* NULL: the thread has not got so far */
	bool is_running, stop;
	struct question *fresh, **fresh_end;
	size_t questions;
	struct breaker breakers[CAPTCHA_PROVIDERS];
	struct captcha_counts counts;
};

/* ---- life ---- */

enum wr_err captcha_new(const struct captcha_options *options, struct captcha **ret_captcha,
						struct err_detail *ret_detail)
{
	for (int i = 0; i < CAPTCHA_PROVIDERS; i++)
		if (strncmp(options->url[i], "https://", 8) != 0 &&
			strncmp(options->url[i], "http://", 7) != 0)
			return err_say(ret_detail, WR_BAD_CONFIG,
						   "captcha: the address of %s must begin with https://",
						   captcha_provider_word((enum captcha_provider)i));
	struct captcha *captcha = mem_alloc_zero(1, sizeof(*captcha));
	captcha->options = *options;
	captcha->fresh_end = &captcha->fresh;
	captcha->under_way.next = captcha->under_way.prev = &captcha->under_way;
	pthread_mutex_init(&captcha->lock, NULL);
	*ret_captcha = captcha;
	return WR_OK;
}

static void question_free(struct question *question)
{
	curl_slist_free_all(question->headers);
	free(question->body);
	free(question->challenge);
	free(question->answer);
	free(question);
}

/* ---- in the thread ---- */

static size_t take_answer(char *bytes, size_t size, size_t count, void *ctx)
{
	struct question *question = ctx;
	size_t len = size * count;
	if (len > ANSWER_MAX_BYTES - question->answer_len)
		return 0; /* ends the transfer */
	question->answer = mem_grow(question->answer, question->answer_len + len + 1, 1);
	memcpy(question->answer + question->answer_len, bytes, len);
	question->answer_len += len;
	return len;
}

static void must(CURLcode code)
{
	if (code != CURLE_OK) {
		fprintf(stderr, "waitingroom: libcurl: %s\n", curl_easy_strerror(code));
		abort(); /* only when memory runs out or an option is not known to this libcurl */
	}
}

static void begin(struct captcha *captcha, struct question *question)
{
	CURL *easy = curl_easy_init();
	if (easy == NULL)
		abort();
	question->easy = easy;
	if (question->key_header[0] != '\0') {
		question->headers = curl_slist_append(NULL, "Content-Type: application/json");
		question->headers = curl_slist_append(question->headers, question->key_header);
	}
	if (question->trace_header[0] != '\0')
		question->headers = curl_slist_append(question->headers, question->trace_header);
	if (question->headers != NULL)
		must(curl_easy_setopt(easy, CURLOPT_HTTPHEADER, question->headers));
	must(curl_easy_setopt(easy, CURLOPT_URL, captcha->options.url[question->provider]));
	must(curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"));
	must(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, question->body));
	must(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)captcha->options.timeout_ms));
	must(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
	must(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer));
	must(curl_easy_setopt(easy, CURLOPT_WRITEDATA, question));
	must(curl_easy_setopt(easy, CURLOPT_PRIVATE, question));
	question->next = &captcha->under_way;
	question->prev = captcha->under_way.prev;
	question->prev->next = question->next->prev = question;
	if (curl_multi_add_handle(captcha->multi, easy) != CURLM_OK)
		abort();
}

/* Counts the verdict, and says it. */
static void settle(struct captcha *captcha, struct question *question, enum captcha_verdict verdict)
{
	const char *word = captcha_provider_word(question->provider);
	pthread_mutex_lock(&captcha->lock);
	struct breaker *breaker = &captcha->breakers[question->provider];
	bool was_up = breaker->pause_ms == 0;
	breaker_done(breaker, clock_mono(), verdict != CAPTCHA_AWAY);
	bool is_up = breaker->pause_ms == 0;
	captcha->counts.verdicts[question->provider][verdict]++;
	captcha->questions--;
	pthread_mutex_unlock(&captcha->lock);
	if (was_up != is_up)
		log_event(LOG_LEVEL_WARN, is_up ? "captcha_back" : "captcha_away",
				  LOG_TEXT("provider", word));
	if (verdict == CAPTCHA_MISUSED)
		log_event(LOG_LEVEL_ERROR, "captcha_keys_refused", LOG_TEXT("provider", word));
	curl_multi_remove_handle(captcha->multi, question->easy);
	curl_easy_cleanup(question->easy);
	question->prev->next = question->next;
	question->next->prev = question->prev;
	question->fn(question->ctx, verdict);
	question_free(question);
}

static void finish(struct captcha *captcha, const CURLMsg *message)
{
	CURL *easy = message->easy_handle;
	struct question *question = NULL;
	long status = 0;
	must(curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&question));
	if (message->data.result == CURLE_OK)
		must(curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status));
	enum captcha_verdict verdict =
		captcha_read(question->provider, status, question->answer != NULL ? question->answer : "",
					 question->answer_len, question->challenge);
	settle(captcha, question, verdict);
}

/* false: it is over. */
static bool take_fresh(struct captcha *captcha)
{
	pthread_mutex_lock(&captcha->lock);
	bool goes_on = !captcha->stop;
	struct question *fresh = captcha->fresh;
	captcha->fresh = NULL;
	captcha->fresh_end = &captcha->fresh;
	pthread_mutex_unlock(&captcha->lock);
	while (fresh != NULL) {
		struct question *question = fresh;
		fresh = fresh->next;
		begin(captcha, question);
	}
	return goes_on;
}

static void open_multi(struct captcha *captcha)
{
	CURLM *multi = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		multi = curl_multi_init();
	if (multi == NULL)
		abort();
	curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_MAX);
	pthread_mutex_lock(&captcha->lock);
	captcha->multi = multi;
	pthread_mutex_unlock(&captcha->lock);
}

static void *run(void *ctx)
{
	struct captcha *captcha = ctx;
	open_multi(captcha); /* takes a while, and workers do not wait for it */
	while (take_fresh(captcha)) {
		int running, left;
		const CURLMsg *message;
		curl_multi_perform(captcha->multi, &running);
		while ((message = curl_multi_info_read(captcha->multi, &left)) != NULL)
			if (message->msg == CURLMSG_DONE)
				finish(captcha, message);
		curl_multi_poll(captcha->multi, NULL, 0, POLL_MS, NULL);
	}
	return NULL;
}

/* ---- from any thread ---- */

static void start(struct captcha *captcha) /* locked */
{
	if (pthread_create(&captcha->thread, NULL, run, captcha) != 0)
		abort();
	captcha->is_running = true;
}

static struct question *question_new(struct captcha *captcha, const struct captcha_question *asked,
									 captcha_fn fn, void *ctx)
{
	struct question *question = mem_alloc_zero(1, sizeof(*question));
	question->captcha = captcha;
	question->provider = asked->provider;
	question->body = captcha_body(asked);
	question->challenge = mem_copy_string(asked->challenge);
	question->fn = fn;
	question->ctx = ctx;
	if (asked->provider == CAPTCHA_FRIENDLY)
		snprintf(question->key_header, sizeof(question->key_header), "X-API-Key: %s",
				 asked->secret);
	if (asked->traceparent != NULL)
		snprintf(question->trace_header, sizeof(question->trace_header), "traceparent: %s",
				 asked->traceparent);
	return question;
}

bool captcha_ask(struct captcha *captcha, const struct captcha_question *asked, captcha_fn fn,
				 void *ctx)
{
	struct question *question = question_new(captcha, asked, fn, ctx);
	pthread_mutex_lock(&captcha->lock);
	bool taken = !captcha->stop && captcha->questions < QUESTIONS_MAX &&
				 breaker_try(&captcha->breakers[asked->provider], clock_mono());
	if (taken) {
		if (!captcha->is_running)
			start(captcha);
		captcha->questions++;
		*captcha->fresh_end = question;
		captcha->fresh_end = &question->next;
		if (captcha->multi != NULL)
			curl_multi_wakeup(captcha->multi);
	} else {
		captcha->counts.not_asked[asked->provider]++;
	}
	pthread_mutex_unlock(&captcha->lock);
	if (!taken)
		question_free(question);
	return taken;
}

bool captcha_is_up(struct captcha *captcha, enum captcha_provider provider)
{
	pthread_mutex_lock(&captcha->lock);
	bool is_up = breaker_is_closed_or_due(&captcha->breakers[provider], clock_mono());
	pthread_mutex_unlock(&captcha->lock);
	return is_up;
}

void captcha_counts(struct captcha *captcha, struct captcha_counts *ret_counts)
{
	pthread_mutex_lock(&captcha->lock);
	*ret_counts = captcha->counts;
	for (int i = 0; i < CAPTCHA_PROVIDERS; i++) {
		ret_counts->up[i] = captcha->breakers[i].pause_ms == 0;
		ret_counts->opened[i] = captcha->breakers[i].opened;
	}
	pthread_mutex_unlock(&captcha->lock);
}

static void join_thread(struct captcha *captcha)
{
	pthread_mutex_lock(&captcha->lock);
	captcha->stop = true;
	bool is_running = captcha->is_running;
	if (captcha->multi != NULL)
		curl_multi_wakeup(captcha->multi);
	pthread_mutex_unlock(&captcha->lock);
	if (is_running)
		pthread_join(captcha->thread, NULL);
}

void captcha_free(struct captcha *captcha)
{
	if (captcha == NULL)
		return;
	join_thread(captcha);
	while (captcha->under_way.next != &captcha->under_way)
		settle(captcha, captcha->under_way.next, CAPTCHA_AWAY);
	if (captcha->multi != NULL) {
		curl_multi_cleanup(captcha->multi);
		curl_global_cleanup();
	}
	pthread_mutex_destroy(&captcha->lock);
	free(captcha);
}
