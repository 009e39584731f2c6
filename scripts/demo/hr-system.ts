import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { Delivery } from './api-shapes.js';

/** The source's name in Quartermaster. */
export const HR_SOURCE = 'demo-hr';

/** An event as the HR system sends it. A repeat has the same id and the same body. */
export interface HrMessage {
  id: string;
  body: string;
}

/** The company's HR system: it signs its webhooks (Standard Webhooks) and posts them. */
export class HrSystem {
  private readonly webhook: Webhook;

  constructor(
    private readonly baseUrl: string,
    secret: string,
    private readonly signal: AbortSignal,
  ) {
    this.webhook = new Webhook(secret);
  }

  message(event: unknown): HrMessage {
    return { id: `msg_${randomUUID()}`, body: JSON.stringify(event) };
  }

  /** Signed anew each time, as of now. */
  async post({ id, body }: HrMessage): Promise<Delivery> {
    const now = new Date();
    const answer = await fetch(`${this.baseUrl}/hooks/hr/${HR_SOURCE}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
        'webhook-signature': this.webhook.sign(id, now, body),
      },
      body,
      signal: this.signal,
    });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`The HR webhook was answered ${answer.status}: ${text}`);
    return Delivery.parse(JSON.parse(text));
  }
}
