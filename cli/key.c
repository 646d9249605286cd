/* SPDX-License-Identifier: Apache-2.0 */
/* Signing keys: in files, and in the keyring of the database (OAuth2ASKey database). */
#include "output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>
#include "../lib/base/box.h"
#include "../lib/base/json.h"
#include "../lib/jose/sealed.h"
#include "../lib/store/key.h"
#include "../lib/store/schema.h"

#define SECRET_FILE_MAX 4096 /* bytes, as with OAuth2ASSecret */

static const cli_column_t put_columns[] = {
    {"kid", "KID"}, {"alg", "ALG"}, {"state", "STATE"}, {NULL, NULL}};

/* The bytes of a file that nobody else can read; len 0: said on standard error. */
static oas_bytes_t read_private(const char *path, apr_pool_t *pool)
{
    unsigned char *data = apr_palloc(pool, SECRET_FILE_MAX + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    oas_bytes_t out = {data, 0};
    struct stat info;
    ssize_t len = -1;

    oas_wipe_with_pool(pool, data, SECRET_FILE_MAX + 1);
    if (fd >= 0 && fstat(fd, &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        cli_fail(0, "%s can be read or written by others than its owner (chmod 600)", path);
        close(fd);
        return out;
    }
    if (fd >= 0) {
        len = read(fd, data, SECRET_FILE_MAX + 1);
        close(fd);
    }
    if (len > 0 && len <= SECRET_FILE_MAX)
        out.len = (apr_size_t)len;
    else
        cli_fail(0, len > 0 ? "%s is too long for a secret" : "cannot read %s", path);
    return out;
}

typedef struct {
    cli_t *cli;
    apr_array_header_t *secrets; /* of oas_secret_t * */
    const char *is_new;          /* --new-secret: the keyring need not know it */
} secrets_t;

/* --secret-file FILE */
static int add_secret(void *baton, const char *path)
{
    secrets_t *all = baton;
    oas_bytes_t bytes = read_private(path, all->cli->pool);
    oas_secret_t *secret;

    if (!bytes.len)
        return 0;
    oas_secret_trim(&bytes);
    if (oas_secret_create(&secret, bytes.data, bytes.len, all->cli->pool) != APR_SUCCESS)
        return cli_fail(0, "%s has less than %d bytes: it is no OAuth2ASSecret", path,
                        OAS_SECRET_MIN);
    APR_ARRAY_PUSH(all->secrets, oas_secret_t *) = secret;
    return 1;
}

static secrets_t no_secrets(cli_t *cli)
{
    const secrets_t none = {cli, apr_array_make(cli->pool, 2, sizeof(oas_secret_t *)), NULL};

    return none;
}

static const oas_alg_t *find_alg(const char *name)
{
    const oas_alg_t *alg = oas_alg_find(name);

    if (!alg)
        cli_fail(CLI_USAGE, "%s is none of RS256, PS256, ES256, EdDSA", name);
    return alg;
}

static int generate_file(cli_t *cli, const oas_alg_t *alg, const char *path)
{
    const char *pem;

    if (oas_jwk_generate_pem(&pem, alg, cli->pool) != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "OpenSSL makes no key for %s", oas_alg_name(alg));
    return cli_write_private(path, pem, strlen(pem));
}

static int audit_key(cli_t *cli, oas_db_t *db, const char *kid, const char *alg, const char *state)
{
    json_t *what = oas_json_object(cli->pool);

    oas_json_set(what, "kid", kid);
    oas_json_set(what, "alg", alg);
    oas_json_set(what, "state", state);
    return cli_audit(cli, db, what);
}

static int print_put(cli_t *cli, const char *kid, const char *alg, const char *state)
{
    json_t *json = oas_json_object(cli->pool);

    oas_json_set(json, "kid", kid);
    oas_json_set(json, "alg", alg);
    oas_json_set(json, "state", state);
    return cli_print_object(cli, json, put_columns);
}

/* These secrets for the issuer of this schema. */
static int seal_for(cli_t *cli, oas_db_t *db, const secrets_t *secrets, oas_seal_for_t *out)
{
    int version;
    apr_status_t rv = oas_schema_status(db, &version, &out->issuer, cli->pool);

    out->secrets = secrets->secrets;
    return rv == APR_SUCCESS && out->issuer
               ? CLI_DONE
               : cli_store_failed(rv != APR_SUCCESS ? rv : APR_ENOENT, "schema");
}

/* What is sealed with a file of another server opens on no node, and the keys that nodes do have
 * could be retired in the belief that it takes their place. Whoever seals the keyring anew seals
 * all of it, so a secret that is in use is that of some key. */
static int check_secret(cli_t *cli, oas_db_t *db, const secrets_t *secrets)
{
    apr_array_header_t *keys;
    apr_status_t rv = oas_store_key_list(db, &keys, cli->pool);
    int i;

    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, "keyring");
    for (i = 0; i < keys->nelts; i++) {
        if (oas_box_is_current(secrets->secrets,
                               oas_key_row_sealed(&APR_ARRAY_IDX(keys, i, oas_key_row_t))))
            return CLI_DONE;
    }
    return !keys->nelts || secrets->is_new
               ? CLI_DONE
               : cli_fail(CLI_FAILED,
                          "no key of the keyring is sealed with this secret, so the nodes may not "
                          "have it, and could not use what it seals. Give the first file of their "
                          "OAuth2ASSecret (key status --secret-file FILE says which keys it "
                          "opens). Only if it is that one already: --new-secret");
}

/* Seals a key and puts it into the keyring. */
static int put_key(cli_t *cli, oas_db_t *db, const oas_jwk_t *jwk, const oas_alg_t *alg,
                   const secrets_t *secrets)
{
    const char *name = oas_alg_name(alg), *kid = oas_jwk_kid_for(jwk, alg, cli->pool), *state;
    oas_key_outcome_t outcome;
    oas_seal_for_t issuer;
    oas_bytes_t sealed;
    apr_status_t rv;
    int code = seal_for(cli, db, secrets, &issuer);

    if (code == CLI_DONE)
        code = check_secret(cli, db, secrets);
    if (code != CLI_DONE)
        return code;
    if (oas_key_seal(&sealed, jwk, alg, &issuer, cli->pool) != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "the private key cannot be had or sealed");
    /* how long it has to be published only the nodes know */
    rv = oas_store_key_put(db, kid, name, sealed, 0, OAS_KEY_STATES, &outcome, cli->pool);
    if (rv == APR_ENOSPC)
        return cli_fail(CLI_FAILED, "the key is longer than the keyring takes");
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, "keyring");
    if (outcome == OAS_KEY_PUT_KNOWN)
        return cli_fail(CLI_FAILED, "key %s is in the keyring already", kid);
    if (outcome == OAS_KEY_PUT_TAKEN)
        return cli_fail(CLI_FAILED,
                        "there is a next key for %s already (oauth2asctl key status); activate or "
                        "retire it first",
                        name);
    if (outcome == OAS_KEY_PUT_FULL)
        return cli_fail(CLI_FAILED, "there are too many keys in the keyring; remove retired ones "
                                    "(oauth2asctl key retire KID --now)");
    state = oas_key_state_names[outcome == OAS_KEY_PUT_ACTIVE ? OAS_KEY_ACTIVE : OAS_KEY_NEXT];
    code = print_put(cli, kid, name, state);
    return code != CLI_DONE ? code : audit_key(cli, db, kid, name, state);
}

static int no_secret_given(void)
{
    return cli_fail(CLI_USAGE, "the keyring needs --secret-file FILE, the first one of "
                               "OAuth2ASSecret; or name the FILE to write the key to");
}

int cli_key_generate(cli_t *cli)
{
    secrets_t secrets = no_secrets(cli);
    const cli_option_t options[] = {
        {.name = "secret-file", .each = add_secret, .baton = &secrets},
        {.name = "new-secret", .value = &secrets.is_new, .is_flag = 1},
        CLI_OPTION_OUTPUT(cli),
        {.name = NULL},
    };
    const char *operands[2] = {NULL, NULL};
    const oas_alg_t *alg;
    oas_jwk_t *jwk;
    oas_db_t *db;
    int code = cli_parse_some(cli, options, operands, 1, 2);

    if (code != CLI_DONE)
        return code;
    alg = find_alg(operands[0]);
    if (!alg)
        return CLI_USAGE;
    if (operands[1] && (secrets.secrets->nelts || secrets.is_new))
        return cli_fail(CLI_USAGE, "either FILE or --secret-file: a key is in one place");
    if (operands[1])
        return generate_file(cli, alg, operands[1]);
    if (!secrets.secrets->nelts)
        return no_secret_given();
    if (oas_jwk_generate(&jwk, alg, cli->pool) != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "OpenSSL makes no key for %s", operands[0]);
    db = cli_database(cli, &code);
    return db ? put_key(cli, db, jwk, alg, &secrets) : code;
}

int cli_key_import(cli_t *cli)
{
    secrets_t secrets = no_secrets(cli);
    const char *name = NULL, *uri, *why = NULL;
    const cli_option_t options[] = {
        {.name = "secret-file", .each = add_secret, .baton = &secrets},
        {.name = "new-secret", .value = &secrets.is_new, .is_flag = 1},
        {.name = "alg", .value = &name},
        CLI_OPTION_OUTPUT(cli),
        {.name = NULL},
    };
    const oas_alg_t *alg;
    oas_jwk_t *jwk;
    oas_db_t *db;
    int code = cli_parse(cli, options, &uri, 1);

    if (code != CLI_DONE)
        return code;
    if (!secrets.secrets->nelts)
        return no_secret_given();
    if (oas_jwk_load(&jwk, uri, &why, cli->pool) != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "%s: %s", uri, why);
    alg = name ? find_alg(name) : oas_jwk_default_alg(jwk);
    if (!alg)
        return CLI_USAGE;
    if (!oas_jwk_fits(jwk, alg))
        return cli_fail(CLI_FAILED, "%s: the key does not fit %s", uri, oas_alg_name(alg));
    db = cli_database(cli, &code);
    return db ? put_key(cli, db, jwk, alg, &secrets) : code;
}

/* Why nothing was changed, or NULL. */
static const char *refusal(oas_key_outcome_t outcome)
{
    switch (outcome) {
    case OAS_KEY_UNKNOWN:
        return "there is no such key in the keyring";
    case OAS_KEY_IS_ACTIVE:
        return "it signs already";
    case OAS_KEY_EARLY:
        return "not everybody knows the next key yet, and tokens would be refused: wait for SIGNS "
               "FROM of oauth2asctl key status, or do it all the same with --now";
    case OAS_KEY_NEEDED:
        return "it is the only key of its algorithm: generate the next one first";
    default:
        return NULL;
    }
}

static const char *deed(oas_key_outcome_t outcome)
{
    switch (outcome) {
    case OAS_KEY_ACTIVATED:
        return "active";
    case OAS_KEY_RETIRES:
        return "retired";
    case OAS_KEY_WITHDRAWN:
        return "withdrawn";
    default:
        return "removed";
    }
}

/* What activate and retire have in common. */
static int change(cli_t *cli, apr_status_t (*verb)(oas_db_t *db, const char *kid, int now,
                                                   oas_key_outcome_t *out, apr_pool_t *pool))
{
    const char *now = NULL, *kid;
    const cli_option_t options[] = {{.name = "now", .value = &now, .is_flag = 1}, {.name = NULL}};
    oas_key_outcome_t outcome;
    apr_status_t rv;
    int code;
    oas_db_t *db = cli_open(cli, options, &kid, 1, &code);

    if (!db)
        return code;
    rv = verb(db, kid, now != NULL, &outcome, cli->pool);
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, "keyring");
    if (refusal(outcome))
        return cli_fail(CLI_FAILED, "%s: %s", kid, refusal(outcome));
    printf("%s is %s; nodes follow within seconds\n", kid, deed(outcome));
    return audit_key(cli, db, kid, NULL, deed(outcome));
}

int cli_key_activate(cli_t *cli)
{
    return change(cli, oas_store_key_activate);
}

int cli_key_retire(cli_t *cli)
{
    return change(cli, oas_store_key_retire);
}

static int opens(const oas_key_row_t *key, const oas_seal_for_t *whose, apr_pool_t *pool)
{
    const oas_alg_t *alg = oas_alg_find(key->alg);
    oas_jwk_t *jwk;

    return alg &&
           oas_key_open(&jwk, oas_key_row_sealed(key), key->kid, alg, whose, pool) == APR_SUCCESS;
}

static json_t *key_json(const oas_key_row_t *key, const oas_seal_for_t *whose, apr_pool_t *pool)
{
    json_t *json = json_object();

    oas_json_set(json, "alg", key->alg);
    oas_json_set(json, "kid", key->kid);
    oas_json_set(json, "state", oas_key_state_names[key->state]);
    json_object_set_new(json, "created", cli_json_time(key->times.created));
    json_object_set_new(json, "usable",
                        cli_json_time(key->state == OAS_KEY_NEXT ? key->times.usable : 0));
    json_object_set_new(json, "activated", cli_json_time(key->times.activated));
    json_object_set_new(json, "retired", cli_json_time(key->times.retired));
    json_object_set_new(json, "ends", cli_json_time(key->times.ends));
    oas_json_set(json, "secret", oas_hex_encode(pool, key->sealed, OAS_SECRET_ID_LEN));
    if (whose->secrets->nelts)
        json_object_set_new(json, "opens", json_boolean(opens(key, whose, pool)));
    return json;
}

/* With secrets, whether they open each key. */
static int print_status(cli_t *cli, const apr_array_header_t *keys, const oas_seal_for_t *whose)
{
    const cli_column_t columns[] = {{"alg", "ALG"},
                                    {"state", "STATE"},
                                    {"kid", "KID"},
                                    {"created", "MADE"},
                                    {"usable", "SIGNS FROM"},
                                    {"activated", "SIGNS SINCE"},
                                    {"ends", "PUBLISHED UNTIL"},
                                    {"secret", "SECRET"},
                                    {whose->secrets->nelts ? "opens" : NULL, "OPENS"},
                                    {NULL, NULL}};
    json_t *list = oas_json_own(cli->pool, json_array());
    int i;

    for (i = 0; i < keys->nelts; i++)
        json_array_append_new(list,
                              key_json(&APR_ARRAY_IDX(keys, i, oas_key_row_t), whose, cli->pool));
    return cli_print_list(cli, list, columns);
}

int cli_key_status(cli_t *cli)
{
    secrets_t secrets = no_secrets(cli);
    const cli_option_t options[] = {
        {.name = "secret-file", .each = add_secret, .baton = &secrets},
        CLI_OPTION_OUTPUT(cli),
        {.name = NULL},
    };
    oas_seal_for_t issuer = {NULL, secrets.secrets};
    apr_array_header_t *keys;
    apr_status_t rv;
    int code;
    oas_db_t *db = cli_open(cli, options, NULL, 0, &code);

    if (db && secrets.secrets->nelts)
        code = seal_for(cli, db, &secrets, &issuer);
    if (!db || code != CLI_DONE)
        return code;
    rv = oas_store_key_list(db, &keys, cli->pool);
    if (rv != APR_SUCCESS)
        return cli_store_failed(rv, "keyring");
    return print_status(cli, keys, &issuer);
}
