/* SPDX-License-Identifier: MIT */
/* A name server of others: dnsmasq, on a port of loopback. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "harness.h"
#include "net/nameserver.h"

static pid_t start_dnsmasq(int port)
{
    char option[32];
    pid_t pid;

    snprintf(option, sizeof option, "--port=%d", port);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("dnsmasq", "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", option,
               "--conf-file=/dev/null", "--pid-file", "--listen-address=127.0.0.1",
               "--bind-interfaces", "--user=", "--group=", "--local=/example/",
               "--host-record=both.example,192.0.2.1,2001:db8::1",
               "--cname=alias.example,both.example", (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void stop_dnsmasq(pid_t *pid)
{
    kill(*pid, SIGTERM);
    waitpid(*pid, NULL, 0);
}

static int nap_a_while(void)
{
    usleep(20000);
    return 0;
}
EDDY_ASYNC(nap_a_while);

/* Waits until it answers; false when it has ended instead. */
static int until_it_answers(eddy_resolver *resolver, pid_t pid)
{
    for (int i = 0; i < 500; i++) {
        EDDY_ADDRESSES(found);
        int rc = nameserver_look_up(resolver, "both.example", &found);

        if (rc == 0 || rc == -ECANCELED)
            return rc;
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return -ENOENT;
        EDDY_TRY(eddy_to_thread(nap_a_while));
    }
    return -ETIMEDOUT;
}

static void check_answers(eddy_resolver *resolver)
{
    EDDY_ADDRESSES(found);
    EDDY_ADDRESSES(none);
    eddy_lookup_options options = {.resolver = resolver, .canonical = true};
    char host[EDDY_HOST_TEXT];
    eddy_address address;

    CHECK_OK(eddy_getaddrinfo("alias.example", 80, &options, &found));
    CHECK_EQ(found.count, 2);
    CHECK_STR(found.canonical ? found.canonical : "", "both.example");
    CHECK_EQ(nameserver_look_up(resolver, "nx.example", &none), EDDY_EDNS_NOT_FOUND);
    CHECK_EQ(nameserver_look_up(resolver, "elsewhere.test", &none), EDDY_EDNS_REFUSED);
    CHECK_OK(eddy_address_from_ip("192.0.2.1", 0, &address));
    CHECK_OK(eddy_getnameinfo(&address, &options, host, sizeof host));
    CHECK_STR(host, "both.example");
    CHECK_OK(eddy_address_from_ip("2001:db8::1", 0, &address));
    CHECK_OK(eddy_getnameinfo(&address, &options, host, sizeof host));
    CHECK_STR(host, "both.example");
}

/* Issue 4, 4: names, aliases and reverse names as dnsmasq has them. */
TEST(dnsmasq_is_asked_for_names)
{
    int port = 20000 + (int)getpid() % 20000;
    pid_t pid = start_dnsmasq(port);
    EDDY_DEFER(stop_dnsmasq, &pid);
    EDDY_RESOLVER(resolver);
    char servers[32];
    int rc;

    snprintf(servers, sizeof servers, "127.0.0.1:%d", port);
    CHECK_OK(eddy_resolver_new(
        &(eddy_resolver_options){.servers = servers, .timeout = 1, .domains = "", .hosts = ""},
        &resolver));
    rc = until_it_answers(resolver, pid);
    if (rc == -ENOENT && !test_is_cancelled()) {
        pid = 0;
        test_skip("dnsmasq is not installed, or does not start");
    }
    CHECK_OK(rc);
    check_answers(resolver);
}
