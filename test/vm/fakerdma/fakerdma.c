// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * An RDMA device on every virtual PCI function that is there when the module is loaded. It carries nothing; it can do
 * what soft RoCE cannot: be moved to another network namespace, for which ib_device_set_netns_put
 * (drivers/infiniband/core/device.c) asks for disassociate_ucontext.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <rdma/ib_verbs.h>

struct fakerdma {
	struct ib_device ib; /* first, for ib_alloc_device */
	struct list_head list;
};

static LIST_HEAD(all);

static int query_device(struct ib_device *ib, struct ib_device_attr *attr, struct ib_udata *udata)
{
	memset(attr, 0, sizeof(*attr));
	return 0;
}

static int query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr)
{
	attr->state = IB_PORT_ACTIVE;
	attr->phys_state = IB_PORT_PHYS_STATE_LINK_UP;
	attr->max_mtu = attr->active_mtu = IB_MTU_1024;
	attr->active_width = IB_WIDTH_1X;
	attr->active_speed = IB_SPEED_SDR;
	attr->gid_tbl_len = 1;
	return 0;
}

static int query_gid(struct ib_device *ib, u32 port, int index, union ib_gid *gid)
{
	memset(gid, 0, sizeof(*gid));
	return 0;
}

static int get_port_immutable(struct ib_device *ib, u32 port, struct ib_port_immutable *immutable)
{
	immutable->gid_tbl_len = 1;
	return 0;
}

static void disassociate_ucontext(struct ib_ucontext *context)
{
}

static const struct ib_device_ops ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_UNKNOWN,
	.query_device = query_device,
	.query_port = query_port,
	.query_gid = query_gid,
	.get_port_immutable = get_port_immutable,
	.disassociate_ucontext = disassociate_ucontext,
};

static int plug(struct pci_dev *function)
{
	struct fakerdma *one = ib_alloc_device(fakerdma, ib);
	int error;

	if (!one)
		return -ENOMEM;
	one->ib.node_type = RDMA_NODE_UNSPECIFIED;
	one->ib.phys_port_cnt = 1;
	one->ib.num_comp_vectors = 1;
	one->ib.dev.parent = &function->dev;
	ib_set_device_ops(&one->ib, &ops);
	error = ib_register_device(&one->ib, "fakerdma%d", &function->dev);
	if (error) {
		ib_dealloc_device(&one->ib);
		return error;
	}
	list_add_tail(&one->list, &all);
	return 0;
}

static void unplug(void)
{
	struct fakerdma *one, *next;

	list_for_each_entry_safe(one, next, &all, list) {
		ib_unregister_device(&one->ib);
		ib_dealloc_device(&one->ib);
	}
}

static int __init fakerdma_init(void)
{
	struct pci_dev *function = NULL;
	int error;

	for_each_pci_dev(function) {
		if (!function->is_virtfn)
			continue;
		error = plug(function);
		if (error) {
			pci_dev_put(function);
			unplug();
			return error;
		}
	}
	return 0;
}

static void __exit fakerdma_exit(void)
{
	unplug();
}

module_init(fakerdma_init);
module_exit(fakerdma_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("RDMA devices without a function, for tests");
