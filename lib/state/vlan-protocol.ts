/** ETH_P_8021Q and ETH_P_8021AD (linux/if_ether.h). */
export type VlanProtocol = "802.1Q" | "802.1ad";
