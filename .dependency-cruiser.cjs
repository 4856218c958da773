// The rooms and the one direction of imports between them (docs/architecture.md).
// test/architecture.e2e.spec.ts runs these rules, and shows that each of them fails on a planted breach.
const lib = name => `^libs/${name}/`
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'engine-knows-no-newsroom',
      severity: 'error',
      from: { path: lib('eventsourcing') },
      to: { path: '^(apps|libs/(newsroom|api|platform))/' },
    },
    {
      name: 'newsroom-goes-down-only',
      severity: 'error',
      from: { path: lib('newsroom') },
      to: { path: '^(apps|libs/(api|platform|embedded))/' },
    },
    {
      name: 'newsroom-is-pure',
      severity: 'error',
      from: { path: lib('newsroom'), pathNot: '\\.spec\\.ts$' },
      to: { path: '(^(node:)?(fs|http|net|child_process|timers)|node_modules/(@nestjs|mongodb|@eventstore|fastify))' },
    },
    {
      name: 'api-goes-down-only',
      severity: 'error',
      from: { path: lib('api') },
      to: { path: '^apps/' },
    },
    {
      name: 'platform-stands-beside',
      severity: 'error',
      from: { path: lib('platform') },
      to: { path: '^(apps|libs/(api|newsroom))/' },
    },
    {
      name: 'embedded-imports-no-room',
      severity: 'error',
      from: { path: lib('embedded') },
      to: { path: '^(apps|libs/(api|newsroom|platform|eventsourcing))/' },
    },
    {
      name: 'embedded-is-imported-by-server-cli-and-tests',
      severity: 'error',
      from: { pathNot: '(^libs/embedded/|^apps/(server|cli)/|^test/|\\.spec\\.ts$)' },
      to: { path: lib('embedded') },
    },
    {
      name: 'stores-know-nothing-of-each-other',
      severity: 'error',
      from: { path: '^libs/embedded/src/(event-store|document-store)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^libs/embedded/src/(event-store|document-store)/', pathNot: '^libs/embedded/src/$1/' },
    },
    {
      name: 'event-store-client-in-one-folder',
      severity: 'error',
      from: { pathNot: '(^libs/(eventsourcing|embedded)/src/event-store/|^libs/embedded/.*\\.spec\\.ts$|^test/)' },
      to: { path: 'node_modules/@eventstore/' },
    },
    {
      name: 'no-orphan-test-import',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '(^test/|\\.spec\\.ts$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    exclude: '^dist',
  },
}
