/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include "../base/audit.h"
#include "../base/box.h"
#include "../base/json.h"
#include "../jose/sealed.h"
#include "keyring_area.h"
#include "kids.h"

#define FULL   "full " /* what is due, before the algorithm */
#define ROUNDS 3       /* what is done makes more due: a key that is made is to be taken over */

/** A key set in a pool of its own, as long as somebody holds it. */
typedef struct {
    oas_keyring_t *ring;
    apr_pool_t *pool;
    oas_keyset_t *set;
    apr_array_header_t
        *rows; /**< of oas_key_row_t: what it was made of, besides the configuration */
    int holders;
} snapshot_t;

struct oas_keyring {
    const oas_issuer_t *issuer;
    const oas_log_t *log;
    oas_keyring_area_t *area;
    apr_thread_mutex_t *mutex; /* of current and all holders */
    snapshot_t *current;
    apr_thread_mutex_t *task;    /* of whoever takes over what is new; the next are his */
    apr_uint32_t generation;     /* of the area, that it has looked at */
    char seen[OAS_RING_MAX + 1]; /* version of the keyring that it has looked at */
    int full;                    /* 1: it was said that there is no room for a key */
    oas_kids_t resealed;         /* under the first secret once, by whomever */
};

static apr_status_t drop_current(void *baton)
{
    oas_keyring_t *ring = baton;

    if (ring->current != NULL) {
        apr_pool_destroy(ring->current->pool);
        ring->current = NULL;
    }
    return APR_SUCCESS;
}

apr_status_t oas_keyring_create(oas_keyring_t **out, const oas_issuer_t *issuer,
                                oas_keyring_area_t *area, const oas_log_t *log, apr_pool_t *pool)
{
    oas_keyring_t *ring = apr_pcalloc(pool, sizeof(*ring));
    apr_status_t rv;

    ring->issuer = issuer;
    ring->area = area;
    ring->log = log;
    *out = ring;
    apr_pool_cleanup_register(pool, ring, drop_current, apr_pool_cleanup_null);
    rv = apr_thread_mutex_create(&ring->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    return rv == APR_SUCCESS ? apr_thread_mutex_create(&ring->task, APR_THREAD_MUTEX_DEFAULT, pool)
                             : rv;
}

/* The last one to let go of a set that was replaced ends it. */
static apr_status_t let_go(void *baton)
{
    snapshot_t *snapshot = baton;
    oas_keyring_t *ring = snapshot->ring;
    int last;

    apr_thread_mutex_lock(ring->mutex);
    last = --snapshot->holders == 0 && snapshot != ring->current;
    apr_thread_mutex_unlock(ring->mutex);
    if (last) {
        apr_pool_destroy(snapshot->pool);
    }
    return APR_SUCCESS;
}

static void replace_current(oas_keyring_t *ring, snapshot_t *snapshot)
{
    snapshot_t *old;
    int unused;

    apr_thread_mutex_lock(ring->mutex);
    old = ring->current;
    ring->current = snapshot;
    unused = old != NULL && old->holders == 0;
    apr_thread_mutex_unlock(ring->mutex);
    if (unused) {
        apr_pool_destroy(old->pool);
    }
}

static oas_seal_for_t whose(const oas_issuer_t *issuer)
{
    const oas_seal_for_t out = {issuer->url, issuer->secrets};

    return out;
}

/* A key whose algorithm the configuration has given up still verifies. */
static oas_key_state_t state_here(const oas_keyring_t *ring, const oas_key_row_t *row)
{
    return row->state == OAS_KEY_ACTIVE && !oas_words_has(ring->issuer->signing.ring, row->alg)
               ? OAS_KEY_RETIRED
               : row->state;
}

static apr_status_t open_row(oas_jwk_t **jwk, const oas_keyring_t *ring, const oas_key_row_t *row,
                             apr_pool_t *pool)
{
    const oas_seal_for_t issuer = whose(ring->issuer);
    const oas_alg_t *alg = oas_alg_find(row->alg);

    return alg != NULL ? oas_key_open(jwk, oas_key_row_sealed(row), row->kid, alg, &issuer, pool)
                       : APR_EINVAL;
}

static void log_unusable(const oas_keyring_t *ring, const oas_key_row_t *row, apr_status_t rv)
{
    oas_log(ring->log, OAS_LOG_ERROR, OAS_TAG(01070), rv,
            "key %s (%s) of the keyring cannot be used: %s", row->kid, row->alg,
            rv == APR_ENOENT ? "it is sealed with a secret that is not in OAuth2ASSecret here"
                             : "it is damaged, or no key of this issuer");
}

/* The same key as this process has it, or NULL. */
static const oas_key_row_t *present_row(const oas_keyring_t *ring, const oas_key_row_t *row)
{
    int i;

    for (i = 0; ring->current != NULL && i < ring->current->rows->nelts; i++) {
        const oas_key_row_t *own = &APR_ARRAY_IDX(ring->current->rows, i, oas_key_row_t);

        if (strcmp(own->kid, row->kid) == 0 && strcmp(own->alg, row->alg) == 0) {
            return own;
        }
    }
    return NULL;
}

/* Opens what is sealed in a row; where it does not open, what this process has of that key.
 * *good = 0: it does not open. NULL: there is no key. */
static oas_jwk_t *open_or_keep(const oas_keyring_t *ring, oas_key_row_t *row, int *good,
                               apr_pool_t *pool)
{
    oas_jwk_t *jwk = NULL;
    apr_status_t rv = open_row(&jwk, ring, row, pool);
    const oas_key_row_t *own;

    if (rv == APR_SUCCESS) {
        return jwk;
    }
    *good = 0;
    log_unusable(ring, row, rv);
    own = present_row(ring, row);
    if (own == NULL) {
        return NULL;
    }
    row->sealed_len = own->sealed_len;
    memcpy(row->sealed, own->sealed, own->sealed_len);
    return open_row(&jwk, ring, row, pool) == APR_SUCCESS ? jwk : NULL;
}

static int has_active(const apr_array_header_t *rows, const char *alg)
{
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const oas_key_row_t *row = &APR_ARRAY_IDX(rows, i, oas_key_row_t);

        if (row->state == OAS_KEY_ACTIVE && strcmp(row->alg, alg) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Where the key that is to sign is not among those that open, the one that signs here goes on, as
 * long as it is in the keyring. */
static void keep_signing(const oas_keyring_t *ring, apr_array_header_t *rows)
{
    const oas_keyset_t *set = ring->current != NULL ? ring->current->set : NULL;
    int i;

    for (i = 0; i < rows->nelts; i++) {
        oas_key_row_t *row = &APR_ARRAY_IDX(rows, i, oas_key_row_t);
        const oas_signer_t *signer = oas_keyset_signer(set, row->alg);

        if (signer != NULL && strcmp(oas_signer_kid(signer), row->kid) == 0 &&
            !has_active(rows, row->alg)) {
            row->state = OAS_KEY_ACTIVE;
        }
    }
}

/* 0: the key cannot be used here. */
static int add_key(const oas_keyring_t *ring, oas_keyset_t *set, const oas_key_row_t *row,
                   const oas_jwk_t *jwk)
{
    apr_status_t rv = oas_keyset_add(set, jwk, oas_alg_find(row->alg), state_here(ring, row));

    if (rv == APR_SUCCESS) {
        oas_keyset_note_times(set, &row->times);
    } else if (rv == APR_EEXIST && oas_keyset_find(set, row->kid, row->alg) != NULL) {
        rv = APR_SUCCESS; /* the configuration has the same one */
    }
    if (rv != APR_SUCCESS) {
        log_unusable(ring, row, rv);
    }
    return rv == APR_SUCCESS;
}

/* 1: something can be signed with each algorithm. */
static int signs_all(const oas_keyring_t *ring, const oas_keyset_t *set)
{
    int i;

    for (i = 0; i < ring->issuer->signing.ring->nelts; i++) {
        if (oas_keyset_signer(set, OAS_WORD(ring->issuer->signing.ring, i)) == NULL) {
            return 0;
        }
    }
    return 1;
}

/* Fills a snapshot from what was told. @return 1: with all of it */
static int fill(oas_keyring_t *ring, snapshot_t *snapshot, const oas_key_row_t *told, int count)
{
    apr_pool_t *pool = snapshot->pool;
    apr_array_header_t *jwks = apr_array_make(pool, count, sizeof(oas_jwk_t *));
    int good = 1, i;

    snapshot->ring = ring;
    snapshot->rows = apr_array_make(pool, count, sizeof(oas_key_row_t));
    snapshot->set = oas_keyset_copy(ring->issuer->signing.keys, pool);
    for (i = 0; i < count; i++) {
        oas_key_row_t row = told[i];
        oas_jwk_t *jwk = open_or_keep(ring, &row, &good, pool);

        if (jwk != NULL) {
            APR_ARRAY_PUSH(snapshot->rows, oas_key_row_t) = row;
            APR_ARRAY_PUSH(jwks, oas_jwk_t *) = jwk;
        }
    }
    keep_signing(ring, snapshot->rows);
    for (i = 0; i < snapshot->rows->nelts; i++) {
        good &= add_key(ring, snapshot->set, &APR_ARRAY_IDX(snapshot->rows, i, oas_key_row_t),
                        APR_ARRAY_IDX(jwks, i, oas_jwk_t *));
    }
    return good;
}

/**
 * Makes a key set of these rows and puts it in place. Of a row that cannot be opened the key stays
 * that was had before. A key that is in no row is gone in any case, it may have been stolen: when
 * nothing signs then, there is no key set.
 * @param whole these are all rows of the keyring
 * @param used  the rows that are in place; NULL: who cares
 * @return 1: they all are
 */
static int take(oas_keyring_t *ring, const oas_key_row_t *rows, int count, int whole,
                apr_array_header_t *used)
{
    snapshot_t *snapshot;
    apr_pool_t *pool;
    int good;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 0;
    }
    snapshot = apr_pcalloc(pool, sizeof(*snapshot));
    snapshot->pool = pool;
    good = fill(ring, snapshot, rows, count);
    if (!good || !whole) {
        oas_keyset_note_gap(snapshot->set);
    }
    if (used != NULL) {
        apr_array_cat(used, snapshot->rows);
    }
    if (signs_all(ring, snapshot->set) && oas_keyset_publish(snapshot->set) == APR_SUCCESS) {
        replace_current(ring, snapshot);
        return good;
    }
    if (ring->current != NULL) {
        oas_log(ring->log, OAS_LOG_ERROR, OAS_TAG(01081), APR_SUCCESS,
                "the keyring has no key that can sign any more; requests that need one are "
                "answered with 503");
        replace_current(ring, NULL);
    }
    apr_pool_destroy(pool);
    return 0;
}

static void note_seen(oas_keyring_t *ring, const char *version)
{
    apr_cpystrn(ring->seen, version, sizeof(ring->seen));
}

/* Whether a key is to come under the first secret, so that a former one can go. Each once: what
 * another node, for which another secret is the first one, makes of it later stays, or they would
 * undo each other's work for ever. */
static int needs_reseal(oas_keyring_t *ring, const oas_key_row_t *row)
{
    if (oas_box_is_current(ring->issuer->secrets, oas_key_row_sealed(row))) {
        oas_kids_add(&ring->resealed, row->kid);
    }
    return !oas_kids_has(&ring->resealed, row->kid);
}

/* 0: somebody has to ask for a key and seal it anew. */
static int all_current(oas_keyring_t *ring, const oas_keyring_image_t *image)
{
    int all = 1, i;

    for (i = 0; i < image->count; i++) {
        all &= !needs_reseal(ring, &image->rows[i]);
    }
    return all;
}

static void adopt(oas_keyring_t *ring, apr_pool_t *pool)
{
    apr_uint32_t generation = __atomic_load_n(&ring->area->generation, __ATOMIC_ACQUIRE);
    const oas_keyring_image_t *image;

    if (generation != ring->generation &&
        (image = oas_keyring_read(ring->area, &generation, pool))) {
        int whole = *image->ring != '\0', current = all_current(ring, image);

        ring->generation = generation;
        if (take(ring, image->rows, image->count, whole, NULL) && whole && current) {
            note_seen(ring, image->ring);
        }
    }
}

int oas_keyring_adopt(oas_keyring_t *ring, apr_pool_t *pool)
{
    apr_thread_mutex_lock(ring->task);
    adopt(ring, pool);
    apr_thread_mutex_unlock(ring->task);
    return ring->current != NULL;
}

static snapshot_t *hold(oas_keyring_t *ring)
{
    snapshot_t *snapshot;

    apr_thread_mutex_lock(ring->mutex);
    snapshot = ring->current;
    if (snapshot != NULL) {
        snapshot->holders++;
    }
    apr_thread_mutex_unlock(ring->mutex);
    return snapshot;
}

const oas_keyset_t *oas_keyring_get(oas_keyring_t *ring, apr_pool_t *pool)
{
    snapshot_t *snapshot = hold(ring);

    /* another process may have been told a moment ago */
    if (snapshot == NULL && apr_thread_mutex_trylock(ring->task) == APR_SUCCESS) {
        adopt(ring, pool);
        apr_thread_mutex_unlock(ring->task);
        snapshot = hold(ring);
    }
    if (snapshot == NULL) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, snapshot, let_go, apr_pool_cleanup_null);
    return snapshot->set;
}

int oas_keyring_turn(oas_keyring_t *ring)
{
    apr_int64_t now = apr_time_now();
    apr_int64_t asked = __atomic_load_n(&ring->area->asked, __ATOMIC_ACQUIRE);

    return (asked > now || now - asked >= OAS_KEYRING_EVERY) &&
           __atomic_compare_exchange_n(&ring->area->asked, &asked, now, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* What this node has brought about, by the schedule. */
static void tell(oas_tx_t *tx, const char *tag, const char *kid, const char *alg,
                 const char *reason, const char *words)
{
    oas_members_t *more = oas_members_create(tx->pool);

    oas_log(tx->log, OAS_LOG_NOTICE, tag, APR_SUCCESS, "key %s for %s of the keyring %s", kid, alg,
            words);
    oas_members_string(more, "kid", kid);
    oas_members_string(more, "alg", alg);
    oas_audit(tx, OAS_AUDIT_KEY, reason, more);
}

/* No connection is held meanwhile: an RSA key takes its time. */
static apr_status_t make_key(oas_tx_t *tx, const char *name, oas_key_state_t state)
{
    const oas_seal_for_t issuer = whose(tx->issuer);
    const oas_alg_t *alg = oas_alg_find(name);
    oas_key_outcome_t outcome;
    oas_bytes_t sealed;
    oas_jwk_t *jwk;
    const char *kid;
    apr_status_t rv;

    oas_db_release(tx->db);
    if (oas_jwk_generate(&jwk, alg, tx->pool) != APR_SUCCESS ||
        oas_key_seal(&sealed, jwk, alg, &issuer, tx->pool) != APR_SUCCESS) {
        oas_log(tx->log, OAS_LOG_ERROR, OAS_TAG(01072), APR_EGENERAL, "OpenSSL makes no key for %s",
                name);
        return APR_SUCCESS;
    }
    kid = oas_jwk_kid_for(jwk, alg, tx->pool);
    rv = oas_store_key_put(tx->db, kid, name, sealed, oas_keyring_lead(tx->issuer), state, &outcome,
                           tx->pool);
    if (rv == APR_SUCCESS && outcome == OAS_KEY_PUT_ACTIVE) {
        tell(tx, OAS_TAG(01073), kid, name, "first", "was made and signs: it is the first one");
    } else if (rv == APR_SUCCESS && outcome == OAS_KEY_PUT_NEXT) {
        tell(tx, OAS_TAG(01074), kid, name, "next", "was made to be the next one");
    }
    return rv; /* otherwise another node was faster */
}

/* Once for each time that it comes to this. */
static int tell_full(oas_keyring_t *ring, const char *due)
{
    const char *alg = due + sizeof(FULL) - 1;

    if (strncmp(due, FULL, sizeof(FULL) - 1) != 0) {
        return 0;
    }
    if (!ring->full) {
        oas_log(ring->log, OAS_LOG_ERROR, OAS_TAG(01270), APR_SUCCESS,
                "the keyring is full, so no key for %s is made: remove retired keys (oauth2asctl "
                "key retire KID --now), or rotate less often",
                alg);
    }
    return ring->full = 1;
}

static apr_status_t make_first(oas_tx_t *tx, const char *alg)
{
    return make_key(tx, alg, OAS_KEY_ACTIVE);
}

static apr_status_t make_next(oas_tx_t *tx, const char *alg)
{
    return make_key(tx, alg, OAS_KEY_NEXT);
}

/* what: "KID ALG" */
static apr_status_t activate_key(oas_tx_t *tx, const char *what)
{
    const char *alg = strchr(what, ' ');
    oas_key_outcome_t outcome;
    const char *kid;
    apr_status_t rv;

    if (alg == NULL) {
        return APR_SUCCESS;
    }
    kid = apr_pstrmemdup(tx->pool, what, (apr_size_t)(alg++ - what));
    rv = oas_store_key_activate(tx->db, kid, 0, &outcome, tx->pool);
    if (rv == APR_SUCCESS && outcome == OAS_KEY_ACTIVATED) {
        tell(tx, OAS_TAG(01075), kid, alg, "active", "signs from now on");
    }
    return rv;
}

static const struct {
    const char *verb;
    apr_status_t (*run)(oas_tx_t *tx, const char *what);
} deeds[] = {{"first ", make_first}, {"next ", make_next}, {"activate ", activate_key}};

static apr_status_t do_due(oas_tx_t *tx, const char *due)
{
    apr_size_t i;

    for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        apr_size_t len = strlen(deeds[i].verb);
        if (strncmp(due, deeds[i].verb, len) == 0) {
            return deeds[i].run(tx, due + len);
        }
    }
    return APR_SUCCESS;
}

static int reseal_row(const oas_keyring_t *ring, oas_tx_t *tx, const oas_key_row_t *row)
{
    const oas_seal_for_t issuer = whose(tx->issuer);
    oas_bytes_t sealed;
    oas_jwk_t *jwk;

    return open_row(&jwk, ring, row, tx->pool) == APR_SUCCESS &&
           oas_key_seal(&sealed, jwk, oas_alg_find(row->alg), &issuer, tx->pool) == APR_SUCCESS &&
           oas_store_key_reseal(tx->db, row->kid, row->version, sealed, tx->pool) == APR_SUCCESS;
}

/* Another node may be faster: the row has another version then. @return how many */
static int reseal(oas_keyring_t *ring, oas_tx_t *tx, const apr_array_header_t *rows)
{
    oas_kids_t done = {.count = 0};
    int count = 0, i;

    for (i = 0; i < rows->nelts; i++) {
        const oas_key_row_t *row = &APR_ARRAY_IDX(rows, i, oas_key_row_t);

        if (!needs_reseal(ring, row)) {
            oas_kids_add(&done, row->kid);
        } else if (reseal_row(ring, tx, row)) {
            oas_kids_add(&done, row->kid);
            count++;
        }
    }
    ring->resealed = done;
    return count;
}

/* The other processes get what is in place here; each asks for itself where that is not all. */
static void take_told(oas_keyring_t *ring, const oas_keys_told_t *told, apr_pool_t *pool)
{
    apr_array_header_t *used = apr_array_make(pool, told->rows->nelts, sizeof(oas_key_row_t));
    const char *version = told->ring;
    apr_uint32_t generation;

    note_seen(ring, told->ring);
    if (!take(ring, (const oas_key_row_t *)told->rows->elts, told->rows->nelts, 1, used)) {
        version = "";
    }
    generation = oas_keyring_write(ring->area, version, used);
    if (generation != 0) {
        ring->generation = generation;
    }
}

/* One question and what follows from it; *again: something has been done, so ask once more. */
static apr_status_t follow_once(oas_keyring_t *ring, oas_tx_t *tx, int *again)
{
    oas_keys_ask_t ask = oas_keyring_question(ring->issuer);
    oas_keys_told_t told;
    apr_status_t rv;
    int full = 0, i;

    *again = 0;
    ask.have = *ring->seen != '\0' ? ring->seen : NULL;
    rv = oas_store_keys_follow(tx->db, &ask, &told, tx->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (told.rows != NULL) {
        take_told(ring, &told, tx->pool);
        *again = reseal(ring, tx, told.rows) > 0;
    }
    for (i = 0; i < told.due->nelts && rv == APR_SUCCESS; i++) {
        const char *due = APR_ARRAY_IDX(told.due, i, const char *);

        full |= tell_full(ring, due);
        rv = do_due(tx, due);
        *again |= !full;
    }
    ring->full = full;
    return rv;
}

apr_status_t oas_keyring_follow(oas_keyring_t *ring, oas_tx_t *tx)
{
    apr_status_t rv = APR_SUCCESS;
    int again = 1, i;

    apr_thread_mutex_lock(ring->task);
    for (i = 0; i < ROUNDS && again && rv == APR_SUCCESS; i++) {
        rv = follow_once(ring, tx, &again);
    }
    apr_thread_mutex_unlock(ring->task);
    return rv;
}
