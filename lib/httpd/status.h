/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file status.h
 * The section of this module on mod_status' page, and its lines of ?auto.
 */
#ifndef OAS_HTTPD_STATUS_H
#define OAS_HTTPD_STATUS_H

/** While hooks are registered; does nothing where mod_status is not loaded. */
void oas_status_register(void);

#endif
