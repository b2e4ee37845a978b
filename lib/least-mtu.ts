/** RFC 8200, section 5: bytes that every link with IPv6 takes; the kernel has no IPv6 on one that takes fewer. */
export const IPV6_LEAST_MTU = 1_280;
