/* SPDX-License-Identifier: Apache-2.0 */
/* How long failures take, and who is asked. */
#include "unit.h"

#include "../../lib/login/ask.h"
#include "../../lib/login/desk.h"
#include "../../lib/login/pace.h"
#include "fake_tx.h"

#define MS(n) apr_time_from_msec(n)

static oas_pace_t *new_pace(int providers)
{
    oas_pace_t *pace;

    ck_assert_int_eq(oas_pace_create(&pace, providers, pool), APR_SUCCESS);
    return pace;
}

static void note(oas_pace_t *pace, int by, int count, int ms)
{
    while (count-- > 0) {
        oas_pace_note(pace, 0, by, MS(ms));
    }
}

START_TEST(the_slowest_sets_the_pace)
{
    oas_pace_t *pace = new_pace(2);

    ck_assert_int_eq(oas_pace_of(pace, 0), OAS_PACE_MIN);
    note(pace, 2, 8, 5); /* unknown everywhere */
    note(pace, 0, 8, 30);
    ck_assert_int_eq(oas_pace_of(pace, 0), OAS_PACE_MIN);
    note(pace, 1, 1, 350); /* the first of its kind counts at once */
    ck_assert_int_eq(oas_pace_of(pace, 0), MS(350));
    note(pace, 2, 100, 5); /* others do not make it forgotten */
    ck_assert_int_eq(oas_pace_of(pace, 0), MS(350));
    ck_assert_int_eq(oas_pace_of(pace, 1), OAS_PACE_MIN);
    note(pace, 1, OAS_PACE_KEPT, 250); /* it has become faster */
    ck_assert_int_eq(oas_pace_of(pace, 0), MS(250));
}
END_TEST

START_TEST(hiccups_and_bounds)
{
    oas_pace_t *pace = new_pace(1);

    note(pace, 0, 10, 300);
    note(pace, 0, 1, 1500);
    ck_assert_int_eq(oas_pace_of(pace, 0), MS(300));
    note(pace, 0, 1, 1200);
    ck_assert_int_eq(oas_pace_of(pace, 0), MS(1200));
    note(pace, 0, OAS_PACE_KEPT, 60000);
    ck_assert_int_eq(oas_pace_of(pace, 0), OAS_PACE_MAX);
    note(pace, 0, OAS_PACE_KEPT, -1000); /* a clock was set back */
    ck_assert_int_eq(oas_pace_of(pace, 0), OAS_PACE_MIN);
}
END_TEST

START_TEST(chains_are_apart)
{
    oas_pace_t *pace = new_pace(2);

    oas_pace_note(pace, 2, 1, MS(700));
    ck_assert_int_eq(oas_pace_of(pace, 0), OAS_PACE_MIN);
    ck_assert_int_eq(oas_pace_of(pace, 1), OAS_PACE_MIN);
    ck_assert_int_eq(oas_pace_of(pace, 2), MS(700));
}
END_TEST

START_TEST(desks)
{
    static const struct {
        int threads, sign_ins, providers;
    } sizes[] = {{1, 1, 1}, {25, 18, 9}, {64, 48, 24}};
    oas_gate_stats_t stats;
    oas_desk_t *desk;
    apr_size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ck_assert_int_eq(oas_desk_create(&desk, sizes[i].threads, pool), APR_SUCCESS);
        oas_gate_stats(desk->sign_ins, &stats);
        ck_assert_int_eq(stats.max, sizes[i].sign_ins);
        oas_gate_stats(desk->providers, &stats);
        ck_assert_int_eq(stats.max, sizes[i].providers);
    }
}
END_TEST

/* ---- asking ---- */

/* Providers: "yes" grants, "no" denies, "?" knows nobody, "away" cannot tell, "busy" has no room.
 */
static oas_password_result_t fake_check(oas_tx_t *tx, const char *provider, const char *user,
                                        const char *password, oas_identity_t *identity)
{
    static const struct {
        const char *name;
        oas_password_result_t result;
    } rows[] = {{"yes", OAS_PASSWORD_GRANTED},
                {"no", OAS_PASSWORD_DENIED},
                {"away", OAS_PASSWORD_UNAVAILABLE},
                {"busy", OAS_PASSWORD_BUSY}};
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, provider) == 0) {
            return rows[i].result;
        }
    }
    return OAS_PASSWORD_UNKNOWN;
}

static const oas_host_t host = {.check_password = fake_check};

static const struct {
    const char *providers, *only;
    oas_password_result_t result;
    const char *last; /* who was asked last */
    int held_back;
} questions[] = {
    {"yes no", NULL, OAS_PASSWORD_GRANTED, "yes", 0},
    {"no yes", NULL, OAS_PASSWORD_DENIED, "no", 1}, /* whoever knows the user has the say */
    {"? yes", NULL, OAS_PASSWORD_GRANTED, "yes", 0},
    {"?", NULL, OAS_PASSWORD_UNKNOWN, "?", 1},
    {"? away yes", NULL, OAS_PASSWORD_UNAVAILABLE, "away", 0}, /* not: wrong; not: the next */
    {"busy yes", NULL, OAS_PASSWORD_BUSY, "busy", 0},
    {"yes no", "no", OAS_PASSWORD_DENIED, "no", 1},
    {"no yes", "yes", OAS_PASSWORD_GRANTED, "yes", 0},
};

static oas_tx_t *asking_tx(const char *providers)
{
    oas_tx_t *tx = fake_tx(pool);

    tx->host = &host;
    oas_words_parse(&((oas_issuer_t *)tx->issuer)->password_providers, providers, pool);
    tx->pace = new_pace(tx->issuer->password_providers->nelts);
    return tx;
}

START_TEST(providers_in_turn)
{
    oas_tx_t *tx = asking_tx(questions[_i].providers);
    oas_identity_t identity = {0};
    apr_time_t started = apr_time_now();

    ck_assert_int_eq(oas_ask_providers(tx, questions[_i].only, "alice", "x", &identity),
                     questions[_i].result);
    ck_assert_str_eq(identity.provider, questions[_i].last);
    if (questions[_i].held_back) {
        ck_assert_int_ge(apr_time_now() - started, OAS_PACE_MIN);
    }
}
END_TEST

START_TEST(too_long_for_anybody)
{
    oas_tx_t *tx = asking_tx("yes");
    char text[OAS_PASSWORD_MAX + 2];
    oas_identity_t identity = {0};

    memset(text, 'x', sizeof(text));
    text[OAS_PASSWORD_MAX + 1] = '\0';
    ck_assert_int_eq(oas_ask_providers(tx, NULL, "alice", text, &identity), OAS_PASSWORD_UNKNOWN);
    text[OAS_USERNAME_MAX + 1] = '\0';
    ck_assert_int_eq(oas_ask_providers(tx, NULL, text, "x", &identity), OAS_PASSWORD_UNKNOWN);
    ck_assert_ptr_null(identity.provider);
    text[OAS_USERNAME_MAX] = '\0';
    ck_assert_int_eq(oas_ask_providers(tx, NULL, text, "x", &identity), OAS_PASSWORD_GRANTED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pace");
    TCase *tcase = unit_case(suite, "pace");

    tcase_add_test(tcase, the_slowest_sets_the_pace);
    tcase_add_test(tcase, hiccups_and_bounds);
    tcase_add_test(tcase, chains_are_apart);
    tcase_add_test(tcase, desks);
    tcase_add_loop_test(tcase, providers_in_turn, 0, sizeof(questions) / sizeof(questions[0]));
    tcase_add_test(tcase, too_long_for_anybody);
    return unit_run(suite);
}
