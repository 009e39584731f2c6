import { writeFile } from 'node:fs/promises';
import type { CaseSeen, HrEventSeen } from './api-shapes.js';
import { duration, paint, type Terminal } from './terminal.js';

/** Something that the demo was about to claim isn't so. It ends the story. */
export class NotProved extends Error {
  override readonly name = 'NotProved';
}

interface Proof {
  chapter: string;
  claim: string;
  holds: boolean;
  at: string;
  /** What was seen; never a secret. */
  seen: Readonly<Record<string, unknown>>;
}

/** What was claimed and what was seen, for the terminal and for `--json`. Nothing is claimed that wasn't looked at. */
export class Report {
  private readonly startedAt = new Date();
  private chapter = 'preparation';
  private readonly proofs: Proof[] = [];
  private readonly cases = new Map<string, CaseSeen>();
  private readonly facts: Record<string, unknown> = {};
  private readonly measured: Record<string, number> = {};
  private hrEvents: readonly HrEventSeen[] = [];
  private failure: string | null = null;

  constructor(private readonly terminal: Terminal) {}

  begin(chapter: string, note: string): void {
    this.chapter = chapter;
    this.terminal.chapter(chapter, note);
  }

  /** Prints the claim when it holds; otherwise ends the story. `ms` is shown beside it. */
  prove(claim: string, holds: boolean, seen: Readonly<Record<string, unknown>> = {}, ms?: number): void {
    const timed = ms === undefined ? seen : { ...seen, ms: Math.round(ms) };
    this.proofs.push({ chapter: this.chapter, claim, holds, at: new Date().toISOString(), seen: timed });
    if (!holds) throw new NotProved(`${claim}\n     what was seen instead: ${JSON.stringify(seen)}`);
    this.terminal.item(paint('green', '✓'), claim, ms === undefined ? '' : duration(ms));
  }

  /** By a name that programs may rely on, in milliseconds. */
  measure(name: string, ms: number): void {
    this.measured[name] = Math.round(ms);
  }

  measuredMs(name: string): number {
    return this.measured[name] ?? NaN;
  }

  note(facts: Record<string, unknown>): void {
    Object.assign(this.facts, facts);
  }

  /** The newest look at a case counts. */
  keepCase(seen: CaseSeen): void {
    this.cases.set(seen.id, seen);
  }

  keepHrEvents(events: readonly HrEventSeen[]): void {
    this.hrEvents = events;
  }

  fail(reason: string): void {
    this.failure = reason;
  }

  get isProved(): boolean {
    return this.failure === null && this.proofs.length > 0 && this.proofs.every(({ holds }) => holds);
  }

  get proofCount(): number {
    return this.proofs.length;
  }

  async write(file: string): Promise<void> {
    const { startedAt, measured, proofs, hrEvents, failure } = this;
    const document = {
      proved: this.isProved,
      failure,
      startedAt,
      endedAt: new Date(),
      ...this.facts,
      measured,
      cases: [...this.cases.values()].map(({ steps, ...rest }) => ({
        ...rest,
        steps: steps.map(({ toolName, attemptsMade, ...step }) => ({
          tool: toolName,
          ...step,
          attempts: attemptsMade,
        })),
      })),
      hrEvents,
      proofs,
    };
    await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
  }
}
