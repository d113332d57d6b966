/* Target: where people may be sent, and every way we know of to be sent elsewhere. */
#include "support/cmocka.h"
#include "support/dice.h"
#include "waitingroom/settings.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct queue_settings allowing(const char *targets)
{
	struct queue_settings settings;
	queue_settings_default(&settings);
	assert_int_equal(
		queue_settings_set_field(&settings, "allowed_targets", targets, strlen(targets)), WR_OK);
	return settings;
}

static const struct {
	const char *target;
	const char *rebuilt; /* NULL: as it was */
} admitted[] = {
	{"https://good.example", NULL},
	{"https://good.example/", NULL},
	{"https://good.example/any/path?q=1&to=//evil.example#top", NULL},
	{"https://good.example?q", NULL},
	{"https://good.example#f", NULL},
	{"https://good.example//twice", NULL},
	{"https://good.example/%2F", NULL},
	{"https://good.example/a..b/...", NULL},
	{"https://good.example/..a", NULL},
	{"https://good.example/?../..", NULL},
	{"https://good.example/user@host", NULL},
	{"HTTPS://GOOD.examplE/Path", "https://good.example/Path"},
	{"https://good.example:443/x", "https://good.example/x"},
	{"https://shop.example/shop", NULL},
	{"https://shop.example/shop/", NULL},
	{"https://shop.example/shop/cart?x", NULL},
	{"https://shop.example/shop?x", NULL},
	{"https://shop.example/shop#x", NULL},
	{"https://folder.example/in/", NULL},
	{"https://folder.example/in/deep", NULL},
	{"https://port.example:8443/", NULL},
	{"http://plain.example/", NULL},
	{"http://plain.example:80/", "http://plain.example/"},
	{"https://[2001:DB8::1]/", "https://[2001:db8::1]/"},
};

static const char allowed[] =
	"https://good.example\nhttps://shop.example/shop\nhttps://folder.example/in/\n"
	"https://port.example:8443\nhttp://plain.example\nhttps://[2001:db8::1]";

static void targets_below_an_allowed_one_are_admitted_and_rebuilt(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(allowed);
	for (size_t i = 0; i < COUNT_OF(admitted); i++) {
		const char *target = admitted[i].target;
		char rebuilt[VISIT_TARGET_MAX_BYTES + 1];
		struct err_detail detail = {""};
		if (queue_settings_rebuild_target(&settings, target, strlen(target), rebuilt, &detail) !=
			WR_OK)
			fail_msg("%s: %s", target, detail.text);
		assert_string_equal(rebuilt, admitted[i].rebuilt ? admitted[i].rebuilt : target);
		assert_int_equal(queue_settings_check_target(&settings, target, strlen(target), NULL),
						 WR_OK);
	}
}

static const char *const refused[] = {
	/* another scheme, or one that is written so that only a browser understands it */
	"",
	"good.example",
	"//good.example",
	"///good.example",
	"http://good.example",
	"https:good.example",
	"https:/good.example",
	"https:///good.example",
	"https://",
	"https:///",
	"ftp://good.example",
	"javascript:alert(1)",
	"JavaScript://good.example/%0aalert(1)",
	"data:text/html,x",
	"blob:https://good.example/x",
	"https ://good.example",
	"view-source:https://good.example",
	"https//good.example",
	"/",
	"/shop",
	"?q",
	"#f",
	/* the host is not what it seems */
	"https://good.example@evil.example",
	"https://good.example:pw@evil.example",
	"https://good.example%40evil.example",
	"https://user@good.example",
	"https://@good.example",
	"https://good.example.evil.example",
	"https://evilgood.example",
	"https://evil.good.example",
	"https://good.example.",
	"https://.good.example",
	"https://good..example",
	"https://evil.example/https://good.example",
	"https://evil.example?https://good.example",
	"https://evil.example#https://good.example",
	"https://evil.example;https://good.example",
	"https://good.example;evil.example",
	"https://good.example,evil.example",
	"https://good.example%2f.evil.example",
	"https://good.example%2F@evil.example",
	"https://good.example%5c.evil.example",
	"https://good.example%00.evil.example",
	"https://good.example%2eevil.example",
	"https://good%2eexample",
	"https://g\xC3\xB6"
	"od.example",
	"https://good.example\xE3\x80\x82"
	"evil.example",
	"https://good.example\xEF\xBC\x8F@evil.example",
	"https://\xEF\xBD\x87ood.example",
	"https://good_example",
	"https://goo",
	"https://good.example1",
	"https://[good.example]",
	"https://[good.example",
	"https://[]",
	"https://[2001:db8::1",
	"https://[2001:db8::2]",
	"https://[2001:db8::1]evil.example",
	"https://[::ffff:1.2.3.4%25eth0]",
	/* port */
	"https://good.example:444",
	"https://good.example:80",
	"https://good.example:",
	"https://good.example:0",
	"https://good.example:0443",
	"https://good.example:65979",
	"https://good.example:443:443",
	"https://good.example:443@evil.example",
	"https://good.example:-443",
	"https://good.example:44a",
	"https://port.example",
	"https://port.example:443",
	"http://plain.example:443",
	"https://plain.example",
	/* backslash, spaces, control characters, quotes */
	"https:\\\\good.example",
	"https:\\\\evil.example",
	"https:/\\good.example",
	"https://good.example\\@evil.example",
	"https://good.example\\evil",
	"https://evil.example\\good.example",
	"https://good.example/\\evil.example",
	"\\\\evil.example",
	"https://good.example/ x",
	" https://good.example",
	"https://good.example ",
	"\thttps://good.example",
	"https://good\t.example",
	"ht\ntps://good.example",
	"https://good.example/\r\nSet-Cookie:a=b",
	"https://good.example/\x01",
	"https://good.example/\x7f",
	"https://good.example/\"x",
	"https://good.example/<script>",
	"https://good.example/\xC3\xBC",
	/* the path leaves what is allowed */
	"https://shop.example",
	"https://shop.example/",
	"https://shop.example/shopping",
	"https://shop.example/Shop",
	"https://shop.example/sho",
	"https://shop.example/%73hop",
	"https://shop.example//shop",
	"https://shop.example?/shop",
	"https://shop.example#/shop",
	"https://shop.example/shop%2f",
	"https://shop.example/shop;x/admin",
	"https://shop.example/shop/../admin",
	"https://shop.example/shop/..",
	"https://shop.example/shop/./x",
	"https://shop.example/shop/.",
	"https://shop.example/./shop",
	"https://shop.example/shop/%2e%2e/admin",
	"https://shop.example/shop/.%2E/admin",
	"https://shop.example/shop/%2e./admin",
	"https://shop.example/shop/%2e",
	"https://shop.example/shop/..%2fadmin",
	"https://shop.example/shop%2f..%2fadmin",
	"https://shop.example/shop/..%5cadmin",
	"https://shop.example/shop/x%5c..%5cadmin",
	"https://shop.example/shop/..;/admin",
	"https://shop.example/shop/..;x=1/admin",
	"https://shop.example/shop/..%3b/admin",
	"https://shop.example/shop/..?x",
	"https://shop.example/shop/..#x",
	"https://folder.example/inside",
	"https://folder.example/",
	"https://folder.example/in/../out",
};

static void no_known_trick_leads_elsewhere(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(allowed);
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		char rebuilt[VISIT_TARGET_MAX_BYTES + 1] = "untouched";
		struct err_detail detail = {""};
		enum wr_err err = queue_settings_rebuild_target(&settings, refused[i], strlen(refused[i]),
														rebuilt, &detail);
		if (err != WR_INVALID || strncmp(detail.text, "target: must ", 13) != 0)
			fail_msg("%s: %s, \"%s\"", refused[i], err_code(err), detail.text);
		assert_string_equal(rebuilt, "untouched");
	}
}

static void a_nul_inside_a_target_is_refused(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(allowed);
	const char target[] = "https://good.example\0.evil.example";
	assert_int_equal(queue_settings_check_target(&settings, target, sizeof(target) - 1, NULL),
					 WR_INVALID);
	assert_int_equal(queue_settings_check_target(&settings, target, strlen(target), NULL), WR_OK);
}

static void a_target_has_a_longest_length(void **state)
{
	(void)state;
	struct queue_settings settings = allowing(allowed);
	char target[VISIT_TARGET_MAX_BYTES + 2] = "https://good.example/";
	memset(target + strlen(target), 'x', sizeof(target) - strlen(target));
	char rebuilt[VISIT_TARGET_MAX_BYTES + 1];
	assert_int_equal(
		queue_settings_rebuild_target(&settings, target, VISIT_TARGET_MAX_BYTES, rebuilt, NULL),
		WR_OK);
	assert_int_equal(strlen(rebuilt), VISIT_TARGET_MAX_BYTES);
	assert_int_equal(
		queue_settings_rebuild_target(&settings, target, VISIT_TARGET_MAX_BYTES + 1, rebuilt, NULL),
		WR_INVALID);
}

static const struct {
	const char *target;
	bool is_admitted;
} on_the_same_site[] = {
	{"/", true},
	{"/shop?x=1#top", true},
	{"/a//b", true},
	{"/%2f/evil.example", true},
	{"", false},
	{"shop", false},
	{"?x", false},
	{"//evil.example", false},
	{"///evil.example", false},
	{"/\\evil.example", false},
	{"\\/evil.example", false},
	{"/\t/evil.example", false},
	{"/./", false},
	{"/.//evil.example", false},
	{"/..//evil.example", false},
	{"/%2e%2e//evil.example", false},
	{"/shop/../admin", false},
	{"https://good.example", false},
	{"javascript:alert(1)", false},
};

static void without_allowed_targets_people_stay_on_the_site(void **state)
{
	(void)state;
	struct queue_settings settings = allowing("");
	for (size_t i = 0; i < COUNT_OF(on_the_same_site); i++) {
		const char *target = on_the_same_site[i].target;
		char rebuilt[VISIT_TARGET_MAX_BYTES + 1];
		enum wr_err err =
			queue_settings_rebuild_target(&settings, target, strlen(target), rebuilt, NULL);
		if ((err == WR_OK) != on_the_same_site[i].is_admitted)
			fail_msg("%s: %s", target, err_code(err));
		if (err == WR_OK)
			assert_string_equal(rebuilt, target);
	}
}

/* Whatever is admitted begins with an allowed origin, as a browser reads it. */
static void random_pieces_never_make_a_way_out(void **state)
{
	(void)state;
	static const char *const pieces[] = {
		"https://", "http://", "good.example", "evil.example", "/",	  "//",		 "\\", "@",	 ":",
		":443",		".",	   "..",		   "%2e",		   "%2f", "?",		 "#",  "\t", ";",
		"[",		"]",	   "shop.example", "/shop",		   "a",	  "HTTPS://"};
	struct queue_settings settings = allowing("https://good.example\nhttps://shop.example/shop");
	dice_start();
	unsigned admitted_count = 0;
	for (unsigned round = 0; round < 200000; round++) {
		char target[256] = "", rebuilt[VISIT_TARGET_MAX_BYTES + 1];
		for (uint64_t left = 1 + dice(6); left; left--)
			strcat(target, pieces[dice(COUNT_OF(pieces))]);
		if (queue_settings_rebuild_target(&settings, target, strlen(target), rebuilt, NULL) !=
			WR_OK)
			continue;
		admitted_count++;
		size_t good = strlen("https://good.example"), shop = strlen("https://shop.example/shop");
		bool inside =
			(strncmp(rebuilt, "https://good.example", good) == 0 && strchr("/?#", rebuilt[good])) ||
			(strncmp(rebuilt, "https://shop.example/shop", shop) == 0 &&
			 strchr("/?#", rebuilt[shop]));
		if (!inside)
			fail_msg("%s became %s", target, rebuilt);
	}
	assert_true(admitted_count > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_below_an_allowed_one_are_admitted_and_rebuilt),
		cmocka_unit_test(no_known_trick_leads_elsewhere),
		cmocka_unit_test(a_nul_inside_a_target_is_refused),
		cmocka_unit_test(a_target_has_a_longest_length),
		cmocka_unit_test(without_allowed_targets_people_stay_on_the_site),
		cmocka_unit_test(random_pieces_never_make_a_way_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
