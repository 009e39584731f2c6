import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { Problem } from '../errors/problem.js';
import { isDeparture } from '../http/departure.js';
import { TooManyRequests } from '../rate-limits/too-many-requests.js';
import type { Actor } from '../sign-in/actor.js';
import { csvLine } from './csv-line.js';

/** Rows that are read at once, and so about what is in memory of a list however long it is. */
const PAGE = 500;
/** Milliseconds: whoever reads slower than that has lost what let them read meanwhile, or reads nothing. */
const LONGEST = 600_000;
/** Of one caller at the same time, at this server. */
const AT_ONCE = 2;
/** Seconds. */
const WAIT = 30;

const LINE_END = '\r\n';

/** A list as it is shown page by page, to be written as a whole. */
export interface ExportedList<Row extends { id: string }> {
  /** As in `people`: what the file and the audit log call it. */
  name: string;
  /** The fields of its view, in their order. */
  fields: readonly string[];
  filter: Readonly<Record<string, string | undefined>>;
  /** Filters that hold what somebody typed, which may be a name: the log keeps them as personal data. */
  typed?: readonly string[];
  /** The list's own page, with the caller's reach. @param after id of the last row before; null for the first page */
  page: (after: string | null, limit: number) => Promise<Row[]>;
  view: (row: Row) => Readonly<Record<string, unknown>>;
}

interface Door {
  request: IncomingMessage;
  response: ServerResponse;
  actor: Actor;
}

/** Writes whole lists to their callers as CSV files (RFC 4180), and into the audit log who took them. */
@Injectable()
export class CsvExports {
  private readonly running = new Map<string, number>();

  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
    private readonly log: PinoLogger,
  ) {}

  /**
   * A page is read when the one before is on its way, so memory doesn't grow with the list and a slow caller slows the
   * reading; one who leaves ends it. What is added to the list meanwhile may be in the file or not.
   *
   * @throws Problem before anything was sent, when it can't begin; and whatever goes wrong later, with the connection
   * destroyed by then: without the last chunk nobody takes the file for a whole one
   */
  async send<Row extends { id: string }>(door: Door, list: ExportedList<Row>): Promise<void> {
    const { request, response, actor } = door;
    if (request.httpVersion === '1.0') {
      throw new Problem(
        'invalid-request',
        'Ask over HTTP/1.1 or newer, and have a proxy in between do so: over 1.0 nobody could tell a file that was broken off from a whole one.',
      );
    }
    const already = this.running.get(actor.id) ?? 0;
    if (already >= AT_ONCE) throw new TooManyRequests('Two of your files are being written already.', WAIT);
    this.running.set(actor.id, already + 1);
    try {
      const first = await list.page(null, PAGE);
      const isHead = request.method === 'HEAD';
      // Known before anybody has a row.
      if (!isHead) await this.record(actor, 'export.started', list);
      response.setHeader('Content-Type', 'text/csv; charset=utf-8; header=present');
      response.setHeader('Content-Disposition', `attachment; filename="${fileName(list.name)}"`);
      response.setHeader('Cache-Control', 'no-store');
      if (isHead) response.end();
      else await this.write(door, list, first);
    } finally {
      const others = (this.running.get(actor.id) ?? 1) - 1;
      if (others > 0) this.running.set(actor.id, others);
      else this.running.delete(actor.id);
    }
  }

  private async write<Row extends { id: string }>(
    { response, actor }: Door,
    list: ExportedList<Row>,
    first: Row[],
  ): Promise<void> {
    let rows = 0;
    let isRecorded = false;
    const record = this.record.bind(this);
    async function* lines(): AsyncGenerator<string> {
      yield csvLine(list.fields) + LINE_END;
      for (let page = first; ;) {
        rows += page.length;
        if (page.length > 0) yield page.map((row) => lineOf(list.view(row), list.fields)).join('');
        const last = page.length === PAGE ? page.at(-1) : undefined;
        if (!last) break;
        page = await list.page(last.id, PAGE);
      }
      // Before the end is sent: nobody has the whole file without an entry that says so.
      await record(actor, 'export.ended', list, { rows, whole: true });
      isRecorded = true;
    }
    try {
      await pipeline(Readable.from(lines()), response, { signal: AbortSignal.timeout(LONGEST) });
    } catch (error) {
      if (!isRecorded) {
        await this.record(actor, 'export.ended', list, { rows, whole: false }).catch((err: unknown) =>
          this.log.warn({ err }, 'the end of an export was not recorded; its beginning was'),
        );
      }
      if (!isDeparture(error)) throw error;
    }
  }

  private async record(
    actor: Actor,
    action: string,
    { name, filter, typed = [] }: Pick<ExportedList<never>, 'name' | 'filter' | 'typed'>,
    outcome: { rows: number; whole: boolean } | null = null,
  ): Promise<void> {
    const given = Object.entries(filter).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value] as const],
    );
    await this.audit.record(this.db.manager, actor, action, {
      subject: { kind: 'list', id: name },
      facts: { filter: Object.fromEntries(given.filter(([key]) => !typed.includes(key))), ...outcome },
      personal: Object.fromEntries(given.filter(([key]) => typed.includes(key))),
    });
  }
}

function lineOf(view: Readonly<Record<string, unknown>>, fields: readonly string[]): string {
  return csvLine(fields.map((field) => cellOf(view[field]))) + LINE_END;
}

/** What has no form of its own in CSV is written as in JSON. */
function cellOf(value: unknown): string | number | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value);
}

/** With the day, UTC. */
function fileName(list: string): string {
  return `quartermaster-${list}-${new Date().toISOString().slice(0, 10)}.csv`;
}
