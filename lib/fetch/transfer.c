/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer.h"

#include <string.h>
#include "../base/uri.h"
#include "address.h"
#include "fetch.h"

/* https, or http within this machine where the issuer itself is served so. */
static int read_url(oas_uri_t *uri, const char *url, const oas_issuer_t *issuer, apr_pool_t *pool)
{
    return oas_uri_fetchable(url, pool) && oas_uri_parse(uri, url, pool) == APR_SUCCESS &&
           (strcmp(uri->scheme, "https") == 0 || strncmp(issuer->url, "http://", 7) == 0);
}

/* The address is looked at where it is used, so no second look-up of the name can change it. */
static curl_socket_t open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *address)
{
    oas_transfer_t *transfer = baton;

    if (!oas_address_public(&address->addr) &&
        !oas_address_allowed(&address->addr, transfer->host, transfer->issuer->outbound_allow)) {
        transfer->forbidden = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
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
static int set_limits(CURL *curl, const oas_uri_t *uri, apr_interval_time_t time)
{
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, uri->scheme) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* a resolver that hangs is left behind, not waited for */
           curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(time)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)apr_time_as_msec(OAS_FETCH_CONNECT)) == CURLE_OK;
}

static int set_tls(CURL *curl)
{
    return curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
}

static int set_headers(oas_transfer_t *transfer, const char *const *headers)
{
    struct curl_slist *list = NULL;

    for (; *headers != NULL; headers++) {
        struct curl_slist *longer = curl_slist_append(list, *headers);

        if (longer == NULL) {
            curl_slist_free_all(list);
            return 0;
        }
        list = longer;
    }
    apr_pool_cleanup_register(transfer->pool, list, list_cleanup, apr_pool_cleanup_null);
    return curl_easy_setopt(transfer->curl, CURLOPT_HTTPHEADER, list) == CURLE_OK;
}

static int set_request(oas_transfer_t *transfer, const char *url)
{
    CURL *curl = transfer->curl;

    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "mod_oauth2as") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, transfer) == CURLE_OK;
}

apr_status_t oas_transfer_prepare(oas_transfer_t *transfer, const char *url,
                                  apr_interval_time_t time, const char *const *headers,
                                  const char **why)
{
    oas_uri_t uri;

    if (!read_url(&uri, url, transfer->issuer, transfer->pool)) {
        *why = "the URL is not one of https";
        return APR_EINVAL;
    }
    transfer->host = uri.host;
    transfer->curl = curl_easy_init();
    if (transfer->curl == NULL) {
        *why = "libcurl is out of memory";
        return APR_EGENERAL;
    }
    apr_pool_cleanup_register(transfer->pool, transfer->curl, easy_cleanup, apr_pool_cleanup_null);
    if (!set_limits(transfer->curl, &uri, time) || !set_tls(transfer->curl) ||
        !set_headers(transfer, headers) || !set_request(transfer, url)) {
        *why = "libcurl does not take the options";
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

int oas_transfer_give(oas_transfer_t *transfer, oas_transfer_take_t take, void *baton)
{
    return curl_easy_setopt(transfer->curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(transfer->curl, CURLOPT_WRITEDATA, baton) == CURLE_OK;
}

apr_status_t oas_transfer_explain(const oas_transfer_t *transfer, CURLcode code, const char **why)
{
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

void oas_transfer_end(oas_transfer_t *transfer)
{
    apr_pool_cleanup_run(transfer->pool, transfer->curl, easy_cleanup);
    transfer->curl = NULL;
}
