/** Virtual functions that attachments may take, as the daemon's configuration has them. */
export interface Sriov {
  readonly pools: readonly SriovPool[];
  /** Of the names under which kubelet is offered the pools: `selvedge.dev/fast`. */
  readonly resourcePrefix: string;
  /** Where kubelet's device plugins meet. Absent: the pools are not offered. */
  readonly kubeletDir?: string;
}

export interface SriovPool {
  readonly name: string;
  /** Physical functions by link or PCI address; none: all that fit the rest. */
  readonly physical: readonly string[];
  /** Four hexadecimal digits each. */
  readonly vendor?: string;
  readonly product?: string;
  /** Driver of the physical function. */
  readonly driver?: string;
  /** How many virtual functions each is made to have. Absent: as many as there are. */
  readonly virtualFunctions?: number;
}
