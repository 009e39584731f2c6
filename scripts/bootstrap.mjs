/**
 * `node scripts/bootstrap.mjs <demo|start|test|bench|faults|drill|fuzz|quartermaster|check-drift|check-packages|build> [args…]`: makes a fresh clone ready, then runs one of its programs.
 *
 * It runs on any Node ≥ 20 with nothing installed, so it is plain JavaScript without dependencies. What it makes lies
 * in the clone, in folders that git ignores: .node (a private Node, when the system's is too old), node_modules, dist.
 * Each part is skipped when it is up to date, which takes some 0.1 s to find out.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The Node that everything is tested with; any newer 24.x or later of the system's serves as well. */
const NODE_VERSION = '24.21.0';

const PROGRAMS = {
  demo: 'scripts/demo/main.js',
  start: 'scripts/start.js',
  test: 'scripts/run-tests.js',
  bench: 'test/bench/main.js',
  faults: 'test/faults/main.js',
  drill: 'scripts/drill/main.js',
  fuzz: 'scripts/run-fuzz.js',
  quartermaster: 'src/cli.main.js',
  'check-drift': 'scripts/check-drift.js',
  'check-packages': 'scripts/check-packages.js',
  'new-connector': 'scripts/new-connector/main.js',
  /** Makes everything ready and runs nothing. */
  build: null,
};

/** Whatever changes what the compiler and the bundler make. */
const SOURCES = ['src', 'connectors', 'migrations', 'scripts', 'test/support', 'test/bench', 'test/faults', 'ui'];
const SOURCE_FILES = /\.(ts|tsx|json|css|html|svg)$/;
const BUILD_SETTINGS = [
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vite.config.ts',
  'docs/openapi.json',
];

/** The API as the user interface knows it: made from its description, so never committed. */
const API_TYPES = 'ui/src/api/schema.d.ts';

const clone = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...path) => join(clone, ...path);

// ---- a Node that is new enough ----

async function continueWithPrivateNode() {
  const platform = `${process.platform}-${process.arch}`;
  const node = at('.node', 'node_modules', `node-${platform}`, 'bin', 'node');
  const isInstalled = () => {
    const manifest = join(dirname(dirname(node)), 'package.json');
    return existsSync(node) && JSON.parse(readFileSync(manifest, 'utf8')).version === NODE_VERSION;
  };
  await makeReady(`Node ${NODE_VERSION}`, isInstalled, async () => {
    const what = `fetching Node ${NODE_VERSION} (yours is ${process.version}) into .node`;
    const into = ['--prefix', at('.node'), '--no-save', '--no-package-lock', '--ignore-scripts'];
    await npm(what, ['install', ...into, `node-${platform}@${NODE_VERSION}`]);
  });
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, PATH: withNodeFirst(node), QUARTERMASTER_WRAPPED: '1' },
  });
  await passThrough(child);
}

function withNodeFirst(node) {
  return [dirname(node), process.env.PATH].join(delimiter);
}

/** We stand between npm and the program: signals go down, the exit code goes up. */
async function passThrough(child) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const { code, signal } = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  process.exitCode = code ?? 128 + ({ SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0);
}

// ---- packages ----

/**
 * npm writes down what it installed, at the end of an installation that went well. Optional packages of other
 * platforms are rightly absent from it.
 */
function packagesAreInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
    const installed = JSON.parse(readFileSync(at('node_modules', '.package-lock.json'), 'utf8')).packages;
    return (
      Object.keys(installed).every((path) => path in wanted) &&
      Object.entries(wanted).every(([path, entry]) => {
        if (path === '') return true;
        const present = installed[path];
        return present ? present.version === entry.version : entry.optional === true;
      })
    );
  } catch {
    return false;
  }
}

async function installPackages() {
  // Install scripts aren't needed, may be forbidden on this machine, and are other people's code.
  await npm('installing the packages', ['ci', '--ignore-scripts', '--include=dev', '--include=optional']);
}

async function npm(what, npmArgs) {
  // Under `npm run` this is the very npm that was called; one line each is enough, so it must not draw progress bars.
  const own = process.env.npm_execpath;
  const [command, before] = own?.endsWith('.js') ? [process.execPath, [own]] : ['npm', []];
  const quiet = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error', '--prefer-offline'];
  await run(what, command, [...before, ...npmArgs, ...quiet]);
}

// ---- the build ----

const STAMP = '.built-from';

function sourcesHash() {
  const hash = createHash('sha256');
  const add = (file) => hash.update(relative(clone, file)).update('\0').update(readFileSync(file)).update('\0');
  for (const file of BUILD_SETTINGS) add(at(file));
  for (const folder of SOURCES.filter((folder) => existsSync(at(folder)))) {
    const files = readdirSync(at(folder), { recursive: true }).filter((file) => SOURCE_FILES.test(file));
    const isBuilt = (file) => !file.endsWith('.spec.ts') && join(folder, file) !== API_TYPES;
    for (const file of files.filter(isBuilt).toSorted()) add(at(folder, file));
  }
  return hash.digest('hex');
}

function buildIsCurrent() {
  try {
    return existsSync(at(API_TYPES)) && readFileSync(at('dist', STAMP), 'utf8') === sourcesHash();
  } catch {
    return false;
  }
}

/** Compiled beside the old build and put in its place only when all is well. */
async function build() {
  const hash = sourcesHash();
  const [fresh, old] = [at('dist.new'), at('dist.old')];
  for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  const tsc = at('node_modules', 'typescript', 'bin', 'tsc');
  await run('building', process.execPath, [tsc, '-p', at('tsconfig.build.json'), '--outDir', fresh]);
  await buildUserInterface(join(fresh, 'ui'));
  writeFileSync(join(fresh, STAMP), hash);
  if (existsSync(at('dist'))) renameSync(at('dist'), old);
  renameSync(fresh, at('dist'));
  rmSync(old, { recursive: true, force: true });
}

async function buildUserInterface(folder) {
  const describe = at('node_modules', 'openapi-typescript', 'bin', 'cli.js');
  const types = [describe, at('docs', 'openapi.json'), '--output', at(API_TYPES)];
  await run('describing the API to the user interface', process.execPath, types);
  const vite = at('node_modules', 'vite', 'bin', 'vite.js');
  const bundle = [vite, 'build', '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn'];
  await run('building the user interface', process.execPath, bundle);
}

/** From here on the program is this very process, so nothing stands between it and its signals. */
function handOver(program) {
  if (!existsSync(program)) fail(`${relative(clone, program)} wasn't built: this clone has no such program.`);
  process.execve(process.execPath, [process.execPath, '--enable-source-maps', program, ...args], {
    ...process.env,
    PATH: withNodeFirst(process.execPath),
  });
}

// ---- one at a time ----

/** Two bootstraps in one clone would delete the files under each other's feet. */
async function makeReady(what, isReady, make) {
  if (isReady()) return;
  const release = await takeLock(what);
  try {
    if (!isReady()) await make();
  } finally {
    release();
  }
}

async function takeLock(what) {
  const lock = at('.quartermaster', 'bootstrap.lock');
  mkdirSync(dirname(lock), { recursive: true });
  for (let told = false; ;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = readHolder(lock);
    if (holder === 'gone') {
      await pause(10);
      continue;
    }
    if (holder === 'dead') {
      rmSync(lock, { force: true });
      continue;
    }
    if (!told) console.error(`waiting for process ${holder}, which prepares ${what} in this clone …`);
    told = true;
    await pause(200);
  }
}

function readHolder(lock) {
  let pid;
  let age;
  try {
    pid = Number(readFileSync(lock, 'utf8'));
    age = Date.now() - statSync(lock).mtimeMs;
  } catch {
    return 'gone';
  }
  // Made, but not yet written to; and after a quarter of an hour another program has got the process id.
  if (!pid) return age > 2_000 ? 'dead' : 'gone';
  if (age > 900_000) return 'dead';
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return error.code === 'EPERM' ? pid : 'dead';
  }
}

// ---- running and failing ----

/** Runs a command in silence: one line while all goes well, all that it wrote when it fails. */
async function run(what, command, commandArgs) {
  const start = performance.now();
  const isTerminal = process.stderr.isTTY;
  if (isTerminal) process.stderr.write(`${what} …`);
  const child = spawn(command, commandArgs, {
    cwd: clone,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: withNodeFirst(process.execPath) },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  const line = `${what} … ${((performance.now() - start) / 1000).toFixed(1)} s`;
  process.stderr.write(`${isTerminal ? '\r' : ''}${line}\n`);
  if (code !== 0) fail(`${output.trim()}\n\n${what} failed (${code})`);
}

class Refusal extends Error {
  exitCode = 1;
}

function fail(message, exitCode = 1) {
  throw Object.assign(new Refusal(message), { exitCode });
}

// ---- the whole ----

const [name, ...args] = process.argv.slice(2);
try {
  if (!Object.hasOwn(PROGRAMS, name)) fail(`Say what to run: ${Object.keys(PROGRAMS).join(', ')}.`, 2);
  if (Number(process.versions.node.split('.')[0]) < Number(NODE_VERSION.split('.')[0])) {
    await continueWithPrivateNode();
  } else {
    await makeReady('the packages', packagesAreInstalled, installPackages);
    await makeReady('the build', buildIsCurrent, build);
    if (PROGRAMS[name]) handOver(at('dist', PROGRAMS[name]));
  }
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
