/** The import directions of docs/architecture.md, enforced by `npm run lint`. */
const only = (from, allowed) => ({
  name: `libs-${from}-imports`,
  comment: `libs/${from} may import only ${allowed.join(', ') || 'no other lib'}`,
  severity: 'error',
  from: { path: `^libs/${from}/` },
  to: { path: '^libs/', pathNot: [`^libs/${from}/`, ...allowed.map((lib) => `^libs/${lib}/`)] },
});

const pure = ['models', 'lifecycle', 'auction', 'diego-wire'];
const nodeIo = '^(node:)?(fs|net|http|https|child_process|dgram|tls|dns|worker_threads)(/|$)';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'apps-do-not-import-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    { name: 'libs-do-not-import-apps', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'libs-are-entered-by-their-index',
      severity: 'error',
      from: { path: '^(apps|libs)/([^/]+)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/[^/]+/src/index\\.ts$', '^$1/$2/'] },
    },
    {
      name: 'pure-libs-do-no-io',
      comment: 'models, lifecycle, auction and diego-wire are pure: no I/O, no driver, no framework',
      severity: 'error',
      from: { path: `^libs/(${pure.join('|')})/`, pathNot: '\\.spec\\.ts$' },
      to: { path: [nodeIo, 'node_modules/(ioredis|bullmq|dockerode|@nestjs|pino|prom-client)/'] },
    },
    only('models', []),
    only('lifecycle', ['models']),
    only('auction', ['lifecycle', 'models']),
    only('diego-wire', []),
    only('store', ['lifecycle', 'models', 'platform']),
    only('actor', ['lifecycle', 'models', 'platform']),
    only('garden', ['lifecycle', 'models', 'platform']),
    only('client', ['lifecycle', 'models', 'session']),
    only('session', ['models']),
    only('platform', ['lifecycle', 'models']),
    {
      name: 'not-to-test',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '\\.(spec|conformance)\\.ts$' },
      to: { path: '^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['@rivera/source', 'import', 'require', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
