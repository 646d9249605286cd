/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a browser brings back: a Cookie header, a line feed, the form of a page. Only what was
 * sealed here opens, and the input cannot have been.
 */
#include "fuzz.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/login/cookie.h"
#include "../../lib/login/interaction.h"

static void set_up(oas_tx_t *tx, oas_issuer_t *issuer, apr_pool_t *pool)
{
    static const char key[] = "a secret that the input cannot know";
    oas_secret_t *secret;

    FUZZ_HOLDS(oas_secret_create(&secret, key, sizeof(key), pool) == APR_SUCCESS);
    issuer->url = "https://as.example/";
    issuer->cookie_name = "oas";
    issuer->secrets = apr_array_make(pool, 1, sizeof(oas_secret_t *));
    APR_ARRAY_PUSH(issuer->secrets, oas_secret_t *) = secret;
    tx->pool = pool;
    tx->issuer = issuer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    char *cookie = apr_pstrmemdup(pool, (const char *)data, size);
    char *form = strchr(cookie, '\n');
    oas_issuer_t issuer = {0};
    oas_tx_t tx = {0};

    set_up(&tx, &issuer, pool);
    form = form != NULL ? form : cookie + strlen(cookie);
    if (*form == '\n') {
        *form++ = '\0';
    }
    tx.request.cookie = cookie;
    oas_cookie_read(&tx);
    FUZZ_HOLDS(tx.browser == NULL || strlen(tx.browser) == 22);
    FUZZ_HOLDS(tx.session_handle == NULL || tx.browser != NULL);
    FUZZ_HOLDS(tx.set_cookie[OAS_COOKIE_BROWSER] == NULL);
    if (oas_params_parse(&tx.form, form, strlen(form), pool) == APR_SUCCESS) {
        FUZZ_HOLDS(oas_interaction_open(&tx) == APR_EACCES);
        FUZZ_HOLDS(tx.form_step == OAS_FORM_NONE);
    }
    apr_pool_destroy(pool);
    return 0;
}
