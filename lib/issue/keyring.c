/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include "../base/audit.h"
#include "../base/box.h"
#include "../base/json.h"
#include "../jose/sealed.h"
#include "../store/key.h"
#include "logout_token.h"

#define DAY         apr_time_from_sec(86400)
#define WRITER_DIED apr_time_from_sec(10) /* who is at it for so long does it no more */
#define READ_TRIES  5
#define ROUNDS      3 /* what is done makes more due: a key that is made is to be taken over */

/** What the database told, as the processes share it. */
typedef struct {
    char ring[OAS_RING_MAX + 1];
    int count;
    oas_key_row_t rows[OAS_KEYS_MAX];
} image_t;

/** Two images in turn, so that nobody reads what is being written: generation, when it is not 0,
 * says which. */
struct oas_keyring_area {
    apr_uint32_t generation;
    apr_int64_t writing; /**< since when somebody does, or 0 */
    apr_int64_t asked;   /**< when the database was asked last */
    image_t images[2];
};

/** A key set in a pool of its own, as long as somebody holds it. */
typedef struct {
    oas_keyring_t *ring;
    apr_pool_t *pool;
    oas_keyset_t *set;
    int holders;
} snapshot_t;

struct oas_keyring {
    const oas_issuer_t *issuer;
    const oas_log_t *log;
    oas_keyring_area_t *area;
    apr_thread_mutex_t *mutex; /* of current and all holders */
    snapshot_t *current;
    apr_thread_mutex_t *task;    /* of whoever takes over what is new; the next two are his */
    apr_uint32_t generation;     /* of the area, that it has looked at */
    char seen[OAS_RING_MAX + 1]; /* version of the keyring that it has looked at */
};

oas_words_t *oas_issuer_algs(const oas_issuer_t *issuer, apr_pool_t *pool)
{
    oas_words_t *names = oas_words_create(pool);
    const oas_alg_t *alg;
    int i;

    for (i = 0; (alg = oas_alg_at(i)) != NULL; i++) {
        if (oas_issuer_signs(issuer, oas_alg_name(alg))) {
            APR_ARRAY_PUSH(names, const char *) = oas_alg_name(alg);
        }
    }
    return names;
}

int oas_issuer_signs(const oas_issuer_t *issuer, const char *alg)
{
    const oas_signing_t *signing = &issuer->signing;

    return (signing->ring != NULL && oas_words_has(signing->ring, alg)) ||
           oas_keyset_signer(signing->keys, alg) != NULL;
}

apr_interval_time_t oas_keyring_lead(const oas_issuer_t *issuer)
{
    return issuer->lifetimes[OAS_LIFETIME_JWKS] + OAS_KEYRING_MARGIN;
}

apr_size_t oas_keyring_area_size(void)
{
    return sizeof(oas_keyring_area_t);
}

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

static oas_bytes_t sealed_of(const oas_key_row_t *row)
{
    const oas_bytes_t out = {row->sealed, row->sealed_len};

    return out;
}

/* A key whose algorithm the configuration has given up still verifies. */
static oas_key_state_t state_here(const oas_keyring_t *ring, const oas_key_row_t *row)
{
    return row->state == OAS_KEY_ACTIVE && !oas_words_has(ring->issuer->signing.ring, row->alg)
               ? OAS_KEY_RETIRED
               : row->state;
}

/* 0: the key cannot be used here. */
static int add_key(oas_keyring_t *ring, oas_keyset_t *set, const oas_key_row_t *row,
                   apr_pool_t *pool)
{
    const oas_seal_for_t issuer = whose(ring->issuer);
    const oas_alg_t *alg = oas_alg_find(row->alg);
    oas_jwk_t *jwk = NULL;
    apr_status_t rv = APR_EINVAL;

    if (alg != NULL) {
        rv = oas_key_open(&jwk, sealed_of(row), row->kid, alg, &issuer, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = oas_keyset_add(set, jwk, alg, state_here(ring, row));
        if (rv == APR_SUCCESS) {
            oas_keyset_note_times(set, &row->times);
        } else if (rv == APR_EEXIST && oas_keyset_find(set, row->kid, row->alg) != NULL) {
            rv = APR_SUCCESS; /* the configuration has the same one */
        }
    }
    if (rv != APR_SUCCESS) {
        oas_log(ring->log, OAS_LOG_ERROR, OAS_TAG(01070), rv,
                "key %s (%s) of the keyring cannot be used: %s", row->kid, row->alg,
                rv == APR_ENOENT ? "it is sealed with a secret that is not in OAuth2ASSecret here"
                                 : "it is damaged, or no key of this issuer");
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

/**
 * Makes a key set of these rows and puts it in place. Rather than with a part of the keys this node
 * goes on with what it has; with a part, when it has nothing and that part can sign.
 * @return 1: they are all in place
 */
static int take(oas_keyring_t *ring, const oas_key_row_t *rows, int count)
{
    snapshot_t *snapshot;
    apr_pool_t *pool;
    int good = 1, i;

    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 0;
    }
    snapshot = apr_pcalloc(pool, sizeof(*snapshot));
    snapshot->ring = ring;
    snapshot->pool = pool;
    snapshot->set = oas_keyset_copy(ring->issuer->signing.keys, pool);
    for (i = 0; i < count; i++) {
        good &= add_key(ring, snapshot->set, &rows[i], pool);
    }
    if ((good || ring->current == NULL) && signs_all(ring, snapshot->set) &&
        oas_keyset_publish(snapshot->set) == APR_SUCCESS) {
        replace_current(ring, snapshot);
        return good;
    }
    apr_pool_destroy(pool);
    return 0;
}

/* A copy of the present image in `pool`; NULL: there is none, or it changes all the time. */
static const image_t *read_area(const oas_keyring_area_t *area, apr_uint32_t *generation,
                                apr_pool_t *pool)
{
    image_t *copy = apr_palloc(pool, sizeof(*copy));
    int i;

    oas_wipe_with_pool(pool, copy, sizeof(*copy));
    for (i = 0; i < READ_TRIES; i++) {
        *generation = __atomic_load_n(&area->generation, __ATOMIC_ACQUIRE);
        if (*generation == 0) {
            return NULL;
        }
        memcpy(copy, &area->images[*generation & 1], sizeof(*copy));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&area->generation, __ATOMIC_RELAXED) == *generation) {
            copy->ring[OAS_RING_MAX] = '\0';
            return copy->count >= 0 && copy->count <= OAS_KEYS_MAX ? copy : NULL;
        }
    }
    return NULL;
}

/* One process writes at a time; another one's words are as good, so nobody waits. */
static void write_area(oas_keyring_t *ring, const char *version, const apr_array_header_t *rows)
{
    oas_keyring_area_t *area = ring->area;
    apr_int64_t now = apr_time_now();
    apr_int64_t since = __atomic_load_n(&area->writing, __ATOMIC_ACQUIRE);
    apr_uint32_t next;
    image_t *image;

    if ((since != 0 && now - since < WRITER_DIED && since <= now) ||
        !__atomic_compare_exchange_n(&area->writing, &since, now, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        return;
    }
    next = __atomic_load_n(&area->generation, __ATOMIC_ACQUIRE) + 1;
    next += next == 0 ? 2 : 0;
    image = &area->images[next & 1];
    apr_cpystrn(image->ring, version, sizeof(image->ring));
    image->count = rows->nelts;
    memcpy(image->rows, rows->elts, (apr_size_t)rows->nelts * sizeof(oas_key_row_t));
    __atomic_store_n(&area->generation, next, __ATOMIC_RELEASE);
    __atomic_store_n(&area->writing, 0, __ATOMIC_RELEASE);
    ring->generation = next;
}

static void note_seen(oas_keyring_t *ring, const char *version)
{
    apr_cpystrn(ring->seen, version, sizeof(ring->seen));
}

/* 0: some key rests under a former secret, so somebody has to ask for it and seal it anew. */
static int all_current(const oas_keyring_t *ring, const image_t *image)
{
    int i;

    for (i = 0; i < image->count; i++) {
        if (!oas_box_is_current(ring->issuer->secrets, sealed_of(&image->rows[i]))) {
            return 0;
        }
    }
    return 1;
}

static void adopt(oas_keyring_t *ring, apr_pool_t *pool)
{
    apr_uint32_t generation = __atomic_load_n(&ring->area->generation, __ATOMIC_ACQUIRE);
    const image_t *image;

    if (generation != ring->generation && (image = read_area(ring->area, &generation, pool))) {
        ring->generation = generation;
        if (take(ring, image->rows, image->count) && all_current(ring, image)) {
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
    json_t *more = oas_json_object(tx->pool);

    oas_log(tx->log, OAS_LOG_NOTICE, tag, APR_SUCCESS, "key %s for %s of the keyring %s", kid, alg,
            words);
    oas_json_set(more, "kid", kid);
    oas_json_set(more, "alg", alg);
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

/* Keys that rest under a former secret come under the first one, so that the former can go. Another
 * node may be faster: the row has another version then. @return how many */
static int reseal(oas_tx_t *tx, const apr_array_header_t *rows)
{
    const oas_seal_for_t issuer = whose(tx->issuer);
    int count = 0, i;

    for (i = 0; i < rows->nelts; i++) {
        const oas_key_row_t *row = &APR_ARRAY_IDX(rows, i, oas_key_row_t);
        const oas_alg_t *alg = oas_alg_find(row->alg);
        oas_bytes_t sealed;
        oas_jwk_t *jwk;

        if (oas_box_is_current(issuer.secrets, sealed_of(row)) ||
            oas_key_open(&jwk, sealed_of(row), row->kid, alg, &issuer, tx->pool) != APR_SUCCESS ||
            oas_key_seal(&sealed, jwk, alg, &issuer, tx->pool) != APR_SUCCESS) {
            continue;
        }
        count +=
            oas_store_key_reseal(tx->db, row->kid, row->version, sealed, tx->pool) == APR_SUCCESS;
    }
    return count;
}

static oas_keys_ask_t question(const oas_keyring_t *ring)
{
    const oas_issuer_t *issuer = ring->issuer;
    apr_interval_time_t lead = oas_keyring_lead(issuer);
    apr_interval_time_t rotate = issuer->signing.rotate;
    apr_interval_time_t ahead = rotate / 2 < DAY ? rotate / 2 : DAY;
    apr_interval_time_t token = oas_longest_token(issuer);
    oas_keys_ask_t ask = {.have = *ring->seen != '\0' ? ring->seen : NULL,
                          .algs = issuer->signing.ring,
                          .lead = lead,
                          .rotate = rotate,
                          .ahead = ahead > lead ? ahead : lead};

    if (token < apr_time_from_sec(OAS_LOGOUT_TOKEN_LIFETIME)) {
        token = apr_time_from_sec(OAS_LOGOUT_TOKEN_LIFETIME);
    }
    ask.token = apr_time_sec(token + issuer->clock_skew);
    return ask;
}

/* One question and what follows from it; *again: something has been done, so ask once more. */
static apr_status_t follow_once(oas_keyring_t *ring, oas_tx_t *tx, int *again)
{
    const oas_keys_ask_t ask = question(ring);
    oas_keys_told_t told;
    apr_status_t rv = oas_store_keys_follow(tx->db, &ask, &told, tx->pool);
    int i;

    *again = 0;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (told.rows != NULL) {
        note_seen(ring, told.ring);
        if (take(ring, (const oas_key_row_t *)told.rows->elts, told.rows->nelts)) {
            write_area(ring, told.ring, told.rows);
            *again = reseal(tx, told.rows) > 0;
        }
    }
    for (i = 0; i < told.due->nelts && rv == APR_SUCCESS; i++) {
        rv = do_due(tx, APR_ARRAY_IDX(told.due, i, const char *));
        *again = 1;
    }
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
