import { escapeHtml, plainPage } from '../http/plain-page.js';

/** Asks before it signs in, so that a preview which opens the link doesn't use it up. */
export function confirmPage(actorName: string): string {
  return plainPage(
    'Sign in to Quartermaster',
    `<p>You are about to sign in as <strong>${escapeHtml(actorName)}</strong>. The link works once.</p>
    <form method="post"><button type="submit" autofocus>Sign in</button></form>`,
  );
}

export function usedUpPage(): string {
  return plainPage(
    'This link does not work any more',
    `<p>It was used, or its 15 minutes are over. Make a new one with <code>quartermaster sign-in-link</code>.</p>`,
  );
}
