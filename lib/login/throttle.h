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
 * names are folded (fold.h), so that spelling variants share a counter; an IPv6 address
 * counts as its /64. A password grant comes from an application's server, so the application
 * stands for the address, unless it says its user's (OAuth2ASForwardedFor), and no counter adds up
 * all accounts. A browser that has signed in by this name before (known.h) is a pair with it,
 * wherever it is; its attempts are added up with those of the account's other known browsers, and
 * neither with strangers' nor with its address's: neither of these can lock it out.
 * @param name set to what oas_known_remember calls this name: spellings that may be two people's
 *             are two, though they share their counters
 */
void oas_throttle_describe(const oas_tx_t *tx, const char *username,
                           unsigned char name[OAS_SHA256_LEN], oas_throttle_attempt_t *out);

/**
 * 1 when the failures of the pair are forgotten once this has been typed and turned out to be that
 * user: the counters are theirs alone as far as the providers tell names apart. Otherwise a good
 * login only takes back what it counted, or somebody would wipe out what they guessed at another.
 * @param canonical what the provider calls the user
 */
int oas_throttle_forgets(const oas_tx_t *tx, const char *typed, const char *canonical);

#endif
