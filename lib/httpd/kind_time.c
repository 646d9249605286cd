/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <stdlib.h>
#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "../base/client_rules.h"

#define MINUTE (60 * APR_USEC_PER_SEC)
#define DAY    (24 * 60 * MINUTE)
#define YEAR   (366 * DAY)

apr_status_t oas_duration_parse(const char *text, apr_interval_time_t *out)
{
    static const struct {
        const char *name;
        apr_interval_time_t unit;
    } units[] = {
        {"ms", 1000}, {"s", APR_USEC_PER_SEC}, {"min", MINUTE}, {"h", 60 * MINUTE}, {"d", DAY}};
    apr_int64_t number;
    char *end;
    apr_size_t i;

    if (!apr_isdigit(*text) || strlen(text) > 12) {
        return APR_EINVAL;
    }
    number = apr_strtoi64(text, &end, 10);
    if (number == 0 && *end == '\0') {
        *out = 0;
        return APR_SUCCESS;
    }
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].name) == 0) {
            if (number > 100 * YEAR / units[i].unit) {
                return APR_EINVAL;
            }
            *out = number * units[i].unit;
            return APR_SUCCESS;
        }
    }
    return APR_EINVAL;
}

static const char *parse_in_range(const oas_setting_t *setting, const char *text,
                                  const oas_range_t *range, apr_interval_time_t *out)
{
    if (oas_duration_parse(text, out) != APR_SUCCESS) {
        return apr_psprintf(setting->pool,
                            "%s: \"%s\" is no duration; write 500ms, 30s, 5min, 12h or 30d",
                            setting->row->name, text);
    }
    if (*out < range->min || *out > range->max) {
        return apr_psprintf(setting->pool, "%s: %s is out of range, which is %s",
                            setting->row->name, text, range->words);
    }
    return NULL;
}

static const char *set_duration(oas_setting_t *setting, int argc, char *const argv[])
{
    return parse_in_range(setting, argv[0], setting->row->kind->detail, setting->member);
}
static const oas_range_t skew_range = {0, 5 * MINUTE, "0 to 5min"};
static const oas_range_t wait_range = {0, MINUTE, "0 to 1min"};
const oas_kind_t oas_kind_skew = {set_duration, NULL, &skew_range};
const oas_kind_t oas_kind_wait = {set_duration, NULL, &wait_range};

static const oas_range_t timeout_range = {apr_time_from_sec(1), MINUTE, "1s to 1min"};
const oas_kind_t oas_kind_timeout = {set_duration, NULL, &timeout_range};

static const char *set_window(oas_setting_t *setting, int argc, char *const argv[])
{
    static const oas_range_t range = {0, 60 * MINUTE, "0 to 1h, or until-used"};

    if (strcmp(argv[0], "until-used") == 0) {
        *(apr_interval_time_t *)setting->member = OAS_WINDOW_UNTIL_USED;
        return NULL;
    }
    return parse_in_range(setting, argv[0], &range, setting->member);
}
const oas_kind_t oas_kind_window = {set_window, NULL, NULL};

/** 1 when a level may have its own of that kind. */
static int has_lifetime(oas_level_t level, int kind)
{
    return level == OAS_LEVEL_ISSUER ||
           (level == OAS_LEVEL_CLIENT && oas_lifetime_ranges[kind].of_client) ||
           (level == OAS_LEVEL_RESOURCE && kind == OAS_LIFETIME_ACCESS_TOKEN);
}

static const char *lifetime_names(oas_level_t level, apr_pool_t *pool)
{
    const char *list = "";
    int i;

    for (i = 0; i < OAS_LIFETIME_COUNT; i++) {
        if (has_lifetime(level, i)) {
            list = apr_pstrcat(pool, list, *list != '\0' ? ", " : "", oas_lifetime_names[i], NULL);
        }
    }
    return list;
}

/** Reads "KIND DURATION" for the level the setting is at. */
static const char *parse_lifetime(oas_setting_t *setting, char *const argv[], int *kind,
                                  apr_interval_time_t *value)
{
    const char *why;
    int i;

    for (i = 0; i < OAS_LIFETIME_COUNT; i++) {
        if (strcmp(argv[0], oas_lifetime_names[i]) == 0 && has_lifetime(setting->block->level, i)) {
            break;
        }
    }
    if (i == OAS_LIFETIME_COUNT) {
        return apr_psprintf(setting->pool, "%s: \"%s\" is not available here. Available: %s",
                            setting->row->name, argv[0],
                            lifetime_names(setting->block->level, setting->pool));
    }
    why = parse_in_range(setting, argv[1], &oas_lifetime_ranges[i].range, value);
    if (why == NULL && *value % APR_USEC_PER_SEC != 0) {
        why = apr_psprintf(setting->pool, "%s: %s is not a whole number of seconds",
                           setting->row->name, argv[1]);
    }
    *kind = i;
    return why;
}

static const char *set_api_lifetime(oas_setting_t *setting, int argc, char *const argv[])
{
    int kind;

    return parse_lifetime(setting, argv, &kind, setting->member);
}

static const char *set_lifetimes(oas_setting_t *setting, int argc, char *const argv[])
{
    apr_interval_time_t value;
    const char *why;
    int kind;

    if (setting->block->level == OAS_LEVEL_RESOURCE) {
        return set_api_lifetime(setting, argc, argv);
    }
    why = parse_lifetime(setting, argv, &kind, &value);
    if (why == NULL) {
        ((apr_interval_time_t *)setting->member)[kind] = value;
    }
    return why;
}

static void inherit_lifetimes(void *into, const void *base, apr_pool_t *pool)
{
    apr_interval_time_t *inner = into;
    const apr_interval_time_t *outer = base;
    int i;

    for (i = 0; i < OAS_LIFETIME_COUNT; i++) {
        if (inner[i] == OAS_LIFETIME_UNSET) {
            inner[i] = outer[i];
        }
    }
}
const oas_kind_t oas_kind_lifetimes = {set_lifetimes, inherit_lifetimes, NULL};

static const char *set_throttle(oas_setting_t *setting, int argc, char *const argv[])
{
    static const oas_range_t max_range = {APR_USEC_PER_SEC, DAY, "1s to 1d"};
    oas_throttle_t *throttle = setting->member;
    const struct {
        const char *name;
        int *limit;
    } limits[] = {{"pair=", &throttle->pair},
                  {"account=", &throttle->account},
                  {"address=", &throttle->address}};
    int i;

    for (i = 0; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        apr_size_t len = value != NULL ? (apr_size_t)(++value - argv[i]) : 0;
        apr_size_t k = 0;
        char *end;

        if (len == 4 && strncmp(argv[i], "max=", len) == 0) {
            const char *why = parse_in_range(setting, value, &max_range, &throttle->max);
            if (why != NULL) {
                return why;
            }
            continue;
        }
        while (k < 3 && (len != strlen(limits[k].name) || strncmp(argv[i], limits[k].name, len))) {
            k++;
        }
        if (k < 3) {
            long number = strtol(value, &end, 10);
            if (apr_isdigit(*value) && *end == '\0' && number >= 1 && number <= 1000000) {
                *limits[k].limit = (int)number;
                continue;
            }
        }
        return apr_psprintf(setting->pool,
                            "%s: \"%s\" is not understood; it takes %s, with N of 1 to "
                            "1000000",
                            setting->row->name, argv[i], setting->row->args);
    }
    return NULL;
}

static void inherit_throttle(void *into, const void *base, apr_pool_t *pool)
{
    oas_throttle_t *inner = into;
    const oas_throttle_t *outer = base;

    inner->pair = inner->pair != 0 ? inner->pair : outer->pair;
    inner->account = inner->account != 0 ? inner->account : outer->account;
    inner->address = inner->address != 0 ? inner->address : outer->address;
    inner->max = inner->max != 0 ? inner->max : outer->max;
}
const oas_kind_t oas_kind_throttle = {set_throttle, inherit_throttle, NULL};
