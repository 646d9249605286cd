/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file park.h
 * Connections of one pool of mod_dbd that a child process keeps between two requests. mod_dbd makes
 * a connection while it holds the lock that everybody needs who borrows one or gives one back; who
 * parks here waits for nobody.
 */
#ifndef OAS_HTTPD_PARK_H
#define OAS_HTTPD_PARK_H

#include <apr_dbd.h>
#include <apr_pools.h>
#include <mod_dbd.h>

typedef struct oas_park oas_park_t;

/**
 * NULL: nothing is parked, because DBDPersist is off, DBDMax is 1, or other modules have statements
 * in this pool and need its connections as much as we do. Otherwise one more than is parked is left
 * to mod_dbd, for modules that ask without having said so.
 */
oas_park_t *oas_park_create(dbd_cfg_t *cfg, apr_pool_t *pool);

/** The one that was parked last; NULL: there is none. *stale: it is dead, or older than DBDExptime.
 */
ap_dbd_t *oas_park_take(oas_park_t *park, int *stale);

/** One that is stale is taken last, and makes room for one that is not. @return the one that there
 * is no room for, which has to go to mod_dbd; NULL: there is none */
ap_dbd_t *oas_park_put(oas_park_t *park, ap_dbd_t *rec, int stale);

/** From now on there is no room. */
void oas_park_close(oas_park_t *park);

/** A host of this pool, to give connections back with. */
server_rec *oas_park_server(const oas_park_t *park);

#endif
