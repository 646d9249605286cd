/* SPDX-License-Identifier: Apache-2.0 */
/* Signing and verifying our own: round trips, headers, threads. */
#include "jose_test.h"

#include <pthread.h>
#include <string.h>
#include <apr_strings.h>

#define THREADS    8
#define PER_THREAD 25

static const char *const algs[] = {"RS256", "PS256", "ES256", "EdDSA"};
static const char *const types[] = {"JWT", "at+jwt", "logout+jwt", NULL};

static void check_header(const char *text, const oas_signer_t *signer, const char *typ)
{
    oas_jws_t *jws;

    ck_assert_int_eq(oas_jws_parse(&jws, text, strlen(text), pool), APR_SUCCESS);
    ck_assert_str_eq(jws->alg, oas_signer_alg(signer));
    ck_assert_str_eq(jws->kid, oas_signer_kid(signer));
    ck_assert_pstr_eq(jws->typ, typ);
    ck_assert_uint_eq(json_object_size(jws->header), typ != NULL ? 3 : 2);
}

START_TEST(round_trip)
{
    oas_keyset_t *set = full_set();
    const oas_signer_t *signer = oas_keyset_signer(set, algs[_i]);
    apr_size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        json_t *claims = json_of("{\"sub\":\"file|alice\",\"exp\":1}"), *back;
        const char *text;
        oas_jws_t *jws;

        ck_assert_int_eq(oas_jwt_sign(&text, signer, types[i], oas_json_text(pool, claims), pool),
                         APR_SUCCESS);
        check_header(text, signer, types[i]);
        ck_assert_int_eq(check_own(text, set), APR_SUCCESS);
        ck_assert_int_eq(oas_jws_parse(&jws, text, strlen(text), pool), APR_SUCCESS);
        ck_assert_int_eq(oas_jwt_claims(&back, jws, pool), APR_SUCCESS);
        ck_assert_int_eq(json_equal(claims, back), 1);
    }
}
END_TEST

/* What we publish is enough to verify what we sign. */
START_TEST(published_key_verifies)
{
    oas_keyset_t *set = full_set();
    json_t *keys = json_object_get(oas_keyset_public(set, pool), "keys"), *key;
    const char *text;
    size_t i;

    ck_assert_int_eq(oas_jws_sign(&text, oas_keyset_signer(set, algs[_i]), NULL, "x", 1, pool),
                     APR_SUCCESS);
    json_array_foreach(keys, i, key)
    {
        oas_jwk_t *jwk;

        ck_assert_int_eq(oas_jwk_parse(&jwk, key, pool), APR_SUCCESS);
        ck_assert_int_eq(check_with(text, jwk), (int)i == _i ? APR_SUCCESS : APR_EACCES);
    }
}
END_TEST

/* A provider that cannot copy a prepared context is served all the same. */
START_TEST(unprepared_signer)
{
    oas_keyset_t *set = full_set();
    oas_signer_t bare = *oas_keyset_signer(set, algs[_i]);
    const char *text;

    bare.sign = bare.verify = NULL;
    ck_assert_int_eq(oas_jws_sign(&text, &bare, "JWT", "{}", 2, pool), APR_SUCCESS);
    ck_assert_int_eq(check_own(text, set), APR_SUCCESS);
}
END_TEST

START_TEST(signer_is_prepared)
{
    const oas_signer_t *signer = oas_keyset_signer(full_set(), algs[_i]);

    ck_assert_ptr_nonnull(signer->sign);
    ck_assert_ptr_nonnull(signer->verify);
}
END_TEST

START_TEST(payload_of_any_kind)
{
    static const char bytes[] = {0, 1, (char)0xff, '.', 0};
    oas_keyset_t *set = full_set();
    const oas_signer_t *signer = oas_keyset_signer(set, algs[_i]);
    oas_jws_t *jws;
    const char *text;

    ck_assert_int_eq(oas_jws_sign(&text, signer, NULL, bytes, sizeof(bytes), pool), APR_SUCCESS);
    ck_assert_int_eq(check_own(text, set), APR_SUCCESS);
    ck_assert_int_eq(oas_jws_parse(&jws, text, strlen(text), pool), APR_SUCCESS);
    ck_assert_uint_eq(jws->payload.len, sizeof(bytes));
    ck_assert_mem_eq(jws->payload.data, bytes, sizeof(bytes));
    ck_assert_int_eq(oas_jws_sign(&text, signer, NULL, "", 0, pool), APR_SUCCESS);
    ck_assert_int_eq(check_own(text, set), APR_SUCCESS);
}
END_TEST

START_TEST(claims_must_be_an_object)
{
    const oas_signer_t *signer = oas_keyset_default(full_set());
    const char *text;

    ck_assert_int_eq(oas_jwt_sign(&text, signer, "JWT", "[]", pool), APR_EGENERAL);
    ck_assert_int_eq(oas_jwt_sign(&text, signer, "JWT", NULL, pool), APR_EGENERAL);
    ck_assert_ptr_null(text);
}
END_TEST

/* r and s are numbers of any length in DER: over many signatures short ones occur, too. */
START_TEST(es256_pads_short_numbers)
{
    oas_keyset_t *set = full_set();
    const oas_signer_t *signer = oas_keyset_signer(set, "ES256");
    int i, short_ones = 0;

    for (i = 0; i < 2000; i++) {
        oas_bytes_t sig;

        ck_assert_int_eq(oas_alg_sign(&sig, signer->alg, signer->jwk->key, signer->sign,
                                      (const char *)&i, sizeof(i), pool),
                         APR_SUCCESS);
        ck_assert_uint_eq(sig.len, 64);
        short_ones += sig.data[0] == 0 || sig.data[32] == 0;
        ck_assert_int_eq(oas_alg_verify(signer->alg, signer->jwk->key, signer->verify,
                                        (const char *)&i, sizeof(i), sig),
                         APR_SUCCESS);
    }
    ck_assert_int_gt(short_ones, 0);
}
END_TEST

typedef struct {
    const oas_keyset_t *set;
    int number;
    int good;
} worker_t;

static void *work(void *baton)
{
    worker_t *worker = baton;
    apr_pool_t *own;
    int i;

    if (apr_pool_create_unmanaged_ex(&own, NULL, NULL) != APR_SUCCESS) {
        return NULL;
    }
    for (i = 0; i < PER_THREAD; i++) {
        const oas_signer_t *signer = oas_keyset_signer(worker->set, algs[i % 4]);
        char *payload = apr_psprintf(own, "%d/%d", worker->number, i);
        oas_jws_t *jws;
        const char *text;

        worker->good += oas_jws_sign(&text, signer, types[i % 3], payload, strlen(payload), own) ==
                            APR_SUCCESS &&
                        oas_jws_parse(&jws, text, strlen(text), own) == APR_SUCCESS &&
                        oas_jws_verify_own(jws, worker->set) == APR_SUCCESS &&
                        oas_jws_verify(jws, signer->jwk) == APR_SUCCESS &&
                        strcmp((const char *)jws->payload.data, payload) == 0;
        apr_pool_clear(own);
    }
    apr_pool_destroy(own);
    return NULL;
}

START_TEST(threads_share_a_set)
{
    oas_keyset_t *set = full_set();
    worker_t workers[THREADS];
    pthread_t threads[THREADS];
    int i;

    for (i = 0; i < THREADS; i++) {
        workers[i] = (worker_t){set, i, 0};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(workers[i].good, PER_THREAD);
    }
}
END_TEST

Suite *sign_suite(void)
{
    Suite *suite = suite_create("sign");
    TCase *tcase = add_case(suite, "own");

    tcase_add_loop_test(tcase, round_trip, 0, 4);
    tcase_add_loop_test(tcase, published_key_verifies, 0, 4);
    tcase_add_loop_test(tcase, unprepared_signer, 0, 4);
    tcase_add_loop_test(tcase, signer_is_prepared, 0, 4);
    tcase_add_loop_test(tcase, payload_of_any_kind, 0, 4);
    tcase_add_test(tcase, claims_must_be_an_object);
    tcase_add_test(tcase, es256_pads_short_numbers);
    tcase_add_test(tcase, threads_share_a_set);
    return suite;
}
