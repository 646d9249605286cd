/* SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

#include <string.h>
#include <arpa/inet.h>
#include <apr_strings.h>
#include "fold.h"
#include "known.h"
#include "subject.h"

static const unsigned char v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* The address a counter is kept for. One IPv6 customer commands a whole /64. */
static const char *address_bucket(const char *address, apr_pool_t *pool)
{
    unsigned char v6[16];

    if (address == NULL) {
        return "";
    }
    if (inet_pton(AF_INET6, address, v6) != 1) {
        return address;
    }
    if (memcmp(v6, v4_mapped, sizeof(v4_mapped)) == 0) {
        return apr_psprintf(pool, "%d.%d.%d.%d", v6[12], v6[13], v6[14], v6[15]);
    }
    return oas_hex_encode(pool, v6, 8);
}

/* The name for which a browser is known: the providers take its spellings for one person. */
static const char *exact_name(const oas_tx_t *tx, const char *typed)
{
    return tx->issuer->names_ignore_case ? oas_fold_case(typed, tx->pool) : typed;
}

static void counter_key(const oas_tx_t *tx, const char *kind, const char *user, const char *address,
                        unsigned char key[OAS_SHA256_LEN])
{
    const char *text =
        apr_pstrcat(tx->pool, tx->issuer->url, "\n", kind, "\n", address, "\n", user, NULL);

    oas_sha256(text, strlen(text), key);
}

/*
 * A password grant comes from the application's server: its address is that of all its users, whom
 * a few of them must not lock out, so the application stands for it and attempts at any account are
 * not added up. Unless it says what its user's address is.
 */
static int by_application(const oas_tx_t *tx)
{
    return tx->endpoint == OAS_EP_TOKEN && !tx->request.address_forwarded;
}

/* Where an attempt comes from. */
static const char *origin_bucket(const oas_tx_t *tx)
{
    return by_application(tx) ? apr_pstrcat(tx->pool, "client ", tx->client->client_id, NULL)
                              : address_bucket(tx->request.address, tx->pool);
}

/*
 * A browser that has signed in by this name: neither what strangers do nor its address keeps it
 * waiting. Who knew the password once may have made many such browsers, so they share a counter of
 * the account. There is no third one: the pair stands in its place and is counted once.
 */
static void describe_known(const oas_tx_t *tx, const char *typed, const char *device,
                           oas_throttle_attempt_t *out)
{
    counter_key(tx, "device", exact_name(tx, typed), device, out->key[OAS_THROTTLE_PAIR]);
    counter_key(tx, "known", oas_fold_name(typed, tx->pool), "", out->key[OAS_THROTTLE_ACCOUNT]);
    memcpy(out->key[OAS_THROTTLE_ADDRESS], out->key[OAS_THROTTLE_PAIR], OAS_SHA256_LEN);
    out->limit[OAS_THROTTLE_ADDRESS] = tx->issuer->throttle.pair;
}

/* Everybody else. An application has another counter of the pair in place of its address. */
static void describe_stranger(const oas_tx_t *tx, const char *typed, oas_throttle_attempt_t *out)
{
    const char *user = oas_fold_name(typed, tx->pool);
    const char *origin = origin_bucket(tx);

    counter_key(tx, "pair", user, origin, out->key[OAS_THROTTLE_PAIR]);
    counter_key(tx, "account", user, "", out->key[OAS_THROTTLE_ACCOUNT]);
    if (by_application(tx)) {
        counter_key(tx, "application", user, origin, out->key[OAS_THROTTLE_ADDRESS]);
        out->limit[OAS_THROTTLE_ADDRESS] = tx->issuer->throttle.pair;
    } else {
        counter_key(tx, "address", "", origin, out->key[OAS_THROTTLE_ADDRESS]);
        out->limit[OAS_THROTTLE_ADDRESS] = tx->issuer->throttle.address;
    }
}

void oas_throttle_describe(const oas_tx_t *tx, const char *username,
                           unsigned char name[OAS_SHA256_LEN], oas_throttle_attempt_t *out)
{
    const char *device;

    counter_key(tx, "name", exact_name(tx, username), "", name);
    device = tx->endpoint != OAS_EP_TOKEN ? oas_known_device(tx, name) : NULL;
    out->limit[OAS_THROTTLE_PAIR] = tx->issuer->throttle.pair;
    out->limit[OAS_THROTTLE_ACCOUNT] = tx->issuer->throttle.account;
    out->max = tx->issuer->throttle.max;
    out->forgets = 0;
    if (device != NULL) {
        describe_known(tx, username, device, out);
    } else {
        describe_stranger(tx, username, out);
    }
}

int oas_throttle_forgets(const oas_tx_t *tx, const char *typed, const char *canonical)
{
    return tx->issuer->names_ignore_case &&
           strcmp(oas_fold_name(typed, tx->pool), oas_fold_name(canonical, tx->pool)) == 0;
}
