import { createTransport } from 'nodemailer';
import type { SmtpSettings } from '../channel-settings.js';
import { headline, shortened, type Notice, type SendOutcome } from './notice.js';

/** Milliseconds, for each of the steps up to the greeting, and for each silence after it. */
const PATIENCE = 4_000;

/**
 * Mail by SMTP. The host may be inside our network, as a company's relay is. A message that is sent twice has one
 * Message-ID (RFC 5322, 3.6.4), by which many mailboxes show it once.
 */
export async function sendMail(
  { host, port, tls, user, from, to }: SmtpSettings,
  password: string,
  notice: Notice,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(user !== undefined && { auth: { user, pass: password } }),
    connectionTimeout: PATIENCE,
    greetingTimeout: PATIENCE,
    dnsTimeout: PATIENCE,
    socketTimeout: PATIENCE,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const end = (): void => transport.close();
  signal.addEventListener('abort', end, { once: true });
  const thread = `${notice.dedupKey.replace(/[^A-Za-z0-9.-]/g, '.')}@quartermaster`;
  try {
    await transport.sendMail({
      from: { name: 'Quartermaster', address: from },
      to: [...to],
      subject: shortened(headline(notice), 200),
      text: bodyOf(notice),
      messageId: `<${notice.action}.${thread}>`,
      ...(notice.action === 'resolve' && { inReplyTo: `<trigger.${thread}>`, references: `<trigger.${thread}>` }),
      // RFC 3834: no out-of-office answers to a machine.
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    return { outcome: 'sent' };
  } catch (error) {
    return outcomeOf(error, host);
  } finally {
    signal.removeEventListener('abort', end);
    transport.close();
  }
}

function bodyOf({ action, severity, kind, summary, owner, note, since, from }: Notice): string {
  return [
    action === 'resolve' ? 'This is over:' : summary,
    ...(action === 'resolve' ? [summary] : []),
    '',
    ...(note ? [note, ''] : []),
    `Severity: ${severity}`,
    `Kind: ${kind}`,
    ...(owner ? [`For: ${owner}`] : []),
    `Since: ${since.toISOString()}`,
    `From: ${from}`,
    '',
  ].join('\n');
}

/** 5xx is for good, 4xx for now (RFC 5321, 4.2.1). The server's own text isn't repeated: it may quote what we sent. */
function outcomeOf(error: unknown, host: string): SendOutcome {
  const { code, responseCode } = error as { code?: string; responseCode?: number };
  if (code === 'EAUTH') return { outcome: 'refused', why: `${host} doesn't accept the user and password.` };
  if (responseCode !== undefined && responseCode >= 500) {
    return { outcome: 'refused', why: `${host} refused the mail (${responseCode}).` };
  }
  return { outcome: 'failed', why: `${host} could not be told by mail (${responseCode ?? code ?? 'no answer'}).` };
}
