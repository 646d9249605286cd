/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file race.h
 * Many threads, each with a connection of its own, do the same thing at the same moment.
 */
#ifndef OAS_TEST_RACE_H
#define OAS_TEST_RACE_H

#include <apr_pools.h>
#include "../../lib/store/refresh.h"
#include "../../lib/store/session.h"
#include "../lib/cluster.h"

#define RACERS 64

/** One thread with its connection. `pool` is cleared before each start. */
typedef struct {
    int index;
    apr_pool_t *pool;
    cluster_conn_t *conn;
    oas_db_t *db; /**< fresh at each start, as in each request */
} racer_t;

/** Counts one expectation; prints what was expected when it is not met. */
void race_expect(int met, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Lets `count` threads run `work` at once, and waits for them all. */
void race_run(int count, void (*work)(racer_t *racer, void *data), void *data);

/** Gives every racer a new connection. */
void race_connect(void);

/** How often each race is run: 50, or OAS_RACE_ROUNDS. */
int race_rounds(void);

/** Pool and access of the main thread; the pool is cleared by race_step. */
extern apr_pool_t *race_pool;
extern oas_db_t *race_db;
extern PGconn *race_owner;
void race_step(void);

/** A login of `sub`, stored; a code of client "shop" in it, not stored; the request that redeems
 * it. */
oas_session_new_t race_login(const char *sub);

/** A user of the built-in provider with the password hash "$y$hash", stored; a login of one, not
 * stored. */
const char *race_user(void);
oas_session_new_t race_login_of(const char *name);

/** Stores a login. */
void race_open(const oas_session_new_t *login);
oas_code_put_t race_code(const oas_session_new_t *login);
oas_code_redeem_t race_redeem(const oas_code_put_t *code);

/** Puts a code that race_code made; expects it to be put. */
void race_put(const oas_code_put_t *code);

/** Codes to redeem, a request for each racer, and what became of them. */
typedef struct {
    oas_code_redeem_t requests[RACERS];
    oas_redeem_outcome_t outcomes[RACERS];
    apr_status_t statuses[RACERS];
} race_redeems_t;

/** One racer's part of that: redeems a code, or puts one whose outcome does not matter. */
void race_redeem_by(racer_t *racer, race_redeems_t *all);
void race_put_by(racer_t *racer, race_redeems_t *all, const oas_code_put_t *code);

/** A family of client "shop", started, and the request that uses its first token; what that would
 * become is put into `child`, which the request points to. */
oas_refresh_t race_family(const char *sub, oas_refresh_child_t *child);

/** The request that uses the first token of a code's family. */
oas_refresh_t race_refresh_of(const oas_code_redeem_t *code, oas_refresh_child_t *child);

/** First cell of a query whose %s is the id of the family's grant in hex. */
const char *race_family_sql(const char *format, const oas_refresh_t *family);

/** The lineage is one line of that many tokens, and its last one is the head. */
void race_expect_lineage(const oas_refresh_t *family, int generation);

/** One round of a race. */
typedef struct {
    const char *name;
    void (*run)(void);
} race_round_t;

/** Repeats a round until one of its expectations is not met, which is what is expected now, and
 * says so; `why` says what was broken. */
void race_expect_red(const race_round_t *round, const char *why);

/** Random bytes. */
void race_random(unsigned char *out, apr_size_t len);

/** First cell of a query whose %s is the grant's id in hex. */
const char *race_grant_sql(const char *format, const oas_code_put_t *code);

void race_codes(void);
void race_sessions(void);
void race_consents(void);
void race_throttle(void);
void race_families(void);
void race_held(void);
void race_ends(void);
void race_logouts(void);
void race_keys(void);
void race_mutants(void);
void race_faults(void);

extern const race_round_t race_session_round, race_lock_round, race_login_round, race_person_round;
extern const race_round_t race_revoked_round, race_front_round, race_undo_round, race_spent_round;
extern const race_round_t race_first_key_round, race_activate_round, race_keys_round;
extern const race_round_t race_shortened_round;
extern const race_round_t race_claim_round, race_tracked_round, race_others_round;
extern const race_round_t race_rehash_round, race_rehash_passwd_round, race_change_round;

#endif
