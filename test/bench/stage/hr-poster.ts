import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { Webhook } from 'standardwebhooks';

/** An HR system that posts many events on kept connections: what a client costs must not show in the measure. */
export class HrPoster {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 256 });
  private readonly webhook: Webhook;

  constructor(
    private readonly url: string,
    secret: string,
  ) {
    this.webhook = new Webhook(secret);
  }

  /** Answers the status when the whole answer is there. */
  async post(event: Record<string, unknown>): Promise<number> {
    const body = JSON.stringify(event);
    const id = `msg_${randomUUID()}`;
    const sentAt = new Date();
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
      'webhook-signature': this.webhook.sign(id, sentAt, body),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(this.url, { agent: this.agent, method: 'POST', headers }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode ?? 0));
        answer.once('error', reject);
      });
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

export interface Employee {
  id: string;
  givenName: string;
  familyName: string;
  workEmail: string;
  department: string;
  title?: string;
  timeZone: string;
  startDate: string;
}

export function newEmployee(): Employee {
  const tag = randomUUID().slice(0, 13);
  return {
    id: `E-${tag}`,
    givenName: 'Ada',
    familyName: `Example ${tag}`,
    workEmail: `ada.${tag}@acme.example`,
    department: 'engineering',
    timeZone: 'Europe/Berlin',
    startDate: '2026-01-05',
  };
}

export function joined(employee: Employee): Record<string, unknown> {
  return { type: 'employee.joined', occurredAt: new Date().toISOString(), employee };
}

export function changed(employee: Employee): Record<string, unknown> {
  return { type: 'employee.changed', occurredAt: new Date().toISOString(), employee };
}

export function left({ id }: Employee): Record<string, unknown> {
  const now = new Date().toISOString();
  return { type: 'employee.left', occurredAt: now, employee: { id, endDate: now.slice(0, 10) }, immediate: true };
}
