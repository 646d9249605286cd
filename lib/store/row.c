/* SPDX-License-Identifier: Apache-2.0 */
#include "row.h"

#include <ctype.h>
#include <string.h>
#include <apr_strings.h>
#include "../base/bytes.h"

oas_rows_t *oas_rows_copy(const PGresult *result, apr_pool_t *pool)
{
    oas_rows_t *rows = apr_pcalloc(pool, sizeof(*rows));
    int row, column;

    rows->count = PQntuples(result);
    rows->columns = PQnfields(result);
    rows->cells = apr_pcalloc(
        pool, (apr_size_t)rows->count * (apr_size_t)rows->columns * sizeof(*rows->cells) + 1);
    for (row = 0; row < rows->count; row++) {
        for (column = 0; column < rows->columns; column++) {
            if (!PQgetisnull(result, row, column))
                rows->cells[row * rows->columns + column] =
                    apr_pstrmemdup(pool, PQgetvalue(result, row, column),
                                   (apr_size_t)PQgetlength(result, row, column));
        }
    }
    return rows;
}

int oas_rows_list(apr_array_header_t **out, const oas_rows_t *rows, int first, apr_size_t size,
                  oas_row_reader_t read, apr_pool_t *pool)
{
    int row;

    *out = apr_array_make(pool, rows->count - first, (int)size);
    for (row = first; row < rows->count; row++) {
        void *member = apr_array_push(*out);

        memset(member, 0, size);
        if (!read(member, rows, row, pool))
            apr_array_pop(*out);
    }
    return rows->count - first - (*out)->nelts;
}

const char *oas_cell(const oas_rows_t *rows, int row, int column)
{
    return row < rows->count && column < rows->columns ? rows->cells[row * rows->columns + column]
                                                       : NULL;
}

apr_int64_t oas_cell_int(const oas_rows_t *rows, int row, int column)
{
    const char *text = oas_cell(rows, row, column);

    return text ? apr_atoi64(text) : 0;
}

int oas_cell_true(const oas_rows_t *rows, int row, int column)
{
    const char *text = oas_cell(rows, row, column);

    return text && text[0] == 't';
}

int oas_cell_outcome(const oas_rows_t *rows, int row, int column, const oas_outcome_name_t *names,
                     int *value)
{
    const char *name = oas_cell(rows, row, column);

    for (; name && names->name; names++) {
        if (!strcmp(names->name, name)) {
            *value = names->value;
            return 1;
        }
    }
    return 0;
}

int oas_cell_uuid(const oas_rows_t *rows, int row, int column, unsigned char id[OAS_ID_LEN])
{
    const char *text = oas_cell(rows, row, column);
    char digits[2 * OAS_ID_LEN + 1];
    apr_size_t n = 0;

    for (; text && *text && n < 2 * OAS_ID_LEN; text++) {
        if (isxdigit((unsigned char)*text))
            digits[n++] = *text;
    }
    digits[n] = '\0';
    return n == 2 * OAS_ID_LEN && oas_hex_decode(digits, id, OAS_ID_LEN) == APR_SUCCESS;
}

const char *oas_cell_id(const oas_rows_t *rows, int row, int column, apr_pool_t *pool)
{
    unsigned char id[OAS_ID_LEN];

    return oas_cell_uuid(rows, row, column, id) ? oas_base64url_encode(pool, id, OAS_ID_LEN) : NULL;
}
