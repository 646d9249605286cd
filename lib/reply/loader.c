/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"
#include "mustache.h"
#include <apr_file_io.h>
#include <apr_strings.h>
#include "../base/bytes.h"

apr_status_t oas_loader_complain(oas_loader_t *l, const char *path, int line, const char *what)
{
    l->why = apr_psprintf(l->pool, "%s:%d: %s", path, line, what);
    return APR_EINVAL;
}

/* Browsers read a carriage return with a line feed as a line feed, and hash that. */
static apr_size_t unify_line_breaks(char *text, apr_size_t len)
{
    apr_size_t to = 0;
    for (apr_size_t i = 0; i < len; i++) {
        if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n') {
            text[to++] = text[i];
        }
    }
    text[to] = '\0';
    return to;
}

/* As much room as the file takes; one that grows meanwhile is not read. */
static apr_status_t read_open(apr_file_t *file, char **text, apr_size_t *len, apr_pool_t *pool)
{
    apr_size_t room;
    apr_finfo_t info;
    apr_status_t status = apr_file_info_get(&info, APR_FINFO_SIZE, file);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (info.size > OAS_MUSTACHE_MAX_TEMPLATE) {
        return APR_ENOSPC;
    }
    room = (apr_size_t)info.size + 1;
    *text = apr_palloc(pool, room + 1);
    status = apr_file_read_full(file, *text, room, len);
    if (status == APR_SUCCESS) {
        return APR_INCOMPLETE;
    }
    *len = unify_line_breaks(*text, *len);
    return APR_STATUS_IS_EOF(status) ? APR_SUCCESS : status;
}

apr_status_t oas_loader_read(oas_loader_t *l, const char *path, char **text, apr_size_t *len)
{
    char reason[120];
    apr_file_t *file;
    apr_status_t status =
        apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, l->scratch);
    if (APR_STATUS_IS_ENOENT(status)) {
        return APR_ENOENT;
    }
    if (status == APR_SUCCESS) {
        status = read_open(file, text, len, l->scratch);
        apr_file_close(file);
    }
    if (status == APR_ENOSPC) {
        return oas_loader_complain(l, path, 1, "is longer than 256 kB");
    }
    if (status != APR_SUCCESS) {
        apr_strerror(status, reason, sizeof(reason));
        return oas_loader_complain(l, path, 1,
                                   apr_pstrcat(l->scratch, "cannot be read: ", reason, NULL));
    }
    return oas_utf8_valid(*text, *len) ? APR_SUCCESS
                                       : oas_loader_complain(l, path, 1, "is not UTF-8 text");
}
