/* SPDX-License-Identifier: Apache-2.0 */
#include "database.h"

#include <ap_mpm.h>
#include <apr_dbd.h>
#include <apr_env.h>
#include <apr_hash.h>
#include <apr_optional.h>
#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <mod_dbd.h>
#include "../base/metrics.h"
#include "log.h"
#include "park.h"
#include "request.h"

#define POOL_NOTE       "oas_dbd_pool"
#define DEFAULT_WAIT    apr_time_from_msec(250) /* where no issuer says otherwise */
#define OPENING         apr_time_from_sec(2)    /* while a new process makes its connections */
#define CONNECT_TIMEOUT "2"                     /* seconds, for each host */

static APR_OPTIONAL_FN_TYPE(ap_dbd_acquire) * acquire_fn;
static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * open_fn;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * close_fn;

/** A pool of mod_dbd as this child knows it. */
typedef struct {
    oas_gate_t *gate;
    oas_park_t *park; /* NULL: nothing is parked */
} dbd_pool_t;

/** The pools of one child: virtual hosts with the same pool of mod_dbd share one. */
typedef struct {
    apr_pool_t *pool;
    apr_thread_mutex_t *mutex;
    apr_hash_t *pools;  /* dbd_cfg_t * -> dbd_pool_t * */
    int has_threads;    /* of the MPM's */
    oas_db_t *borrower; /* without them: the request that has a connection, or NULL */
} registry_t;

/** What one virtual host has in a child process. */
struct oas_child {
    registry_t *registry;
    dbd_pool_t *pool;
    int known; /* 1: this is the pool that this host really uses */
};

/** Noted in the pool of each connection: where it came from. */
typedef struct {
    dbd_cfg_t *cfg;
    ap_dbd_t *rec;
} origin_t;

static void fill_dbd(oas_dbd_t *out, const ap_dbd_t *rec, int kept)
{
    out->kept = kept;
    out->stale = 0;
    out->limit = 0;
    out->driver = rec->driver;
    out->handle = rec->handle;
    out->pool = rec->pool;
}

/**
 * After a reset the server has forgotten the statements of all modules, and mod_dbd does not know.
 * The structures it has stay valid: they only hold the names under which we prepare again.
 */
static void prepare_others(void *baton, const oas_dbd_t *dbd)
{
    const origin_t *origin = baton;
    apr_hash_index_t *hi;
    apr_pool_t *pool;

    if (apr_pool_create(&pool, dbd->pool) != APR_SUCCESS) {
        return;
    }
    for (hi = apr_hash_first(pool, origin->cfg->queries); hi != NULL; hi = apr_hash_next(hi)) {
        apr_dbd_prepared_t *statement = NULL;
        apr_dbd_prepare(dbd->driver, pool, dbd->handle, apr_hash_this_val(hi),
                        apr_hash_this_key(hi), &statement);
    }
    apr_pool_destroy(pool);
}

/** mod_dbd's hook for each new connection. Its pool argument dies early; the connection's own does
 * not. */
static apr_status_t on_connect(apr_pool_t *pool, dbd_cfg_t *cfg, ap_dbd_t *rec)
{
    oas_server_config_t *config = oas_server_config(cfg->server);
    origin_t *origin = apr_pcalloc(rec->pool, sizeof(*origin));
    oas_dbd_t *dbd = apr_pcalloc(rec->pool, sizeof(*dbd));

    origin->cfg = cfg;
    origin->rec = rec;
    fill_dbd(dbd, rec, 0);
    dbd->limit = config->issuer.url != NULL ? config->issuer.database_timeout : 0;
    apr_pool_userdata_setn(origin, POOL_NOTE, NULL, rec->pool);
    oas_db_connected(dbd, cfg, cfg->nmax, prepare_others, origin, &config->log);
    return APR_SUCCESS;
}

void oas_database_listen(void)
{
    APR_OPTIONAL_HOOK(dbd, post_connect, on_connect, NULL, NULL, APR_HOOK_MIDDLE);
}

void oas_database_find(apr_pool_t *pool)
{
    char *set;

    /* libpq's own default is to wait without limit; mod_dbd connects under a mutex */
    if (apr_env_get(&set, "PGCONNECT_TIMEOUT", pool) != APR_SUCCESS) {
        apr_env_set("PGCONNECT_TIMEOUT", CONNECT_TIMEOUT, pool);
    }
    acquire_fn = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_acquire);
    open_fn = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    close_fn = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
}

/** mod_dbd aborts the process when somebody still has a connection of it at the end. Under MPM
 * prefork the end comes in the middle of a request, by a signal. */
static apr_status_t empty_parks(void *data)
{
    registry_t *registry = data;
    oas_db_t *borrower = registry->borrower;
    apr_hash_index_t *hi;

    for (hi = apr_hash_first(NULL, registry->pools); hi != NULL; hi = apr_hash_next(hi)) {
        oas_park_t *park = ((dbd_pool_t *)apr_hash_this_val(hi))->park;
        ap_dbd_t *rec;
        int stale;

        if (park == NULL) {
            continue;
        }
        oas_park_close(park);
        while ((rec = oas_park_take(park, &stale)) != NULL) {
            close_fn(oas_park_server(park), rec);
        }
    }
    if (borrower != NULL) {
        oas_db_release(borrower);
    }
    return APR_SUCCESS;
}

apr_status_t oas_database_child(apr_pool_t *pchild, server_rec *main_server)
{
    registry_t *registry = apr_pcalloc(pchild, sizeof(*registry));
    apr_status_t rv;
    server_rec *s;

    registry->pool = pchild;
    registry->pools = apr_hash_make(pchild);
    ap_mpm_query(AP_MPMQ_IS_THREADED, &registry->has_threads);
    apr_pool_pre_cleanup_register(pchild, registry, empty_parks);
    rv = apr_thread_mutex_create(&registry->mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    for (s = main_server; s != NULL && rv == APR_SUCCESS; s = s->next) {
        struct oas_child *child = apr_pcalloc(pchild, sizeof(*child));
        child->registry = registry;
        child->pool = apr_pcalloc(pchild, sizeof(*child->pool));
        rv = oas_gate_create(&child->pool->gate, pchild);
        if (rv == APR_SUCCESS) {
            oas_gate_share(child->pool->gate, oas_server_config(s)->undo_area);
            oas_gate_open(child->pool->gate, OPENING);
        }
        oas_server_config(s)->child = child;
    }
    return rv;
}

/**
 * Learns from a host's first connection which pool it uses. The first host's gate gets the pool's
 * size and becomes the pool's; other hosts of the same pool change over to it. What requests have
 * left unsettled behind a gate of before, and those under way still will, is the pool's too.
 */
static void learn_pool(struct oas_child *child, const ap_dbd_t *rec)
{
    registry_t *registry = child->registry;
    void *note = NULL;
    dbd_pool_t *pool;

    apr_pool_userdata_get(&note, POOL_NOTE, rec->pool);
    if (note == NULL) {
        return;
    }
    apr_thread_mutex_lock(registry->mutex);
    if (!child->known) {
        dbd_cfg_t *cfg = ((origin_t *)note)->cfg;

        pool = apr_hash_get(registry->pools, &cfg, sizeof(cfg));
        if (pool == NULL) {
            pool = apr_pmemdup(registry->pool, child->pool, sizeof(*pool));
            pool->park = oas_park_create(cfg, registry->pool);
            oas_gate_size(pool->gate, cfg->nmax);
            oas_gauge_add(OAS_M_POOL_SIZE, cfg->nmax);
            apr_hash_set(registry->pools, apr_pmemdup(registry->pool, &cfg, sizeof(cfg)),
                         sizeof(cfg), pool);
        } else {
            oas_gate_join(child->pool->gate, pool->gate);
        }
        __atomic_store_n(&child->pool, pool, __ATOMIC_RELEASE);
        __atomic_store_n(&child->known, 1, __ATOMIC_RELEASE);
    }
    apr_thread_mutex_unlock(registry->mutex);
}

static void note_pool(struct oas_child *child, const ap_dbd_t *rec)
{
    if (!__atomic_load_n(&child->known, __ATOMIC_ACQUIRE)) {
        learn_pool(child, rec);
    }
}

static const dbd_pool_t *pool_of(const oas_server_config_t *config)
{
    return __atomic_load_n(&config->child->pool, __ATOMIC_ACQUIRE);
}

/** One that can be given back early. */
static ap_dbd_t *borrow_early(const oas_server_config_t *config, apr_pool_t *pool, oas_dbd_t *out)
{
    oas_park_t *park = pool_of(config)->park;
    int stale = 0;
    ap_dbd_t *rec = park != NULL ? oas_park_take(park, &stale) : NULL;

    if (rec == NULL && open_fn != NULL) {
        rec = open_fn(pool, config->server);
    }
    if (rec != NULL) {
        note_pool(config->child, rec);
        fill_dbd(out, rec, 0);
        out->stale = stale;
    }
    return rec;
}

static void give_back(const oas_server_config_t *config, ap_dbd_t *rec, const oas_dbd_t *dbd)
{
    oas_park_t *park = pool_of(config)->park;
    ap_dbd_t *left_over = park != NULL ? oas_park_put(park, rec, dbd->stale) : rec;

    if (left_over != NULL) {
        close_fn(config->server, left_over);
    }
}

/** One that is shared with another module until the request ends: it has to find one in mod_dbd. */
static ap_dbd_t *borrow_shared(const oas_server_config_t *config, request_rec *r, oas_dbd_t *out)
{
    oas_park_t *park = pool_of(config)->park;
    int stale;
    ap_dbd_t *rec = park != NULL ? oas_park_take(park, &stale) : NULL;

    if (rec != NULL) {
        close_fn(config->server, rec);
    }
    rec = acquire_fn(r);
    if (rec != NULL) {
        note_pool(config->child, rec);
        fill_dbd(out, rec, 1);
    }
    return rec;
}

static void note_borrower(const oas_request_state_t *state, oas_db_t *db)
{
    registry_t *registry = state->config->child->registry;

    if (!registry->has_threads) {
        registry->borrower = db;
    }
}

/**
 * A connection that can be given back before the answer is sent. Once another provider has checked
 * a password in this request, mod_authn_dbd may hold one until the request ends; a second one could
 * wait for ever (each request holding one of the pool and waiting for another), so that one is
 * shared.
 */
static apr_status_t borrow_for_request(void *baton, oas_dbd_t *out)
{
    oas_request_state_t *state = baton;
    request_rec *r = state->r;

    if (acquire_fn == NULL) {
        return APR_EGENERAL;
    }
    state->rec = state->share_connection ? borrow_shared(state->config, r, out)
                                         : borrow_early(state->config, r->pool, out);
    note_borrower(state, state->rec != NULL ? state->db : NULL);
    return state->rec != NULL ? APR_SUCCESS : APR_EGENERAL;
}

static void give_back_request(void *baton, oas_dbd_t *dbd)
{
    oas_request_state_t *state = baton;

    note_borrower(state, NULL);
    give_back(state->config, state->rec, dbd);
}

static oas_gate_t *gate_of(const oas_server_config_t *config)
{
    return pool_of(config)->gate;
}

static oas_db_t *make_db(oas_server_config_t *config, const oas_db_source_t *source, void *baton,
                         const oas_log_t *log, apr_pool_t *pool)
{
    const oas_issuer_t *issuer = &config->issuer;
    oas_db_t *db = oas_db_create(pool, source, baton, issuer->url, gate_of(config),
                                 issuer->url != NULL ? issuer->database_wait : DEFAULT_WAIT, log);

    if (issuer->url != NULL) {
        oas_db_limit(db, issuer->database_timeout);
    }
    return db;
}

int oas_database_away(oas_server_config_t *config)
{
    return oas_gate_is_away(gate_of(config));
}

int oas_database_unsettled(oas_server_config_t *config)
{
    return oas_gate_is_unsettled(gate_of(config)) && !oas_database_away(config);
}

int oas_database_turn(oas_server_config_t *config)
{
    return oas_gate_turn(gate_of(config));
}

oas_db_t *oas_request_db(request_rec *r)
{
    static const oas_db_source_t source = {borrow_for_request, give_back_request};
    oas_request_state_t *state;

    while (r->main != NULL || r->prev != NULL) {
        r = r->main != NULL ? r->main : r->prev;
    }
    state = oas_request_state(r);
    if (state->db == NULL) {
        state->db = make_db(state->config, &source, state, &state->log, r->pool);
    }
    return state->db;
}

/** A connection that was opened for work outside requests. */
typedef struct {
    oas_server_config_t *config;
    apr_pool_t *pool;
    ap_dbd_t *rec;
} background_t;

static apr_status_t borrow_for_background(void *baton, oas_dbd_t *out)
{
    background_t *background = baton;

    background->rec = borrow_early(background->config, background->pool, out);
    return background->rec != NULL ? APR_SUCCESS : APR_EGENERAL;
}

static void give_back_background(void *baton, oas_dbd_t *dbd)
{
    background_t *background = baton;

    give_back(background->config, background->rec, dbd);
}

static oas_db_t *make_background_db(oas_server_config_t *config, const oas_log_t *log,
                                    apr_pool_t *pool)
{
    static const oas_db_source_t source = {borrow_for_background, give_back_background};
    background_t *background = apr_pcalloc(pool, sizeof(*background));

    background->config = config;
    background->pool = pool;
    return make_db(config, &source, background, log, pool);
}

oas_db_t *oas_background_db(oas_server_config_t *config, apr_pool_t *pool)
{
    return make_background_db(config, &config->log, pool);
}

oas_db_t *oas_probing_db(oas_server_config_t *config, apr_pool_t *pool)
{
    return make_background_db(config, NULL, pool);
}
