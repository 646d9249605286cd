/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer shall be and how it travels: response_type, response_mode, web_message. */
#include "check_test.h"

#include "../../lib/check/response.h"

#define ALL_TYPES (~0u)

/* A client that may use every response type and web_message, of profile auth0. */
static oas_tx_t *open_tx(void)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_client_t *client = (oas_client_t *)tx->client;

    ((oas_issuer_t *)tx->issuer)->profile = OAS_PROFILE_AUTH0;
    client->response_types = ALL_TYPES;
    client->web_message = 1;
    oas_words_add(client->web_origins, "https://app.example");
    return tx;
}

static oas_outcome_t assign_and_check_type(oas_tx_t *tx)
{
    oas_assign_response_mode(tx);
    return oas_check_response_type(tx);
}

static const struct {
    case_t test;
    unsigned parts;
} types[] = {
    {{"response_type=code", OAS_E_NONE}, OAS_PART_CODE},
    {{"response_type=id_token", OAS_E_NONE}, OAS_PART_ID_TOKEN},
    {{"response_type=id_token%20token", OAS_E_NONE}, OAS_PART_ID_TOKEN | OAS_PART_TOKEN},
    {{"response_type=token%20id_token", OAS_E_NONE}, OAS_PART_ID_TOKEN | OAS_PART_TOKEN},
    {{"response_type=id_token+code", OAS_E_NONE}, OAS_PART_ID_TOKEN | OAS_PART_CODE},
    {{"response_type=token+code", OAS_E_NONE}, OAS_PART_TOKEN | OAS_PART_CODE},
    {{"response_type=token+code+id_token", OAS_E_NONE},
     OAS_PART_TOKEN | OAS_PART_CODE | OAS_PART_ID_TOKEN},
    {{"", OAS_E_RESPONSE_TYPE_MISSING}, 0},
    {{"response_type=token", OAS_E_RESPONSE_TYPE_UNSUPPORTED}, 0},
    {{"response_type=none", OAS_E_RESPONSE_TYPE_UNSUPPORTED}, 0},
    {{"response_type=code+none", OAS_E_RESPONSE_TYPE_UNSUPPORTED}, 0},
    {{"response_type=CODE", OAS_E_RESPONSE_TYPE_UNSUPPORTED}, 0},
    {{"response_type=code+code", OAS_E_RESPONSE_TYPE_UNSUPPORTED}, 0},
    {{"response_type=code++id_token", OAS_E_RESPONSE_TYPE_UNSUPPORTED}, 0},
    {{"response_type=+code", OAS_E_RESPONSE_TYPE_UNSUPPORTED}, 0},
    {{"response_type=code%2Cid_token", OAS_E_RESPONSE_TYPE_UNSUPPORTED}, 0},
    {{"response_type=code%C3%A9", OAS_E_RESPONSE_TYPE_UNSUPPORTED}, 0},
};

START_TEST(type_cases)
{
    oas_tx_t *tx = open_tx();

    run_case(tx, assign_and_check_type, &types[_i].test);
    ck_assert_uint_eq(tx->mask, types[_i].parts);
}
END_TEST

/* Each type is off unless the client has that very one. */
START_TEST(types_of_client)
{
    static const char *const names[] = {"code",          "id_token",   "id_token token",
                                        "code id_token", "code token", "code id_token token"};
    const unsigned count = sizeof(names) / sizeof(names[0]);
    unsigned mine, asked;

    for (mine = 0; mine < count; mine++) {
        for (asked = 0; asked < count; asked++) {
            oas_tx_t *tx = open_tx();

            ((oas_client_t *)tx->client)->response_types =
                oas_name_bit(oas_response_type_names, names[mine]);
            oas_params_add(tx->params, "response_type", names[asked]);
            assign_and_check_type(tx);
            ck_assert_int_eq(tx->error,
                             mine == asked ? OAS_E_NONE : OAS_E_RESPONSE_TYPE_UNAUTHORIZED);
        }
    }
}
END_TEST

static const case_t strict[] = {
    {"response_type=id_token", OAS_E_NONE},
    {"response_type=code+id_token", OAS_E_NONE},
    {"response_type=id_token+token", OAS_E_RESPONSE_TYPE_UNAUTHORIZED},
    {"response_type=code+token", OAS_E_RESPONSE_TYPE_UNAUTHORIZED},
    {"response_type=code+id_token+token", OAS_E_RESPONSE_TYPE_UNAUTHORIZED},
};

START_TEST(no_tokens_in_profile_oauth21)
{
    oas_tx_t *tx = open_tx();

    ((oas_issuer_t *)tx->issuer)->profile = OAS_PROFILE_OAUTH21;
    run_case(tx, assign_and_check_type, &strict[_i]);
}
END_TEST

START_TEST(no_tokens_that_would_be_unbound)
{
    oas_tx_t *tx = open_tx();

    ((oas_client_t *)tx->client)->bound_tokens = 1;
    run_case(tx, assign_and_check_type, &strict[_i]);
}
END_TEST

static oas_outcome_t assign_and_check_mode(oas_tx_t *tx)
{
    oas_assign_response_mode(tx);
    return oas_check_response_mode(tx);
}

static const struct {
    case_t test;
    oas_response_mode_t mode; /* of the refusal, where it is one */
} modes[] = {
    {{"", OAS_E_NONE}, OAS_MODE_QUERY},
    {{"response_mode=query", OAS_E_NONE}, OAS_MODE_QUERY},
    {{"response_mode=fragment", OAS_E_NONE}, OAS_MODE_FRAGMENT},
    {{"response_mode=form_post", OAS_E_NONE}, OAS_MODE_FORM_POST},
    {{"response_mode=web_message", OAS_E_NONE}, OAS_MODE_WEB_MESSAGE},
    {{"response_mode=jwt", OAS_E_RESPONSE_MODE}, OAS_MODE_QUERY},
    {{"response_mode=", OAS_E_NONE}, OAS_MODE_QUERY}, /* as if it were not there */
    {{"response_type=code", OAS_E_NONE}, OAS_MODE_QUERY},
    {{"response_type=nonsense", OAS_E_NONE}, OAS_MODE_QUERY},
    {{"response_type=token", OAS_E_NONE}, OAS_MODE_FRAGMENT},
    {{"response_type=id_token", OAS_E_NONE}, OAS_MODE_FRAGMENT},
    {{"response_type=code+token", OAS_E_NONE}, OAS_MODE_FRAGMENT},
    {{"response_type=id_token&response_mode=fragment", OAS_E_NONE}, OAS_MODE_FRAGMENT},
    {{"response_type=id_token&response_mode=form_post", OAS_E_NONE}, OAS_MODE_FORM_POST},
    {{"response_type=id_token&response_mode=query", OAS_E_RESPONSE_MODE}, OAS_MODE_FRAGMENT},
    {{"response_type=code+id_token&response_mode=query", OAS_E_RESPONSE_MODE}, OAS_MODE_FRAGMENT},
    {{"response_type=code+token&response_mode=query", OAS_E_RESPONSE_MODE}, OAS_MODE_FRAGMENT},
    {{"response_type=id_token&response_mode=jwt", OAS_E_RESPONSE_MODE}, OAS_MODE_FRAGMENT},
};

START_TEST(mode_cases)
{
    oas_tx_t *tx = open_tx();

    run_case(tx, assign_and_check_mode, &modes[_i].test);
    ck_assert_int_eq(tx->response_mode, modes[_i].mode);
}
END_TEST

/* Where an answer by web_message may go, for a client whose web origin is `registered`. */
static const struct {
    const char *redirect_uri, *registered;
    const char *origin; /* NULL: refused */
} targets[] = {
    {"https://app.example/cb", "https://app.example", "https://app.example"},
    {"https://app.example:443/cb", "https://app.example", "https://app.example"},
    {"https://app.example:8443/cb", "https://app.example:8443", "https://app.example:8443"},
    {"http://localhost:3000/", "http://localhost:3000", "http://localhost:3000"},
    {"https://app.example/cb", "https://other.example", NULL},
    {"https://app.example/cb", "http://app.example", NULL},
    {"https://app.example:8443/cb", "https://app.example", NULL},
    {"https://sub.app.example/cb", "https://app.example", NULL},
    {"com.example.app://here/cb", "com.example.app://here", NULL},
    {"com.example.app:/cb", "https://app.example", NULL},
    {"http://[::1]:3000/cb", "http://[::1]:3000", NULL},
    {"https://*.example/cb", "https://*.example", NULL},
    {"https://a;script-src/cb", "https://a;script-src", NULL},
};

START_TEST(message_targets)
{
    oas_tx_t *tx = open_tx();

    tx->redirect_uri = targets[_i].redirect_uri;
    tx->response_mode = OAS_MODE_WEB_MESSAGE;
    ((oas_client_t *)tx->client)->web_origins = oas_words_create(pool);
    oas_words_add(tx->client->web_origins, targets[_i].registered);
    oas_check_web_message(tx);
    if (targets[_i].origin == NULL) {
        ck_assert_int_eq(tx->error, OAS_E_WEB_MESSAGE_ORIGIN);
        ck_assert_ptr_null(tx->message_origin);
    } else {
        ck_assert_int_eq(tx->error, OAS_E_NONE);
        ck_assert_str_eq(tx->message_origin, targets[_i].origin);
    }
}
END_TEST

START_TEST(messages_are_off)
{
    oas_tx_t *tx = open_tx();
    case_t test = {"response_mode=web_message", OAS_E_NONE};

    ((oas_client_t *)tx->client)->web_message = 0;
    run_case(tx, oas_assign_response_mode, &test);
    ck_assert_int_eq(oas_check_web_message(tx), OAS_FAILED);
    ck_assert_int_eq(tx->error, OAS_E_WEB_MESSAGE_ORIGIN);
    ck_assert_int_eq(oas_error_row(tx->error)->redirect, 0);
}
END_TEST

START_TEST(other_modes_need_no_origin)
{
    oas_tx_t *tx = open_tx();

    ((oas_client_t *)tx->client)->web_message = 0;
    tx->redirect_uri = "com.example.app:/cb";
    ck_assert_int_eq(oas_check_web_message(tx), OAS_NEXT);
    ck_assert_ptr_null(tx->message_origin);
}
END_TEST

static const struct {
    const char *nonce, *scope;
    oas_error_id_t error;
} id_tokens[] = {
    {"n", "openid", OAS_E_NONE},
    {NULL, "openid", OAS_E_NONCE_MISSING},
    {"n", "profile", OAS_E_OPENID_MISSING},
};

START_TEST(id_token_needs)
{
    oas_tx_t *tx = open_tx();

    tx->nonce = id_tokens[_i].nonce;
    tx->scopes = oas_words_create(pool);
    oas_words_add(tx->scopes, id_tokens[_i].scope);
    oas_check_id_token_request(tx);
    ck_assert_int_eq(tx->error, id_tokens[_i].error);
}
END_TEST

static const case_t request_objects[] = {
    {"a=b", OAS_E_NONE}, {"request=x", OAS_E_REQUEST_OBJECT}, {"request_uri=x", OAS_E_REQUEST_URI}};

START_TEST(request_object_cases)
{
    run_case(fake_tx(pool), oas_check_request_object, &request_objects[_i]);
}
END_TEST

void add_response_tests(Suite *suite)
{
    TCase *tcase = unit_case(suite, "response");

    LOOP(tcase, type_cases, types);
    tcase_add_test(tcase, types_of_client);
    LOOP(tcase, no_tokens_in_profile_oauth21, strict);
    LOOP(tcase, no_tokens_that_would_be_unbound, strict);
    LOOP(tcase, mode_cases, modes);
    LOOP(tcase, message_targets, targets);
    tcase_add_test(tcase, messages_are_off);
    tcase_add_test(tcase, other_modes_need_no_origin);
    LOOP(tcase, id_token_needs, id_tokens);
    LOOP(tcase, request_object_cases, request_objects);
}
