import type { OpenChannel } from '../channel-settings.js';
import type { Notice, SendOutcome } from './notice.js';
import { sendToPagerDuty } from './pagerduty.js';
import { sendToSlack } from './slack.js';
import { sendMail } from './smtp.js';
import { within } from '../../platform/lifecycle/within.js';
import { NotReached } from '../../platform/outbound/post-once.js';

/** Milliseconds for one message, from the look-up of the name to the last byte of the answer. */
export const SEND_DEADLINE = 10_000;

/** Tells a channel something. Never throws, and no word of its answer is a secret or a provider's own. */
export async function send(channel: OpenChannel, notice: Notice): Promise<SendOutcome> {
  const signal = AbortSignal.timeout(SEND_DEADLINE);
  try {
    // Mail is bounded from outside as well: its client knows no deadline for the whole.
    return await within(SEND_DEADLINE + 500, sendBy(channel, notice, signal));
  } catch (error) {
    if (error instanceof NotReached) return { outcome: 'failed', why: error.message };
    return { outcome: 'failed', why: signal.aborted ? 'There was no answer in time.' : 'It could not be sent.' };
  }
}

function sendBy(channel: OpenChannel, notice: Notice, signal: AbortSignal): Promise<SendOutcome> {
  switch (channel.kind) {
    case 'pagerduty':
      return sendToPagerDuty(channel.settings, channel.secret, notice, signal);
    case 'slack':
      return sendToSlack(channel.settings, channel.secret, notice, signal);
    case 'smtp':
      return sendMail(channel.settings, channel.secret, notice, signal);
  }
}
