/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file as_user.h
 * What httpd's child processes will be able to do, asked while the parent reads its configuration
 * as root.
 */
#ifndef OAS_HTTPD_AS_USER_H
#define OAS_HTTPD_AS_USER_H

#include <apr_pools.h>

/** A question about a file: 0, or an errno. */
typedef int oas_user_question_t(const char *path);

/** Can it be opened for reading, as a file that nobody else may read (EPERM: others may)? */
oas_user_question_t oas_user_reads_alone;

/** Can be told whether it exists? */
oas_user_question_t oas_user_sees;

/**
 * Asks as the user and the groups of httpd's child processes, in a process of its own.
 * @return NULL when all is well or nobody can tell, else what is wrong, as the end of a sentence
 */
const char *oas_as_user(const char *path, oas_user_question_t *ask, apr_pool_t *pool);

/** The name of that user. */
const char *oas_user_name(apr_pool_t *pool);

#endif
