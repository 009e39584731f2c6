import { randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** An HR system: signs and posts events as a real one does. */
export class HrSystem {
  constructor(
    private readonly hookUrl: string,
    private readonly secret: string,
  ) {}

  /**
   * @param webhookId the sender's id of the delivery; a repeat carries the same.
   * @param signal gives up waiting for the answer
   */
  async post(
    event: Record<string, unknown>,
    {
      webhookId = `msg_${randomUUID()}`,
      sentAt = new Date(),
      signal,
    }: { webhookId?: string; sentAt?: Date; signal?: AbortSignal } = {},
  ): Promise<{ status: number; body: Record<string, unknown>; webhookId: string }> {
    const body = JSON.stringify(event);
    const response = await fetch(this.hookUrl, {
      method: 'POST',
      ...(signal && { signal }),
      headers: {
        'content-type': 'application/json',
        'webhook-id': webhookId,
        'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
        'webhook-signature': new Webhook(this.secret).sign(webhookId, sentAt, body),
      },
      body,
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown>, webhookId };
  }
}
