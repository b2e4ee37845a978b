# The image with FRR besides, which `bgp.addresses` of routers at the edge takes. After the one of the Dockerfile:
#   podman build --file install/kubernetes/with-frr.Dockerfile --tag selvedge:0.1.0-frr .
ARG DEBIAN=docker.io/library/debian:bookworm-slim
ARG SELVEDGE=selvedge:0.1.0
FROM ${SELVEDGE} AS selvedge
FROM ${DEBIAN}
# What else the programs need is what the Dockerfile says.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      frr frr-pythontools libatomic1 libnftables1 netbase nftables iproute2 \
 && rm --recursive /var/lib/apt/lists \
 && /usr/lib/frr/bgpd --version \
 && /usr/lib/frr/frr-reload.py --help >/dev/null
COPY --from=selvedge /opt/selvedge /opt/selvedge
ENV PATH=/opt/selvedge:/usr/sbin:/usr/bin:/sbin:/bin
ENTRYPOINT ["/opt/selvedge/install-node.sh"]
CMD ["run"]
