import { setTimeout as pause } from 'node:timers/promises';
import type { DemoPlaces } from './demo-places.js';
import type { HrSystem } from './hr-system.js';
import type { QuartermasterApi } from './quartermaster-api.js';
import type { Equipment } from './register-devices.js';
import type { ToolIds } from './register-tools.js';
import { NotProved, type Report } from './report.js';
import type { Company } from './start-company.js';
import type { Terminal } from './terminal.js';

/** Everything that the story plays with. */
export interface Stage {
  terminal: Terminal;
  report: Report;
  places: DemoPlaces;
  company: Company;
  hr: HrSystem;
  /** A program with an API token: it sets up and reads. */
  api: QuartermasterApi;
  /** A named admin, signed in by a one-time link: reports the loss, does the manual tasks, gives access back. */
  admin: QuartermasterApi;
  tools: ToolIds;
  deviceManagerId: string;
  /** Somebody's browser or agent that has signed in nowhere. */
  stranger: QuartermasterApi;
  equipment: Equipment;
  signal: AbortSignal;
}

/** Waits for something that must happen. @throws {NotProved} when it hasn't by then */
export async function within<T>(ms: number, what: string, awaited: Promise<T>, signal: AbortSignal): Promise<T> {
  const ending = new AbortController();
  const tooLate = pause(ms, undefined, { signal: AbortSignal.any([signal, ending.signal]) }).then(() => {
    throw new NotProved(`${what}: it didn't happen within ${ms / 1_000} s`);
  });
  try {
    return await Promise.race([awaited, tooLate]);
  } finally {
    ending.abort();
    await tooLate.catch(() => undefined);
  }
}
