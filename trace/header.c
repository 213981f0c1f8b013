// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "header.h"

/* F_WORDS: a string that is left out where there is none. */
enum field_kind { F_STRING, F_WORDS, F_HEX, F_U8, F_U16, F_U32, F_S32, F_U64, F_KNOWN, F_BOOL };

/* One scalar member: its key, and where it stands in the structure. */
struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
	size_t size;  /* of a string, with its end */
	uint64_t max; /* of a number; 0: what the type holds */
};

#define FIELD(type, member, kind, ...)                                                            \
	{                                                                                         \
#member, kind, offsetof(struct type, member), sizeof(((struct type *)0)->member), \
			__VA_ARGS__                                                               \
	}

static const struct field header_fields[] = {FIELD(vgr_header, kernel_release, F_STRING, 0),
					     FIELD(vgr_header, kernel_version, F_STRING, 0),
					     FIELD(vgr_header, build_id, F_STRING, 0),
					     FIELD(vgr_header, machine, F_STRING, 0),
					     FIELD(vgr_header, hostname_hash, F_STRING, 0),
					     FIELD(vgr_header, midr, F_HEX, 0),
					     FIELD(vgr_header, cpu_part, F_STRING, 0),
					     FIELD(vgr_header, nr_cpus, F_U32, 0),
					     FIELD(vgr_header, kvm_mode, F_STRING, 0),
					     FIELD(vgr_header, vgic_model, F_U8, 5),
					     FIELD(vgr_header, gic_host, F_U8, 5),
					     FIELD(vgr_header, nr_lr, F_U8, VGR_MAX_LRS),
					     FIELD(vgr_header, pri_bits, F_U8, 8),
					     FIELD(vgr_header, pre_bits, F_U8, 8),
					     FIELD(vgr_header, id_bits, F_U8, 32),
					     FIELD(vgr_header, vtr, F_HEX, UINT32_MAX),
					     FIELD(vgr_header, static_traps, F_HEX, UINT32_MAX),
					     FIELD(vgr_header, tdir, F_KNOWN, 0),
					     FIELD(vgr_header, nested, F_KNOWN, 0),
					     FIELD(vgr_header, emulated, F_KNOWN, 0),
					     FIELD(vgr_header, policy, F_STRING, 0),
					     FIELD(vgr_header, clock, F_STRING, 0),
					     FIELD(vgr_header, start_realtime, F_U64, 0),
					     FIELD(vgr_header, start_clock, F_U64, 0),
					     FIELD(vgr_header, command, F_STRING, 0),
					     FIELD(vgr_header, guest_command, F_STRING, 0),
					     FIELD(vgr_header, tool, F_STRING, 0),
					     FIELD(vgr_header, features, F_STRING, 0),
					     FIELD(vgr_header, ring_bytes, F_U64, 0),
					     FIELD(vgr_header, source, F_WORDS, 0),
					     FIELD(vgr_header, missing, F_WORDS, 0),
					     {0}};

static const struct field probe_fields[] = {FIELD(vgr_probe, name, F_STRING, 0),
					    FIELD(vgr_probe, method, F_STRING, 0),
					    FIELD(vgr_probe, essential, F_BOOL, 0),
					    {0}};

static const struct field totals_fields[] = {FIELD(vgr_totals, guest_status, F_S32, 0),
					     FIELD(vgr_totals, kernel_lost, F_U64, 0),
					     FIELD(vgr_totals, stop, F_STRING, 0),
					     FIELD(vgr_totals, records, F_U64, 0),
					     FIELD(vgr_totals, lost, F_U64, 0),
					     FIELD(vgr_totals, raw_bytes, F_U64, 0),
					     FIELD(vgr_totals, first_time, F_U64, 0),
					     FIELD(vgr_totals, last_time, F_U64, 0),
					     {0}};

static const struct field cpu_fields[] = {FIELD(vgr_cpu_total, cpu, F_U16, 0),
					  FIELD(vgr_cpu_total, records, F_U64, 0),
					  FIELD(vgr_cpu_total, lost, F_U64, 0),
					  {0}};

static const struct field vm_fields[] = {
	FIELD(vgr_vm, tgid, F_U32, 0),	  FIELD(vgr_vm, nr_vcpus, F_U16, 0),
	FIELD(vgr_vm, nr_spis, F_U16, 0), FIELD(vgr_vm, vgic_model, F_U8, 5),
	FIELD(vgr_vm, comm, F_STRING, 0), {0}};

static const struct field vcpu_fields[] = {FIELD(vgr_vcpu_info, vm, F_U16, 0),
					   FIELD(vgr_vcpu_info, vcpu, F_U16, 0),
					   FIELD(vgr_vcpu_info, vcpu_id, F_U32, 0),
					   {0}};

static const struct field names_fields[] = {FIELD(vgw, tool, F_STRING, 0),
					    FIELD(vgw, estimator, F_STRING, 0),
					    FIELD(vgw, policy, F_STRING, 0),
					    {0}};

void vgr_header_init(struct vgr_header *h)
{
	memset(h, 0, sizeof(*h));
	strcpy(h->clock, "CLOCK_MONOTONIC");
	h->tdir = VGR_UNKNOWN;
	h->nested = VGR_UNKNOWN;
	h->emulated = VGR_UNKNOWN;
	h->version = VGR_VERSION;
	h->totals.guest_status = -1;
}

bool vgr_lacks(const struct vgr_header *h, const char *word)
{
	size_t len = strlen(word);
	const char *p = h->missing;

	while ((p = strstr(p, word))) {
		if ((p == h->missing || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return true;
		p += len;
	}
	return false;
}

/*
 * Names and command lines come from a running system and are printed on terminals:
 * only valid UTF-8 without control characters goes in and comes out.
 */
static void make_printable(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

static json_t *encode_string(const char *s, size_t size)
{
	char copy[1024];
	size_t len = strnlen(s, size - 1);
	json_t *v;
	char *p;

	if (len >= sizeof(copy))
		len = sizeof(copy) - 1;
	memcpy(copy, s, len);
	copy[len] = '\0';
	make_printable(copy);
	v = json_string(copy);
	if (v)
		return v;
	for (p = copy; *p; p++) {
		if (*p & 0x80)
			*p = '?';
	}
	return json_string(copy);
}

static json_t *encode_field(const struct field *f, const void *base)
{
	const char *at = (const char *)base + f->offset;
	uint64_t n = 0;
	char hex[24];

	switch (f->kind) {
	case F_STRING:
	case F_WORDS:
		return encode_string(at, f->size);
	case F_BOOL:
		return json_boolean(*(const bool *)at);
	case F_KNOWN:
		switch (*(const enum vgr_known *)at) {
		case VGR_NO:
			return json_false();
		case VGR_YES:
			return json_true();
		default:
			return json_null();
		}
	case F_S32:
		return json_integer(*(const int32_t *)at);
	case F_HEX:
		memcpy(&n, at, f->size);
		snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)n);
		return json_string(hex);
	default:
		memcpy(&n, at, f->size);
		return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
	}
}

static json_t *encode_object(const struct field *f, const void *base)
{
	json_t *o = json_object();

	for (; o && f->key; f++) {
		if (f->kind == F_WORDS && !*((const char *)base + f->offset))
			continue;
		if (json_object_set_new(o, f->key, encode_field(f, base))) {
			json_decref(o);
			o = NULL;
		}
	}
	return o;
}

static int encode_table(json_t *parent, const char *key, const struct field *f, const void *table,
			size_t n, size_t size)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < n; i++) {
		if (json_array_append_new(array,
					  encode_object(f, (const char *)table + i * size))) {
			json_decref(array);
			return -1;
		}
	}
	return json_object_set_new(parent, key, array);
}

char *header_encode(const struct vgr_header *h)
{
	json_t *o = encode_object(header_fields, h);
	char *text = NULL;

	if (o &&
	    !encode_table(o, "probes", probe_fields, h->probes, h->nr_probes, sizeof(*h->probes)))
		text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

char *totals_encode(const struct vgr_totals *t)
{
	json_t *o = encode_object(totals_fields, t);
	json_t *types = json_object();
	char *text = NULL;
	int i, err = !o || !types;

	for (i = 1; !err && i < VGR_TYPE_MAX; i++) {
		if (t->by_type[i])
			err = json_object_set_new(types, vgr_type_name(i),
						  json_integer((json_int_t)t->by_type[i]));
	}
	if (!err) {
		err = json_object_set(o, "by_type", types);
		if (!err)
			err = encode_table(o, "cpus", cpu_fields, t->cpus, t->nr_cpus,
					   sizeof(*t->cpus));
		if (!err)
			err = encode_table(o, "vms", vm_fields, t->vms, t->nr_vms, sizeof(*t->vms));
		if (!err)
			err = encode_table(o, "vcpus", vcpu_fields, t->vcpus, t->nr_vcpus,
					   sizeof(*t->vcpus));
		if (!err)
			text = json_dumps(o, JSON_COMPACT);
	}
	json_decref(types);
	json_decref(o);
	return text;
}

static int decode_number(const struct field *f, const json_t *v, uint64_t *n)
{
	const char *s;
	char *end;

	if (f->kind == F_HEX) {
		s = json_string_value(v);
		if (!s || strncmp(s, "0x", 2) || !s[2])
			return -EPROTO;
		errno = 0;
		*n = strtoull(s + 2, &end, 16);
		return *end || errno || end == s + 2 ? -EPROTO : 0;
	}
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return -EPROTO;
	*n = (uint64_t)json_integer_value(v);
	return 0;
}

static int decode_field(const struct field *f, const json_t *v, void *base)
{
	char *at = (char *)base + f->offset;
	uint64_t n, max = f->max;
	const char *s;
	json_int_t i;

	switch (f->kind) {
	case F_STRING:
	case F_WORDS:
		s = json_string_value(v);
		if (!s || strlen(s) >= f->size)
			return -EPROTO;
		memset(at, 0, f->size);
		strcpy(at, s);
		make_printable(at);
		return 0;
	case F_BOOL:
		if (!json_is_boolean(v))
			return -EPROTO;
		*(bool *)at = json_is_true(v);
		return 0;
	case F_KNOWN:
		if (!json_is_boolean(v) && !json_is_null(v))
			return -EPROTO;
		*(enum vgr_known *)at = json_is_null(v)	  ? VGR_UNKNOWN
					: json_is_true(v) ? VGR_YES
							  : VGR_NO;
		return 0;
	case F_S32:
		i = json_integer_value(v);
		if (!json_is_integer(v) || i < INT32_MIN || i > INT32_MAX)
			return -EPROTO;
		*(int32_t *)at = (int32_t)i;
		return 0;
	default:
		break;
	}
	if (!max)
		max = f->size >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * f->size)) - 1;
	if (decode_number(f, v, &n) || n > max)
		return -EPROTO;
	memcpy(at, &n, f->size);
	return 0;
}

static int decode_object(const struct field *f, const json_t *o, void *base, const char **why)
{
	const json_t *v;

	if (!json_is_object(o)) {
		*why = "a description that is not a JSON object";
		return -EPROTO;
	}
	for (; f->key; f++) {
		v = json_object_get(o, f->key);
		if (v && decode_field(f, v, base)) {
			*why = "a member of the description with an impossible value";
			return -EPROTO;
		}
	}
	return 0;
}

/* *table is allocated, *n set; what they held before is not looked at. */
static int decode_table(const json_t *parent, const char *key, const struct field *f, void **table,
			size_t *n, size_t size, const char **why)
{
	const json_t *array = json_object_get(parent, key);
	size_t i, count = json_array_size(array);
	char *t;
	int err;

	*table = NULL;
	*n = 0;
	if (!array || (json_is_array(array) && !count))
		return 0;
	if (!json_is_array(array) || count > VGR_MAX_TABLE) {
		*why = "a table of the description that cannot be";
		return -EPROTO;
	}
	t = calloc(count, size);
	if (!t)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		err = decode_object(f, json_array_get(array, i), t + i * size, why);
		if (err) {
			free(t);
			return err;
		}
	}
	*table = t;
	*n = count;
	return 0;
}

static int parse(json_t **o, const char *text, size_t size, const char **why)
{
	*o = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	if (*o)
		return 0;
	*why = "a description that is not JSON";
	return -EPROTO;
}

static int check_host(const struct vgr_header *h, const char **why)
{
	if (h->nr_lr <= vgr_lr_limit(h->gic_host))
		return 0;
	*why = "a host with more list registers than its GIC can have";
	return -EPROTO;
}

int header_decode(struct vgr_header *h, const char *text, size_t size, const char **why)
{
	void *probes;
	json_t *o;
	int err;

	err = parse(&o, text, size, why);
	if (err)
		return err;
	err = decode_object(header_fields, o, h, why);
	if (!err)
		err = check_host(h, why);
	if (!err)
		err = decode_table(o, "probes", probe_fields, &probes, &h->nr_probes,
				   sizeof(*h->probes), why);
	if (!err)
		h->probes = probes;
	json_decref(o);
	return err;
}

char *names_encode(const struct vgw *w)
{
	json_t *o = encode_object(names_fields, w);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return text;
}

int names_decode(struct vgw *w, const char *text, size_t size, const char **why)
{
	json_t *o;
	int err = parse(&o, text, size, why);

	if (err)
		return err;
	err = decode_object(names_fields, o, w, why);
	json_decref(o);
	return err;
}

static int decode_types(const json_t *o, struct vgr_totals *t)
{
	const json_t *types = json_object_get(o, "by_type"), *v;
	int i;

	if (!types)
		return 0;
	for (i = 1; i < VGR_TYPE_MAX; i++) {
		v = json_object_get(types, vgr_type_name(i));
		if (!v)
			continue;
		if (!json_is_integer(v) || json_integer_value(v) < 0)
			return -EPROTO;
		t->by_type[i] = (uint64_t)json_integer_value(v);
	}
	return 0;
}

int totals_decode(struct vgr_totals *t, const char *text, size_t size, const char **why)
{
	void *cpus = NULL, *vms = NULL, *vcpus = NULL;
	json_t *o;
	int err;

	err = parse(&o, text, size, why);
	if (err)
		return err;
	err = decode_object(totals_fields, o, t, why);
	if (!err) {
		*why = "a count of records that is not a number";
		err = decode_types(o, t);
	}
	if (!err)
		err = decode_table(o, "cpus", cpu_fields, &cpus, &t->nr_cpus, sizeof(*t->cpus),
				   why);
	if (!err)
		err = decode_table(o, "vms", vm_fields, &vms, &t->nr_vms, sizeof(*t->vms), why);
	if (!err)
		err = decode_table(o, "vcpus", vcpu_fields, &vcpus, &t->nr_vcpus, sizeof(*t->vcpus),
				   why);
	json_decref(o);
	t->cpus = cpus;
	t->vms = vms;
	t->vcpus = vcpus;
	if (err)
		totals_release(t);
	return err;
}

void totals_release(struct vgr_totals *t)
{
	free((void *)t->cpus);
	free((void *)t->vms);
	free((void *)t->vcpus);
	memset(t, 0, sizeof(*t));
	t->guest_status = -1;
}

void header_release(struct vgr_header *h)
{
	free((void *)h->probes);
	h->probes = NULL;
	h->nr_probes = 0;
	totals_release(&h->totals);
}
