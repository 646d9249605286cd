/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redirect URIs as a client sends them, against what is registered. Whatever matches without
 * any_port is the registered one, byte for byte; with any_port it differs in its port at most.
 */
#include "fuzz.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/uri.h"

static const char *const registered[] = {"https://app.example.test/callback",
                                         "http://127.0.0.1/callback", "http://[::1]:1/callback",
                                         "com.example.app:/callback"};

static int same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void check_match(const char *expected, const char *text, apr_pool_t *pool)
{
    oas_uri_t want, got;

    if (oas_redirect_uri_matches(expected, text, 0, pool)) {
        FUZZ_HOLDS(strcmp(expected, text) == 0);
    }
    if (!oas_redirect_uri_matches(expected, text, 1, pool) || strcmp(expected, text) == 0) {
        return;
    }
    FUZZ_HOLDS(oas_uri_parse(&want, expected, pool) == APR_SUCCESS);
    FUZZ_HOLDS(oas_uri_parse(&got, text, pool) == APR_SUCCESS);
    FUZZ_HOLDS(oas_uri_loopback(&got, 0) && same(got.scheme, "http"));
    FUZZ_HOLDS(same(want.host, got.host) && same(want.path, got.path));
    FUZZ_HOLDS(same(want.query, got.query) && got.fragment == NULL && !got.has_userinfo);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *text = apr_pstrmemdup(pool, (const char *)data, size);
    oas_uri_t uri;
    apr_size_t i;

    if (oas_uri_parse(&uri, text, pool) == APR_SUCCESS) {
        FUZZ_HOLDS(strlen(text) <= OAS_URI_MAX && uri.scheme != NULL);
        FUZZ_HOLDS((oas_uri_origin(&uri, pool) != NULL) == (uri.host != NULL));
        FUZZ_HOLDS(strstr(oas_uri_append(text, "code=1", 0, pool), "code=1") != NULL);
        FUZZ_HOLDS(strstr(oas_uri_append(text, "code=1", 1, pool), "#code=1") != NULL ||
                   uri.fragment != NULL);
    }
    for (i = 0; i < sizeof registered / sizeof *registered; i++) {
        check_match(registered[i], text, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
