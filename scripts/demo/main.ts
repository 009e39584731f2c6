import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { curlCommand } from '../embedded/local-tls.js';
import { PostgresInUse } from '../embedded/postgres.js';
import { untilAskedToStop } from '../stop-signals.js';
import { choosePort, PortTaken } from './choose-port.js';
import { openDemoPlaces } from './demo-places.js';
import { HrSystem } from './hr-system.js';
import { QuartermasterApi } from './quartermaster-api.js';
import { registerEquipment } from './register-devices.js';
import { ADMIN, registerTools } from './register-tools.js';
import { NotProved, Report } from './report.js';
import { namesOf, startCompany } from './start-company.js';
import { startQuartermaster, type RunningQuartermaster } from './start-quartermaster.js';
import { StopList } from './stop-list.js';
import { playStory } from './story.js';
import { duration, paint, Terminal } from './terminal.js';
import { together } from '../../src/platform/database/together.js';
import { LINK_MINUTES } from '../../src/platform/sign-in/sign-in-links.service.js';

const USAGE = `npm run demo [-- --once] [--json FILE] [--port 3000] [--no-tls]

Somebody joins, loses a laptop, gets another one and leaves, on real tools on this machine; each claim is proved by
asking the tools. Then the service stays, for a look around.

  --once       end after the story; exit code 0 only if everything was proved
  --json FILE  write what was seen: each step, its attempts, their times, what was read back
  --port       where the API listens; else PORT, else 3000 or the next free one
  --no-tls     plain HTTP, on this machine alone; without it HTTPS, with a certificate authority of this machine's own,
               which browsers don't know until somebody tells them to trust it
`;

interface Options {
  once: boolean;
  json: string | undefined;
  port: number;
  portIsInsistedOn: boolean;
  tls: boolean;
}

class WrongOption extends Error {
  override readonly name = 'WrongOption';
}

function readOptions(): Options | null {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'string' },
      port: { type: 'string' },
      tls: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const named = values.port ?? process.env['PORT'];
  const port = Number(named || 3000);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new WrongOption(`${named} is no port.`);
  return {
    once: values.once,
    json: values.json && resolve(values.json),
    port,
    portIsInsistedOn: Boolean(named),
    tls: values.tls,
  };
}

const terminal = new Terminal();
const report = new Report(terminal);
const stops = new StopList();

/** Starts everything and plays the story; answers the service, which still runs. */
async function perform(
  { port: wanted, portIsInsistedOn, tls }: Options,
  signal: AbortSignal,
): Promise<RunningQuartermaster> {
  terminal.chapter('Quartermaster', 'a company on this machine, its tools, and what becomes of one employee');
  const places = await openDemoPlaces();
  const port = await choosePort(wanted, portIsInsistedOn);
  if (port !== wanted)
    terminal.item(paint('yellow', '▲'), `port ${wanted} is taken by another program; this is port ${port}`);
  const quartermaster = await startQuartermaster({ places, port, tls, stops, terminal, signal });
  const { service, apiToken, hrSecret, usesRedis, signInLink } = quartermaster;
  report.measure('serviceReadyMs', performance.now());
  report.note({ redis: usesRedis, node: process.version });

  const companyStartedAt = performance.now();
  const [company, link] = await together([startCompany(places, stops), signInLink(ADMIN)]);
  const api = QuartermasterApi.withToken(service.baseUrl, apiToken, signal);
  const admin = await QuartermasterApi.bySignInLink(service.baseUrl, link, signal);
  const stranger = QuartermasterApi.asNobody(service.baseUrl, signal);
  const { tools, deviceManagerId } = await registerTools(api, company, places.memory);
  const equipment = await registerEquipment(api, stranger);
  terminal.item(
    paint('green', '●'),
    `${namesOf(company).length} tools: ${namesOf(company).join(', ')}`,
    duration(performance.now() - companyStartedAt),
  );
  const missing = [...(company.ldap ? [] : ['slapd']), ...(company.gateway ? [] : ['openssh-server openssh-client'])];
  if (missing.length > 0) {
    terminal.item('○', `to see LDAP and SSH too, as root: apt-get install ${missing.join(' ')}`);
  }
  const hr = new HrSystem(service.baseUrl, hrSecret, signal);
  await playStory({
    terminal,
    report,
    places,
    company,
    hr,
    api,
    admin,
    stranger,
    tools,
    deviceManagerId,
    equipment,
    signal,
  });
  return quartermaster;
}

/** Says what failed, in red, and how. */
function tellFailure(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  report.fail(message);
  terminal.line('');
  terminal.line(paint('red', `✕ ${error instanceof NotProved ? 'Not proved: ' : ''}${message}`));
  const isExplained = error instanceof NotProved || error instanceof PortTaken || error instanceof PostgresInUse;
  if (!isExplained && error instanceof Error) terminal.line(paint('dim', error.stack ?? ''));
  if (error instanceof Error && error.cause instanceof Error) terminal.line(paint('dim', error.cause.message));
}

async function stayOpen(
  { publicUrl, certificate, signInLink, onAlert }: RunningQuartermaster,
  asked: Promise<string>,
): Promise<void> {
  const link = await signInLink(ADMIN);
  terminal.line(`  Quartermaster stays at ${paint('bold', publicUrl)}`);
  terminal.line(`  ${curlCommand(publicUrl, certificate?.authorityFile ?? null)}`);
  if (certificate) terminal.line(paint('dim', `  ${certificate.advice}`));
  terminal.line(`  Sign in as ${ADMIN}, once, within ${LINK_MINUTES} minutes:`);
  terminal.line(`  ${paint('cyan', link)}`);
  terminal.line(paint('dim', '  Ctrl-C stops everything.'));
  onAlert((line) => terminal.item(paint('yellow', '▲'), line));
  await asked;
}

async function run(options: Options): Promise<number> {
  const stopping = new AbortController();
  const asked = untilAskedToStop().then((reason) => {
    terminal.line(paint('dim', `\nstopping: ${reason}`));
    stopping.abort();
    return reason;
  });
  let quartermaster: RunningQuartermaster | undefined;
  try {
    quartermaster = await perform(options, stopping.signal);
  } catch (error) {
    if (stopping.signal.aborted) return 130;
    tellFailure(error);
  } finally {
    if (options.json && !stopping.signal.aborted) await report.write(options.json);
  }
  if (!quartermaster || !report.isProved) return 1;
  terminal.line('');
  terminal.line(
    paint('bold', `  Everything was proved: ${report.proofCount} claims, in ${duration(performance.now())}.`),
  );
  const took = (name: string) => duration(report.measuredMs(name));
  terminal.line(
    paint(
      'dim',
      `  lost laptop: live session cut after ${took('liveSessionCutMs')}, every account suspended and read back after ` +
        `${took('allAccountsConfirmedMs')} · leaver: ${took('leaverRevokedMs')}`,
    ),
  );
  if (!options.once) await stayOpen(quartermaster, asked);
  return 0;
}

let exitCode = 2;
try {
  const options = readOptions();
  if (!options) console.log(USAGE);
  exitCode = options ? await run(options) : 0;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
}
await stops.stopAll();
process.exit(exitCode);
