/* SPDX-License-Identifier: Apache-2.0 */
/* Short names for building JSON documents with jansson; keys keep the order they are put in. */
#ifndef SIM_JSON_H
#define SIM_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "mm/mm.h"

static inline void json_put(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

/**
 * A string of any bytes, as file names are: where it is no UTF-8, each byte outside ASCII becomes
 * a question mark. NULL: no memory.
 */
json_t *json_text(const char *text);

static inline void json_put_string(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, json_text(value));
}

/** A new member that is an object or an array; `object` owns it. */
static inline json_t *json_put_object(json_t *object, const char *key)
{
	json_t *member = json_object();

	json_object_set_new(object, key, member);
	return member;
}

static inline json_t *json_put_array(json_t *object, const char *key)
{
	json_t *member = json_array();

	json_object_set_new(object, key, member);
	return member;
}

static inline json_t *json_append_object(json_t *array)
{
	json_t *element = json_object();

	json_array_append_new(array, element);
	return element;
}

static inline void json_append(json_t *array, uint64_t value)
{
	json_array_append_new(array, json_integer((json_int_t)value));
}

/** A node's NUMA counters, by the kernel's names and in its order. */
static inline void json_put_numastat(json_t *object, const struct mm_numastat *stat)
{
	json_put(object, "numa_hit", stat->numa_hit);
	json_put(object, "numa_miss", stat->numa_miss);
	json_put(object, "numa_foreign", stat->numa_foreign);
	json_put(object, "interleave_hit", stat->interleave_hit);
	json_put(object, "local_node", stat->local_node);
	json_put(object, "other_node", stat->other_node);
}

/** Members of an object, 0 and "" where they are missing. */
static inline uint64_t json_get(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static inline const char *json_get_string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

#endif
