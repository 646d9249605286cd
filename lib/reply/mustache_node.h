/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mustache_node.h
 * What a compiled template is made of; shared by mustache.c (compiles) and mustache_render.c.
 */
#ifndef OAS_REPLY_MUSTACHE_NODE_H
#define OAS_REPLY_MUSTACHE_NODE_H

#include "mustache.h"

typedef enum {
    OAS_NODE_TEXT,
    OAS_NODE_VALUE,    /**< {{name}}: escaped */
    OAS_NODE_RAW,      /**< {{{name}}} and {{&name}} */
    OAS_NODE_SECTION,  /**< {{#name}} */
    OAS_NODE_INVERTED, /**< {{^name}} */
    OAS_NODE_PARTIAL   /**< {{>name}} */
} oas_node_type_t;

/** Nodes lie in one array in the order of the text; a section's children follow it, up to `end`. */
typedef struct {
    oas_node_type_t type;
    int line;
    int line_start;     /**< text: begins a line, so the indentation of a partial goes before it */
    const char *text;   /**< the text, or the name; NUL-terminated when a name */
    apr_size_t len;     /**< of text */
    const char **path;  /**< the name split at its dots */
    int path_len;       /**< 0 for the name "." */
    const char *indent; /**< partial alone on its line: what stood before it; else NULL */
    int end;            /**< section: index behind its last child */
} oas_node_t;

struct oas_mustache {
    const oas_node_t *nodes;
    int count;
};

#endif
