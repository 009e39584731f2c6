import { Background } from './background.js';
import { faultOf, lacksOf } from './catalogue.js';
import { tellHistories } from './checks/histories.js';
import { checkTools } from './checks/at-the-tools.js';
import { checkDatabase } from './checks/in-the-database.js';
import { checkSecrets } from './checks/no-secret-shows.js';
import { checkAuditLog } from './checks/the-audit-log.js';
import { untilQuiet } from './checks/quiescence.js';
import { Company } from './company.js';
import { Scene, type Fault, type Measured } from './fault.js';
import { Random } from './random.js';
import { drawSlots, type Row } from './schedule.js';
import type { Installation } from './stage/installation.js';
import { ServiceUnderTest } from './stage/service-under-test.js';

export interface PlannedFault {
  row: Row;
  fault: Fault;
}

export interface FaultReport {
  row: Row;
  fault: string;
  seconds: number;
  seen: string[];
  measured: Measured[];
  broken: string[];
  /** What this machine lacks for it; then it wasn't tried. */
  leftOut: string[];
}

export interface SeedReport {
  seed: number;
  seconds: number;
  faults: FaultReport[];
  /** What of the invariants didn't hold afterwards. */
  broken: string[];
  people: number;
  webhooks: number;
  calls: number;
  restarts: number;
  /** The last lines of every process, when something was broken. */
  logs: Record<string, string>;
  /** What was done about the people concerned. */
  histories: Record<string, string[]>;
}

export interface SeedOptions {
  seed: number;
  crowd: number;
  /** Instead of the seed's own schedule. */
  faults?: readonly PlannedFault[];
  /** Hears of each fault when it is over. */
  onFault?: (report: FaultReport) => void;
}

const AT_RISK = 3;
const QUIET_MS = 90_000;
const LOG_LENGTH = 400_000;

export function planOf(seed: number): PlannedFault[] {
  return drawSlots(seed).map((slot) => ({ row: slot.row, fault: faultOf(slot) }));
}

/** One schedule: a fresh service, everyday life beside the faults, and the invariants when all is healed and quiet. */
export async function runSeed(installation: Installation, options: SeedOptions): Promise<SeedReport> {
  const { seed, faults = planOf(options.seed) } = options;
  const began = performance.now();
  const service = await ServiceUnderTest.start(installation);
  try {
    const random = new Random(`seed ${seed}`);
    const company = new Company(service, `s${seed}`);
    for (const tool of service.tools) tool.latency = 5 + random.below(40);
    const atRisk = await company.hiresWithLaptops(AT_RISK);
    const background = new Background(company, random.fork('background'));
    background.start();
    const reports: FaultReport[] = [];
    for (const [index, planned] of faults.entries()) {
      const scene = new Scene(service, company, atRisk, background, random.fork(`fault ${index}`), options.crowd);
      const report = await runFault(planned, scene);
      reports.push(report);
      options.onFault?.(report);
    }
    const broken = await checkAll(service, company, background);
    const isBroken = broken.length > 0 || reports.some((report) => report.broken.length > 0);
    return {
      seed,
      seconds: secondsSince(began),
      faults: reports,
      broken,
      people: company.people.length,
      webhooks: company.deliveries.length,
      calls: service.tools.reduce((sum, tool) => sum + tool.calls.length, 0),
      restarts: service.processes.reduce((sum, { endings }) => sum + endings.length, 0),
      logs: isBroken
        ? Object.fromEntries(service.processes.map(({ name, output }) => [name, output.slice(-LOG_LENGTH)]))
        : {},
      histories: isBroken ? await tellHistories(service, company) : {},
    };
  } finally {
    await service.stop();
  }
}

async function runFault({ row, fault }: PlannedFault, scene: Scene): Promise<FaultReport> {
  const began = performance.now();
  const leftOut = lacksOf(fault);
  if (leftOut.length === 0) {
    try {
      await fault.run(scene);
      await scene.service.untilWell();
      await scene.settleDebts();
    } catch (error) {
      scene.broken.push(sentenceOf(error));
    }
  }
  const { seen, measured, broken } = scene;
  return { row, fault: fault.name, seconds: secondsSince(began), seen, measured, broken, leftOut };
}

async function checkAll(service: ServiceUnderTest, company: Company, background: Background): Promise<string[]> {
  const broken: string[] = [];
  const attempt = async (what: string, work: () => Promise<string[]>): Promise<void> => {
    try {
      broken.push(...(await work()));
    } catch (error) {
      broken.push(`${what}: ${sentenceOf(error)}`);
    }
  };
  await attempt('the background', async () => {
    await background.stop();
    return [];
  });
  await attempt('the service', async () => {
    await service.untilWell();
    return untilQuiet(service, QUIET_MS);
  });
  await attempt('the tools', () => checkTools(service, company));
  await attempt('the database', () => checkDatabase(service, company));
  await attempt('the audit log', () => checkAuditLog(service));
  await attempt('the secrets', () => checkSecrets(service));
  return broken;
}

function secondsSince(began: number): number {
  return Math.round((performance.now() - began) / 100) / 10;
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message.slice(0, 300)})` : '';
  return `${error.message}${cause}`;
}
