/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file known.h
 * Browsers that have signed in with an account before: strangers who try passwords must not lock
 * its owner out. A cookie of its own says so, "DEVICE.PROOF...": a random name of this browser and,
 * for each of its last accounts, an HMAC of that name and the account's as it was typed. It signs nobody in, tells
 * nobody which accounts these are, and outlives sessions and logouts.
 */
#ifndef OAS_LOGIN_KNOWN_H
#define OAS_LOGIN_KNOWN_H

#include "../base/tx.h"

#define OAS_KNOWN_ACCOUNTS 5   /**< of one browser; those signed in with last */
#define OAS_KNOWN_DAYS     180 /**< since the last sign-in */

/**
 * The name of this browser, when it has signed in with the account before (by any of the server's
 * secrets), else NULL.
 * @param account SHA-256 of what was typed for it (`name` of oas_throttle_describe)
 */
const char *oas_known_device(const oas_tx_t *tx, const unsigned char account[OAS_SHA256_LEN]);

/** Notes that it has signed in now: sets tx->set_cookie. A browser that cannot be noted is none. */
void oas_known_remember(oas_tx_t *tx, const unsigned char account[OAS_SHA256_LEN]);

#endif
