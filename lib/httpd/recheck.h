/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file recheck.h
 * OAuth2ASSubjectRecheck by expression or program.
 */
#ifndef OAS_HTTPD_RECHECK_H
#define OAS_HTTPD_RECHECK_H

#include "../base/tx.h"

/** oas_host_t.recheck. */
oas_recheck_result_t oas_recheck(oas_tx_t *tx, const char *sub, const char *provider,
                                 const char *name);

#endif
