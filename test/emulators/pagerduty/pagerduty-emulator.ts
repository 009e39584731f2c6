import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

export interface Incident {
  dedupKey: string;
  state: 'triggered' | 'acknowledged' | 'resolved';
  severity: string;
  summary: string;
  source: string;
  /** How many trigger events it took in: a double is counted here and makes no second incident. */
  triggers: number;
}

/** One request, as it came in. */
export interface SeenEvent {
  action: string | null;
  dedupKey: string | null;
  answered: number | 'nothing';
}

type Behaviour =
  /** Answers with this status and takes nothing in. */
  | { kind: 'fail'; status: number; headers?: Record<string, string> }
  /** Takes it in, and never answers. */
  | { kind: 'swallow-answer' };

const LARGEST_EVENT = 512 * 1024;

const Event = z.looseObject({
  routing_key: z.string().optional(),
  event_action: z.string().optional(),
  dedup_key: z.string().optional(),
  payload: z
    .looseObject({ summary: z.string().optional(), source: z.string().optional(), severity: z.string().optional() })
    .optional(),
});
type Event = z.infer<typeof Event>;

/** PagerDuty's Events API v2, `POST /v2/enqueue`, with its incidents. The README says where it is kinder than the real one. */
export class PagerDutyEmulator {
  readonly events: SeenEvent[] = [];
  private readonly incidents: Incident[] = [];
  private readonly script: Behaviour[] = [];
  private readonly server = createServer((request, response) => void this.answer(request, response));

  private constructor(private readonly routingKey: string) {}

  static async start(routingKey: string): Promise<PagerDutyEmulator> {
    const emulator = new PagerDutyEmulator(routingKey);
    await new Promise<void>((resolve) => emulator.server.listen(0, '127.0.0.1', resolve));
    return emulator;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** For the next `times` events. */
  next(behaviour: Behaviour, times = 1): void {
    for (let count = 0; count < times; count += 1) this.script.push(behaviour);
  }

  /** With `state`, those in it. */
  all(state?: Incident['state']): Incident[] {
    return this.incidents.filter((incident) => state === undefined || incident.state === state);
  }

  /** As a person does by the phone. */
  acknowledge(dedupKey: string): void {
    this.apply({ event_action: 'acknowledge', dedup_key: dedupKey });
  }

  /** Ends the connections that wait for an answer. */
  hangUp(): void {
    this.server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const event = parseEvent(body);
    const seen: SeenEvent = {
      action: event?.event_action ?? null,
      dedupKey: event?.dedup_key ?? null,
      answered: 'nothing',
    };
    this.events.push(seen);
    const reply = (status: number, answer: object, headers: Record<string, string> = {}): void => {
      seen.answered = status;
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(answer));
    };
    if (request.method !== 'POST' || request.url !== '/v2/enqueue') return reply(404, {});
    const scripted = this.script.shift();
    if (scripted?.kind === 'fail') return reply(scripted.status, { status: 'scripted' }, scripted.headers);
    const errors = this.errorsIn(event, body.length);
    if (!event || errors.length > 0) {
      return reply(400, { status: 'invalid event', message: 'Event object is invalid', errors });
    }
    const dedupKey = this.apply(event);
    if (scripted?.kind === 'swallow-answer') return;
    reply(202, { status: 'success', message: 'Event processed', dedup_key: dedupKey });
  }

  private errorsIn(event: Event | null, size: number): string[] {
    if (size > LARGEST_EVENT) return ['Event is too large'];
    if (!event) return ['Event could not be read'];
    const { routing_key: key = '', event_action: action = '', dedup_key: dedupKey, payload } = event;
    const unless = (fine: boolean, error: string): string[] => (fine ? [] : [error]);
    const trigger = action === 'trigger';
    return [
      ...unless(key.length === 32, "Length of 'routing_key' is incorrect (should be 32 characters)"),
      ...unless(key === this.routingKey, 'Invalid routing key'),
      ...unless(['trigger', 'acknowledge', 'resolve'].includes(action), "'event_action' is invalid"),
      ...unless(trigger || dedupKey !== undefined, "'dedup_key' is missing or blank"),
      ...unless((dedupKey ?? '').length <= 255, "'dedup_key' is too long"),
      ...unless(!trigger || Boolean(payload?.summary), "'payload.summary' is missing or blank"),
      ...unless(!trigger || Boolean(payload?.source), "'payload.source' is missing or blank"),
      ...unless(
        !trigger || ['critical', 'error', 'warning', 'info'].includes(payload?.severity ?? ''),
        "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
      ),
    ];
  }

  /** triggered → acknowledged → resolved; a trigger after that is a new incident, one before it belongs to the old one. */
  private apply({ event_action: action, dedup_key: dedupKey = randomUUID(), payload }: Event): string {
    const open = this.incidents.find((one) => one.dedupKey === dedupKey && one.state !== 'resolved');
    if (action === 'trigger' && open) open.triggers += 1;
    if (action === 'trigger' && !open) {
      const { summary = '', source = '', severity = '' } = payload ?? {};
      this.incidents.push({ dedupKey, state: 'triggered', severity, summary, source, triggers: 1 });
    }
    if (action === 'acknowledge' && open) open.state = 'acknowledged';
    if (action === 'resolve' && open) open.state = 'resolved';
    return dedupKey;
  }
}

function parseEvent(body: Buffer): Event | null {
  try {
    return Event.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return null;
  }
}
