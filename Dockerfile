# One image for every service: which ones a container runs is its command (scripts/node.ts NAME...).
FROM node:24-slim

# The nursery as in package.json: a burst's short-lived objects die young in it.
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=64
WORKDIR /app

# Packages first: this layer stays while only sources change. Install scripts are left out, since the one that matters
# here would bring a second Node along.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force

COPY admin-page ./admin-page
COPY broker ./broker
COPY config ./config
COPY mixins ./mixins
COPY public ./public
COPY scripts ./scripts
COPY services ./services

# Nothing under /app is the user's own: a node writes no files there.
USER node
CMD ["node", "scripts/node.ts", "all"]
