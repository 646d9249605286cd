/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>
#include <strings.h>
#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "../base/bytes.h"
#include "../base/client_rules.h"
#include "../base/uri.h"
#include "../base/words.h"
#include "../jose/jwk.h"
#include "../reply/language.h"
#include "../login/hash.h"

static const char *set_text(oas_setting_t *setting, int argc, char *const argv[])
{
    if (!oas_text_valid(argv[0])) {
        return apr_psprintf(setting->pool,
                            "%s takes UTF-8 text of 1 to %d bytes without control characters",
                            setting->row->name, OAS_TEXT_MAX);
    }
    *(const char **)setting->member = apr_pstrdup(setting->pool, argv[0]);
    return NULL;
}
const oas_kind_t oas_kind_text = {set_text, NULL, NULL};

static const char *set_web_url(oas_setting_t *setting, int argc, char *const argv[])
{
    if (!oas_web_url_valid(argv[0], setting->pool)) {
        return apr_psprintf(setting->pool, "%s: \"%s\" is no http or https URL", setting->row->name,
                            argv[0]);
    }
    *(const char **)setting->member = apr_pstrdup(setting->pool, argv[0]);
    return NULL;
}
const oas_kind_t oas_kind_web_url = {set_web_url, NULL, NULL};

static const char *set_picture(oas_setting_t *setting, int argc, char *const argv[])
{
    if (!oas_picture_valid(argv[0], setting->pool)) {
        return apr_psprintf(setting->pool,
                            "%s: \"%s\" is neither an https URL nor an absolute path on this host",
                            setting->row->name, argv[0]);
    }
    *(const char **)setting->member = apr_pstrdup(setting->pool, argv[0]);
    return NULL;
}
const oas_kind_t oas_kind_picture = {set_picture, NULL, NULL};

static const char *set_uri(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_uri_t uri;

    if (oas_uri_parse(&uri, argv[0], setting->pool) != APR_SUCCESS || uri.fragment != NULL) {
        return apr_psprintf(setting->pool, "%s: \"%s\" is no absolute URI without fragment",
                            setting->row->name, argv[0]);
    }
    *(const char **)setting->member = apr_pstrdup(setting->pool, argv[0]);
    return NULL;
}
const oas_kind_t oas_kind_uri = {set_uri, NULL, NULL};

static const char *set_directory(oas_setting_t *setting, int argc, char *const argv[])
{
    const char *path = ap_server_root_relative(setting->pool, argv[0]);
    apr_finfo_t info;

    if (path == NULL || apr_stat(&info, path, APR_FINFO_TYPE, setting->pool) != APR_SUCCESS ||
        info.filetype != APR_DIR) {
        return apr_psprintf(setting->pool, "%s: there is no readable folder %s", setting->row->name,
                            path != NULL ? path : argv[0]);
    }
    *(const char **)setting->member = path;
    return NULL;
}
const oas_kind_t oas_kind_directory = {set_directory, NULL, NULL};

/** A file that may be there or not; its folder has to be. */
static const char *set_mark(oas_setting_t *setting, int argc, char *const argv[])
{
    const char *path = ap_server_root_relative(setting->pool, argv[0]);
    const char *folder = path != NULL ? ap_make_dirstr_parent(setting->pool, path) : NULL;
    apr_finfo_t info;

    if (path == NULL || apr_stat(&info, folder, APR_FINFO_TYPE, setting->pool) != APR_SUCCESS ||
        info.filetype != APR_DIR) {
        return apr_psprintf(setting->pool, "%s %s: its folder is not there", setting->row->name,
                            path != NULL ? path : argv[0]);
    }
    *(const char **)setting->member = path;
    return NULL;
}
const oas_kind_t oas_kind_mark = {set_mark, NULL, NULL};

static const char *set_alg(oas_setting_t *setting, int argc, char *const argv[])
{
    const oas_alg_t *alg = oas_alg_find(argv[0]);
    const char *list = "";
    int i;

    if (alg != NULL) {
        *(const char **)setting->member = oas_alg_name(alg);
        return NULL;
    }
    for (i = 0; oas_alg_at(i) != NULL; i++) {
        list =
            apr_pstrcat(setting->pool, list, i > 0 ? ", " : "", oas_alg_name(oas_alg_at(i)), NULL);
    }
    return apr_psprintf(setting->pool, "%s: \"%s\" is not available. Available: %s",
                        setting->row->name, argv[0], list);
}
const oas_kind_t oas_kind_alg = {set_alg, NULL, NULL};

static const char *set_flag(oas_setting_t *setting, int argc, char *const argv[])
{
    int on = strcasecmp(argv[0], "on") == 0;

    if (!on && strcasecmp(argv[0], "off") != 0) {
        return apr_psprintf(setting->pool, "%s takes on or off", setting->row->name);
    }
    *(int *)setting->member = on;
    return NULL;
}
const oas_kind_t oas_kind_flag = {set_flag, NULL, NULL};

/** One of several names; the member is an enum that counts them. */
static const char *set_choice(oas_setting_t *setting, int argc, char *const argv[])
{
    const char *const *names = setting->row->kind->detail;
    const char *list = "";
    int i;

    for (i = 0; names[i] != NULL; i++) {
        if (strcmp(argv[0], names[i]) == 0) {
            *(unsigned *)setting->member = (unsigned)i;
            return NULL;
        }
        list = apr_pstrcat(setting->pool, list, i > 0 ? ", " : "", names[i], NULL);
    }
    return apr_psprintf(setting->pool, "%s: \"%s\" is not available. Available: %s",
                        setting->row->name, argv[0], list);
}
static const char *const profiles[] = {
    [OAS_PROFILE_OAUTH21] = "oauth21", [OAS_PROFILE_AUTH0] = "auth0", NULL};
const oas_kind_t oas_kind_profile = {set_choice, NULL, profiles};
const oas_kind_t oas_kind_type = {set_choice, NULL, oas_client_type_names};
const oas_kind_t oas_kind_dialect = {set_choice, NULL, oas_dialect_names};
const oas_kind_t oas_kind_assertion_audience = {set_choice, NULL, oas_assertion_audience_names};

static const char *set_count(oas_setting_t *setting, int argc, char *const argv[])
{
    const int *max = setting->row->kind->detail;
    char *end;
    apr_int64_t number = apr_strtoi64(argv[0], &end, 10);

    if (!apr_isdigit(argv[0][0]) || *end != '\0' || strlen(argv[0]) > 9 || number < 1 ||
        number > *max) {
        return apr_psprintf(setting->pool, "%s: \"%s\" is out of range, which is 1 to %d",
                            setting->row->name, argv[0], *max);
    }
    *(int *)setting->member = (int)number;
    return NULL;
}
static const int refresh_limit_max = 10000;
const oas_kind_t oas_kind_refresh_limit = {set_count, NULL, &refresh_limit_max};
static const int password_cost_max = OAS_COST_MAX;
const oas_kind_t oas_kind_password_cost = {set_count, NULL, &password_cost_max};

static const char *set_names(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_words_t *names = oas_words_create(setting->pool);
    int i;

    for (i = 0; i < argc; i++) {
        oas_words_add(names, apr_pstrdup(setting->pool, argv[i]));
    }
    *(oas_words_t **)setting->member = names;
    return NULL;
}
const oas_kind_t oas_kind_names = {set_names, NULL, NULL};

static int has_language(const oas_words_t *tags, const char *tag)
{
    int i = 0;

    while (i < tags->nelts && strcasecmp(OAS_WORD(tags, i), tag) != 0) {
        i++;
    }
    return i < tags->nelts;
}

static const char *set_languages(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_words_t *tags = oas_words_create(setting->pool);
    int i;

    for (i = 0; i < argc; i++) {
        if (!oas_language_valid(argv[i])) {
            return apr_psprintf(setting->pool, "%s: \"%s\" is no language tag like en or pt-BR",
                                setting->row->name, argv[i]);
        }
        if (has_language(tags, argv[i])) {
            return apr_psprintf(setting->pool, "%s: \"%s\" is there twice", setting->row->name,
                                argv[i]);
        }
        oas_words_add(tags, apr_pstrdup(setting->pool, argv[i]));
    }
    *(oas_words_t **)setting->member = tags;
    return NULL;
}
const oas_kind_t oas_kind_languages = {set_languages, NULL, NULL};

const char *oas_names_of_bits(const oas_name_bit_t *table, apr_pool_t *pool)
{
    const char *list = "";

    for (; table->name != NULL; table++) {
        list = apr_pstrcat(pool, list, *list != '\0' ? ", " : "", table->name, NULL);
    }
    return list;
}

static const char *set_bits(oas_setting_t *setting, int argc, char *const argv[])
{
    const oas_name_bit_t *table = setting->row->kind->detail;
    unsigned bits = 0;
    int i;

    for (i = 0; i < argc; i++) {
        unsigned bit = oas_name_bit(table, argv[i]);
        if (bit == 0) {
            return apr_psprintf(setting->pool, "%s: \"%s\" is not available. Available: %s",
                                setting->row->name, argv[i],
                                oas_names_of_bits(table, setting->pool));
        }
        bits |= bit;
    }
    *(unsigned *)setting->member = bits;
    return NULL;
}
const oas_kind_t oas_kind_auth = {set_bits, NULL, oas_auth_method_names};
const oas_kind_t oas_kind_grants = {set_bits, NULL, oas_grant_type_names};
const oas_kind_t oas_kind_responses = {set_bits, NULL, oas_response_type_names};
