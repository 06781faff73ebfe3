/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input - the JSON document that a program is given on a fd
 */
#ifndef RNET_DIALECT_INPUT_H
#define RNET_DIALECT_INPUT_H

#include <rnet/oci/json.h>

enum {
    RN_INPUT_MAX = 1024 * 1024 /* bytes; hundreds of times what callers send */
};

/*
 * Reads `fd` to its end and parses what came, as rn_json_parse() does; the tree
 * is the caller's. `name` stands for it in errors. RN_ERROR_LIMIT beyond
 * RN_INPUT_MAX, RN_ERROR_INVALID if nothing came. Blocks meanwhile.
 */
json_t *rn_input_read(int fd, const char *name, GError **error) RN_CHECK;

#endif
