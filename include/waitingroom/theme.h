/* Theme: how a queue's waiting page looks, and whether it can be read.
 *
 * The page has two colour schemes. In each the accent stands as text on the page and as the ground
 * of buttons, so its contrast is asked twice (WCAG 2.2, 1.4.3: at least 4.5). The four colours
 * below are those of cmd/api/web/room.css, of its two grounds the one with less contrast; a test
 * holds the two files against each other.
 *
 * What     The colours of the page, contrast, checks of a logo.
 * Used by  settings, cmd/api: the waiting page.
 * Threads  any.
 */
#ifndef WAITINGROOM_THEME_H
#define WAITINGROOM_THEME_H

#include "waitingroom/settings.h"

#define THEME_LIGHT_PAGE "#f6f6f3"
#define THEME_LIGHT_ON_ACCENT "#ffffff"
#define THEME_DARK_PAGE "#1c2125" /* that of the card: lighter than the page around it */
#define THEME_DARK_ON_ACCENT "#0b1216"
#define THEME_CONTRAST_LEAST 4.5

/* Contrast of two colours "#rrggbb", 1..21 (WCAG 2.2: relative luminance). */
double theme_contrast(const char *colour, const char *other);

/* The accent for the dark scheme: colour_dark; without it, colour made lighter until it can be
 * read; "" when the theme has neither. */
void theme_dark_colour(const struct queue_theme *theme, char ret_colour[COLOUR_CHARS + 1]);

/* Is it a logo that may stand in the page? Returns NULL, or what is wrong with it: "must …"
 * (static). data:image/png, jpeg, webp or svg+xml in base64, with what it says inside; of SVG only
 * what draws. */
const char *theme_logo_wrong(const char *uri, size_t len);

#endif
