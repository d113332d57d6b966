/* The last moment of a listening socket: whoever connects then is taken in or finds the port
 * closed, and is never cut off with a request on the way.
 *
 * The moment is met on purpose: this program's close(2) stands before libc's, and connects once
 * more just before a listening socket is closed.
 */
#include "support/cmocka.h"
#include "support/http_rig.h"
#include "support/wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEADLINE_MS 5000

static atomic_bool is_watching;
static atomic_int latecomer = -1;

static bool is_listening(int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);
	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) && listens;
}

/* As far as the kernel takes it without waiting: on loopback that is a whole handshake. */
static int connect_now(int listening)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	if (getsockname(listening, (struct sockaddr *)&address, &len))
		return -1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, len) && errno != EINPROGRESS)
		return -1;
	return fd;
}

int close(int fd)
{
	if (atomic_load(&is_watching) && is_listening(fd))
		atomic_store(&latecomer, connect_now(fd));
	return (int)syscall(SYS_close, fd);
}

static int start(void **state)
{
	*state = rig_start(NULL);
	atomic_store(&is_watching, true);
	return 0;
}

static int stop(void **state)
{
	atomic_store(&is_watching, false);
	rig_stop(*state);
	return 0;
}

/* What connect(2) says in the end. */
static int outcome_of(int fd)
{
	struct pollfd wanted = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);
	assert_int_equal(poll(&wanted, 1, wait_left_ms(wait_deadline(DEADLINE_MS))), 1);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	return error;
}

static void whoever_comes_at_the_last_moment_finds_the_port_closed(void **state)
{
	struct rig *rig = *state;
	rig_do(rig, rig_drain);
	WAIT_UNTIL(DEADLINE_MS, http_server_is_idle(rig->server), "the socket is closed");
	int fd = atomic_load(&latecomer);
	assert_true(fd >= 0);
	assert_int_equal(outcome_of(fd), ECONNREFUSED);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whoever_comes_at_the_last_moment_finds_the_port_closed,
										start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
