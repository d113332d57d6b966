/* The cache of documents: everybody gets one at once, the one of the settings that are in force
 * soon after, and memory stays bounded.
 */
#include "cmd/api/page_cache.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/settings_json.h"
#include "support/wait.h"
#include "waitingroom/memory.h"

struct fixture {
	struct quiescence *quiescence;
	struct queue_table *queues;
	struct languages *languages;
	struct page_cache *cache;
	int worker;
};

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	f.quiescence = quiescence_new();
	f.worker = quiescence_add_reader(f.quiescence);
	f.queues = queue_table_new(f.quiescence, 1024);
	f.languages = languages_new();
	f.cache = page_cache_start(f.quiescence, f.queues, f.languages);
	return 0;
}

static int end(void **state)
{
	(void)state;
	page_cache_stop(f.cache);
	languages_free(f.languages);
	queue_table_free(f.queues);
	quiescence_free(f.quiescence);
	return 0;
}

static void free_settings(void *settings)
{
	queue_settings_free(settings);
}

/* Shows a queue whose theme has this name; "" no theme. */
static void show(const char *queue, uint64_t version, const char *theme)
{
	char json[128];
	snprintf(json, sizeof(json), theme[0] != '\0' ? "{\"theme\":{\"name\":\"%s\"}}" : "{}", theme);
	struct queue_settings settings = settings_json_good(json);
	settings.version = version;
	struct queue_snapshot *snapshot = mem_alloc_zero(1, sizeof(*snapshot));
	snprintf(snapshot->name.tenant, sizeof(snapshot->name.tenant), "default");
	snprintf(snapshot->name.queue, sizeof(snapshot->name.queue), "%s", queue);
	snapshot->taken = clock_mono();
	struct queue_settings *own = queue_settings_new_copy(&settings);
	queue_settings_clear(&settings);
	snapshot->settings = own;
	const struct queue_snapshot *old = queue_table_find(f.queues, &snapshot->name);
	void *old_settings = old != NULL ? (void *)old->settings : NULL;
	assert_int_equal(queue_table_put(f.queues, snapshot), WR_OK);
	if (old_settings != NULL)
		quiescence_retire(f.quiescence, old_settings, free_settings);
}

/* Takes a queue away with what it owns. */
static void hide(const char *queue)
{
	struct queue_name name = {.tenant = "default"};
	snprintf(name.queue, sizeof(name.queue), "%s", queue);
	void *settings = (void *)queue_table_find(f.queues, &name)->settings;
	queue_table_remove(f.queues, &name);
	quiescence_retire(f.quiescence, settings, free_settings);
}

/* A worker's turn: does the page of this queue hold this text? Fills version. */
static bool page_says(const char *queue, const char *text, uint64_t *ret_version)
{
	struct queue_name name = {.tenant = "default"};
	snprintf(name.queue, sizeof(name.queue), "%s", queue);
	quiescence_enter(f.quiescence, f.worker);
	const struct page *page =
		page_cache_find(f.cache, queue_table_find(f.queues, &name), f.languages->english);
	assert_non_null(page);
	bool says = memmem(page->body[HTTP_IDENTITY], page->len[HTTP_IDENTITY], text, strlen(text));
	*ret_version = page->version;
	quiescence_leave(f.quiescence, f.worker);
	quiescence_sweep(f.quiescence);
	return says;
}

static void a_page_is_there_at_once_and_is_the_queue_s_own(void **state)
{
	uint64_t version;
	(void)state;
	show("plain", 3, "");
	show("shop", 4, "The Shop");
	show("fair", 5, "The Fair");
	assert_true(page_says("plain", "id=\"room\"", &version));
	assert_int_equal(version, 0); /* the plain document is nobody's */
	assert_true(page_says("shop", "The Shop", &version));
	assert_int_equal(version, 4);
	assert_true(page_says("fair", "The Fair", &version));
	assert_false(page_says("fair", "The Shop", &version));
	hide("plain");
	hide("shop");
	hide("fair");
}

static void changed_settings_show_within_moments_and_nobody_waits_for_them(void **state)
{
	uint64_t version;
	(void)state;
	show("stall", 1, "Before");
	assert_true(page_says("stall", "Before", &version));
	show("stall", 2, "Afterwards");
	/* Either is right now: the old one while the new one is being built. */
	page_says("stall", "", &version);
	WAIT_UNTIL(5000, page_says("stall", "Afterwards", &version), "the new page is shown");
	assert_int_equal(version, 2);
	assert_false(page_says("stall", "Before", &version));
	/* A theme that is taken away leaves the plain page at once. */
	show("stall", 3, "");
	assert_false(page_says("stall", "Afterwards", &version));
	hide("stall");
}

/* Bytes of the brotli form of a queue's page, in a turn of their own. */
static size_t weight_of(const char *queue)
{
	struct queue_name name = {.tenant = "default"};
	snprintf(name.queue, sizeof(name.queue), "%s", queue);
	quiescence_enter(f.quiescence, f.worker);
	size_t len = page_cache_find(f.cache, queue_table_find(f.queues, &name), f.languages->english)
					 ->len[HTTP_BROTLI];
	quiescence_leave(f.quiescence, f.worker);
	quiescence_sweep(f.quiescence);
	return len;
}

static void a_page_made_in_a_hurry_is_replaced_by_a_smaller_one(void **state)
{
	(void)state;
	show("kiosk", 1, "Small");
	size_t first = weight_of("kiosk");
	WAIT_UNTIL(5000, weight_of("kiosk") < first, "the small form of its own page is served");
	show("kiosk", 2, "");
	struct page_look look;
	page_look_init(&look, NULL, "");
	struct page *small = page_build(f.languages, f.languages->english, &look, COMPRESS_SMALL);
	WAIT_UNTIL(5000, weight_of("kiosk") == small->len[HTTP_BROTLI],
			   "the small form of the plain page is served");
	page_free(small);
	hide("kiosk");
}

static void more_queues_than_there_is_room_for_push_out_the_oldest(void **state)
{
	char queue[32], name[32];
	uint64_t version;
	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 400; i++) {
			snprintf(queue, sizeof(queue), "q%d", i);
			snprintf(name, sizeof(name), "The name %d.", i);
			if (round == 0)
				show(queue, 1, name);
			assert_true(page_says(queue, name, &version));
		}
	assert_true(page_cache_count(f.cache) <= 256);
	for (int i = 0; i < 400; i++) {
		snprintf(queue, sizeof(queue), "q%d", i);
		hide(queue);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_there_at_once_and_is_the_queue_s_own),
		cmocka_unit_test(changed_settings_show_within_moments_and_nobody_waits_for_them),
		cmocka_unit_test(a_page_made_in_a_hurry_is_replaced_by_a_smaller_one),
		cmocka_unit_test(more_queues_than_there_is_room_for_push_out_the_oldest),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
