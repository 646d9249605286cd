/* SPDX-License-Identifier: Apache-2.0 */
#include "conninfo.h"

#include <string.h>
#include <apr_strings.h>
#include <libpq-fe.h>

apr_status_t oas_conninfo_value(const char *params, const char *keyword, const char **value,
                                apr_pool_t *pool)
{
    PQconninfoOption *options = PQconninfoParse(params, NULL);
    const PQconninfoOption *option;

    *value = NULL;
    if (!options)
        return APR_EINVAL;
    for (option = options; option->keyword; option++)
        if (option->val && !strcmp(option->keyword, keyword))
            *value = apr_pstrdup(pool, option->val);
    PQconninfoFree(options);
    return APR_SUCCESS;
}
