# One image for every process; docker-compose.yml says which program each container runs.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/bootstrap.mjs build

# The embedded PostgreSQL is an optional package: it is for trying out, not for here.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=dev --omit=optional && npm cache clean --force

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist/src ./dist/src
COPY --from=build /app/dist/connectors ./dist/connectors
COPY --from=build /app/dist/migrations ./dist/migrations
COPY --from=build /app/dist/ui ./dist/ui
COPY package.json ./
COPY docs/runbooks/laptop-lost.yaml ./docs/runbooks/
ENV RUNBOOK_FILE=/app/docs/runbooks/laptop-lost.yaml
COPY docker/with-secrets ./docker/
# A volume mounted here is born with this owner.
RUN install -d -o node -g node -m 0700 /keys
USER node
EXPOSE 3000
ENTRYPOINT ["/app/docker/with-secrets"]
CMD ["node", "--enable-source-maps", "dist/src/api.main.js"]
