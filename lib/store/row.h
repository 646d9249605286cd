/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file row.h
 * Private to store/: rows of an answer, copied out of libpq's memory.
 */
#ifndef OAS_STORE_ROW_H
#define OAS_STORE_ROW_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <libpq-fe.h>
#include "../base/bytes.h"

typedef struct {
    int count, columns;
    const char **cells; /**< row after row; NULL is SQL's NULL */
} oas_rows_t;

/** Copies a result to `pool`; the result stays the caller's. */
oas_rows_t *oas_rows_copy(const PGresult *result, apr_pool_t *pool);

/** Fills in a member of a list, all zero before, from a row; 0: the row cannot be read. */
typedef int (*oas_row_reader_t)(void *member, const oas_rows_t *rows, int row, apr_pool_t *pool);

/**
 * The rows from `first` on as an array, never NULL, of members of `size` bytes. Rows that cannot be
 * read are left out.
 * @return how many those are
 */
int oas_rows_list(apr_array_header_t **out, const oas_rows_t *rows, int first, apr_size_t size,
                  oas_row_reader_t read, apr_pool_t *pool);

/** One cell, NULL for SQL's NULL. */
const char *oas_cell(const oas_rows_t *rows, int row, int column);

/** An integer cell; 0 for NULL. */
apr_int64_t oas_cell_int(const oas_rows_t *rows, int row, int column);

/** A boolean cell; 0 for NULL. */
int oas_cell_true(const oas_rows_t *rows, int row, int column);

/** The bytes of a uuid cell; 0: it is none. */
int oas_cell_uuid(const oas_rows_t *rows, int row, int column, unsigned char id[OAS_ID_LEN]);

/** An outcome as the schema names it; a table of them ends with {NULL, 0}. */
typedef struct {
    const char *name;
    int value;
} oas_outcome_name_t;

/** The value that belongs to the name in a cell; 0: it is in none of the table. */
int oas_cell_outcome(const oas_rows_t *rows, int row, int column, const oas_outcome_name_t *names,
                     int *value);

/** A uuid cell as base64url of its 16 bytes, in `pool`; NULL for NULL. */
const char *oas_cell_id(const oas_rows_t *rows, int row, int column, apr_pool_t *pool);

#endif
