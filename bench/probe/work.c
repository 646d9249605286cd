/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

#include <string.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include "crypto.h"

#define ID_LEN     16
#define SECRET_LEN 32
#define FILE_MAX   65536
#define PARAMS_MAX 32

static void put_hex(char *out, const unsigned char *in, apr_size_t len)
{
    static const char digits[] = "0123456789abcdef";
    apr_size_t i;

    for (i = 0; i < len; i++) {
        *out++ = digits[in[i] >> 4];
        *out++ = digits[in[i] & 15];
    }
    *out = '\0';
}

/* RFC 4122 section 3: 8-4-4-4-12. */
static void put_uuid(char out[36 + 1], const unsigned char id[ID_LEN])
{
    static const int parts[] = {4, 2, 2, 2, 6};
    int i;

    for (i = 0; i < 5; i++) {
        put_hex(out, id, (apr_size_t)parts[i]);
        id += parts[i];
        out += 2 * parts[i];
        *out++ = i < 4 ? '-' : '\0';
    }
}

static int finish_handle(probe_handle_t *handle)
{
    unsigned char digest[SECRET_LEN];

    put_uuid(handle->id, handle->octets);
    if (EVP_Digest(handle->octets + ID_LEN, SECRET_LEN, digest, NULL, EVP_sha256(), NULL) != 1) {
        return 0;
    }
    put_hex(handle->hash, digest, sizeof(digest));
    return 1;
}

int probe_handle_read(probe_handle_t *out, const char *text)
{
    memcpy(out->text, text, PROBE_HANDLE_LEN);
    return probe_decode(out->octets, text, PROBE_HANDLE_LEN) == sizeof(out->octets) &&
           finish_handle(out);
}

int probe_handle_make(probe_handle_t *out, const probe_handle_t *from)
{
    if (from == NULL) {
        if (RAND_bytes(out->octets, sizeof(out->octets)) != 1) {
            return 0;
        }
    } else {
        memcpy(out->octets, from->octets, ID_LEN);
        if (EVP_Digest(from->octets, sizeof(from->octets), out->octets + ID_LEN, NULL, EVP_sha256(),
                       NULL) != 1) {
            return 0;
        }
    }
    probe_encode(out->text, out->octets, sizeof(out->octets));
    return finish_handle(out);
}

static const char *read_file(char **out, const char *name, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, FILE_MAX);
    apr_size_t len = FILE_MAX - 1;
    apr_file_t *file;

    if (apr_file_open(&file, name, APR_FOPEN_READ, 0, pool) != APR_SUCCESS) {
        return "the file of a statement cannot be opened";
    }
    if (apr_file_read_full(file, text, len, &len) != APR_EOF) {
        return "the file of a statement is too long";
    }
    apr_file_close(file);
    text[len] = '\0';
    *out = text;
    return NULL;
}

/* The next line, without its end; NULL behind the last one. */
static char *next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');

    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    *at = end + 1;
    return line;
}

const char *probe_statement_read(probe_statement_t *out, const char *file, apr_pool_t *pool)
{
    const char *error;
    char *at, *line;

    error = read_file(&at, file, pool);
    if (error != NULL) {
        return error;
    }
    out->expected = next_line(&at);
    out->sql = out->expected != NULL ? next_line(&at) : NULL;
    out->params = apr_array_make(pool, 16, sizeof(const char *));
    if (out->sql == NULL) {
        return "the file of a statement has too few lines";
    }
    while ((line = next_line(&at)) != NULL) {
        APR_ARRAY_PUSH(out->params, const char *) = strcmp(line, "\\N") == 0 ? NULL : line;
    }
    return out->params->nelts <= PARAMS_MAX ? NULL : "a statement has too many parameters";
}

int probe_statement_prepare(const probe_statement_t *statement, PGconn *conn)
{
    PGresult *result = PQprepare(conn, statement->label, statement->sql, 0, NULL);
    int ok = PQresultStatus(result) == PGRES_COMMAND_OK;

    PQclear(result);
    return ok;
}

/* The text for what stands between ${ and }; NULL when there is none. */
static const char *value_of(const char *name, apr_size_t len, const probe_handles_t *handles,
                            apr_pool_t *pool)
{
    const struct {
        const char *name;
        const probe_handle_t *handle;
    } known[] = {
        {"presented.", handles->presented}, {"cookie.", handles->cookie}, {"made.", handles->made}};
    unsigned char random[ID_LEN];
    apr_size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        apr_size_t prefix = strlen(known[i].name);

        if (known[i].handle != NULL && len > prefix && memcmp(name, known[i].name, prefix) == 0) {
            return name[prefix] == 'i' ? known[i].handle->id : known[i].handle->hash;
        }
    }
    if (len == 4 && memcmp(name, "uuid", 4) == 0 && RAND_bytes(random, sizeof(random)) == 1) {
        char *text = apr_palloc(pool, 36 + 1);

        put_uuid(text, random);
        return text;
    }
    return NULL;
}

/* A parameter with its values put in; NULL when one is not there. */
static const char *fill(const char *text, const probe_handles_t *handles, apr_pool_t *pool)
{
    const char *open = strstr(text, "${"), *close, *value;

    if (open == NULL) {
        return text;
    }
    close = strchr(open, '}');
    value =
        close != NULL ? value_of(open + 2, (apr_size_t)(close - open - 2), handles, pool) : NULL;
    return value != NULL ? apr_pstrcat(pool, apr_pstrmemdup(pool, text, (apr_size_t)(open - text)),
                                       value, close + 1, NULL)
                         : NULL;
}

const char *probe_statement_run(const probe_statement_t *statement, PGconn *conn,
                                const probe_handles_t *handles, apr_pool_t *pool)
{
    const char *params[PARAMS_MAX];
    const char *error = NULL;
    PGresult *result;
    int i;

    for (i = 0; i < statement->params->nelts; i++) {
        const char *text = APR_ARRAY_IDX(statement->params, i, const char *);

        params[i] = text != NULL ? fill(text, handles, pool) : NULL;
        if (text != NULL && params[i] == NULL) {
            return apr_psprintf(pool, "parameter %d names what the request has not", i + 1);
        }
    }
    result =
        PQexecPrepared(conn, statement->label, statement->params->nelts, params, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) < 1) {
        error = apr_pstrcat(pool, "no row came back: ", PQerrorMessage(conn), NULL);
    } else if (*statement->expected != '\0' &&
               strcmp(PQgetvalue(result, 0, 0), statement->expected) != 0) {
        error = apr_pstrcat(pool, "the outcome was ", PQgetvalue(result, 0, 0), NULL);
    }
    PQclear(result);
    return error;
}
