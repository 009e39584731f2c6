import type { PagerDutySettings } from '../channel-settings.js';
import { headline, shortened, type Notice, type SendOutcome } from './notice.js';
import { postJson } from './post-json.js';

/** PagerDuty cuts a summary there (developer.pagerduty.com, “PD-CEF”). */
const LONGEST_SUMMARY = 1_024;

/**
 * PagerDuty's Events API v2 (developer.pagerduty.com, “Send an Alert Event”): 202 means accepted; 400 is never tried
 * again; 429 and 5xx are, after a while. It tells doubles by `dedup_key`, so a message that may have arrived is sent again.
 * @throws NotReached
 */
export async function sendToPagerDuty(
  { baseUrl, allowPrivateAddresses }: PagerDutySettings,
  routingKey: string,
  notice: Notice,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const url = new URL('/v2/enqueue', baseUrl);
  const event = {
    routing_key: routingKey,
    event_action: notice.action,
    dedup_key: notice.dedupKey,
    ...(notice.action === 'trigger' && {
      client: 'Quartermaster',
      client_url: notice.from,
      payload: {
        summary: shortened(headline(notice), LONGEST_SUMMARY),
        source: new URL(notice.from).host,
        severity: notice.severity,
        timestamp: notice.since.toISOString(),
        class: notice.kind,
        custom_details: { owner: notice.owner, note: notice.note },
      },
    }),
  };
  const { status, retryAfter } = await postJson(url, event, { allowPrivateAddresses, signal });
  if (status === 202) return { outcome: 'sent' };
  if (status === 400)
    return { outcome: 'refused', why: 'PagerDuty answered 400: the routing key or the event is wrong.' };
  if (status === 429 || status >= 500) {
    return { outcome: 'failed', why: `PagerDuty answered ${status}.`, ...(retryAfter && { notBefore: retryAfter }) };
  }
  return { outcome: 'refused', why: `PagerDuty answered ${status}.` };
}
