# The image of the subgraph: servers, workers and the migration run from it (docs/deploying.md).
# `npm run image:rehearse` reads this file and does its steps in an empty folder, without a container engine.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json codegen.ts prisma.config.ts schema.graphql ./
COPY prisma ./prisma
COPY scripts ./scripts
COPY explorer ./explorer
COPY src ./src
RUN node scripts/generate.ts
RUN node scripts/bundle-explorer.ts
RUN node scripts/build.ts

# The simulator of Microsoft and the example gateway, to try things out: compose.yaml. Never for production.
FROM build AS development
COPY simulator ./simulator
COPY examples ./examples
# Where src/cli/token.ts keeps the keys that it makes.
RUN install -d -o 1000 -g 1000 .data
USER 1000:1000
ENTRYPOINT ["node"]
CMD ["simulator/main.ts"]

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# What is optional to npm is what Prisma's command line brings along: nothing here calls it (docs/supply-chain.md).
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24-slim AS runtime
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE schema.graphql ./
COPY prisma ./prisma
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/explorer/dist ./explorer/dist
COPY --from=build /app/dist ./dist
# A number, so that Kubernetes can tell that it is not root. Nothing here is writable for it, and nothing has to be.
USER 1000:1000
EXPOSE 4001
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 4001}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node"]
CMD ["dist/main.js"]
