/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file former.h
 * The module of the schema version before this one, as the database sees it: the statements that it
 * prepares, under the labels that they still have. The verbs of lib/store run them on such a
 * connection as that module does, as long as the columns of a label are the same, and its parameters
 * but for new ones at the end.
 */
#ifndef OAS_TEST_FORMER_H
#define OAS_TEST_FORMER_H

#include <libpq-fe.h>

/**
 * Prepares them instead of this version's. Exits when one cannot be.
 * @param for_verbs 1: takes, and ignores, the parameters that this version's verbs send beyond theirs
 */
void former_prepare(PGconn *conn, int for_verbs);

/** The label of statement `i`; NULL: there are no more. */
const char *former_label(int i);

#endif
