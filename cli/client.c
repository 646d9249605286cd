/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of the clients table. */
#include <stdio.h>
#include <string.h>
#include <apr_strings.h>
#include "../lib/base/bytes.h"
#include "../lib/base/json.h"
#include "../lib/store/client_admin.h"
#include "client_input.h"
#include "output.h"

#define LIST_DEFAULT 1000
#define LIST_MAX     10000
#define SECRETS_MAX  2
#define SECRET_MIN   22 /* characters: 128 random bits in base64url */

static const char *state_of(const oas_client_entry_t *entry)
{
    if (entry->disabled)
        return "disabled";
    return entry->served ? "active" : "gone";
}

static json_t *entry_json(const oas_client_entry_t *entry)
{
    json_t *json = json_object();

    oas_json_set(json, "client_id", entry->client_id);
    oas_json_set(json, "client_name", entry->name);
    oas_json_set(json, "client_type", entry->type);
    oas_json_set(json, "source", entry->configured ? "configuration" : "database");
    oas_json_set(json, "state", state_of(entry));
    json_object_set_new(json, "secrets", json_integer(entry->secrets));
    json_object_set_new(json, "created", cli_json_time(entry->created));
    json_object_set_new(json, "updated", cli_json_time(entry->updated));
    json_object_set_new(json, "seen", cli_json_time(entry->configured ? entry->seen : 0));
    return json;
}

int cli_client_list(cli_t *cli)
{
    static const cli_column_t columns[] = {{"client_id", "CLIENT"}, {"client_name", "NAME"},
                                           {"client_type", "TYPE"}, {"source", "SOURCE"},
                                           {"state", "STATE"},      {"secrets", "SECRETS"},
                                           {"updated", "UPDATED"},  {NULL, NULL}};
    const char *after = "", *limit_text = NULL;
    const cli_option_t options[] = {{.name = "after", .value = &after},
                                    {.name = "limit", .value = &limit_text},
                                    CLI_OPTION_OUTPUT(cli),
                                    {.name = NULL}};
    json_t *list = oas_json_own(cli->pool, json_array());
    apr_array_header_t *clients;
    int i, limit = LIST_DEFAULT, code = cli_parse(cli, options, NULL, 0);
    apr_status_t rv;
    oas_db_t *db;

    if (code == CLI_DONE && limit_text)
        code = cli_number(&limit, limit_text, LIST_MAX, "limit");
    db = code == CLI_DONE ? cli_database(cli, &code) : NULL;
    if (!db)
        return code;
    rv = oas_store_clients_list(db, after, limit, &clients, cli->pool);
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, "such name");
    for (i = 0; i < clients->nelts; i++)
        json_array_append_new(list, entry_json(&APR_ARRAY_IDX(clients, i, oas_client_entry_t)));
    return cli_print_list(cli, list, columns);
}

/* Finds a client; says on standard error when there is none. Returns the exit code. */
static int find(cli_t *cli, oas_db_t *db, const char *client_id, oas_client_entry_t *out)
{
    apr_status_t rv = oas_store_client_show(db, client_id, out, cli->pool);

    return rv == APR_SUCCESS
               ? CLI_DONE
               : cli_store_failed(rv, apr_pstrcat(cli->pool, "client ", client_id, NULL));
}

/* The same for one that can be changed here. */
static int find_own(cli_t *cli, oas_db_t *db, const char *client_id, oas_client_entry_t *out)
{
    int code = find(cli, db, client_id, out);

    if (code != CLI_DONE || !out->configured)
        return code;
    return cli_fail(CLI_FAILED, "client %s comes from a configuration: change it there", client_id);
}

/* Metadata as `client add` takes them: without the hashes of secrets. */
static json_t *metadata_of(const oas_client_entry_t *entry, apr_pool_t *pool)
{
    json_t *metadata;

    if (oas_json_parse(&metadata, entry->metadata, strlen(entry->metadata), CLI_TEXT_MAX, pool) !=
        APR_SUCCESS)
        return oas_json_object(pool);
    json_object_del(metadata, "client_secret_sha256");
    return metadata;
}

/* In a table everything that the metadata say is a line of its own. */
static int print_client(const cli_t *cli, json_t *json, const json_t *metadata)
{
    int count = (int)(json_object_size(json) + json_object_size(metadata));
    cli_column_t *lines = apr_pcalloc(cli->pool, ((apr_size_t)count + 1) * sizeof(*lines)),
                 *line = lines;
    const char *name;
    const json_t *value;

    if (cli->json) {
        json_object_set(json, "metadata", (json_t *)metadata);
        return cli_print_object(cli, json, NULL);
    }
    json_object_update_missing(json, (json_t *)metadata);
    json_object_foreach(json, name, value)
    {
        if (json_is_null(value) || (json_is_array(value) && !json_array_size(value)) ||
            (json_is_object(value) && !json_object_size(value)))
            continue;
        line->member = line->title = name;
        line++;
    }
    return cli_print_object(cli, json, lines);
}

int cli_client_show(cli_t *cli)
{
    const cli_option_t options[] = {CLI_OPTION_OUTPUT(cli), {.name = NULL}};
    oas_client_entry_t entry;
    const char *client_id;
    int code;
    oas_db_t *db = cli_open(cli, options, &client_id, 1, &code);

    if (db)
        code = find(cli, db, client_id, &entry);
    return code == CLI_DONE ? print_client(cli, oas_json_own(cli->pool, entry_json(&entry)),
                                           metadata_of(&entry, cli->pool))
                            : code;
}

static void push_secret(oas_client_t *client, const char *secret)
{
    oas_client_secret_t *slot = apr_array_push(client->secrets);

    oas_sha256(secret, strlen(secret), slot->sha256);
}

/* A secret that nobody has seen yet; wiped with the pool. NULL: no random bytes. */
static const char *new_secret(apr_pool_t *pool)
{
    unsigned char bytes[OAS_SECRET_LEN];
    char *text;

    if (oas_random(bytes, sizeof(bytes)) != APR_SUCCESS) {
        cli_fail(0, "the system gives no random bytes");
        return NULL;
    }
    text = oas_base64url_encode(pool, bytes, sizeof(bytes));
    oas_wipe(bytes, sizeof(bytes));
    oas_wipe_with_pool(pool, text, strlen(text));
    return text;
}

/* Shown once: nobody can read it from the database. */
static void print_secret(const cli_t *cli, const char *client_id, const char *secret)
{
    static const cli_column_t lines[] = {
        {"client_id", "client_id"}, {"client_secret", "client_secret"}, {NULL, NULL}};
    json_t *json = oas_json_object(cli->pool);

    oas_json_set(json, "client_id", client_id);
    oas_json_set(json, "client_secret", secret);
    cli_print_object(cli, json, lines);
}

static int changed(cli_t *cli, oas_db_t *db, const char *client_id, apr_status_t rv)
{
    if (rv == APR_SUCCESS)
        return cli_audit_one(cli, db, "client_id", client_id);
    if (rv == APR_ENOENT)
        return cli_fail(CLI_FAILED, "client %s was changed by somebody else at this moment",
                        client_id);
    return cli_store_failed(rv, apr_pstrcat(cli->pool, "client ", client_id, NULL));
}

/* Takes over the secrets that a client has, where the new metadata name none. */
static int keep_secrets(oas_client_t *client, const char *metadata, apr_pool_t *pool)
{
    oas_client_t *before;
    const char *wrong;

    if (oas_client_read(&before, metadata, &wrong, pool) != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "client %s cannot be read: %s", client->client_id, wrong);
    if (!client->secrets->nelts && (client->auth_methods & OAS_AUTH_ANY_SECRET))
        client->secrets = before->secrets;
    return CLI_DONE;
}

static int write_client(cli_t *cli, oas_db_t *db, const oas_client_t *client, const char *before,
                        const char *secret)
{
    const char *metadata = oas_client_to_json(client, cli->pool);
    apr_status_t rv = APR_EGENERAL;
    int code;

    if (metadata && before)
        rv = oas_store_client_change(db, client->client_id, metadata, before, cli->pool);
    else if (metadata)
        rv = oas_store_client_add(db, client->client_id, metadata, cli->pool);
    code = changed(cli, db, client->client_id, rv);
    if (rv == APR_SUCCESS)
        print_secret(cli, client->client_id, secret);
    return code;
}

int cli_client_add(cli_t *cli)
{
    const char *replace = NULL, *path, *text, *secret = NULL;
    const cli_option_t options[] = {{.name = "replace", .value = &replace, .is_flag = 1},
                                    CLI_OPTION_OUTPUT(cli),
                                    {.name = NULL}};
    oas_client_entry_t entry = {.metadata = NULL};
    oas_client_t *client;
    oas_db_t *db;
    int code = cli_parse(cli, options, &path, 1);

    if (code != CLI_DONE)
        return code;
    text = cli_read_text(path, cli->pool);
    code = text ? cli_client_read(&client, text, NULL, cli->pool) : CLI_FAILED;
    db = code == CLI_DONE ? cli_database(cli, &code) : NULL;
    if (!db)
        return code;
    if (replace) {
        code = find_own(cli, db, client->client_id, &entry);
        if (code == CLI_DONE)
            code = keep_secrets(client, entry.metadata, cli->pool);
        if (code != CLI_DONE)
            return code;
    }
    if (!client->secrets->nelts && (client->auth_methods & OAS_AUTH_ANY_SECRET)) {
        secret = new_secret(cli->pool);
        if (!secret)
            return CLI_FAILED;
        push_secret(client, secret);
    }
    code = cli_client_check(client, cli->pool);
    return code == CLI_DONE ? write_client(cli, db, client, entry.metadata, secret) : code;
}

static int set_disabled(cli_t *cli, int disabled)
{
    oas_client_entry_t entry;
    const char *client_id;
    int code;
    oas_db_t *db = cli_open(cli, cli_no_options, &client_id, 1, &code);

    if (db)
        code = find(cli, db, client_id, &entry);
    if (!db || code != CLI_DONE)
        return code;
    code =
        changed(cli, db, client_id, oas_store_client_disable(db, client_id, disabled, cli->pool));
    if (code == CLI_DONE && disabled && entry.configured)
        cli_fail(0,
                 "warning: client %s comes from a configuration: nodes that have it there go on "
                 "serving it; to end it there, and for good, remove it from their configuration",
                 client_id);
    return code;
}

int cli_client_disable(cli_t *cli)
{
    return set_disabled(cli, 1);
}

int cli_client_enable(cli_t *cli)
{
    return set_disabled(cli, 0);
}

/* The new secret goes first, and the one before stays until it is retired. */
static int rotate(oas_client_t *client, const char *secret, apr_pool_t *pool)
{
    apr_array_header_t *before = client->secrets;

    if (!(client->auth_methods & OAS_AUTH_ANY_SECRET))
        return cli_fail(CLI_FAILED, "client %s does not authenticate by a secret",
                        client->client_id);
    if (before->nelts >= SECRETS_MAX)
        return cli_fail(CLI_FAILED,
                        "client %s has two secrets already; end the older one first: "
                        "oauth2asctl client secret --retire %s",
                        client->client_id, client->client_id);
    client->secrets = apr_array_make(pool, SECRETS_MAX, sizeof(oas_client_secret_t));
    push_secret(client, secret);
    apr_array_cat(client->secrets, before);
    return CLI_DONE;
}

static int retire(oas_client_t *client)
{
    if (client->secrets->nelts < 2)
        return cli_fail(CLI_FAILED, "client %s has no second secret", client->client_id);
    client->secrets->nelts = 1;
    return CLI_DONE;
}

/* The secret to set: made, or typed. NULL: said on standard error. */
static const char *obtain_secret(const cli_t *cli, int typed)
{
    const char *secret =
        typed ? cli_read_secret(cli->pool, "Client secret", 1) : new_secret(cli->pool);

    if (secret && strlen(secret) < SECRET_MIN) {
        cli_fail(0, "a client secret has at least %d characters; openssl rand -hex 32 makes one",
                 SECRET_MIN);
        return NULL;
    }
    return secret;
}

int cli_client_secret(cli_t *cli)
{
    const char *typed = NULL, *old = NULL, *client_id, *secret = NULL, *wrong;
    const cli_option_t options[] = {{.name = "read", .value = &typed, .is_flag = 1},
                                    {.name = "retire", .value = &old, .is_flag = 1},
                                    CLI_OPTION_OUTPUT(cli),
                                    {.name = NULL}};
    oas_client_entry_t entry;
    oas_client_t *client;
    int code;
    oas_db_t *db = cli_open(cli, options, &client_id, 1, &code);

    if (!db)
        return code;
    if (typed && old)
        return cli_fail(CLI_USAGE, "--read or --retire, not both");
    code = find_own(cli, db, client_id, &entry);
    if (code != CLI_DONE)
        return code;
    if (oas_client_read(&client, entry.metadata, &wrong, cli->pool) != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "client %s cannot be read: %s", client_id, wrong);
    if (!old) {
        secret = obtain_secret(cli, typed != NULL);
        if (!secret)
            return CLI_FAILED;
    }
    code = old ? retire(client) : rotate(client, secret, cli->pool);
    return code == CLI_DONE ? write_client(cli, db, client, entry.metadata, typed ? NULL : secret)
                            : code;
}
