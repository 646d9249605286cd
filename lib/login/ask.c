/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include <string.h>
#include "pace.h"

/* Who gave the verdict, for the pace: an index, or the number of providers. */
static oas_password_result_t ask_in_turn(oas_tx_t *tx, const char *only, const char *username,
                                         const char *password, oas_identity_t *identity, int *by)
{
    const oas_words_t *providers = tx->issuer->password_providers;
    oas_password_result_t result = OAS_PASSWORD_UNKNOWN;

    for (*by = 0; *by < providers->nelts; ++*by) {
        if (only != NULL && strcmp(only, OAS_WORD(providers, *by)) != 0) {
            continue;
        }
        identity->provider = OAS_WORD(providers, *by);
        result = tx->host->check_password(tx, identity->provider, username, password, identity);
        if (result != OAS_PASSWORD_UNKNOWN) {
            break;
        }
    }
    return result;
}

static int chain_of(const oas_tx_t *tx, const char *only)
{
    const oas_words_t *providers = tx->issuer->password_providers;
    int i;

    for (i = 0; only != NULL && i < providers->nelts; i++) {
        if (strcmp(only, OAS_WORD(providers, i)) == 0) {
            return 1 + i;
        }
    }
    return 0;
}

oas_password_result_t oas_ask_providers(oas_tx_t *tx, const char *only, const char *username,
                                        const char *password, oas_identity_t *identity)
{
    int possible = strlen(username) <= OAS_USERNAME_MAX && strlen(password) <= OAS_PASSWORD_MAX;
    int chain = chain_of(tx, only);
    oas_password_result_t result = OAS_PASSWORD_UNKNOWN;
    apr_time_t started = apr_time_now();
    apr_interval_time_t took, pace;
    int by;

    tx->waited = 0;
    if (possible) {
        result = ask_in_turn(tx, only, username, password, identity, &by);
    }
    if (tx->pace == NULL || result == OAS_PASSWORD_UNAVAILABLE || result == OAS_PASSWORD_BUSY) {
        return result;
    }
    took = apr_time_now() - started - tx->waited;
    if (possible) {
        oas_pace_note(tx->pace, chain, by, took);
    }
    pace = oas_pace_of(tx->pace, chain);
    if (result != OAS_PASSWORD_GRANTED && took < pace) {
        apr_sleep(took > 0 ? pace - took : pace);
    }
    return result;
}
