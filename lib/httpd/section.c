/* SPDX-License-Identifier: Apache-2.0 */
#include "directives.h"

#include <string.h>
#include <strings.h>
#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "../base/uri.h"
#include "../base/words.h"

/** The one argument between "<OAuth2ASClient" and ">". */
static const char *section_argument(cmd_parms *cmd, const char *args, const char **out)
{
    const char *end = ap_strrchr_c(args, '>');
    const char *rest;

    if (end == NULL) {
        return apr_pstrcat(cmd->pool, cmd->cmd->name, "> directive missing closing '>'", NULL);
    }
    rest = apr_pstrmemdup(cmd->pool, args, end - args);
    *out = ap_getword_conf(cmd->pool, &rest);
    while (apr_isspace(*rest)) {
        rest++;
    }
    return **out == '\0' || *rest != '\0'
               ? apr_pstrcat(cmd->pool, cmd->cmd->name, "> takes one argument", NULL)
               : NULL;
}

/** Any other directive would act on the server around the section; nobody means that. */
static const char *foreign_directive(cmd_parms *cmd, const ap_directive_t *node)
{
    for (; node != NULL; node = node->next) {
        if (strncasecmp(node->directive, "OAuth2AS", 8) != 0) {
            return apr_psprintf(cmd->pool, "%s at %s:%d cannot stand inside %s>", node->directive,
                                node->filename, node->line_num, cmd->cmd->name);
        }
    }
    return NULL;
}

/** Reads what is inside a section into `block`. */
static const char *walk_section(cmd_parms *cmd, oas_block_t *block)
{
    oas_server_config_t *config = oas_server_config(cmd->server);
    oas_block_t *outer = config->current;
    const char *why = foreign_directive(cmd, cmd->directive->first_child);

    if (why != NULL) {
        return why;
    }
    block->section = cmd->directive;
    config->current = block;
    why = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    config->current = outer;
    if (why == NULL && config->own == NULL) {
        config->own = cmd->directive;
    }
    return why;
}

static const char *open_section(cmd_parms *cmd, const char *args, const char **name)
{
    const char *why = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);

    if (why != NULL) {
        return why;
    }
    return section_argument(cmd, args, name);
}

static const char *second_section(cmd_parms *cmd, const char *name, const oas_block_t *first)
{
    return apr_psprintf(cmd->pool, "%s \"%s\"> is there already, at %s:%d", cmd->cmd->name, name,
                        first->section->filename, first->section->line_num);
}

const char *oas_open_resource(cmd_parms *cmd, void *unused, const char *args)
{
    oas_server_config_t *config = oas_server_config(cmd->server);
    oas_resource_config_t *entry;
    const char *uri;
    const char *why = open_section(cmd, args, &uri);
    oas_uri_t parts;
    int i;

    if (why != NULL) {
        return why;
    }
    if (oas_uri_parse(&parts, uri, cmd->pool) != APR_SUCCESS || parts.fragment != NULL) {
        return apr_psprintf(cmd->pool,
                            "%s \"%s\">: an API is named by an absolute URI without "
                            "fragment (RFC 8707 section 2)",
                            cmd->cmd->name, uri);
    }
    for (i = 0; i < config->resources->nelts; i++) {
        entry = APR_ARRAY_IDX(config->resources, i, oas_resource_config_t *);
        if (strcmp(entry->resource.uri, uri) == 0) {
            return second_section(cmd, uri, &entry->block);
        }
    }
    entry = apr_pcalloc(cmd->pool, sizeof(*entry));
    entry->block.level = OAS_LEVEL_RESOURCE;
    entry->block.base = entry;
    entry->resource.uri = uri;
    entry->resource.scopes = apr_array_make(cmd->pool, 4, sizeof(oas_scope_t));
    entry->resource.access_token_lifetime = OAS_LIFETIME_UNSET;
    entry->resource.offline_access = 1;
    why = walk_section(cmd, &entry->block);
    if (why == NULL) {
        APR_ARRAY_PUSH(config->resources, oas_resource_config_t *) = entry;
    }
    return why;
}

static const char *client_id_fault(cmd_parms *cmd, const char *client_id)
{
    if (strlen(client_id) > OAS_CLIENT_ID_MAX) {
        return apr_psprintf(cmd->pool, "%s>: a client_id has at most %d characters", cmd->cmd->name,
                            OAS_CLIENT_ID_MAX);
    }
    return oas_client_id_valid(client_id)
               ? NULL
               : apr_psprintf(cmd->pool,
                              "%s \"%s\">: a client_id is of visible ASCII characters without '|'",
                              cmd->cmd->name, client_id);
}

static oas_client_config_t *new_client(const char *client_id, apr_pool_t *pool)
{
    oas_client_config_t *entry = apr_pcalloc(pool, sizeof(*entry));
    int i;

    entry->block.level = OAS_LEVEL_CLIENT;
    entry->block.base = entry;
    entry->client.client_id = client_id;
    entry->client.type = OAS_CLIENT_WEB;
    entry->client.rotation = 1;
    entry->client.reuse_window = OAS_WINDOW_UNSET;
    for (i = 0; i < OAS_LIFETIME_COUNT; i++) {
        entry->client.lifetimes[i] = OAS_LIFETIME_UNSET;
    }
    return entry;
}

const char *oas_open_client(cmd_parms *cmd, void *unused, const char *args)
{
    oas_server_config_t *config = oas_server_config(cmd->server);
    oas_client_config_t *entry;
    const char *client_id;
    const char *why = open_section(cmd, args, &client_id);
    int i;

    if (why == NULL) {
        why = client_id_fault(cmd, client_id);
    }
    if (why != NULL) {
        return why;
    }
    for (i = 0; i < config->clients->nelts; i++) {
        entry = APR_ARRAY_IDX(config->clients, i, oas_client_config_t *);
        if (strcmp(entry->client.client_id, client_id) == 0) {
            return second_section(cmd, client_id, &entry->block);
        }
    }
    entry = new_client(client_id, cmd->pool);
    why = walk_section(cmd, &entry->block);
    if (why == NULL) {
        APR_ARRAY_PUSH(config->clients, oas_client_config_t *) = entry;
    }
    return why;
}
