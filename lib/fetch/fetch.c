/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include <string.h>
#include <apr_strings.h>
#include <curl/curl.h>
#include <openssl/err.h>
#include "../base/uri.h"
#include "address.h"

#define FIRST_SIZE 4096

/** One transfer. */
typedef struct {
    const oas_issuer_t *issuer;
    const char *host;
    apr_pool_t *pool;
    char *body;
    apr_size_t len, size;
    int too_long;
    int forbidden; /**< an address was refused */
} transfer_t;

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

/* https, or http within this machine where the issuer itself is served so. */
static int read_url(oas_uri_t *uri, const char *url, const oas_issuer_t *issuer, apr_pool_t *pool)
{
    return oas_uri_fetchable(url, pool) && oas_uri_parse(uri, url, pool) == APR_SUCCESS &&
           (strcmp(uri->scheme, "https") == 0 || strncmp(issuer->url, "http://", 7) == 0);
}

/* The address is looked at where it is used, so no second look-up of the name can change it. */
static curl_socket_t open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *address)
{
    transfer_t *transfer = baton;

    if (!oas_address_public(&address->addr) &&
        !oas_address_allowed(&address->addr, transfer->host, transfer->issuer->outbound_allow)) {
        transfer->forbidden = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_body(char *data, size_t unit, size_t count, void *baton)
{
    transfer_t *transfer = baton;
    apr_size_t len = unit * count;

    if (len > OAS_FETCH_MAX - transfer->len) {
        transfer->too_long = 1;
        return 0; /* ends the transfer */
    }
    if (transfer->len + len > transfer->size) {
        char *larger;

        while (transfer->size < transfer->len + len) {
            transfer->size *= 2;
        }
        larger = apr_palloc(transfer->pool, transfer->size);
        memcpy(larger, transfer->body, transfer->len);
        transfer->body = larger;
    }
    memcpy(transfer->body + transfer->len, data, len);
    transfer->len += len;
    return len;
}

static apr_status_t easy_cleanup(void *baton)
{
    curl_easy_cleanup(baton);
    return APR_SUCCESS;
}

static apr_status_t list_cleanup(void *baton)
{
    curl_slist_free_all(baton);
    return APR_SUCCESS;
}

/* An option that cannot be set would leave a rule unkept, so each one counts. */
static int set_limits(CURL *curl, const oas_uri_t *uri)
{
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, uri->scheme) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* a resolver that hangs is left behind, not waited for */
           curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(OAS_FETCH_TIME)) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)apr_time_as_msec(OAS_FETCH_CONNECT)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)OAS_FETCH_MAX) == CURLE_OK;
}

static int set_tls(CURL *curl)
{
    return curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
}

static int set_request(CURL *curl, const char *url, transfer_t *transfer)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json, */*;q=0.1");

    if (headers == NULL) {
        return 0;
    }
    apr_pool_cleanup_register(transfer->pool, headers, list_cleanup, apr_pool_cleanup_null);
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "mod_oauth2as") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
}

static apr_status_t explain(const transfer_t *transfer, CURLcode code, const char **why)
{
    if (transfer->too_long || code == CURLE_FILESIZE_EXCEEDED) {
        *why = "the document is larger than 64 kB";
        return APR_ENOSPC;
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        *why = "no answer in time";
        return APR_TIMEUP;
    }
    if (transfer->forbidden) {
        *why = "the address is not public and not in OAuth2ASOutboundAllow";
        return APR_EACCES;
    }
    *why = curl_easy_strerror(code);
    return APR_EGENERAL;
}

static apr_status_t perform(CURL *curl, transfer_t *transfer, const char **why)
{
    CURLcode code = curl_easy_perform(curl);
    long status = 0;

    ERR_clear_error(); /* what is left in this thread's queue would be taken for mod_ssl's */
    if (code != CURLE_OK) {
        return explain(transfer, code, why);
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        *why = apr_psprintf(transfer->pool, "the answer has status %ld", status);
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

apr_status_t oas_fetch_json(json_t **out, const char *url, const oas_issuer_t *issuer,
                            const char **why, apr_pool_t *pool)
{
    transfer_t transfer = {.issuer = issuer, .pool = pool, .size = FIRST_SIZE};
    oas_uri_t uri;
    apr_status_t rv;
    CURL *curl;

    *out = NULL;
    if (!read_url(&uri, url, issuer, pool)) {
        *why = "the URL is not one of https";
        return APR_EINVAL;
    }
    transfer.host = uri.host;
    transfer.body = apr_palloc(pool, transfer.size);
    curl = curl_easy_init();
    if (curl == NULL) {
        *why = "libcurl is out of memory";
        return APR_EGENERAL;
    }
    apr_pool_cleanup_register(pool, curl, easy_cleanup, apr_pool_cleanup_null);
    if (!set_limits(curl, &uri) || !set_tls(curl) || !set_request(curl, url, &transfer)) {
        *why = "libcurl does not take the options";
        return APR_EGENERAL;
    }
    rv = perform(curl, &transfer, why);
    apr_pool_cleanup_run(pool, curl, easy_cleanup);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = oas_json_parse(out, transfer.body, transfer.len, OAS_FETCH_MAX, pool);
    if (rv != APR_SUCCESS || !json_is_object(*out)) {
        *why = "what came is no JSON object";
        return APR_EINVAL;
    }
    return APR_SUCCESS;
}
