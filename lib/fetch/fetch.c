/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include <string.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include "transfer.h"

#define FIRST_SIZE 4096

/** A document on its way. */
typedef struct {
    oas_transfer_t transfer;
    char *body;
    apr_size_t len, size;
    int too_long;
} document_t;

static apr_status_t global_cleanup(void *baton)
{
    curl_global_cleanup();
    return APR_SUCCESS;
}

apr_status_t oas_fetch_init(apr_pool_t *pool)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return APR_EGENERAL;
    }
    apr_pool_cleanup_register(pool, NULL, global_cleanup, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static size_t take_body(char *data, size_t unit, size_t count, void *baton)
{
    document_t *document = baton;
    apr_size_t len = unit * count;

    if (len > OAS_FETCH_MAX - document->len) {
        document->too_long = 1;
        return 0; /* ends the transfer */
    }
    if (document->len + len > document->size) {
        char *larger;

        while (document->size < document->len + len) {
            document->size *= 2;
        }
        larger = apr_palloc(document->transfer.pool, document->size);
        memcpy(larger, document->body, document->len);
        document->body = larger;
    }
    memcpy(document->body + document->len, data, len);
    document->len += len;
    return len;
}

static apr_status_t explain(const document_t *document, CURLcode code, const char **why)
{
    if (document->too_long || code == CURLE_FILESIZE_EXCEEDED) {
        *why = "the document is larger than 64 kB";
        return APR_ENOSPC;
    }
    return oas_transfer_explain(&document->transfer, code, why);
}

static apr_status_t perform(document_t *document, const char **why)
{
    CURL *curl = document->transfer.curl;
    CURLcode code = curl_easy_perform(curl);
    long status = 0;

    ERR_clear_error(); /* what is left in this thread's queue would be taken for mod_ssl's */
    if (code != CURLE_OK) {
        return explain(document, code, why);
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        *why = apr_psprintf(document->transfer.pool, "the answer has status %ld", status);
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

apr_status_t oas_fetch_json(json_t **out, const char *url, const oas_issuer_t *issuer,
                            const char **why, apr_pool_t *pool)
{
    static const char *const headers[] = {"Accept: application/json, */*;q=0.1", NULL};
    document_t document = {.transfer = {.issuer = issuer, .pool = pool}, .size = FIRST_SIZE};
    apr_status_t rv = oas_transfer_prepare(&document.transfer, url, OAS_FETCH_TIME, headers, why);

    *out = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    document.body = apr_palloc(pool, document.size);
    if (!oas_transfer_give(&document.transfer, take_body, &document) ||
        curl_easy_setopt(document.transfer.curl, CURLOPT_MAXFILESIZE, (long)OAS_FETCH_MAX) !=
            CURLE_OK) {
        *why = "libcurl does not take the options";
        return APR_EGENERAL;
    }
    rv = perform(&document, why);
    oas_transfer_end(&document.transfer);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = oas_json_parse(out, document.body, document.len, OAS_FETCH_MAX, pool);
    if (rv != APR_SUCCESS || !json_is_object(*out)) {
        *why = "what came is no JSON object";
        return APR_EINVAL;
    }
    return APR_SUCCESS;
}
