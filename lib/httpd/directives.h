/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file directives.h
 * The descriptor table of all directives (directives.def) and what is driven by it: command_rec,
 * setting, inheritance, defaults, and the reference page docs/directives.md.
 */
#ifndef OAS_HTTPD_DIRECTIVES_H
#define OAS_HTTPD_DIRECTIVES_H

#include "server_config.h"

typedef struct oas_directive oas_directive_t;

/** One directive on its way into the configuration. */
typedef struct {
    cmd_parms *cmd; /**< NULL while defaults are set */
    apr_pool_t *pool;
    const oas_directive_t *row;
    oas_server_config_t *config;
    oas_block_t *block;
    void *member; /**< what the row's offset leads to */
} oas_setting_t;

/** How a kind of value is read and inherited. */
typedef struct {
    /** @return NULL, or what is wrong, in setting->pool */
    const char *(*set)(oas_setting_t *setting, int argc, char *const argv[]);
    /**
     * Takes over from `base` what `into` does not have, part by part. NULL: the value is one piece,
     * and the inner scope's replaces the outer one's.
     */
    void (*inherit)(void *into, const void *base, apr_pool_t *pool);
    const void *detail; /**< belongs to `set` */
} oas_kind_t;

/** Where a member is, at one level. */
typedef struct {
    int allowed;
    apr_size_t offset, size;
} oas_place_t;

struct oas_directive {
    const char *name;
    const oas_kind_t *kind;
    oas_place_t at[OAS_LEVELS];
    int min, max;       /**< number of arguments */
    const char *args;   /**< how they are written */
    const char *preset; /**< default, set like a directive; several are separated by ", " */
    const char *absent; /**< what holds without it, in words, where there is no preset */
    const char *help;
};

extern const oas_directive_t oas_directives[OAS_D_COUNT];
extern const command_rec oas_commands[];

/** Opens <OAuth2ASResource "URI"> and <OAuth2ASClient "client_id"> (section.c). */
const char *oas_open_resource(cmd_parms *cmd, void *unused, const char *args);
const char *oas_open_client(cmd_parms *cmd, void *unused, const char *args);

/**
 * Fills in the defaults of everything that was not given, once per server, after all files are
 * read.
 * @return NULL or what is wrong (a preset that is not valid: a mistake of ours)
 */
const char *oas_apply_presets(oas_server_config_t *config, apr_pool_t *pool);

#endif
