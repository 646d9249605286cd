/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <apr_file_info.h>
#include <http_core.h>
#include "../endpoint/absent.h"

/** What core would make of a path, when no module has another idea. */
static const char *file_of(request_rec *r, const char *path)
{
    char *name = NULL;

    return apr_filepath_merge(&name, ap_document_root(r), path + 1,
                              APR_FILEPATH_SECUREROOT | APR_FILEPATH_NOTABOVEROOT,
                              r->pool) == APR_SUCCESS
               ? name
               : NULL;
}

static int is_there(request_rec *r, const char *path)
{
    const char *name = file_of(r, path);
    apr_finfo_t info;

    return name == NULL || apr_stat(&info, name, APR_FINFO_TYPE, r->pool) == APR_SUCCESS;
}

int oas_translate_absent(request_rec *r)
{
    const oas_issuer_t *issuer = &oas_server_config(r->server)->issuer;
    const core_dir_config *dir = ap_get_core_module_config(r->per_dir_config);
    oas_request_state_t *state;
    const char *api;

    if (issuer->url == NULL || r->proxyreq != PROXYREQ_NONE || r->uri == NULL ||
        dir->handler != NULL || dir->expr_handler != NULL) {
        return DECLINED;
    }
    api = oas_absent_api(issuer, r->uri, r->pool);
    if (api == NULL || is_there(r, api)) {
        return DECLINED;
    }
    state = oas_request_state(r);
    state->absent = 1;
    state->endpoint = OAS_EP_COUNT;
    r->handler = OAS_HANDLER_NAME;
    r->filename = OAS_HANDLER_NAME ":absent";
    return OK;
}
