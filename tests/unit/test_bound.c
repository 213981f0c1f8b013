/* SPDX-License-Identifier: GPL-2.0-only */
/* The clairvoyant bound, against every choice that a policy could make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <vgicsim/bound.h>

#define FREE	  UINT32_MAX
#define MAX_STEPS 14u
#define MAX_ACKS  8u
#define NEVER_MET 1000u

/* What one vCPU lives through: acknowledges of INTIDs, and free exits between them. */
struct sequence {
	uint32_t step[MAX_STEPS];
	unsigned int n;
};

static uint64_t bound_of(const struct sequence *s, unsigned int nr_lr)
{
	struct vgic_bound b;

	vgic_bound_init(&b, nr_lr);
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->step[i] == FREE)
			vgic_bound_free(&b);
		else
			vgic_bound_ack(&b, s->step[i]);
	}
	return b.exits;
}

/* ---- every choice there is ---- */

struct search {
	unsigned int nr_lr, nr_acks;
	uint32_t intid[MAX_ACKS];      /* of each acknowledge, in order */
	unsigned int raised[MAX_ACKS]; /* step from which on it may be in an LR */
	/* Fewest MIs from a step on, by what the LRs hold. */
	unsigned int best[MAX_STEPS + 1][1u << MAX_ACKS];
};

/* These may stand in the LRs together when step at is next and done were acknowledged. */
static bool allowed(const struct search *f, unsigned int at, unsigned int done, unsigned int set)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < f->nr_acks; i++) {
		if (!(set >> i & 1))
			continue;
		if (i < done || f->raised[i] > at || ++n > f->nr_lr)
			return false;
		for (unsigned int k = 0; k < i; k++)
			if ((set >> k & 1) && f->intid[k] == f->intid[i])
				return false;
	}
	return true;
}

static unsigned int refill(const struct search *f, const unsigned int *value, unsigned int at,
			   unsigned int done)
{
	unsigned int least = NEVER_MET;

	for (unsigned int set = 0; set < 1u << f->nr_acks; set++)
		if (value[set] < least && allowed(f, at, done, set))
			least = value[set];
	return least;
}

static unsigned int fewest(const struct sequence *s, unsigned int nr_lr, uint32_t draw)
{
	static struct search f;
	unsigned int ack_at[MAX_ACKS], last_free = 0, done;

	memset(&f, 0, sizeof(f));
	f.nr_lr = nr_lr;
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->step[i] == FREE) {
			last_free = i;
			continue;
		}
		unsigned int a = f.nr_acks++;

		/* Raised at a free exit before, or, a level line, by the end of its last handling.
		 */
		f.intid[a] = s->step[i];
		f.raised[a] = last_free && (draw >> a & 1) ? last_free : 0;
		ack_at[a] = i;
		for (unsigned int k = 0; k < a; k++)
			if (f.intid[k] == f.intid[a] && f.raised[a] <= ack_at[k])
				f.raised[a] = ack_at[k] + 1;
	}
	done = f.nr_acks;
	for (unsigned int at = s->n; at-- > 0;) {
		unsigned int plain[1u << MAX_ACKS], with_mi;
		const unsigned int *after = f.best[at + 1];
		bool is_free = s->step[at] == FREE;

		done -= !is_free;
		for (unsigned int set = 0; set < 1u << f.nr_acks; set++) {
			if (is_free)
				plain[set] = refill(&f, after, at, done);
			else
				plain[set] =
					set >> done & 1 ? after[set & ~(1u << done)] : NEVER_MET;
		}
		with_mi = 1 + refill(&f, plain, at, done);
		for (unsigned int set = 0; set < 1u << f.nr_acks; set++)
			f.best[at][set] = plain[set] < with_mi ? plain[set] : with_mi;
	}
	/* The first entry fills the LRs too. */
	return refill(&f, f.best[0], 0, 0);
}

static uint32_t random32(uint64_t *rng)
{
	*rng = *rng * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*rng >> 33);
}

static void draw_sequence(struct sequence *s, uint64_t *rng, unsigned int acks, unsigned int intids,
			  unsigned int frees)
{
	s->n = 0;
	for (unsigned int i = 0; i < acks; i++) {
		if (frees && s->n < MAX_STEPS && random32(rng) % 3 == 0) {
			s->step[s->n++] = FREE;
			frees--;
		}
		s->step[s->n++] = 32 + random32(rng) % intids;
	}
}

static void test_no_choice_is_better(void **state)
{
	uint64_t rng = 7, cut = 0;

	for (unsigned int round = 0; round < 3000; round++) {
		struct sequence s;
		unsigned int acks = 1 + random32(&rng) % 7;

		draw_sequence(&s, &rng, acks, 1 + random32(&rng) % 8, random32(&rng) % 5);
		for (unsigned int n = 1; n <= 4; n++) {
			uint64_t bound = bound_of(&s, n);

			assert_int_equal(bound, fewest(&s, n, random32(&rng)));
			cut += bound > 0;
		}
	}
	/* It says something. */
	assert_true(cut > 1000);
}

static void test_more_lrs_never_need_more(void **state)
{
	unsigned int filled = 0, unfilled = 0;
	uint64_t rng = 11;

	for (unsigned int round = 0; round < 200; round++) {
		struct vgic_bound b[VGR_MAX_LRS_V3];

		for (unsigned int n = 0; n < VGR_MAX_LRS_V3; n++)
			vgic_bound_init(&b[n], n + 1);
		for (unsigned int i = 0; i < 400; i++) {
			uint32_t r = random32(&rng), intid = 32 + random32(&rng) % 24;

			for (unsigned int n = 0; n < VGR_MAX_LRS_V3; n++) {
				if (r % 16 == 0)
					vgic_bound_free(&b[n]);
				else
					vgic_bound_ack(&b[n], intid);
			}
		}
		for (unsigned int n = 1; n < VGR_MAX_LRS_V3; n++) {
			assert_true(b[n].exits <= b[n - 1].exits);
			/* Nor do they change anything once no piece was cut for its length. */
			if (!b[n - 1].filled)
				assert_true(!b[n].filled && b[n].exits == b[n - 1].exits);
			unfilled += !b[n - 1].filled;
			filled += b[n - 1].filled;
		}
		assert_true(b[0].exits > b[VGR_MAX_LRS_V3 - 1].exits);
	}
	assert_true(filled > 100 && unfilled > 100);
}

static void test_by_hand(void **state)
{
	/* Ten at once: three fills of four, the first for nothing. */
	struct sequence ten = {{32, 33, 34, 35, 36, 37, 38, 39, 40, 41}, 10};
	struct sequence twice = {{32, 32, 33, 33}, 4};
	struct sequence lucky = {{32, 33, FREE, 34, 35, FREE, FREE, 36}, 8};

	assert_int_equal(bound_of(&ten, 4), 2);
	assert_int_equal(bound_of(&ten, 1), 9);
	assert_int_equal(bound_of(&ten, 16), 0);
	/* One that comes again needs an exit however many LRs there are. */
	assert_int_equal(bound_of(&twice, 16), 2);
	assert_int_equal(bound_of(&lucky, 2), 0);
	assert_int_equal(bound_of(&lucky, 1), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_no_choice_is_better),
		cmocka_unit_test(test_more_lrs_never_need_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
