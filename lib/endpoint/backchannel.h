/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file backchannel.h
 * Delivers queued logouts (store/logout.h) to the clients (OpenID Connect Back-Channel Logout 1.0),
 * many at once and never in a user's request: a client that hangs delays no other one. An answer of
 * 2xx is a delivery, 400 a refusal for good; everything else is tried again, after a second and
 * then twice as long each time, until the queue lets go of it.
 */
#ifndef OAS_ENDPOINT_BACKCHANNEL_H
#define OAS_ENDPOINT_BACKCHANNEL_H

#include "../base/tx.h"

#define OAS_DELIVERIES_MAX        64 /**< under way in this process */
#define OAS_DELIVERIES_EXTRA      32 /**< of these such as are extra (store/logout.h) */
#define OAS_DELIVERIES_PER_CLIENT 4  /**< under way to one client, on all nodes together */
#define OAS_DELIVERY_LEASE        apr_time_from_sec(30)
#define OAS_DELIVERY_RETRY        apr_time_from_sec(1) /**< after the first failure */
#define OAS_DELIVERY_RETRY_MAX    apr_time_from_sec(900)

/** Deliveries of one thread, of whatever issuers. */
typedef struct oas_delivery oas_delivery_t;

apr_status_t oas_delivery_create(oas_delivery_t **out, apr_pool_t *pool);

/**
 * Takes logouts of one issuer that are due and begins to send them. tx->db holds no connection
 * afterwards.
 * @param tx no request: issuer, keys, db, clients, salts, log, host and pool. Without keys nothing
 *           is taken: another node can sign, or this one later
 * @param source what the issuer is called later, by oas_delivery_next
 * @return that of the store; other issuers may go on
 */
apr_status_t oas_delivery_begin(oas_delivery_t *delivery, oas_tx_t *tx, void *source);

/** How many are under way. */
int oas_delivery_count(const oas_delivery_t *delivery);

/** Waits for at most `time` until one has ended, and returns its source; NULL: none has. It counts
 * as under way until oas_delivery_settle. */
void *oas_delivery_next(oas_delivery_t *delivery, apr_interval_time_t time);

/** Writes down what became of the one that oas_delivery_next returned: tx is its source's. When the
 * store cannot be reached it will be sent again once its lease has ended. */
apr_status_t oas_delivery_settle(oas_delivery_t *delivery, oas_tx_t *tx);

/** The source of any that is under way, which is given up; NULL when there is none. As with
 * oas_delivery_next, oas_delivery_settle follows: it is due again at once. */
void *oas_delivery_give_up(oas_delivery_t *delivery);

#endif
