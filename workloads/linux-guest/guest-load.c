// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only program of the Linux guest, its init. It makes the guest's kernel take every kind of
 * interrupt a real guest takes: LPIs of an MSI-X disk, level SPIs of an INTx disk, the timer's
 * PPI, SGIs between two CPUs, the network's LPIs. Then it shows what was counted and powers off.
 * If asked, trace-cmd watches meanwhile what the kernel handles; its file leaves on the second
 * disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

#define BLOCK	 4096
#define MAX_CPUS 8

static atomic_bool stop;
static int cpus;

/* What each kind of work has done; a kind that stands at 0 at the end is a failure. */
enum work { READ_MSIX, READ_INTX, SLEEP, PING_PONG, MEMBARRIER, FORK, PING, WORKS };
static const char *const work_names[WORKS] = {
	[READ_MSIX] = "msix-reads", [READ_INTX] = "intx-reads",	  [SLEEP] = "sleeps",
	[PING_PONG] = "ping-pongs", [MEMBARRIER] = "membarriers", [FORK] = "forks",
	[PING] = "pings",
};
static atomic_ulong done[WORKS];

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("guest-load: ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
	va_end(ap);
}

static _Noreturn void power_off(void)
{
	fflush(stdout);
	/* The console's last bytes are still on their way out of the emulated UART. */
	tcdrain(STDOUT_FILENO);
	usleep(100000);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static _Noreturn void fail(const char *what)
{
	say("failed: %s: %s", what, strerror(errno));
	power_off();
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % cpus, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* The order of the modules is the order of their names: each needs those before it. */
static void load_modules(void)
{
	static const char *const modules[] = {"failover",   "net_failover", "virtio_net",
					      "virtio_blk", "nvme-core",    "nvme"};
	char path[64];

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		snprintf(path, sizeof(path), "/modules/%s.ko", modules[i]);
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
			say("module %s: %s", modules[i], strerror(errno));
		close(fd);
	}
}

static int open_disk(const char *path)
{
	int fd = -1;

	for (int tries = 0; fd < 0 && tries < 300; tries++) {
		fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
		if (fd < 0)
			usleep(10000);
	}
	if (fd < 0)
		fail(path);
	return fd;
}

struct reader {
	const char *path;
	enum work work;
	int cpu;
};

static void *read_disk(void *arg)
{
	const struct reader *r = arg;
	unsigned int seed = (unsigned int)r->cpu * 7919 + r->work + 1;
	int fd = open_disk(r->path);
	uint64_t bytes = 0;
	void *buf;

	pin(r->cpu);
	if (ioctl(fd, BLKGETSIZE64, &bytes) || bytes < BLOCK)
		fail(r->path);
	if (posix_memalign(&buf, BLOCK, BLOCK))
		fail("memory");
	while (!stop) {
		uint64_t block = (uint64_t)rand_r(&seed) % (bytes / BLOCK);

		if (pread(fd, buf, BLOCK, (off_t)(block * BLOCK)) != BLOCK)
			fail(r->path);
		done[r->work]++;
	}
	free(buf);
	close(fd);
	return NULL;
}

static void *sleep_short(void *arg)
{
	int cpu = (int)(intptr_t)arg;
	unsigned int seed = (unsigned int)cpu + 1;

	pin(cpu);
	while (!stop) {
		struct timespec t = {.tv_nsec = 50000 + (long)(rand_r(&seed) % 450000)};

		nanosleep(&t, NULL);
		done[SLEEP]++;
	}
	return NULL;
}

/* A byte to and fro between two CPUs: every turn wakes a sleeping CPU with an SGI. */
struct table {
	int there[2], back[2];
};

static void *ping_side(void *arg)
{
	struct table *t = arg;
	char c = 0;

	pin(0);
	while (!stop) {
		if (write(t->there[1], &c, 1) != 1 || read(t->back[0], &c, 1) != 1)
			break;
		done[PING_PONG]++;
	}
	close(t->there[1]);
	return NULL;
}

static void *pong_side(void *arg)
{
	struct table *t = arg;
	char c;

	pin(1);
	while (read(t->there[0], &c, 1) == 1) {
		if (write(t->back[1], &c, 1) != 1)
			break;
	}
	return NULL;
}

static void *interrupt_all(void *arg)
{
	(void)arg;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		fail("membarrier");
	while (!stop) {
		struct timespec t = {.tv_nsec = 300000};

		if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
			fail("membarrier");
		done[MEMBARRIER]++;
		nanosleep(&t, NULL);
	}
	return NULL;
}

static void *fork_often(void *arg)
{
	(void)arg;
	while (!stop) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			fail("fork");
		done[FORK]++;
		usleep(20000);
	}
	return NULL;
}

static void network_up(void)
{
	struct sockaddr_in *sin;
	struct ifreq ifr = {.ifr_name = "eth0"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	sin = (struct sockaddr_in *)&ifr.ifr_addr;
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(0x0a00020f); /* 10.0.2.15, the emulator's user network */
	for (int tries = 0; ioctl(fd, SIOCSIFADDR, &ifr); tries++) {
		if (tries == 300)
			fail("eth0");
		usleep(10000);
	}
	sin->sin_addr.s_addr = htonl(0xffffff00);
	if (ioctl(fd, SIOCSIFNETMASK, &ifr))
		fail("eth0 netmask");
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		fail("eth0 up");
	close(fd);
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *p = data;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *p++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void *ping_gateway(void *arg)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000202)};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	uint16_t seq = 0;

	(void)arg;
	if (fd < 0)
		fail("raw socket");
	while (!stop) {
		struct {
			struct icmphdr hdr;
			char data[48];
		} packet = {.hdr = {.type = ICMP_ECHO}};
		struct pollfd p = {.fd = fd, .events = POLLIN};
		char answer[256];

		packet.hdr.un.echo.id = htons(1);
		packet.hdr.un.echo.sequence = htons(seq++);
		packet.hdr.checksum = checksum(&packet, sizeof(packet));
		sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to));
		if (poll(&p, 1, 1000) == 1 && recv(fd, answer, sizeof(answer), 0) > 0)
			done[PING]++;
		usleep(2000);
	}
	close(fd);
	return NULL;
}

/* Kinds of interrupt in /proc/interrupts, by words in the line. */
static const struct kind {
	const char *name, *word, *other;
} kinds[] = {
	{"ipi", "IPI", NULL},
	{"timer", "arch_timer", NULL},
	{"msi", "MSI", "virtio"},
	{"level-spi", "Level", "virtio"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool show_interrupts(bool has_msi)
{
	unsigned long sums[KINDS] = {0};
	FILE *f = fopen("/proc/interrupts", "re");
	char line[512];
	bool ok = true;

	if (!f)
		fail("/proc/interrupts");
	while (fgets(line, sizeof(line), f)) {
		char *p = strchr(line, ':');
		unsigned long sum = 0;

		if (!p)
			continue;
		p++;
		for (int cpu = 0; cpu < cpus; cpu++)
			sum += strtoul(p, &p, 10);
		if (!sum)
			continue;
		fputs(line, stdout);
		for (size_t k = 0; k < KINDS; k++) {
			if (strstr(line, kinds[k].word) &&
			    (!kinds[k].other || strstr(line, kinds[k].other)))
				sums[k] += sum;
		}
	}
	fclose(f);
	for (size_t k = 0; k < KINDS; k++) {
		bool wanted = strcmp(kinds[k].name, "msi") || has_msi;

		say("interrupts %s %lu", kinds[k].name, sums[k]);
		if (wanted && !sums[k]) {
			say("failed: no %s interrupt was counted", kinds[k].name);
			ok = false;
		}
	}
	return ok;
}

#define TRACING "/sys/kernel/tracing/"
#define TRACE	"/trace.dat"

/* The first byte of a small file; 0 if there is none. */
static char first_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 0;

	if (fd >= 0) {
		if (read(fd, &c, 1) != 1)
			c = 0;
		close(fd);
	}
	return c;
}

/*
 * By the clock whose distance to the host's CLOCK_MONOTONIC stays the same: both count the same
 * counter, and nothing adjusts either. Comes back when the events are on.
 */
static pid_t start_trace(void)
{
	pid_t pid;

	mount("trace", TRACING, "tracefs", 0, NULL);
	/* Nothing in these events needs the kernel's symbols, 5 MB of text to be packed. */
	if (mknod("/nothing", S_IFREG | 0444, 0) ||
	    mount("/nothing", "/proc/kallsyms", NULL, MS_BIND, NULL))
		fail("/proc/kallsyms");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		dup2(STDOUT_FILENO, STDERR_FILENO);
		execl("/usr/bin/trace-cmd", "trace-cmd", "record", "-q", "-C", "mono", "-o", TRACE,
		      "-e", "ipi:ipi_raise", "-e", "irq:irq_handler_entry", "-e",
		      "irq:irq_handler_exit", NULL);
		_exit(127);
	}
	/* trace-cmd stops all tracing before it sets up the events, and starts it afterwards. */
	for (int tries = 0; first_of(TRACING "events/irq/irq_handler_exit/enable") != '1' ||
			    first_of(TRACING "tracing_on") != '1';
	     tries++) {
		errno = ETIMEDOUT;
		if (tries == 3000 || waitpid(pid, NULL, WNOHANG))
			fail("trace-cmd");
		usleep(10000);
	}
	return pid;
}

/* Ends the trace and leaves its file at the start of a disk that nobody reads any more. */
static void end_trace(pid_t pid, const char *disk)
{
	int in, out, status;
	ssize_t n, bytes = 0;
	char buf[BLOCK];

	kill(pid, SIGINT);
	if (waitpid(pid, &status, 0) != pid || status) {
		errno = EIO;
		fail("trace-cmd");
	}
	in = open(TRACE, O_RDONLY | O_CLOEXEC);
	out = open(disk, O_WRONLY | O_CLOEXEC);
	if (in < 0 || out < 0)
		fail(in < 0 ? TRACE : disk);
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, (size_t)n) != n)
			fail(disk);
		bytes += n;
	}
	if (n < 0 || fsync(out))
		fail(disk);
	close(in);
	close(out);
	say("trace %zd bytes", bytes);
}

static unsigned long number_from(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);
	unsigned long value = text ? strtoul(text, NULL, 10) : 0;

	return value ? value : otherwise;
}

int main(void)
{
	/* The kernel hands words of its command line that it does not know to init as environment.
	 */
	unsigned long seconds = number_from("LOAD_SECONDS", 10);
	struct reader readers[] = {
		{"/dev/vda", READ_MSIX, 0},
		{"/dev/vda", READ_MSIX, 1},
		{"/dev/vdb", READ_INTX, 0},
	};
	pthread_t threads[16 + MAX_CPUS];
	struct table table;
	pid_t tracer = 0;
	size_t n = 0;
	bool ok;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	if (!freopen("/dev/console", "w", stdout))
		return 1;
	cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus > MAX_CPUS)
		cpus = MAX_CPUS;
	load_modules();
	network_up();
	if (number_from("LOAD_TRACE", 0))
		tracer = start_trace();
	say("start: %d CPUs, %lu s", cpus, seconds);

	if (pipe2(table.there, O_CLOEXEC) || pipe2(table.back, O_CLOEXEC))
		fail("pipe");
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		n += !pthread_create(&threads[n], NULL, read_disk, &readers[i]);
	for (int cpu = 0; cpu < cpus; cpu++)
		n += !pthread_create(&threads[n], NULL, sleep_short, (void *)(intptr_t)cpu);
	n += !pthread_create(&threads[n], NULL, pong_side, &table);
	n += !pthread_create(&threads[n], NULL, ping_side, &table);
	n += !pthread_create(&threads[n], NULL, interrupt_all, NULL);
	n += !pthread_create(&threads[n], NULL, fork_often, NULL);
	n += !pthread_create(&threads[n], NULL, ping_gateway, NULL);
	if (n != sizeof(readers) / sizeof(readers[0]) + (size_t)cpus + 5)
		fail("threads");

	sleep((unsigned int)seconds);
	stop = true;
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	if (tracer)
		end_trace(tracer, "/dev/vdb");

	ok = show_interrupts(number_from("LOAD_MSI", 1) == 1);
	for (int w = 0; w < WORKS; w++) {
		say("work %s %lu", work_names[w], done[w]);
		if (!done[w]) {
			say("failed: no %s", work_names[w]);
			ok = false;
		}
	}
	if (ok)
		say("ok");
	power_off();
}
