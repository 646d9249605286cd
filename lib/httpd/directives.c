/* SPDX-License-Identifier: Apache-2.0 */
#include "directives.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include "../base/words.h"
#include "kinds.h"

#define SIZE_OF(type, member) sizeof(((type *)NULL)->member)
#define PLACE(type, member)                                                                        \
    {                                                                                              \
        1, offsetof(type, member), SIZE_OF(type, member)                                           \
    }
#define OAS_ISSUER(member)   PLACE(oas_server_config_t, member)
#define OAS_RESOURCE(member) PLACE(oas_resource_config_t, member)
#define OAS_CLIENT(member)   PLACE(oas_client_config_t, member)
#define OAS_NOT                                                                                    \
    {                                                                                              \
        0, 0, 0                                                                                    \
    }

const oas_directive_t oas_directives[OAS_D_COUNT] = {
#define OAS_DIRECTIVE(id, name_, kind_, issuer_, resource_, client_, min_, max_, args_, preset_,   \
                      absent_, help_)                                                              \
    [OAS_D_##id] = {                                                                               \
        .name = name_,                                                                             \
        .kind = &oas_kind_##kind_,                                                                 \
        .at = {[OAS_LEVEL_ISSUER] = issuer_,                                                       \
               [OAS_LEVEL_RESOURCE] = resource_,                                                   \
               [OAS_LEVEL_CLIENT] = client_},                                                      \
        .min = min_,                                                                               \
        .max = max_,                                                                               \
        .args = args_,                                                                             \
        .preset = preset_,                                                                         \
        .absent = absent_,                                                                         \
        .help = help_,                                                                             \
    },
#define OAS_SECTION(id, name_, open_, args_, help_)                                                \
    [OAS_D_##id] = {.name = name_, .args = args_, .help = help_},
#include "directives.def"
#undef OAS_DIRECTIVE
#undef OAS_SECTION
};

static const char *set_directive(cmd_parms *cmd, void *unused, int argc, char *const argv[]);

const command_rec oas_commands[] = {
#define OAS_DIRECTIVE(id, name, kind, issuer, resource, client, min, max, args, preset, absent,    \
                      help)                                                                        \
    AP_INIT_TAKE_ARGV(name, set_directive, (void *)&oas_directives[OAS_D_##id], RSRC_CONF, args),
#define OAS_SECTION(id, name, open, args, help) AP_INIT_RAW_ARGS(name, open, NULL, RSRC_CONF, args),
#include "directives.def"
#undef OAS_DIRECTIVE
#undef OAS_SECTION
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}};

/** "in a virtual host or inside <OAuth2ASClient>", for a directive in the wrong place. */
static const char *places_of(const oas_directive_t *row, apr_pool_t *pool)
{
    static const char *const names[OAS_LEVELS] = {
        [OAS_LEVEL_ISSUER] = "in a virtual host",
        [OAS_LEVEL_RESOURCE] = "inside <OAuth2ASResource>",
        [OAS_LEVEL_CLIENT] = "inside <OAuth2ASClient>",
    };
    const char *list = NULL;
    int i;

    for (i = 0; i < OAS_LEVELS; i++) {
        if (row->at[i].allowed) {
            list = list == NULL ? names[i] : apr_pstrcat(pool, list, " or ", names[i], NULL);
        }
    }
    return list;
}

static const char *set_value(oas_setting_t *setting, int argc, char *const argv[])
{
    const oas_directive_t *row = setting->row;

    if (argc < row->min || argc > row->max) {
        return apr_psprintf(setting->pool, "%s takes %s", row->name, row->args);
    }
    setting->member = (char *)setting->block->base + row->at[setting->block->level].offset;
    return row->kind->set(setting, argc, argv);
}

static const char *set_directive(cmd_parms *cmd, void *unused, int argc, char *const argv[])
{
    oas_server_config_t *config = oas_server_config(cmd->server);
    oas_setting_t setting = {.cmd = cmd,
                             .pool = cmd->pool,
                             .row = cmd->info,
                             .config = config,
                             .block = config->current};
    const char *why;

    if (!setting.row->at[setting.block->level].allowed) {
        return apr_psprintf(cmd->pool, "%s belongs %s", setting.row->name,
                            places_of(setting.row, cmd->temp_pool));
    }
    why = set_value(&setting, argc, argv);
    if (why == NULL) {
        setting.block->where[setting.row - oas_directives] = cmd->directive;
        if (config->own == NULL) {
            config->own = cmd->directive;
        }
    }
    return why;
}

/** Takes over what the inner block does not have. */
static void inherit(oas_block_t *into, const oas_block_t *base, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < OAS_D_COUNT; i++) {
        const oas_directive_t *row = &oas_directives[i];
        const oas_place_t *place = &row->at[into->level];
        char *inner = (char *)into->base + place->offset;
        const char *outer = (const char *)base->base + place->offset;

        if (!place->allowed) {
            continue;
        }
        if (row->kind->inherit != NULL) {
            row->kind->inherit(inner, outer, pool);
        } else if (into->where[i] == NULL) {
            memcpy(inner, outer, place->size);
        }
        if (into->where[i] == NULL) {
            into->where[i] = base->where[i];
        }
    }
}

static void prepare_block(oas_block_t *block, oas_level_t level, void *base)
{
    block->level = level;
    block->base = base;
}

static oas_server_config_t *blank_config(apr_pool_t *pool)
{
    oas_server_config_t *config = apr_pcalloc(pool, sizeof(*config));
    int i;

    prepare_block(&config->block, OAS_LEVEL_ISSUER, config);
    config->current = &config->block;
    config->resources = apr_array_make(pool, 4, sizeof(oas_resource_config_t *));
    config->clients = apr_array_make(pool, 8, sizeof(oas_client_config_t *));
    config->aliases = apr_table_make(pool, 4);
    config->issuer.clock_skew = OAS_LIFETIME_UNSET;
    config->issuer.database_wait = OAS_LIFETIME_UNSET;
    config->issuer.database_timeout = OAS_LIFETIME_UNSET;
    for (i = 0; i < OAS_LIFETIME_COUNT; i++) {
        config->issuer.lifetimes[i] = OAS_LIFETIME_UNSET;
    }
    return config;
}

void *oas_server_config_create(apr_pool_t *pool, server_rec *s)
{
    oas_server_config_t *config = blank_config(pool);

    config->server = s;
    return config;
}

/** 1 when one of the sections is for the same resource or client. */
static int has_resource(const oas_server_config_t *config, const char *uri)
{
    int i;

    for (i = 0; i < config->resources->nelts; i++) {
        const oas_resource_config_t *entry =
            APR_ARRAY_IDX(config->resources, i, oas_resource_config_t *);
        if (strcmp(entry->resource.uri, uri) == 0) {
            return 1;
        }
    }
    return 0;
}

static int has_client(const oas_server_config_t *config, const char *client_id)
{
    int i;

    for (i = 0; i < config->clients->nelts; i++) {
        const oas_client_config_t *entry = APR_ARRAY_IDX(config->clients, i, oas_client_config_t *);
        if (strcmp(entry->client.client_id, client_id) == 0) {
            return 1;
        }
    }
    return 0;
}

/** Sections are inherited whole; the virtual host's own replaces the main server's of the same
 * name. */
static void inherit_sections(oas_server_config_t *into, const oas_server_config_t *base,
                             apr_pool_t *pool)
{
    int i;

    for (i = 0; i < base->resources->nelts; i++) {
        oas_resource_config_t *entry = APR_ARRAY_IDX(base->resources, i, oas_resource_config_t *);
        if (!has_resource(into, entry->resource.uri)) {
            entry = apr_pmemdup(pool, entry, sizeof(*entry));
            entry->block.base = entry;
            APR_ARRAY_PUSH(into->resources, oas_resource_config_t *) = entry;
        }
    }
    for (i = 0; i < base->clients->nelts; i++) {
        oas_client_config_t *entry = APR_ARRAY_IDX(base->clients, i, oas_client_config_t *);
        if (!has_client(into, entry->client.client_id)) {
            entry = apr_pmemdup(pool, entry, sizeof(*entry));
            entry->block.base = entry;
            APR_ARRAY_PUSH(into->clients, oas_client_config_t *) = entry;
        }
    }
}

void *oas_server_config_merge(apr_pool_t *pool, void *base, void *over)
{
    oas_server_config_t *inner = over;
    oas_server_config_t *merged = apr_pmemdup(pool, inner, sizeof(*inner));

    merged->block.base = merged;
    merged->current = &merged->block;
    merged->resources = apr_array_copy(pool, inner->resources);
    merged->clients = apr_array_copy(pool, inner->clients);
    inherit(&merged->block, &((oas_server_config_t *)base)->block, pool);
    inherit_sections(merged, base, pool);
    return merged;
}

/** Sets one default, "pair=10 account=50". */
static const char *set_preset(oas_setting_t *setting, const char *text)
{
    char **argv;
    int argc = 0;

    if (apr_tokenize_to_argv(text, &argv, setting->pool) != APR_SUCCESS) {
        return "a default cannot be split";
    }
    while (argv[argc] != NULL) {
        argc++;
    }
    return set_value(setting, argc, argv);
}

const char *oas_apply_presets(oas_server_config_t *config, apr_pool_t *pool)
{
    oas_server_config_t *presets = blank_config(pool);
    int i;

    for (i = 0; i < OAS_D_COUNT; i++) {
        oas_setting_t setting = {
            .pool = pool, .row = &oas_directives[i], .config = presets, .block = &presets->block};
        char *rest = apr_pstrdup(pool, setting.row->preset != NULL ? setting.row->preset : "");
        char *comma;
        const char *why;

        for (; *rest != '\0'; rest = comma) {
            comma = strstr(rest, ", ");
            comma = comma != NULL ? comma : rest + strlen(rest);
            if (*comma == ',') {
                *comma = '\0';
                comma += 2;
            }
            why = set_preset(&setting, rest);
            if (why != NULL) {
                return apr_psprintf(pool, "default of %s: %s", setting.row->name, why);
            }
        }
    }
    inherit(&config->block, &presets->block, pool);
    return NULL;
}
