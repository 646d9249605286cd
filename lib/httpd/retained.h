/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file retained.h
 * Shared memory (base/shared.h) that is found again after a graceful restart.
 */
#ifndef OAS_HTTPD_RETAINED_H
#define OAS_HTTPD_RETAINED_H

#include <apr.h>

/** The area of this kind and name: zeros when it is new, else as it was left. In post_config. NULL:
 * no memory */
void *oas_retained_area(const char *kind, const char *name, apr_size_t size);

#endif
