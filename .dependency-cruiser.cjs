// "Which way calls go": server -> resolvers -> services -> { graph, db, blobs }; jobs -> services; cli and main compose.
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const DEV_ROOMS = '^(simulator|examples|explorer|bench|tests|scripts)/';
const graphqlLibraries = '(^|/)node_modules/(graphql|@graphql-tools|@apollo|graphql-[^/]+)/';
const prisma = '(^|/)node_modules/(@prisma|prisma|pg)/|^src/generated/prisma/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    forbid('no-circular', 'Import cycles make the order of loading matter.', {}, { circular: true }),
    forbid('no-unresolvable', 'The import leads nowhere.', {}, { couldNotResolve: true }),
    forbid(
      'no-unlisted-package',
      'A package must be listed in package.json, not merely happen to be installed.',
      {},
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
    forbid(
      'no-dev-package-in-src',
      'Production installs have no development packages; the command line and the embedded Postgres are for development.',
      { path: '^src/', pathNot: '^src/(cli/|generated/|db/embedded-postgres[.]ts$)' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    ),

    forbid(
      'only-main-and-cli-import-server',
      'server is the outermost room.',
      { path: '^src/', pathNot: '^src/(server/|cli/|main[.]ts$)' },
      { path: '^src/server/' },
    ),
    forbid(
      'only-server-imports-resolvers',
      'Resolvers are reached through the schema that server builds.',
      { path: '^src/', pathNot: '^src/(server|resolvers|generated)/' },
      { path: '^src/resolvers/' },
    ),
    forbid(
      'server-calls-no-graph-and-no-db',
      'server reaches Microsoft and the database through services; it may name their types, to hand them on.',
      { path: '^src/server/' },
      { path: ['^src/(graph|db|blobs|jobs|cli)/', prisma], dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'resolvers-call-services-only',
      'Resolvers are thin: they touch neither Prisma nor Microsoft Graph.',
      { path: '^src/resolvers/' },
      { path: ['^src/(graph|db|blobs|jobs|cli)/', prisma] },
    ),
    forbid(
      'services-know-no-graphql-and-no-http',
      'The domain is the same however the world reaches it.',
      { path: '^src/services/' },
      { path: [graphqlLibraries, '(^|/)node_modules/(@?fastify|@as-integrations)/', '^src/generated/graphql[.]ts$'] },
    ),
    forbid(
      'services-call-graph-and-db-only',
      'Calls go inwards.',
      { path: '^src/services/' },
      { path: '^src/(jobs|cli)/' },
    ),
    forbid(
      'graph-is-alone',
      'graph knows no database and no domain.',
      { path: '^src/graph/' },
      { path: '^src/(?!graph/|telemetry/)' },
    ),
    forbid(
      'blobs-is-alone',
      'blobs knows no database and no domain.',
      { path: '^src/blobs/' },
      { path: '^src/(?!blobs/)' },
    ),
    forbid(
      'db-is-alone',
      'db knows no domain.',
      { path: '^src/db/' },
      { path: '^src/(?!db/|telemetry/|generated/prisma/)' },
    ),
    forbid(
      'telemetry-is-alone',
      'Every room may make spans, so telemetry knows none of them.',
      { path: '^src/telemetry/' },
      { path: '^src/(?!telemetry/)' },
    ),
    forbid(
      'only-telemetry-knows-opentelemetry',
      'Elsewhere a span would be made also where nobody collects them.',
      { path: '^src/', pathNot: '^src/telemetry/' },
      { path: '(^|/)node_modules/@opentelemetry/' },
    ),
    forbid(
      'jobs-call-services-only',
      'Each task calls one service; the connections of the queue are handed in.',
      { path: '^src/jobs/' },
      { path: ['^src/(graph|db|blobs|cli)/', prisma], dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'nothing-imports-main-or-cli',
      'They compose; nothing is composed of them.',
      { path: '^(src|simulator|examples|bench|tests)/', pathNot: '^src/(cli/|main[.]ts$)|^tests/' },
      { path: '^src/(cli/|main[.]ts$)' },
    ),
    forbid('src-stands-alone', 'src imports nothing made for development.', { path: '^src/' }, { path: DEV_ROOMS }),
    forbid(
      'simulator-and-examples-stand-alone',
      'They stand for other parties, who share no code with us.',
      { path: '^(simulator|examples)/' },
      { path: '^(src|tests|bench|scripts)/' },
    ),
    forbid(
      'explorer-stands-alone',
      'It runs in a browser and knows of us what a browser is told.',
      { path: '^explorer/' },
      { path: '^(?!explorer/)(src|simulator|examples|bench|tests|scripts)/' },
    ),
    forbid(
      'simulator-and-examples-are-apart',
      'Microsoft and the PSA share no code either.',
      { path: '^(simulator|examples)/' },
      { path: '^(simulator|examples)/', pathNot: '^$1/' },
    ),
  ],
  options: {
    // TypeScript 7 has no parser that other programs may call.
    parser: 'swc',
    doNotFollow: { path: ['node_modules', '^src/generated/'] },
    exclude: { path: '^explorer/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json', '.d.ts'],
    },
    skipAnalysisNotInRules: true,
  },
};
