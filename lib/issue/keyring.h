/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file keyring.h
 * What an issuer signs with. Keys of the configuration are there from the start; those of the
 * keyring (OAuth2ASKey database) are followed while the server runs: a task in each process asks
 * the database whether something has changed, and puts a new immutable key set in the place of the
 * old one. A request holds the set that it began with. While the database is away everybody goes on
 * with what they have.
 *
 * The processes of a node share what one of them was told, sealed as it came, in an area of shared
 * memory. So one asks for all, and a new process needs no database to begin.
 */
#ifndef OAS_ISSUE_KEYRING_H
#define OAS_ISSUE_KEYRING_H

#include "../base/tx.h"
#include "../jose/keyset.h"
#include "../store/key.h"

/** How often the database is asked, and how much longer than that and the life of the key set in
 * caches a new key is published before it signs. */
#define OAS_KEYRING_EVERY  apr_time_from_sec(2)
#define OAS_KEYRING_MARGIN apr_time_from_sec(10)

/** Names of the algorithms that the issuer signs with, in order of preference; array of const char
 * *. */
oas_words_t *oas_issuer_algs(const oas_issuer_t *issuer, apr_pool_t *pool);

/** 1 when the issuer signs with `alg`. */
int oas_issuer_signs(const oas_issuer_t *issuer, const char *alg);

/** How long a key is published before it may sign. */
apr_interval_time_t oas_keyring_lead(const oas_issuer_t *issuer);

/** How many keys there are at once when the keyring changes by its schedule (rotate=): active,
 * next, and retired until their last token ends. 0: there is no schedule. Lifetimes that clients of
 * the database have are not known here. */
int oas_keyring_crowd(const oas_issuer_t *issuer);

/** What a node asks about the keyring; it adds `have`, the version that it knows. */
oas_keys_ask_t oas_keyring_question(const oas_issuer_t *issuer);

/** What the processes of a node share of one issuer. */
typedef struct oas_keyring_area oas_keyring_area_t;

/** Bytes of an area; it begins as zeros. */
apr_size_t oas_keyring_area_size(void);

/** One issuer's keyring in one process. */
typedef struct oas_keyring oas_keyring_t;

/** `area` and `issuer` live longer than `pool`. */
apr_status_t oas_keyring_create(oas_keyring_t **out, const oas_issuer_t *issuer,
                                oas_keyring_area_t *area, const oas_log_t *log, apr_pool_t *pool);

/** The present key set, held until `pool` is cleared; NULL: nobody on this node could read it yet.
 */
const oas_keyset_t *oas_keyring_get(oas_keyring_t *ring, apr_pool_t *pool);

/** Takes what another process of this node was told. @return 1: there is a key set now */
int oas_keyring_adopt(oas_keyring_t *ring, apr_pool_t *pool);

/** 1 when it is this process's turn to ask the database for all of the node. */
int oas_keyring_turn(oas_keyring_t *ring);

/**
 * Asks the database, takes over what has changed, and does what is due: makes first and next keys,
 * lets them sign, seals keys anew that rest under a former secret. Uses tx->db, pool, log, issuer,
 * host.
 * @return as a store verb; APR_SUCCESS also when what was told cannot be used (logged)
 */
apr_status_t oas_keyring_follow(oas_keyring_t *ring, oas_tx_t *tx);

#endif
