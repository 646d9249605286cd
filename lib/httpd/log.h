/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file log.h
 * The library's log lines in httpd's error log.
 */
#ifndef OAS_HTTPD_LOG_H
#define OAS_HTTPD_LOG_H

#include "server_config.h"

/** Lines that belong to no request go to the log of `s`. */
void oas_log_to_server(oas_log_t *log, server_rec *s);

/** Lines of one request. @param baton an oas_request_state_t, whose request id each line ends with
 */
struct oas_request_state;
void oas_log_to_request(oas_log_t *log, struct oas_request_state *state);

#endif
