/* SPDX-License-Identifier: Apache-2.0 */
#include "database.h"

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
#include "request.h"

#define POOL_NOTE       "oas_dbd_pool"
#define DEFAULT_WAIT    apr_time_from_msec(250) /* where no issuer says otherwise */
#define CONNECT_TIMEOUT "2"                     /* seconds, for each host */

static APR_OPTIONAL_FN_TYPE(ap_dbd_acquire) * acquire_fn;
static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * open_fn;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * close_fn;

/** The gates of one child: virtual hosts with the same pool of mod_dbd share one. */
typedef struct {
    apr_pool_t *pool;
    apr_thread_mutex_t *mutex;
    apr_hash_t *gates; /* dbd_cfg_t * -> oas_gate_t * */
} registry_t;

/** What one virtual host has in a child process. */
struct oas_child {
    registry_t *registry;
    oas_gate_t *gate;
    int known; /* 1: gate stands before the pool that this host really uses */
};

/** Noted in the pool of each connection: where it came from. */
typedef struct {
    dbd_cfg_t *cfg;
    ap_dbd_t *rec;
} origin_t;

static void fill_dbd(oas_dbd_t *out, const ap_dbd_t *rec, int kept)
{
    out->kept = kept;
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

apr_status_t oas_database_child(apr_pool_t *pchild, server_rec *main_server)
{
    registry_t *registry = apr_pcalloc(pchild, sizeof(*registry));
    apr_status_t rv;
    server_rec *s;

    registry->pool = pchild;
    registry->gates = apr_hash_make(pchild);
    rv = apr_thread_mutex_create(&registry->mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    for (s = main_server; s != NULL && rv == APR_SUCCESS; s = s->next) {
        struct oas_child *child = apr_pcalloc(pchild, sizeof(*child));
        child->registry = registry;
        rv = oas_gate_create(&child->gate, pchild);
        oas_server_config(s)->child = child;
    }
    return rv;
}

/**
 * Learns from a host's first connection which pool it uses. The first host's gate gets the pool's
 * size and becomes the pool's; other hosts of the same pool change over to it.
 */
static void learn_pool(struct oas_child *child, const ap_dbd_t *rec)
{
    registry_t *registry = child->registry;
    void *note = NULL;
    oas_gate_t *gate;

    apr_pool_userdata_get(&note, POOL_NOTE, rec->pool);
    if (note == NULL) {
        return;
    }
    apr_thread_mutex_lock(registry->mutex);
    if (!child->known) {
        dbd_cfg_t *cfg = ((origin_t *)note)->cfg;

        gate = apr_hash_get(registry->gates, &cfg, sizeof(cfg));
        if (gate == NULL) {
            gate = child->gate;
            oas_gate_size(gate, cfg->nmax);
            oas_gauge_add(OAS_M_POOL_SIZE, cfg->nmax);
            apr_hash_set(registry->gates, apr_pmemdup(registry->pool, &cfg, sizeof(cfg)),
                         sizeof(cfg), gate);
        }
        __atomic_store_n(&child->gate, gate, __ATOMIC_RELEASE);
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
    state->rec = state->share_connection ? acquire_fn(r) : open_fn(r->pool, r->server);
    if (state->rec == NULL) {
        return APR_EGENERAL;
    }
    note_pool(state->config->child, state->rec);
    fill_dbd(out, state->rec, state->share_connection);
    return APR_SUCCESS;
}

static void give_back_request(void *baton, oas_dbd_t *dbd)
{
    oas_request_state_t *state = baton;

    if (!dbd->kept) {
        close_fn(state->r->server, state->rec);
    }
}

static oas_gate_t *gate_of(const oas_server_config_t *config)
{
    return __atomic_load_n(&config->child->gate, __ATOMIC_ACQUIRE);
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

int oas_database_unsettled(oas_server_config_t *config)
{
    return oas_gate_is_unsettled(gate_of(config));
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

    background->rec =
        open_fn != NULL ? open_fn(background->pool, background->config->server) : NULL;
    if (background->rec == NULL) {
        return APR_EGENERAL;
    }
    note_pool(background->config->child, background->rec);
    fill_dbd(out, background->rec, 0);
    return APR_SUCCESS;
}

static void give_back_background(void *baton, oas_dbd_t *dbd)
{
    background_t *background = baton;

    close_fn(background->config->server, background->rec);
}

oas_db_t *oas_background_db(oas_server_config_t *config, apr_pool_t *pool)
{
    static const oas_db_source_t source = {borrow_for_background, give_back_background};
    background_t *background = apr_pcalloc(pool, sizeof(*background));

    background->config = config;
    background->pool = pool;
    return make_db(config, &source, background, &config->log, pool);
}
