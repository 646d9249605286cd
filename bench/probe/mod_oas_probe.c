/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the authorization server is measured by: in the same httpd, with as many connections to the
 * same database, the same request is read and the same octets are answered after only the work that
 * nobody can leave out. That is nothing, signatures, statements, or both; there is no OAuth in
 * here, and nothing is checked but that the work was done.
 *
 * Directives of a <Location "/probe/...">:
 *
 *   - OASProbeAnswer FILE: a whole HTTP/1.1 answer as the server gave it
 *   - OASProbeSign ALG KEY: signs the first JWT in its body anew for each request; once more: the
 *     next one
 *   - OASProbeVerify ALG KEY: checks the signature of the JWT in the request
 *   - OASProbePresented FIELD: the handle in this field of the form
 *   - OASProbeCookie On: the handle at the end of the cookie
 *   - OASProbeMade HANDLE NEXT|NEW: where HANDLE stands in the answer there is one that follows
 *     from the presented one, or a new one
 *   - OASProbeStatement FILE: a statement in one round trip; once more: the next one (see work.h)
 */
#include <string.h>
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <apr_dbd.h>
#include <apr_lib.h>
#include <apr_optional.h>
#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <mod_dbd.h>
#include "crypto.h"
#include "work.h"

#define HANDLER    "oas-probe"
#define BODY_MAX   16384
#define ANSWER_MAX 65536

APLOG_USE_MODULE(oas_probe);
extern module AP_MODULE_DECLARE_DATA oas_probe_module __attribute__((visibility("default")));

/* A JWT in the answer: what is signed, and where the signature stands. */
typedef struct {
    apr_size_t at, signed_len, signature_len;
    probe_key_t *key;
} jwt_t;

typedef struct {
    int status;
    apr_table_t *headers;
    const char *content_type;
    const char *location; /* the header with a handle in it */
    const char *body;
    apr_size_t body_len;
    apr_array_header_t *jwts; /* jwt_t */
    probe_key_t *verify;
    const char *presented;
    int cookie;
    const char *made; /* the recorded handle */
    int made_new;
    apr_array_header_t *statements; /* const probe_statement_t * */
} probe_t;

static apr_array_header_t *all_statements; /* of this configuration, const probe_statement_t * */
static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * open_fn;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * close_fn;

static void *create_dir(apr_pool_t *pool, char *dir)
{
    probe_t *probe = apr_pcalloc(pool, sizeof(*probe));

    probe->jwts = apr_array_make(pool, 2, sizeof(jwt_t));
    probe->statements = apr_array_make(pool, 2, sizeof(const probe_statement_t *));
    return probe;
}

/* -- the recorded answer -- */

/* What httpd writes itself. */
static int is_own_header(const char *name)
{
    static const char *const own[] = {"Date",       "Server",         "Connection",
                                      "Keep-Alive", "Content-Length", NULL};
    int i = 0;

    while (own[i] != NULL && ap_cstr_casecmp(own[i], name) != 0) {
        i++;
    }
    return own[i] != NULL;
}

static const char *take_header(probe_t *probe, char *line)
{
    char *value = strchr(line, ':');

    if (value == NULL) {
        return "the answer has a line that is no header";
    }
    *value++ = '\0';
    while (apr_isspace(*value)) {
        value++;
    }
    if (ap_cstr_casecmp(line, "Content-Type") == 0) {
        probe->content_type = value;
    } else if (ap_cstr_casecmp(line, "Location") == 0) {
        probe->location = value;
    } else if (!is_own_header(line)) {
        apr_table_addn(probe->headers, line, value);
    }
    return NULL;
}

static const char *set_answer(cmd_parms *cmd, void *dir, const char *name)
{
    probe_t *probe = dir;
    char *text = apr_pcalloc(cmd->pool, ANSWER_MAX), *line = text, *end;
    apr_size_t len = ANSWER_MAX - 1;
    const char *error = NULL;
    apr_file_t *file;

    if (apr_file_open(&file, name, APR_FOPEN_READ, 0, cmd->pool) != APR_SUCCESS ||
        apr_file_read_full(file, text, len, &len) != APR_EOF ||
        strncmp(text, "HTTP/1.1 ", 9) != 0) {
        return "the file is no HTTP/1.1 answer, or too long";
    }
    apr_file_close(file);
    probe->headers = apr_table_make(cmd->pool, 16);
    probe->status = (int)apr_atoi64(text + 9);
    while ((end = strstr(line, "\r\n")) != NULL && end != line && error == NULL) {
        *end = '\0';
        error = line == text ? NULL : take_header(probe, line);
        line = end + 2;
    }
    if (end == NULL) {
        return "the answer does not end";
    }
    probe->body = line + 2;
    probe->body_len = len - (apr_size_t)(probe->body - text);
    return error;
}

static int is_jwt_character(char c)
{
    return apr_isalnum(c) || c == '-' || c == '_';
}

static apr_size_t part_len(const char *text)
{
    apr_size_t len = 0;

    while (is_jwt_character(text[len])) {
        len++;
    }
    return len;
}

/* The first JWT at or behind `at`; 0 when there is none. */
static int find_jwt(jwt_t *jwt, const char *body, apr_size_t at)
{
    const char *found;

    while ((found = strstr(body + at, "eyJ")) != NULL) {
        apr_size_t first = part_len(found);
        apr_size_t second = found[first] == '.' ? part_len(found + first + 1) : 0;

        jwt->at = (apr_size_t)(found - body);
        jwt->signed_len = first + 1 + second;
        if (second > 0 && found[jwt->signed_len] == '.') {
            jwt->signature_len = part_len(found + jwt->signed_len + 1);
            return 1;
        }
        at = jwt->at + first;
    }
    return 0;
}

static const char *add_sign(cmd_parms *cmd, void *dir, const char *alg, const char *file)
{
    probe_t *probe = dir;
    const jwt_t *last =
        probe->jwts->nelts > 0 ? &APR_ARRAY_IDX(probe->jwts, probe->jwts->nelts - 1, jwt_t) : NULL;
    jwt_t jwt = {0};

    if (probe->body == NULL ||
        !find_jwt(&jwt, probe->body,
                  last != NULL ? last->at + last->signed_len + last->signature_len : 0)) {
        return "there is no JWT for this in the answer";
    }
    APR_ARRAY_PUSH(probe->jwts, jwt_t) = jwt;
    return probe_key_open(&APR_ARRAY_IDX(probe->jwts, probe->jwts->nelts - 1, jwt_t).key, alg, file,
                          cmd->pool);
}

static const char *set_verify(cmd_parms *cmd, void *dir, const char *alg, const char *file)
{
    return probe_key_open(&((probe_t *)dir)->verify, alg, file, cmd->pool);
}

static const char *set_presented(cmd_parms *cmd, void *dir, const char *field)
{
    ((probe_t *)dir)->presented = apr_pstrcat(cmd->pool, field, "=", NULL);
    return NULL;
}

static const char *set_cookie(cmd_parms *cmd, void *dir, int on)
{
    ((probe_t *)dir)->cookie = on;
    return NULL;
}

static const char *set_made(cmd_parms *cmd, void *dir, const char *recorded, const char *how)
{
    probe_t *probe = dir;

    if (strlen(recorded) != PROBE_HANDLE_LEN ||
        (ap_cstr_casecmp(how, "NEXT") != 0 && ap_cstr_casecmp(how, "NEW") != 0)) {
        return "a handle of 64 characters, and NEXT or NEW";
    }
    probe->made = recorded;
    probe->made_new = ap_cstr_casecmp(how, "NEW") == 0;
    return NULL;
}

static const char *add_statement(cmd_parms *cmd, void *dir, const char *file)
{
    probe_statement_t *statement = apr_pcalloc(cmd->pool, sizeof(*statement));
    const char *error = probe_statement_read(statement, file, cmd->pool);

    statement->label = apr_psprintf(cmd->pool, "oas_probe_%d", all_statements->nelts);
    APR_ARRAY_PUSH(all_statements, const probe_statement_t *) = statement;
    APR_ARRAY_PUSH(((probe_t *)dir)->statements, const probe_statement_t *) = statement;
    return error;
}

/* -- the request -- */

/* No file is looked for, as for the endpoints of the server. */
static int translate_name(request_rec *r)
{
    const probe_t *probe = ap_get_module_config(r->per_dir_config, &oas_probe_module);

    if (probe->body == NULL) {
        return DECLINED;
    }
    r->handler = HANDLER;
    r->filename = HANDLER;
    return OK;
}

static int map_to_storage(request_rec *r)
{
    return r->filename != NULL && strcmp(r->filename, HANDLER) == 0 ? OK : DECLINED;
}

static apr_size_t read_body(request_rec *r, char *body)
{
    apr_size_t len = 0;
    long got;

    body[0] = '\0';
    if (ap_setup_client_block(r, REQUEST_CHUNKED_ERROR) != OK || !ap_should_client_block(r)) {
        return 0;
    }
    while (len < BODY_MAX - 1 &&
           (got = ap_get_client_block(r, body + len, BODY_MAX - 1 - len)) > 0) {
        len += (apr_size_t)got;
    }
    body[len] = '\0';
    return len;
}

/* The value of a form field; handles and JWTs are written as they are there. */
static const char *field(const char *body, const char *name)
{
    const char *found = body;

    while ((found = strstr(found, name)) != NULL && found != body && found[-1] != '&') {
        found++;
    }
    return found != NULL ? found + strlen(name) : NULL;
}

static const char *read_handles(request_rec *r, const probe_t *probe, const char *body,
                                probe_handles_t *handles)
{
    probe_handle_t *room = apr_pcalloc(r->pool, 3 * sizeof(*room));
    const char *text;

    if (probe->presented != NULL) {
        text = field(body, probe->presented);
        if (text == NULL || strlen(text) < PROBE_HANDLE_LEN || !probe_handle_read(&room[0], text)) {
            return "there is no handle in the form";
        }
        handles->presented = &room[0];
    }
    if (probe->cookie) {
        text = apr_table_get(r->headers_in, "Cookie");
        if (text == NULL || strlen(text) < PROBE_HANDLE_LEN ||
            !probe_handle_read(&room[1], text + strlen(text) - PROBE_HANDLE_LEN)) {
            return "there is no handle in the cookie";
        }
        handles->cookie = &room[1];
    }
    if (probe->made != NULL) {
        if (!probe_handle_make(&room[2], probe->made_new ? NULL : handles->presented)) {
            return "no handle could be made";
        }
        handles->made = &room[2];
    }
    return NULL;
}

static const char *verify(request_rec *r, const probe_t *probe, const char *body)
{
    const char *text = apr_table_get(r->headers_in, "Authorization");
    unsigned char signature[PROBE_SIGNATURE_MAX];
    apr_size_t len;
    jwt_t jwt;

    if (text == NULL || strncmp(text, "Bearer ", 7) != 0) {
        text = body;
    }
    if (!find_jwt(&jwt, text, 0) || jwt.signature_len > PROBE_SIGNATURE_MAX) {
        return "there is no JWT in the request";
    }
    len = probe_decode(signature, text + jwt.at + jwt.signed_len + 1, jwt.signature_len);
    return probe_verify(probe->verify, text + jwt.at, jwt.signed_len, signature, len)
               ? NULL
               : "the signature is not the key's";
}

static const char *run_statements(request_rec *r, const probe_t *probe,
                                  const probe_handles_t *handles)
{
    ap_dbd_t *rec = open_fn != NULL ? open_fn(r->pool, r->server) : NULL;
    const char *error = NULL;
    int i;

    if (rec == NULL) {
        return "there is no connection";
    }
    for (i = 0; i < probe->statements->nelts && error == NULL; i++) {
        error =
            probe_statement_run(APR_ARRAY_IDX(probe->statements, i, const probe_statement_t *),
                                apr_dbd_native_handle(rec->driver, rec->handle), handles, r->pool);
    }
    close_fn(r->server, rec);
    return error;
}

/* -- the answer -- */

/* The recorded text with the handle that was made for this request. */
static char *with_handle(request_rec *r, const probe_t *probe, const char *text, apr_size_t len,
                         const probe_handles_t *handles)
{
    char *copy = apr_pstrmemdup(r->pool, text, len);
    char *at = handles->made != NULL ? strstr(copy, probe->made) : NULL;

    if (at != NULL) {
        memcpy(at, handles->made->text, PROBE_HANDLE_LEN);
    }
    return copy;
}

static int sign_all(const probe_t *probe, char *body)
{
    unsigned char signature[PROBE_SIGNATURE_MAX];
    char text[PROBE_SIGNATURE_MAX * 4 / 3 + 4];
    int i;

    for (i = 0; i < probe->jwts->nelts; i++) {
        const jwt_t *jwt = &APR_ARRAY_IDX(probe->jwts, i, jwt_t);
        apr_size_t len = probe_sign(jwt->key, body + jwt->at, jwt->signed_len, signature);

        if (len == 0 || probe_encode(text, signature, len) != jwt->signature_len) {
            return 0;
        }
        memcpy(body + jwt->at + jwt->signed_len + 1, text, jwt->signature_len);
    }
    return 1;
}

static const char *send_answer(request_rec *r, const probe_t *probe, const probe_handles_t *handles)
{
    const char *body = probe->body;

    if (handles->made != NULL || probe->jwts->nelts > 0) {
        char *own = with_handle(r, probe, body, probe->body_len, handles);

        if (!sign_all(probe, own)) {
            return "a signature cannot be made, or has another length";
        }
        body = own;
    }
    r->err_headers_out = apr_table_overlay(r->pool, r->err_headers_out, probe->headers);
    if (probe->location != NULL) {
        apr_table_setn(r->err_headers_out, "Location",
                       with_handle(r, probe, probe->location, strlen(probe->location), handles));
    }
    if (probe->content_type != NULL) {
        ap_set_content_type(r, probe->content_type);
    }
    r->status = probe->status;
    ap_set_content_length(r, (apr_off_t)probe->body_len);
    ap_rwrite(body, (int)probe->body_len, r);
    return NULL;
}

static int handler(request_rec *r)
{
    const probe_t *probe = ap_get_module_config(r->per_dir_config, &oas_probe_module);
    probe_handles_t handles = {NULL, NULL, NULL};
    const char *error;
    char *body;

    if (r->handler == NULL || strcmp(r->handler, HANDLER) != 0 || probe->body == NULL) {
        return DECLINED;
    }
    body = apr_palloc(r->pool, BODY_MAX);
    read_body(r, body);
    error = read_handles(r, probe, body, &handles);
    if (error == NULL && probe->verify != NULL) {
        error = verify(r, probe, body);
    }
    if (error == NULL && probe->statements->nelts > 0) {
        error = run_statements(r, probe, &handles);
    }
    if (error == NULL) {
        error = send_answer(r, probe, &handles);
    }
    if (error == NULL) {
        return OK;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "the probe %s: %s", r->uri, error);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* -- the life cycle -- */

static apr_status_t prepare(apr_pool_t *pool, dbd_cfg_t *cfg, ap_dbd_t *rec)
{
    int i;

    for (i = 0; i < all_statements->nelts; i++) {
        const probe_statement_t *statement =
            APR_ARRAY_IDX(all_statements, i, const probe_statement_t *);

        if (!probe_statement_prepare(statement, apr_dbd_native_handle(rec->driver, rec->handle))) {
            ap_log_perror(APLOG_MARK, APLOG_ERR, 0, pool, "the probe's statement is refused: %s",
                          statement->sql);
        }
    }
    return APR_SUCCESS;
}

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    all_statements = apr_array_make(pconf, 8, sizeof(const probe_statement_t *));
    return OK;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    open_fn = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    close_fn = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    return OK;
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("OASProbeAnswer", set_answer, NULL, ACCESS_CONF, "file with the answer"),
    AP_INIT_TAKE2("OASProbeSign", add_sign, NULL, ACCESS_CONF,
                  "algorithm and key of the next JWT in it"),
    AP_INIT_TAKE2("OASProbeVerify", set_verify, NULL, ACCESS_CONF,
                  "algorithm and key of the request's JWT"),
    AP_INIT_TAKE1("OASProbePresented", set_presented, NULL, ACCESS_CONF,
                  "form field with a handle"),
    AP_INIT_FLAG("OASProbeCookie", set_cookie, NULL, ACCESS_CONF, "the cookie ends in a handle"),
    AP_INIT_TAKE2("OASProbeMade", set_made, NULL, ACCESS_CONF,
                  "the answer's handle, and NEXT or NEW"),
    AP_INIT_TAKE1("OASProbeStatement", add_statement, NULL, ACCESS_CONF, "file with a statement"),
    {NULL},
};

static void register_hooks(apr_pool_t *pool)
{
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(translate_name, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_FIRST);
    APR_OPTIONAL_HOOK(dbd, post_connect, prepare, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA oas_probe_module = {
    STANDARD20_MODULE_STUFF, create_dir, NULL, NULL, NULL, commands, register_hooks,
#ifdef AP_MODULE_FLAG_NONE
    AP_MODULE_FLAG_NONE
#endif
};
