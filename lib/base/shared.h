/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file shared.h
 * Memory that the processes of a server share, and the list by which its first process finds it
 * again after a graceful restart. Every child writes to the memory itself; the list is private, so
 * that the first process, which may be root, follows no pointer that a child has left there.
 */
#ifndef OAS_BASE_SHARED_H
#define OAS_BASE_SHARED_H

#include <apr.h>
#include "bytes.h"

/** Maps memory for this process and those that it forks from now on: zeros, of which only what is
 * written to takes up room. @return NULL with errno: there is none */
void *oas_shared_map(apr_size_t size);

/** One area that has been found by name; lives as long as the process. */
typedef struct oas_shared_area {
    struct oas_shared_area *next;
    apr_size_t size;
    unsigned char name[OAS_SHA256_LEN];
    void *memory;
} oas_shared_area_t;

/**
 * The memory of this name and size; made when the list has none. Only while nobody else does, in
 * post_config.
 * @param first the list, NULL at the beginning; kept over restarts by the caller
 * @return NULL: no memory
 */
void *oas_shared_area(oas_shared_area_t **first, const char *name, apr_size_t size);

#endif
