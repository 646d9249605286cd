/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device.h
 * What a browser calls itself, in words by which its owner knows it again.
 */
#ifndef OAS_LOGIN_DEVICE_H
#define OAS_LOGIN_DEVICE_H

#include <apr_pools.h>

#define OAS_DEVICE_MAX 60 /**< bytes of an unknown User-Agent that are shown */

/**
 * "Firefox (Linux)" from a User-Agent header; one of the two when only that is known. Of any other
 * text its beginning, cut between two characters. For people only: every browser can call itself
 * as it likes, so nothing may depend on it.
 * @param user_agent valid UTF-8, or NULL
 * @return in `pool`; NULL when nothing was said
 */
const char *oas_device_text(const char *user_agent, apr_pool_t *pool);

#endif
