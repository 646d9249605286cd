/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata of a client as it is in the database or comes from an administrator: what can be
 * read can be judged by every rule, and written so that it reads as the same again. */
#include "fuzz.h"

#include <string.h>
#include "../../lib/base/client_rules.h"
#include "../../lib/store/client.h"

static void report(oas_client_check_t *check, const oas_client_fault_t *fault)
{
    FUZZ_HOLDS(fault->about < OAS_ABOUT_COUNT && strncmp(fault->text, "client \"", 8) == 0);
}

static void judge(const oas_client_t *client, apr_pool_t *pool)
{
    static const oas_client_words_t words = {.methods = "",
                                             .a_secret = "",
                                             .keys = "",
                                             .a_name_in_certificate = "",
                                             .a_redirect_uri = "",
                                             .web_origins = "",
                                             .an_api = "",
                                             .first_party = "",
                                             .bound = ""};
    oas_client_check_t check = {
        .client = client, .words = &words, .report = report, .pool = pool, .web_message_given = 1};

    /* whoever keeps all rules keeps those that requests rely on */
    FUZZ_HOLDS(oas_client_check(&check) > 0 || oas_client_sound(client, pool));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const char *text = apr_pstrmemdup(pool, (const char *)data, size), *wrong, *written;
    oas_client_t *client, *again;

    if (oas_client_read(&client, text, &wrong, pool) != APR_SUCCESS) {
        FUZZ_HOLDS(wrong != NULL && client == NULL);
    } else {
        judge(client, pool);
        written = oas_client_to_json(client, pool);
        FUZZ_HOLDS(written != NULL);
        FUZZ_HOLDS(oas_client_read(&again, written, &wrong, pool) == APR_SUCCESS);
        FUZZ_HOLDS(strcmp(oas_client_to_json(again, pool), written) == 0);
    }
    apr_pool_destroy(pool);
    return 0;
}
