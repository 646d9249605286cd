/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file conninfo.h
 * DBDParams as libpq will read them, before anybody connects.
 */
#ifndef OAS_STORE_CONNINFO_H
#define OAS_STORE_CONNINFO_H

#include <apr_errno.h>
#include <apr_pools.h>

/**
 * Looks a keyword of libpq up ("passfile") in connection parameters. What a service file or the
 * environment adds is not looked at.
 * @param value its value, in `pool`; NULL when it is not there
 * @return APR_EINVAL when libpq does not understand the parameters
 */
apr_status_t oas_conninfo_value(const char *params, const char *keyword, const char **value,
                                apr_pool_t *pool);

#endif
