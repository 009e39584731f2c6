import { escapeHtml, plainPage } from '../platform/http/plain-page.js';
import type { HandedOver } from './credential-links.service.js';

/** Asks before it shows anything, so that a mail program's preview doesn't use the link up. */
export function confirmPage(toolName: string): string {
  return plainPage(
    'Your new password',
    `<p>This link shows your password for <strong>${escapeHtml(toolName)}</strong>, once. Have your password manager ready.</p>
    <form method="post"><button type="submit" autofocus>Show it</button></form>`,
  );
}

export function passwordPage({ toolName, username, password }: HandedOver): string {
  return plainPage(
    `Your password for ${escapeHtml(toolName)}`,
    `<dl>
      <dt>User name</dt><dd><code>${escapeHtml(username)}</code></dd>
      <dt>Password</dt><dd><code>${escapeHtml(password)}</code></dd>
    </dl>
    <p>Save it now: it can’t be shown again, not to you and not to anybody else.</p>`,
  );
}
