/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>
#include <sys/stat.h>
#include <apr_strings.h>
#include "../base/uri.h"
#include "../jose/keyset.h"

#define KEYRING_WORD "database" /* instead of a store URI */

/** What stands behind the store URI of an OAuth2ASKey. */
typedef struct {
    oas_key_state_t state;
    const oas_alg_t *alg;
} key_options_t;

static const char *parse_key_option(const char *text, key_options_t *out, apr_pool_t *pool)
{
    oas_key_state_t state = oas_key_state_find(text);

    if (strncmp(text, "alg=", 4) == 0) {
        out->alg = oas_alg_find(text + 4);
        return out->alg != NULL ? NULL
                                : apr_psprintf(pool,
                                               "\"%s\" is not available. Available: RS256, "
                                               "PS256, ES256, EdDSA",
                                               text + 4);
    }
    if (state != OAS_KEY_STATES) {
        out->state = state;
        return NULL;
    }
    return apr_psprintf(pool, "\"%s\" is none of active, next, retired, alg=ALG", text);
}

/** The path of a key file, or NULL for another kind of store URI. */
static const char *key_path(const char *uri, apr_pool_t *pool)
{
    oas_uri_t parts;

    if (strncmp(uri, "file:", 5) == 0) {
        return ap_server_root_relative(pool, strncmp(uri + 5, "///", 3) == 0 ? uri + 7 : uri + 5);
    }
    return oas_uri_parse(&parts, uri, pool) == APR_SUCCESS ? NULL
                                                           : ap_server_root_relative(pool, uri);
}

static const char *load_key(const char *uri, oas_jwk_t **out, apr_pool_t *pool)
{
    const char *path = key_path(uri, pool);
    const char *why = NULL;
    struct stat info;

    if (path != NULL && stat(path, &info) == 0 && (info.st_mode & (S_IROTH | S_IWOTH))) {
        return "everybody can read or write this key (chmod 600)";
    }
    if (oas_jwk_load(out, path != NULL ? path : uri, &why, pool) == APR_SUCCESS) {
        return NULL;
    }
    return why != NULL ? why : "it cannot be read";
}

static const char *set_file_key(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_signing_t *signing = setting->member;
    key_options_t options = {OAS_KEY_ACTIVE, NULL};
    const char *why;
    oas_jwk_t *jwk;
    apr_status_t rv;
    int i;

    for (i = 1; i < argc; i++) {
        why = parse_key_option(argv[i], &options, setting->pool);
        if (why != NULL) {
            return apr_psprintf(setting->pool, "%s: %s", setting->row->name, why);
        }
    }
    why = load_key(argv[0], &jwk, setting->pool);
    if (why != NULL) {
        return apr_psprintf(setting->pool, "%s %s: %s", setting->row->name, argv[0], why);
    }
    if (signing->keys == NULL) {
        signing->keys = oas_keyset_create(setting->pool);
    }
    options.alg = options.alg != NULL ? options.alg : oas_jwk_default_alg(jwk);
    rv = oas_keyset_add(signing->keys, jwk, options.alg, options.state);
    if (rv == APR_EEXIST) {
        return apr_psprintf(setting->pool,
                            "%s %s: there is an active key for %s already; call one of "
                            "them next or retired",
                            setting->row->name, argv[0], oas_alg_name(options.alg));
    }
    return rv == APR_SUCCESS ? NULL
                             : apr_psprintf(setting->pool, "%s %s: the key does not fit %s",
                                            setting->row->name, argv[0], oas_alg_name(options.alg));
}

static const char *parse_algs(const char *list, oas_words_t *out, apr_pool_t *pool)
{
    char *rest, *name = apr_strtok(apr_pstrdup(pool, list), ",", &rest);

    for (; name != NULL; name = apr_strtok(NULL, ",", &rest)) {
        if (oas_alg_find(name) == NULL) {
            return apr_psprintf(
                pool, "\"%s\" is not available. Available: RS256, PS256, ES256, EdDSA", name);
        }
        oas_words_add(out, name);
    }
    return out->nelts > 0 ? NULL : "alg= needs an algorithm";
}

/** "database [alg=ALG,...] [rotate=DURATION]": which algorithms have their keys there. */
static const char *set_keyring(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_signing_t *signing = setting->member;
    oas_words_t *algs = oas_words_create(setting->pool);
    const char *why = NULL;
    int i;

    if (signing->ring != NULL) {
        return apr_psprintf(setting->pool,
                            "%s database is there already; name all algorithms in one line",
                            setting->row->name);
    }
    for (i = 1; i < argc && why == NULL; i++) {
        if (strncmp(argv[i], "alg=", 4) == 0) {
            why = parse_algs(argv[i] + 4, algs, setting->pool);
        } else if (strncmp(argv[i], "rotate=", 7) != 0 ||
                   oas_duration_parse(argv[i] + 7, &signing->rotate) != APR_SUCCESS) {
            why = apr_psprintf(setting->pool,
                               "\"%s\" is neither alg=ALG,... nor rotate=DURATION (rotate=90d)",
                               argv[i]);
        }
    }
    if (why != NULL) {
        return apr_psprintf(setting->pool, "%s: %s", setting->row->name, why);
    }
    if (algs->nelts == 0) {
        oas_words_add(algs, "RS256");
    }
    signing->ring = algs;
    return NULL;
}

static const char *set_keys(oas_setting_t *setting, int argc, char *const argv[])
{
    return strcmp(argv[0], KEYRING_WORD) == 0 ? set_keyring(setting, argc, argv)
                                              : set_file_key(setting, argc, argv);
}
const oas_kind_t oas_kind_keys = {set_keys, NULL, NULL};
