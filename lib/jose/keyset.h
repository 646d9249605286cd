/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file keyset.h
 * An issuer's signing keys. One key per algorithm is active; next and retired keys are published
 * too, and all of them verify what we signed.
 */
#ifndef OAS_JOSE_KEYSET_H
#define OAS_JOSE_KEYSET_H

#include <apr_tables.h>
#include "../base/model.h"
#include "jwk.h"

typedef struct oas_keyset oas_keyset_t;

oas_keyset_t *oas_keyset_create(apr_pool_t *pool);

/** A set with the keys of another one, which must live as long; NULL: an empty one. */
oas_keyset_t *oas_keyset_copy(const oas_keyset_t *base, apr_pool_t *pool);

/**
 * Adds a private key for one algorithm, after it has signed and verified once. `jwk` must live as
 * long as the set. The same RSA key may be added for RS256 and PS256: the kid of a key for PS256 is
 * always its thumbprint followed by "-PS256", of every other its thumbprint, so that no kid changes
 * when a key is added. Only at configuration time, by one thread; afterwards a set is immutable and
 * any number of threads may use it.
 * @return APR_EINVAL: the key does not fit the algorithm; APR_EEXIST: a second active key for it,
 * or the same key again; APR_EGENERAL: it cannot sign, or not what its public half verifies.
 */
apr_status_t oas_keyset_add(oas_keyset_t *set, const oas_jwk_t *jwk, const oas_alg_t *alg,
                            oas_key_state_t state);

/** A key together with its algorithm and everything that can be prepared once. */
typedef struct oas_signer oas_signer_t;

/** One key of a set as it is shown to administrators. */
typedef struct {
    const char *kid, *alg;
    oas_key_state_t state;
    const oas_key_times_t *times; /**< NULL: a key of the configuration */
} oas_key_info_t;

/** Tells of the i-th key of a set; 0 when there are not so many. */
int oas_keyset_info(const oas_keyset_t *set, int i, oas_key_info_t *out);

/** Notes the times of the key that was added last. */
void oas_keyset_note_times(oas_keyset_t *set, const oas_key_times_t *times);

/** Notes that keys are missing which could not be opened. */
void oas_keyset_note_gap(oas_keyset_t *set);

/** Whether the work can be done with a set. */
typedef enum {
    OAS_KEYS_OK,
    OAS_KEYS_INCOMPLETE, /**< some could not be opened; it signs with the others */
    OAS_KEYS_NONE,       /**< there is none to sign with */
    OAS_KEYS_STATES
} oas_keys_state_t;

/** As administrators are told. */
extern const char *const oas_keys_state_names[OAS_KEYS_STATES];

/* In all that follow a set that is NULL has no key. */

oas_keys_state_t oas_keyset_state(const oas_keyset_t *set);

/** The active signer of an algorithm, or NULL. */
const oas_signer_t *oas_keyset_signer(const oas_keyset_t *set, const char *alg);

/** The active signer that comes first: RS256 when there is one, else in the order added; or NULL.
 */
const oas_signer_t *oas_keyset_default(const oas_keyset_t *set);

const char *oas_signer_alg(const oas_signer_t *signer);
const char *oas_signer_kid(const oas_signer_t *signer);

/** The key (of any state) with this kid whose algorithm is `alg`, or NULL. */
const oas_signer_t *oas_keyset_find(const oas_keyset_t *set, const char *kid, const char *alg);

/** The JWK Set (RFC 7517 section 5), owned by the pool. */
json_t *oas_keyset_public(const oas_keyset_t *set, apr_pool_t *pool);

/** Makes the document of the set (the JWK Set as text) and its ETag, once all keys are added.
 * APR_EGENERAL when JSON cannot be written. `set` may be NULL: nothing to do. */
apr_status_t oas_keyset_publish(oas_keyset_t *set);
const char *oas_keyset_json(const oas_keyset_t *set);
const char *oas_keyset_etag(const oas_keyset_t *set);

/** Names of the algorithms with an active key, in order of preference; array of const char *. */
apr_array_header_t *oas_keyset_algs(const oas_keyset_t *set, apr_pool_t *pool);

#endif
