/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file loader.h
 * Reading the files of templates and texts at start-up: for templates.c and texts.c.
 */
#ifndef OAS_REPLY_LOADER_H
#define OAS_REPLY_LOADER_H

#include <apr_errno.h>
#include <apr_pools.h>

/** One loading. */
typedef struct {
    const char *dir, *shipped; /**< the administrator's folder (or NULL) and the installed one */
    const char *why;           /**< "file:line: what", in `pool` */
    apr_pool_t *pool, *scratch;
} oas_loader_t;

/** Says what is wrong; always APR_EINVAL. */
apr_status_t oas_loader_complain(oas_loader_t *l, const char *path, int line, const char *what);

/** Reads one file of UTF-8 text into l->scratch. @return APR_ENOENT without complaint when it is
 * missing */
apr_status_t oas_loader_read(oas_loader_t *l, const char *path, char **text, apr_size_t *len);

#endif
