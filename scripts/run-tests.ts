import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { cloneFolder } from './embedded/places.js';
import { runsAsRoot } from './embedded/server-user.js';

/** A server, or a tool, that suites need and npm can't bring. */
interface NeededProgram {
  /** Looked for on the PATH, or at this absolute path. Any one of them will do. */
  programs: readonly string[];
  aptPackage: string;
  /** Packages that it doesn't depend on by itself, and that nobody has without it. */
  alsoNeeded?: readonly string[];
  /** What systemd would start it as, if it is a server. */
  service?: string;
  /** What is left out without it. */
  suites: string;
}

const NEEDED_PROGRAMS: readonly NeededProgram[] = [
  { programs: ['openssl'], aptPackage: 'openssl', suites: 'everything over TLS' },
  {
    programs: ['redis-server', 'valkey-server'],
    aptPackage: 'redis-server',
    service: 'redis-server',
    suites: 'everything with Redis',
  },
  {
    programs: ['/usr/lib/postgresql/15/bin/postgres'],
    aptPackage: 'postgresql-15',
    service: 'postgresql',
    suites: 'the second pass, on PostgreSQL 15',
  },
  { programs: ['chromium'], aptPackage: 'chromium', suites: 'everything in a browser' },
  { programs: ['faketime'], aptPackage: 'faketime', suites: 'the fault of a wrong clock' },
  {
    programs: ['promtool'],
    aptPackage: 'prometheus',
    service: 'prometheus',
    suites: "the check of Prometheus' alert rules",
  },
  {
    programs: ['slapd', '/usr/sbin/slapd'],
    aptPackage: 'slapd',
    service: 'slapd',
    suites: 'the LDAP connector',
  },
  {
    programs: ['mariadbd', '/usr/sbin/mariadbd'],
    aptPackage: 'mariadb-server',
    service: 'mariadb',
    suites: 'the MariaDB connector',
  },
  {
    programs: ['/usr/lib/rabbitmq/bin/rabbitmq-server'],
    aptPackage: 'rabbitmq-server',
    service: 'rabbitmq-server',
    suites: 'the RabbitMQ connector',
  },
  {
    programs: ['sshd', '/usr/sbin/sshd'],
    aptPackage: 'openssh-server',
    alsoNeeded: ['openssh-client'],
    service: 'ssh',
    suites: 'the SSH gateway connector',
  },
  {
    programs: ['samba', '/usr/sbin/samba'],
    aptPackage: 'samba',
    alsoNeeded: [
      'samba-ad-provision',
      'samba-dsdb-modules',
      'samba-vfs-modules',
      'python3-samba',
      'samba-common-bin',
      'winbind',
    ],
    service: 'samba-ad-dc',
    suites: 'the Active Directory connector',
  },
  {
    programs: ['cryptsetup', '/usr/sbin/cryptsetup'],
    aptPackage: 'cryptsetup-bin',
    suites: 'recovery keys that Linux machines make',
  },
  { programs: ['go'], aptPackage: 'golang-go', suites: 'the independent verifier of the audit log' },
  {
    // A library: a folder that can be entered.
    programs: ['/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog'],
    aptPackage: 'golang-golang-x-mod-dev',
    suites: 'the independent verifier of the audit log, for its library',
  },
];

/** The suites that use a database: unit tests, connectors and the simulation gain nothing from a second pass. */
function databaseSuites(): string[] {
  const specs = globSync('{src,migrations,test}/**/*.spec.ts', {
    cwd: cloneFolder(),
    exclude: [
      'test/simulation/**',
      'test/bench/**',
      'test/gateways/**',
      // What a browser makes of our pages is the same on each.
      'test/ui/**',
      'test/sign-in/in-a-browser.spec.ts',
      'test/platform/independent-verifier.spec.ts',
      'test/fuzz/**',
      // The compose file brings PostgreSQL 18 itself; what workers count is the same wherever they count it.
      'test/compose.spec.ts',
      'test/telemetry/worker-metrics.spec.ts',
      // About processes, networks and other servers; the SQL that they run, and its fences, others ask of both versions.
      'test/engine/{frozen-workers,killed-workers-without-redis,urgent-first}.spec.ts',
      'test/platform/{api-process,database-away,keys-away,key-providers,published-log,transport}.spec.ts',
      'test/alerting/{failing-channels,killed-sender,database-away}.spec.ts',
      // Of machines' shell scripts: what they send is the same to both.
      'test/devices/linux-reporter.spec.ts',
      // It brings a PostgreSQL of its own, the same in both passes.
      'test/faults/short.spec.ts',
      // What Redis does is the same beside each.
      'test/engine/{killed-workers-with-redis,redis-flickers,busy-chores}.spec.ts',
    ],
  });
  return specs.filter(
    (spec) => spec.startsWith('test') || readFileSync(join(cloneFolder(), spec), 'utf8').includes('createTestDatabase'),
  );
}

function isInstalled({ programs }: NeededProgram): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return programs
    .flatMap((name) => (name.startsWith('/') ? [name] : folders.map((folder) => join(folder, name))))
    .some((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function packagesOf({ aptPackage, alsoNeeded = [] }: NeededProgram): readonly string[] {
  return [aptPackage, ...alsoNeeded];
}

function missingPrograms(): NeededProgram[] {
  return NEEDED_PROGRAMS.filter((program) => !isInstalled(program));
}

/** As root on Debian. When something goes wrong, apt's own output explains it and the servers are missing after all. */
function installByApt(packages: readonly string[], services: readonly string[]): void {
  console.log(`installing ${packages.join(' ')} by apt …`);
  // Debian's packages start their server at once, except in runlevel 1. The tests start their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (args: readonly string[]) => spawnSync('apt-get', args, { env, encoding: 'utf8' });
  const install = () => apt(['install', '-y', '-q', '--no-install-recommends', ...packages]);
  let result = install();
  // A machine that was never updated has no list of packages, or one that names files that are gone.
  if (result.status !== 0 && apt(['update', '-q']).status === 0) result = install();
  if (result.status !== 0) console.error(`${result.stdout}${result.stderr}`.trim());
  // systemd cares for no runlevel.
  else if (existsSync('/run/systemd/system') && services.length > 0)
    spawnSync('systemctl', ['disable', '--now', ...services]);
}

/** Installs what can be installed; answers what is missing all the same. */
function providePrograms(): NeededProgram[] {
  const missing = missingPrograms();
  if (missing.length === 0) return [];
  if (runsAsRoot() && existsSync('/usr/bin/apt-get')) {
    installByApt(
      missing.flatMap(packagesOf),
      missing.flatMap((program) => program.service ?? []),
    );
    return missingPrograms();
  }
  return missing;
}

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  /** Files that failed to load have no test that failed. */
  testResults: z.array(z.object({ name: z.string(), status: z.string(), assertionResults: z.array(z.unknown()) })),
});

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  isClean: boolean;
}

async function runVitest(title: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Tally> {
  console.log(`\n=== ${title}`);
  const folder = await mkdtemp(join(tmpdir(), 'quartermaster-report-'));
  const reportFile = join(folder, 'report.json');
  try {
    const exitCode = await runToEnd(
      process.execPath,
      [
        join(cloneFolder(), 'node_modules', 'vitest', 'vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${reportFile}`,
        ...args,
      ],
      env,
    );
    const written = await readFile(reportFile, 'utf8').catch(() => null);
    if (written === null) return { passed: 0, failed: 1, skipped: 0, isClean: false };
    const report = Report.parse(JSON.parse(written));
    const brokenFiles = report.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    );
    const failed = report.numFailedTests + brokenFiles.length;
    return {
      passed: report.numPassedTests,
      // vitest also fails for an error outside any test; then something failed, though it can't be counted.
      failed: failed === 0 && exitCode !== 0 ? 1 : failed,
      skipped: report.numPendingTests,
      isClean: exitCode === 0,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runToEnd(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: cloneFolder(), env: { ...process.env, ...env }, stdio: 'inherit' });
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => child.kill(name));
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function main(args: readonly string[]): Promise<boolean> {
  const leftOut = providePrograms();
  const tallies = [await runVitest('all suites, PostgreSQL 18', args, { QM_TEST_POSTGRES: '18' })];
  const hasPostgres15 = !leftOut.some((program) => program.aptPackage === 'postgresql-15');
  if (hasPostgres15 && tallies.every((tally) => tally.isClean)) {
    const suites = args.length > 0 ? args : databaseSuites();
    if (suites.length > 0) {
      const vitestArgs = [...suites, '--passWithNoTests'];
      tallies.push(await runVitest('database suites, PostgreSQL 15', vitestArgs, { QM_TEST_POSTGRES: '15' }));
    }
  }

  for (const program of leftOut) console.log(`\nleft out: ${program.suites}`);
  if (leftOut.length > 0) {
    console.log(`To include them: sudo apt-get install ${leftOut.flatMap(packagesOf).join(' ')}`);
  }
  const isIncomplete = leftOut.length > 0 && Boolean(process.env['CI']);
  if (isIncomplete) console.log('CI is set, where a suite left out is a failure.');

  const sum = (count: (tally: Tally) => number) => tallies.reduce((total, tally) => total + count(tally), 0);
  const failed = sum((tally) => tally.failed) + (isIncomplete ? leftOut.length : 0);
  const skipped = sum((tally) => tally.skipped);
  console.log(`\n${sum((tally) => tally.passed)} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed === 0 && tallies.every((tally) => tally.isClean);
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
