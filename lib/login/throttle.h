/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file throttle.h
 * Which counters a login attempt touches: user and address as a pair, the user, the address.
 */
#ifndef OAS_LOGIN_THROTTLE_H
#define OAS_LOGIN_THROTTLE_H

#include "../base/tx.h"
#include "../store/throttle.h"

/**
 * Names the three counters of an attempt by hashes and copies the limits (OAuth2ASThrottle). User
 * names lose case and white space, so that spelling variants share a counter; an IPv6 address
 * counts as its /64. A password grant comes from an application's server, so the application
 * stands for the address, unless it says its user's (OAuth2ASForwardedFor), and no counter adds up
 * all accounts. A browser that has signed in with the account before (known.h) is a pair with it,
 * wherever it is, and its attempts are not added to the account's: strangers cannot lock it out.
 * @param account set to the name of the account, for oas_known_remember
 */
void oas_throttle_describe(const oas_tx_t *tx, const char *username,
                           unsigned char account[OAS_SHA256_LEN], oas_throttle_attempt_t *out);

#endif
