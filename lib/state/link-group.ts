/**
 * IFLA_GROUP (linux/if_link.h) of every link that we make. It is set at birth, which the alias cannot be: a link that a
 * crash left without its alias is still known as ours.
 */
export const OWN_GROUP = 0x5e1f;
