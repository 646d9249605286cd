/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <string.h>
#include <apr_strings.h>

typedef struct {
    const char *sign;
    const char *name;
} device_sign_t;

/* The first that occurs counts. Most browsers name Chrome and Safari too, for the sake of old
 * sites, so those come last. */
static const device_sign_t browsers[] = {
    {"Edg/", "Edge"},
    {"EdgA/", "Edge"},
    {"EdgiOS/", "Edge"},
    {"Edge/", "Edge"},
    {"OPR/", "Opera"},
    {"OPiOS/", "Opera"},
    {"OPT/", "Opera"},
    {"Opera", "Opera"},
    {"Vivaldi/", "Vivaldi"},
    {"YaBrowser/", "Yandex"},
    {"SamsungBrowser/", "Samsung Internet"},
    {"UCBrowser/", "UC Browser"},
    {"DuckDuckGo/", "DuckDuckGo"},
    {"Ddg/", "DuckDuckGo"},
    {"FxiOS/", "Firefox"},
    {"Focus/", "Firefox Focus"},
    {"SeaMonkey/", "SeaMonkey"},
    {"Firefox/", "Firefox"},
    {"CriOS/", "Chrome"},
    {"Chromium/", "Chromium"},
    {"Chrome/", "Chrome"},
    {"Epiphany/", "GNOME Web"},
    {"Konqueror/", "Konqueror"},
    {"MSIE ", "Internet Explorer"},
    {"Trident/", "Internet Explorer"},
    {"Safari/", "Safari"},
    {NULL, NULL},
};

/* iPhone and iPad say "like Mac OS X", Android and ChromeOS say Linux or X11. */
static const device_sign_t systems[] = {
    {"iPhone", "iPhone"},   {"iPad", "iPad"},       {"Android", "Android"}, {"CrOS", "ChromeOS"},
    {"Windows", "Windows"}, {"Macintosh", "macOS"}, {"FreeBSD", "FreeBSD"}, {"OpenBSD", "OpenBSD"},
    {"NetBSD", "NetBSD"},   {"Linux", "Linux"},     {NULL, NULL},
};

static const char *find(const device_sign_t *table, const char *text)
{
    for (; table->sign != NULL; table++) {
        if (strstr(text, table->sign) != NULL) {
            return table->name;
        }
    }
    return NULL;
}

static const char *beginning(const char *text, apr_pool_t *pool)
{
    apr_size_t len = strlen(text);

    if (len <= OAS_DEVICE_MAX) {
        return apr_pstrdup(pool, text);
    }
    len = OAS_DEVICE_MAX;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
        len--; /* not in the middle of a character */
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, text, len), "\xe2\x80\xa6", NULL);
}

const char *oas_device_text(const char *user_agent, apr_pool_t *pool)
{
    const char *browser;
    const char *system;

    if (user_agent == NULL || *user_agent == '\0') {
        return NULL;
    }
    browser = find(browsers, user_agent);
    system = find(systems, user_agent);
    if (browser != NULL && system != NULL) {
        return apr_pstrcat(pool, browser, " (", system, ")", NULL);
    }
    if (browser == NULL && system == NULL) {
        return beginning(user_agent, pool);
    }
    return browser != NULL ? browser : system;
}
