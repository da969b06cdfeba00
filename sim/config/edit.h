/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What config_set.c needs of config.c, which keeps libconfig to itself. `origin` is what messages
 * call the place where a setting got its value; it lives as long as the cfg.
 */
#ifndef SIM_CONFIG_EDIT_H
#define SIM_CONFIG_EDIT_H

#include "sim/config/config.h"

enum cfg_type { CFG_GROUP, CFG_LIST, CFG_INTEGER, CFG_BOOL, CFG_STRING, CFG_NUMBER };

enum cfg_type cfg_edit_type(const struct cfg_setting *s);

/** "--set path=value", owned by `c`; NULL: no memory. */
const char *cfg_edit_origin(struct cfg *c, const char *path, const char *value);

/** Record an error at `origin`. Returns cfg_status(). */
int cfg_edit_fail(struct cfg *c, const char *origin, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Add a member to a group; NULL: no memory, or the key is none. */
const struct cfg_setting *cfg_edit_add(const struct cfg_setting *group, const char *key,
				       enum cfg_type type, const char *origin);

/** Change a value; the setting is an integer, a bool, a string. false: no memory. */
bool cfg_edit_integer(const struct cfg_setting *s, long long value, const char *origin);
bool cfg_edit_bool(const struct cfg_setting *s, bool value, const char *origin);
bool cfg_edit_string(const struct cfg_setting *s, const char *value, const char *origin);

#endif
