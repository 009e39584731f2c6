/**
 * The import rules of docs/architecture.md. Floors import downwards only, so that each can be read, tested and thrown
 * away without the ones above it. A new feature folder is added to its floor here; a folder on no floor is an error.
 */
const FLOORS = [
  ['platform'],
  ['people', 'tools', 'accounts', 'devices', 'images', 'access-policy', 'approvals'],
  ['cases'],
  ['brakes'],
  [
    'joiners',
    'movers',
    'leavers',
    'lost-devices',
    'credential-resets',
    'service-principals',
    'role-edits',
    'recovery-keys',
    'witnesses',
    'imagings',
  ],
  ['hr-feeds', 'alerting', 'osquery', 'device-managers', 'device-reporters'],
  ['evidence-packs', 'audit-log', 'changes'],
];

/** The only neighbours on one floor that may know each other: an account is an identity in a tool. */
const NEIGHBOURS = { accounts: ['tools'] };

const inFolders = (folders) => `^src/(${folders.join('|')})/`;
/** The composition root: the files right below src, and the command line's. */
const ROOT_FILES = '^src/([^/]+\\.ts$|cli/)';
const TESTS = '\\.spec\\.ts$';

const floorRules = FLOORS.map((floor, level) => ({
  name: `floor-${level}-imports-downwards`,
  comment: `${floor.join(', ')}: import from lower floors, not from higher ones or the composition root.`,
  severity: 'error',
  from: { path: inFolders(floor), pathNot: TESTS },
  to: { path: [...FLOORS.slice(level + 1).map(inFolders), ROOT_FILES] },
}));

const neighbourRules = FLOORS.slice(1)
  .flat()
  .map((folder) => {
    const floor = FLOORS.find((folders) => folders.includes(folder));
    const strangers = floor.filter((other) => other !== folder && !NEIGHBOURS[folder]?.includes(other));
    return { folder, strangers };
  })
  .filter(({ strangers }) => strangers.length > 0)
  .map(({ folder, strangers }) => ({
    name: `${folder}-and-its-neighbours`,
    comment: `${folder} doesn't import another feature of its own floor: they meet one floor up, or by id.`,
    severity: 'error',
    from: { path: inFolders([folder]), pathNot: TESTS },
    to: { path: inFolders(strangers) },
  }));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...floorRules,
    ...neighbourRules,
    {
      name: 'no-folder-without-a-floor',
      comment: 'Say in .dependency-cruiser.cjs which floor this folder is on.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: [inFolders(FLOORS.flat()), ROOT_FILES] },
      to: {},
    },
    {
      name: 'no-circles',
      comment: 'Two files that need each other are one thing, or a third one is missing.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'connectors-stand-alone',
      comment: 'A connector knows the kit, its own folder and npm packages.',
      severity: 'error',
      from: { path: '^connectors/(?!kit/)([^/]+)/', pathNot: TESTS },
      to: { path: '^(src|scripts|test|migrations|connectors)/', pathNot: '^connectors/(kit|$1)/' },
    },
    {
      name: 'the-kit-stands-alone',
      severity: 'error',
      from: { path: '^connectors/kit/', pathNot: TESTS },
      to: { path: '^(src|scripts|test|migrations|connectors)/', pathNot: '^connectors/kit/' },
    },
    {
      name: 'connectors-know-no-framework',
      comment: 'A connector is usable, and readable, without Nest, a database layer or a queue.',
      severity: 'error',
      from: { path: '^connectors/' },
      to: { path: 'node_modules/(@nestjs/|typeorm/|bullmq/)' },
    },
    {
      name: 'only-the-root-knows-all-connectors',
      severity: 'error',
      from: { path: '^(src|scripts)/', pathNot: ROOT_FILES },
      to: { path: '^connectors/index\\.ts$' },
    },
    {
      name: 'src-knows-only-the-kit',
      comment: 'Below the composition root, src speaks to tools through the contract: the kit, no connector.',
      severity: 'error',
      from: { path: '^src/', pathNot: [ROOT_FILES, TESTS] },
      to: { path: '^connectors/', pathNot: '^connectors/(kit/|index\\.ts$)' },
    },
    {
      name: 'migrations-are-frozen-history',
      comment: 'A migration imports typeorm and nothing else: what it imported would change under it.',
      severity: 'error',
      from: { path: '^migrations/', pathNot: ['^migrations/index\\.ts$', TESTS] },
      to: { pathNot: 'node_modules/(typeorm|pg)/' },
    },
    {
      name: 'nothing-shipped-needs-the-tests',
      severity: 'error',
      from: { path: '^(src|connectors|migrations)/', pathNot: TESTS },
      to: { path: '^(test|scripts)/|\\.spec\\.ts$' },
    },
    {
      name: 'the-user-interface-knows-the-api-alone',
      comment: 'It goes through the REST API like everybody else, and nothing of the server is in its bundle.',
      severity: 'error',
      from: { path: '^ui/' },
      to: { path: '^(src|connectors|migrations|scripts|test)/' },
    },
    {
      name: 'the-server-knows-no-user-interface',
      severity: 'error',
      from: { path: '^(src|connectors|migrations|scripts)/' },
      to: { path: '^ui/' },
    },
    {
      name: 'no-unresolvable-imports',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: { path: '^(src|connectors|migrations)/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules/\\.)' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
