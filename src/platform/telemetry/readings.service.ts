import { Injectable } from '@nestjs/common';
import type { Labels } from './statsd.js';

export interface Reading {
  name: `quartermaster_${string}`;
  labels: Labels;
  value: number;
}

/** A feature that can say how things stand, at a cost of its own. */
export interface ReadingSource {
  /** In a word, for the age of what it says. */
  readonly of: string;
  /** What it shows, by name, each with a line of help. */
  readonly shows: Readonly<Record<`quartermaster_${string}`, string>>;
  read(): Promise<Reading[]>;
}

interface Kept {
  readings: Reading[];
  /** By the monotonic clock, in milliseconds. */
  at: number;
  cost: number;
}

/** Milliseconds for which a reading is shown again before it is taken anew. */
const FRESH = 10_000;
/** Reading takes up one twentieth of one connection's time at most, however much there is to count. */
const SHARE = 20;
/** So many times its own pace is as old as a reading may be: beyond that, whoever asks waits for a new one. */
const TOO_OLD = 3;

const AGE = 'quartermaster_readings_age_seconds';

/**
 * How things stand by PostgreSQL: levels, as against what processes count. However many ask, each source is read by one
 * at a time, and not again until ten seconds, or twenty times what it took, have passed; it tells its age.
 */
@Injectable()
export class Readings {
  private readonly sources: ReadingSource[] = [];
  private readonly kept = new Map<ReadingSource, Kept>();
  private readonly underWay = new Map<ReadingSource, Promise<Kept>>();

  add(source: ReadingSource): void {
    this.sources.push(source);
  }

  /** A line of help for each name. */
  help(): ReadonlyMap<string, string> {
    return new Map<string, string>([
      ...this.sources.flatMap(({ shows }) => Object.entries(shows)),
      [
        AGE,
        'How old these levels are: each kind is read from PostgreSQL every 10 s at most, and seldom when it is dear.',
      ],
    ]);
  }

  /**
   * What can't be read isn't shown, and neither is its age: as today's it would be a lie. Rejects when nothing can be
   * read, which means that PostgreSQL is away.
   */
  async levels(): Promise<Reading[]> {
    const all: Reading[] = [];
    let failed: unknown;
    // One after the other: figures for people take one connection from the pool, not all.
    for (const source of this.sources) {
      try {
        const { readings, at } = await this.current(source);
        all.push(...readings, { name: AGE, labels: { of: source.of }, value: (performance.now() - at) / 1000 });
      } catch (error) {
        failed = error;
      }
    }
    if (all.length === 0 && failed !== undefined) throw failed as Error;
    return all;
  }

  private async current(source: ReadingSource): Promise<Kept> {
    const kept = this.kept.get(source);
    if (!kept) return this.read(source);
    const age = performance.now() - kept.at;
    const pace = Math.max(FRESH, SHARE * kept.cost);
    if (age > TOO_OLD * pace) return this.read(source);
    // Nobody waits for what is dear while there is something to show; a failure shows in the age.
    if (age > pace) this.read(source).catch(() => undefined);
    return kept;
  }

  private read(source: ReadingSource): Promise<Kept> {
    const already = this.underWay.get(source);
    if (already) return already;
    const at = performance.now();
    const reading = source
      .read()
      .then((readings) => {
        const kept = { readings, at, cost: performance.now() - at };
        this.kept.set(source, kept);
        return kept;
      })
      .finally(() => this.underWay.delete(source));
    this.underWay.set(source, reading);
    return reading;
  }
}
