/* User agents: of which family is a browser?
 *
 * A session is bound to the family, because a version changes while somebody shops and a family
 * does not. Browsers claim to be each other for reasons of history: Edge says Chrome, Chrome says
 * Safari, all say Mozilla. So whoever says most about itself is asked first.
 */
#include <stddef.h>
#include <string.h>

#include "waitingroom/token.h"

const char *user_agent_family(const char *user_agent)
{
	static const struct {
		const char *word, *family;
	} rows[] = {
		{"Edg/", "edge"},		  {"EdgA/", "edge"},		  {"EdgiOS/", "edge"},
		{"OPR/", "opera"},		  {"OPT/", "opera"},		  {"SamsungBrowser/", "samsung"},
		{"YaBrowser/", "yandex"}, {"FxiOS/", "firefox"},	  {"Firefox/", "firefox"},
		{"CriOS/", "chrome"},	  {"Chrome/", "chrome"},	  {"Chromium/", "chrome"},
		{"Safari/", "safari"},	  {"AppleWebKit/", "safari"}, /* views inside of apps say no more */
		{"curl/", "curl"},
	};
	if (user_agent == NULL || user_agent[0] == '\0')
		return "none";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strstr(user_agent, rows[i].word) != NULL)
			return rows[i].family;
	return "other";
}
