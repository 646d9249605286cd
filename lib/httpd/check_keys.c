/* SPDX-License-Identifier: Apache-2.0 */
#include "../issue/keyring.h"
#include "../store/key.h"
#include "check.h"

int oas_has_keys(const oas_issuer_t *issuer)
{
    return issuer->signing.keys != NULL || issuer->signing.ring != NULL;
}

/** A key of a file and one of the keyring could both be called the active one. */
static void check_both(oas_check_t *check, const ap_directive_t *where)
{
    const oas_signing_t *signing = &check->config->issuer.signing;
    int i;

    for (i = 0; i < signing->ring->nelts; i++) {
        const char *alg = OAS_WORD(signing->ring, i);

        if (oas_keyset_signer(signing->keys, alg) != NULL) {
            oas_complain(check, OAS_TAG(01078), where,
                         "the keys for %s are in the database; a key in a file can be next or "
                         "retired beside them (oauth2asctl key import brings it there)",
                         alg);
        }
    }
}

static void check_keyring(oas_check_t *check)
{
    const oas_issuer_t *issuer = &check->config->issuer;
    const ap_directive_t *where = oas_place_of(&check->config->block, OAS_D_KEY, "database");
    apr_interval_time_t least = 2 * oas_keyring_lead(issuer);

    check_both(check, where);
    if (ap_find_linked_module("mod_watchdog.c") == NULL) {
        oas_complain(check, OAS_TAG(01079), where,
                     "OAuth2ASKey database needs mod_watchdog: LoadModule watchdog_module "
                     "modules/mod_watchdog.so");
    }
    if (issuer->signing.rotate != 0 && issuer->signing.rotate < least) {
        oas_complain(check, OAS_TAG(01080), where,
                     "rotate= is shorter than %d s, twice the time for which a new key is "
                     "published before it signs (OAuth2ASLifetime jwks, and %d s)",
                     (int)apr_time_sec(least), (int)apr_time_sec(OAS_KEYRING_MARGIN));
    } else if (oas_keyring_crowd(issuer) > OAS_KEYS_ROOM) {
        oas_complain(check, OAS_TAG(01271), where,
                     "rotate= is so short beside the longest lifetime of a token that there would "
                     "be %d keys at once; a keyring has room for %d: rotate less often, or make "
                     "tokens that live shorter",
                     oas_keyring_crowd(issuer), OAS_KEYS_ROOM);
    }
}

void oas_check_keys(oas_check_t *check)
{
    const oas_issuer_t *issuer = &check->config->issuer;

    if (!oas_has_keys(issuer)) {
        oas_complain(check, OAS_TAG(00301), oas_place_of(&check->config->block, OAS_D_ISSUER, NULL),
                     "this issuer needs an OAuth2ASKey (oauth2asctl key generate)");
    } else if (oas_issuer_algs(issuer, check->pool)->nelts == 0) {
        oas_complain(check, OAS_TAG(00302), oas_place_of(&check->config->block, OAS_D_KEY, NULL),
                     "none of the keys is active");
    } else if (issuer->signing.ring != NULL) {
        check_keyring(check);
    }
}
