/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file key.h
 * The keyring: signing keys in the database, sealed (jose/keyring.h). Each verb is one statement
 * that carries its own precondition: of several nodes or administrators who do the same, one wins.
 */
#ifndef OAS_STORE_KEY_H
#define OAS_STORE_KEY_H

#include "../base/model.h"
#include "db.h"

#define OAS_KEYS_MAX       32   /**< keys that a keyring can have */
#define OAS_KEYS_ROOM      24   /**< the schema makes no more by itself (oas_keys_full_1) */
#define OAS_KID_MAX        63   /**< bytes */
#define OAS_SEALED_KEY_MAX 4096 /**< bytes: room for RSA keys of 4096 bits */
#define OAS_RING_MAX       32   /**< bytes of a keyring's version */

/** One key as it rests. All of it is in the struct, so that it can be copied anywhere. */
typedef struct {
    char kid[OAS_KID_MAX + 1];
    char alg[8];
    oas_key_state_t state;
    apr_int64_t version;
    oas_key_times_t times;
    apr_size_t sealed_len;
    unsigned char sealed[OAS_SEALED_KEY_MAX];
} oas_key_row_t;

/** The bytes that are in the row. */
oas_bytes_t oas_key_row_sealed(const oas_key_row_t *row);

/** What a node knows of itself when it asks. */
typedef struct {
    const char *have;           /**< version of the keyring that it has; NULL: none */
    const oas_words_t *algs;    /**< that it signs with by the keyring */
    apr_int64_t token;          /**< seconds that its longest token lives */
    apr_interval_time_t lead;   /**< after which a new key is in every cache of the key set */
    apr_interval_time_t rotate; /**< age at which keys are replaced; 0: only by hand */
    apr_interval_time_t ahead;  /**< how long before that the next key is made */
} oas_keys_ask_t;

/** What it is told. */
typedef struct {
    const char *ring;         /**< the version */
    apr_array_header_t *due;  /**< of const char *: "first ALG", "next ALG" (to be
                                 made), "activate KID ALG" */
    apr_array_header_t *rows; /**< of oas_key_row_t; NULL: those that it has */
} oas_keys_told_t;

/**
 * Asks for the keyring, and carries out what time has brought: retired keys whose last token has
 * ended are deleted. A key that this version cannot read is left out (logged).
 */
apr_status_t oas_store_keys_follow(oas_db_t *db, const oas_keys_ask_t *ask, oas_keys_told_t *out,
                                   apr_pool_t *pool);

/** What became of a verb. */
typedef enum {
    OAS_KEY_PUT_ACTIVE, /**< the first key of its algorithm: it signs */
    OAS_KEY_PUT_NEXT,
    OAS_KEY_PUT_KNOWN, /**< this key is in the keyring already */
    OAS_KEY_PUT_TAKEN, /**< there is one in that state */
    OAS_KEY_PUT_FULL,  /**< the keyring has as many keys as a node reads */
    OAS_KEY_ACTIVATED,
    OAS_KEY_IS_ACTIVE,
    OAS_KEY_EARLY,     /**< not everybody knows it yet */
    OAS_KEY_UNKNOWN,   /**< there is no such key */
    OAS_KEY_RETIRES,   /**< the next one signs; it stays until its last token has ended */
    OAS_KEY_NEEDED,    /**< it is the only one of its algorithm that signs or will */
    OAS_KEY_WITHDRAWN, /**< it was next, and is gone */
    OAS_KEY_REMOVED    /**< it is gone, and its tokens with it */
} oas_key_outcome_t;

/**
 * Adds a key: active where its algorithm has none, else next.
 * @param only wanted in that state only; OAS_KEY_STATES: in either
 * @param lead how long it is published before it may sign; nodes make it longer where they need
 *        to. 0: they know
 * @return APR_ENOSPC when it is longer than OAS_SEALED_KEY_MAX
 */
apr_status_t oas_store_key_put(oas_db_t *db, const char *kid, const char *alg, oas_bytes_t sealed,
                               apr_interval_time_t lead, oas_key_state_t only,
                               oas_key_outcome_t *out, apr_pool_t *pool);

/** Lets a key sign that is next, or has retired; the one that signed retires. With `early` though
 * not everybody knows it. */
apr_status_t oas_store_key_activate(oas_db_t *db, const char *kid, int early,
                                    oas_key_outcome_t *out, apr_pool_t *pool);

/** Ends a key's time; at once (`now`) together with all tokens that it signed. */
apr_status_t oas_store_key_retire(oas_db_t *db, const char *kid, int now, oas_key_outcome_t *out,
                                  apr_pool_t *pool);

/** The same key, sealed anew. APR_ENOENT: it has changed since. */
apr_status_t oas_store_key_reseal(oas_db_t *db, const char *kid, apr_int64_t version,
                                  oas_bytes_t sealed, apr_pool_t *pool);

/** All keys that this version can read (others are logged); array of oas_key_row_t. */
apr_status_t oas_store_key_list(oas_db_t *db, apr_array_header_t **out, apr_pool_t *pool);

#endif
