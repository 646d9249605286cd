/* SPDX-License-Identifier: Apache-2.0 */
/* The parameter claims, and acr_values behind a line feed: whatever comes, only configured claims
 * that are for applications are taken, and what the user is asked for fits where it is remembered.
 */
#include "fuzz.h"

#include <string.h>
#include "../../lib/base/json.h"
#include "../../lib/check/acr.h"
#include "../../lib/check/claims.h"
#include "../unit/fake_tx.h"

static void add_claim(oas_tx_t *tx, const char *name, const char *scope, unsigned in)
{
    oas_claim_t *claim = apr_array_push(tx->issuer->claims);

    *claim = (oas_claim_t){.name = name, .scope = scope, .in = in};
}

static void check_names(const oas_tx_t *tx, const char *member)
{
    const json_t *names = json_object_get(tx->claims_request, member);
    const json_t *entry;
    size_t i;

    FUZZ_HOLDS(names == NULL || json_array_size(names) > 0);
    json_array_foreach(names, i, entry)
    {
        const char *name = json_string_value(entry);
        FUZZ_HOLDS(strcmp(name, "name") == 0 || strcmp(name, "email") == 0);
    }
}

static void check_wishes(const oas_tx_t *tx)
{
    oas_words_t *words;
    int i;

    FUZZ_HOLDS(oas_words_subset(tx->scopes, tx->permissions));
    for (i = tx->scopes->nelts; i < tx->permissions->nelts; i++) {
        FUZZ_HOLDS(strcmp(OAS_WORD(tx->permissions, i), OAS_CLAIM_WORD "name") == 0);
    }
    FUZZ_HOLDS(oas_words_parse(&words, oas_words_join(tx->permissions, tx->pool), tx->pool) ==
               APR_SUCCESS);
    FUZZ_HOLDS(words->nelts == tx->permissions->nelts);
    FUZZ_HOLDS(tx->expected_subs == NULL || tx->expected_subs->nelts > 0);
    FUZZ_HOLDS(!tx->acr_essential || tx->acr_values != NULL);
    if (tx->claims_request != NULL) {
        FUZZ_HOLDS(oas_json_text(tx->pool, tx->claims_request) != NULL);
        check_names(tx, "id_token");
        check_names(tx, "userinfo");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    char *text = apr_pstrmemdup(pool, (const char *)data, size);
    char *second = strchr(text, '\n');
    oas_tx_t *tx = fake_tx(pool);

    oas_words_parse(&tx->scopes, "openid email", pool);
    add_claim(tx, "name", "profile", OAS_IN_USERINFO);
    add_claim(tx, "email", "email", OAS_IN_DEFAULT);
    add_claim(tx, "secret", NULL, OAS_IN_ACCESS_TOKEN);
    add_claim(tx, "level", "write:items", OAS_IN_DEFAULT);
    if (second != NULL) {
        *second++ = '\0';
        oas_params_add(tx->params, "acr_values", second);
    }
    oas_params_add(tx->params, "claims", text);
    if (oas_check_claims(tx) == OAS_NEXT && oas_check_acr(tx) == OAS_NEXT) {
        check_wishes(tx);
    } else {
        FUZZ_HOLDS(tx->error == OAS_E_CLAIMS || tx->error == OAS_E_ACR_VALUES);
    }
    apr_pool_destroy(pool);
    return 0;
}
