# One image per service, from one file: docker build -f deploy/docker/service.Dockerfile --build-arg SERVICE=vector .
# SERVICE=tools makes that of what operators run: docker run ragmesh-tools backup|restore|doctor|topics
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
# Neither a GPU runtime nor an install report is wanted from packages that would fetch or send one.
ENV ONNXRUNTIME_NODE_INSTALL=skip SCARF_ANALYTICS=false
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund --loglevel=error
RUN node tools/build.mjs
# After the build, so that all services share the layers above.
ARG SERVICE
# The platform that is built for, as the builder says: a default here would take its place.
ARG TARGETOS
ARG TARGETARCH
# Only what this service imports, with native code of one platform.
RUN node tools/service-image.mjs "${SERVICE}" --out /image --platform "${TARGETOS}-$(echo "${TARGETARCH}" | sed s/amd64/x64/)"

FROM ${NODE_IMAGE}
ARG SERVICE
LABEL org.opencontainers.image.title="ragmesh-${SERVICE}" org.opencontainers.image.licenses="Apache-2.0"
# Everything that is kept; the rest of the file system may be mounted read-only, with a tmpfs at /tmp.
RUN mkdir /data && chown 1000:1000 /data
ENV NODE_ENV=production RAGMESH_DATA_DIR=/data GRPC_HOST=0.0.0.0 PROBE_HOST=0.0.0.0
WORKDIR /app
COPY --from=build /image .
USER 1000:1000
EXPOSE 50051 9464
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PROBE_PORT || 9464) + '/readyz').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--enable-source-maps", "main.js"]
