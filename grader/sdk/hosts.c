/* Hosts and LANs, as scripts name them. */
#include "grader/sdk/inner.h"

#include <stdlib.h>
#include <string.h>

struct host *localhost(void) {
  return the_check.host;
}

struct host *new_host(const char *name) {
  struct failure failure;
  struct host *host = host_create(the_check.world, name, &failure);
  if (!host)
    check_error(say("%s", failure.sentence));
  return host;
}

struct lan *new_lan(const char *name, int mtu) {
  struct failure failure;
  struct lan *lan = lan_create(the_check.world, name, mtu, &failure);
  if (!lan)
    check_error(say("%s", failure.sentence));
  return lan;
}

/* "192.168.1.2/24" */
static uint32_t ip_and_prefix(const char *text, int *prefix) {
  const char *slash = strchr(text, '/');
  *prefix = slash ? atoi(slash + 1) : 32; // NOLINT(cert-err34-c): written by the check's author
  return address(say("%.*s", slash ? (int)(slash - text) : (int)strlen(text), text), 0).ip;
}

void attach(struct host *host, struct lan *lan, const char *address_and_prefix) {
  int prefix = 0;
  uint32_t ip = ip_and_prefix(address_and_prefix, &prefix);
  struct failure failure;
  if (lan_attach(lan, host, ip, prefix, &failure) < 0)
    check_error(say("%s", failure.sentence));
}

void default_route(struct host *host, const char *gateway) {
  struct failure failure;
  if (host_default_route(host, address(gateway, 0).ip, &failure) < 0)
    check_error(say("%s", failure.sentence));
}

void new_router(const char *name, struct lan *lan, const char *address_and_prefix,
                struct lan *other_lan, const char *other_address_and_prefix) {
  int ignored = 0;
  struct failure failure;
  (void)name;
  if (lan_router(lan, ip_and_prefix(address_and_prefix, &ignored), other_lan,
                 ip_and_prefix(other_address_and_prefix, &ignored), &failure) < 0)
    check_error(say("%s", failure.sentence));
}

static struct lan_treatment treatment_of(struct treatment treatment) {
  return (struct lan_treatment){.drop = treatment.drop,
                                .duplicate = treatment.duplicate,
                                .reorder = treatment.reorder,
                                .delay_ns = (int64_t)(treatment.delay * 1e9)};
}

void treat_frames_from(struct host *host, struct treatment treatment) {
  host_treat_outgoing(host, treatment_of(treatment));
}

void treat_frames_to(struct host *host, struct treatment treatment) {
  host_treat_incoming(host, treatment_of(treatment));
}

void cut_links(struct host *host) {
  note(say("the link of %s goes dead", host_name(host)));
  host_cut(host, true);
}

void mend_links(struct host *host) {
  note(say("the link of %s works again", host_name(host)));
  host_cut(host, false);
}

void forge_datagram(struct lan *lan, struct address from, struct address to, const void *bytes,
                    size_t length) {
  struct failure failure;
  if (lan_forge_udp(lan, from.ip, from.port, to.ip, to.port, bytes, length, &failure) < 0)
    check_error(say("%s", failure.sentence));
}
