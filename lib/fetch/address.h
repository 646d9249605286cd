/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file address.h
 * Which addresses outgoing requests may reach. A URL that others chose must not lead into the
 * networks around us (loopback, private, link-local with its metadata services, and everything that
 * is not a public unicast address), also when a public name resolves there.
 */
#ifndef OAS_FETCH_ADDRESS_H
#define OAS_FETCH_ADDRESS_H

#include <sys/socket.h>
#include <apr_tables.h>

/**
 * 1 for a public unicast address by the registries of RFC 6890. IPv6 addresses that hold an IPv4
 * one (v4-mapped, NAT64 of RFC 6052) are what that one is; 6to4 and Teredo are never public.
 */
int oas_address_public(const struct sockaddr *address);

/**
 * 1 when an entry of OAuth2ASOutboundAllow names the host, without regard to case, or a network
 * (ADDRESS or ADDRESS/BITS) that has the address.
 * @param allow of const char *, or NULL
 */
int oas_address_allowed(const struct sockaddr *address, const char *host,
                        const apr_array_header_t *allow);

/** 1 when an entry of OAuth2ASOutboundAllow is a host name, an address or a network. */
int oas_address_entry_valid(const char *entry);

#endif
