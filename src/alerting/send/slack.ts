import type { SlackSettings } from '../channel-settings.js';
import { headline, shortened, type Notice, type SendOutcome } from './notice.js';
import { postJson } from './post-json.js';

/** Below Slack's 4,000 for a message's text (docs.slack.dev, “Truncating content”). */
const LONGEST_TEXT = 3_500;

/** Slack's words for what is wrong (docs.slack.dev, “Sending messages using incoming webhooks”, handling errors). */
const WORDS = new Set([
  'action_prohibited',
  'channel_is_archived',
  'channel_not_found',
  'invalid_payload',
  'invalid_token',
  'no_active_hooks',
  'no_service',
  'no_service_id',
  'no_team',
  'no_text',
  'posting_to_general_channel_denied',
  'team_disabled',
  'user_not_found',
]);

/**
 * A Slack incoming webhook: 200 and `ok`. It can't tell doubles, so a message that may have arrived is seen twice.
 * @throws NotReached
 */
export async function sendToSlack(
  { allowPrivateAddresses }: SlackSettings,
  webhookUrl: string,
  notice: Notice,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const text = [
    `${notice.action === 'resolve' ? ':white_check_mark:' : ':rotating_light:'} ${escaped(headline(notice))}`,
    notice.owner && `For ${escaped(notice.owner)} · since ${notice.since.toISOString()}`,
  ]
    .filter(Boolean)
    .join('\n');
  const answer = await postJson(
    new URL(webhookUrl),
    { text: shortened(text, LONGEST_TEXT) },
    { allowPrivateAddresses, signal },
  );
  if (answer.status === 200) return { outcome: 'sent' };
  if (answer.status === 429 || answer.status >= 500) {
    return {
      outcome: 'failed',
      why: `Slack answered ${answer.status}.`,
      ...(answer.retryAfter && { notBefore: answer.retryAfter }),
    };
  }
  // A known word is told; what else an answer says isn't ours to repeat.
  const word = WORDS.has(answer.text.trim()) ? ` (${answer.text.trim()})` : '';
  return { outcome: 'refused', why: `Slack answered ${answer.status}${word}.` };
}

/** The three characters that mean something in Slack's text (docs.slack.dev, “Formatting message text”). */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
