// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "options.h"
#include "slo.h"

#define MAX_DECIMALS 4u

static const char *const latencies[VGIC_LATENCIES] = {
	[VGIC_LATENCY_RAISE_TO_LR] = "raise-to-lr",
	[VGIC_LATENCY_RAISE_TO_ACK] = "raise-to-ack",
	[VGIC_LATENCY_ACK_TO_EOI] = "ack-to-eoi",
	[VGIC_LATENCY_RAISE_TO_DEACTIVATE] = "raise-to-deactivate",
};

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* "99", "99.9" after the p; *end is behind it. */
static int parse_percentile(const char *s, double *p, const char **end)
{
	unsigned int whole = 0, part = 0, scale = 1, n = 0;

	for (; isdigit((unsigned char)*s) && n < 3; n++)
		whole = whole * 10 + (unsigned int)(*s++ - '0');
	if (!n)
		return -EINVAL;
	if (*s == '.') {
		s++;
		for (n = 0; isdigit((unsigned char)*s) && n < MAX_DECIMALS; n++, scale *= 10)
			part = part * 10 + (unsigned int)(*s++ - '0');
		if (!n)
			return -EINVAL;
	}
	*p = ((double)whole * scale + part) / (100.0 * scale);
	*end = s;
	return *p > 0 && *p < 1 ? 0 : -ERANGE;
}

int slo_parse(const char *text, struct slo *slo, const char **why)
{
	const char *s = skip_blanks(text), *first = s, *end;
	char limit[40];
	size_t n, k;

	memset(slo, 0, sizeof(*slo));
	*why = "it begins with a percentile like p99 or p99.9";
	if (*s != 'p' || parse_percentile(s + 1, &slo->p, &end))
		return -EINVAL;
	n = (size_t)(end - first);
	*why = "behind the percentile stands (raise-to-lr), (raise-to-ack), (raise-to-deactivate) "
	       "or (ack-to-eoi)";
	s = skip_blanks(end);
	if (*s != '(')
		return -EINVAL;
	s = skip_blanks(s + 1);
	for (k = 0; k < VGIC_LATENCIES; k++) {
		size_t len = strlen(latencies[k]);

		if (!strncmp(s, latencies[k], len) && *skip_blanks(s + len) == ')')
			break;
	}
	if (k == VGIC_LATENCIES)
		return -EINVAL;
	slo->latency = (enum vgic_latency)k;
	snprintf(slo->name, sizeof(slo->name), "%.*s(%s)", (int)n, first, latencies[k]);
	s = skip_blanks(skip_blanks(s + strlen(latencies[k])) + 1);
	*why = "behind the latency stands < or <=";
	if (*s++ != '<')
		return -EINVAL;
	slo->or_equal = *s == '=';
	s = skip_blanks(s + slo->or_equal);
	*why = "the limit is a time with its unit like 20us";
	n = strlen(s);
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	if (!n || n >= sizeof(limit) || !isalpha((unsigned char)s[n - 1]))
		return -EINVAL;
	memcpy(limit, s, n);
	limit[n] = '\0';
	if (parse_duration(limit, &slo->limit_ns) || !slo->limit_ns)
		return -EINVAL;
	return 0;
}

bool slo_allows(const struct slo *slo, uint64_t ns)
{
	return slo->or_equal ? ns <= slo->limit_ns : ns < slo->limit_ns;
}
