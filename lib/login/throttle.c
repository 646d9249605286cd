/* SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

#include <string.h>
#include <arpa/inet.h>
#include <apr_strings.h>
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

/* Spellings that a directory may take for one: case and white space do not count. */
static const char *account_bucket(const char *username, apr_pool_t *pool)
{
    char *folded = oas_fold_case(username, pool);
    char *out = folded;
    const char *p;

    for (p = folded; *p != '\0'; p++) {
        if ((unsigned char)*p > 0x20 && *p != 0x7f) {
            *out++ = *p;
        }
    }
    *out = '\0';
    return folded;
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

/* The counters of the account, and of it and whoever tries. */
static void describe_account(const oas_tx_t *tx, const char *user, const char *origin,
                             unsigned char account[OAS_SHA256_LEN], oas_throttle_attempt_t *out)
{
    const char *device;

    counter_key(tx, "account", user, "", account);
    device = tx->endpoint != OAS_EP_TOKEN ? oas_known_device(tx, account) : NULL;
    out->limit[OAS_THROTTLE_PAIR] = tx->issuer->throttle.pair;
    if (device != NULL) { /* the second counter is another one of the pair */
        counter_key(tx, "device", user, device, out->key[OAS_THROTTLE_PAIR]);
        counter_key(tx, "known", user, device, out->key[OAS_THROTTLE_ACCOUNT]);
        out->limit[OAS_THROTTLE_ACCOUNT] = tx->issuer->throttle.pair;
        return;
    }
    counter_key(tx, "pair", user, origin, out->key[OAS_THROTTLE_PAIR]);
    memcpy(out->key[OAS_THROTTLE_ACCOUNT], account, OAS_SHA256_LEN);
    out->limit[OAS_THROTTLE_ACCOUNT] = tx->issuer->throttle.account;
}

void oas_throttle_describe(const oas_tx_t *tx, const char *username,
                           unsigned char account[OAS_SHA256_LEN], oas_throttle_attempt_t *out)
{
    const char *user = account_bucket(username, tx->pool);
    const char *origin = origin_bucket(tx);

    describe_account(tx, user, origin, account, out);
    out->max = tx->issuer->throttle.max;
    if (by_application(tx)) { /* the third counter is a second one of the pair */
        counter_key(tx, "application", user, origin, out->key[OAS_THROTTLE_ADDRESS]);
        out->limit[OAS_THROTTLE_ADDRESS] = tx->issuer->throttle.pair;
    } else {
        counter_key(tx, "address", "", origin, out->key[OAS_THROTTLE_ADDRESS]);
        out->limit[OAS_THROTTLE_ADDRESS] = tx->issuer->throttle.address;
    }
}
