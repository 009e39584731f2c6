import { escapeHtml, plainPage } from '../http/plain-page.js';
import { LINK_MINUTES } from './sign-in-links.service.js';

const HOW_TO_GET_IN = `whoever runs the server makes a link that works once, within ${LINK_MINUTES} minutes:</p>
    <p><code>quartermaster sign-in-link</code></p>`;

/** @param provider what people call it; null when none is set up */
export function startPage(provider: string | null, returnTo: string): string {
  const title = 'Sign in to Quartermaster';
  if (provider === null) {
    return plainPage(title, `<p>No OpenID provider is set up here, so ${HOW_TO_GET_IN}`);
  }
  const address = `/sign-in/oidc?return=${encodeURIComponent(returnTo)}`;
  return plainPage(
    title,
    `<p><a class="button" href="${escapeHtml(address)}">Sign in with ${escapeHtml(provider)}</a></p>
    <p>If ${escapeHtml(provider)} is away, ${HOW_TO_GET_IN}`,
  );
}

export function alreadyInPage(name: string, returnTo: string): string {
  return plainPage(
    'You are signed in',
    `<p>As <strong>${escapeHtml(name)}</strong>. <a href="${escapeHtml(returnTo)}">Go on</a></p>
    <form method="post" action="/sign-out"><button type="submit">Sign out</button></form>`,
  );
}

export function signedInPage(name: string, returnTo: string): string {
  return plainPage(
    'You are signed in',
    `<p>As <strong>${escapeHtml(name)}</strong>. <a href="${escapeHtml(returnTo)}">Go on</a></p>`,
    returnTo,
  );
}

/** @param providerUrl where the session at the provider ends, too */
export function signedOutPage(providerUrl: string | null): string {
  return providerUrl === null
    ? plainPage('You are signed out', `<p><a href="/sign-in">Sign in again</a></p>`)
    : plainPage(
        'You are signed out here',
        `<p><a href="${escapeHtml(providerUrl)}">Go on and sign out of the provider as well</a></p>`,
        providerUrl,
      );
}

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
    `<p>It was used, or its ${LINK_MINUTES} minutes are over. Make a new one with <code>quartermaster sign-in-link</code>.</p>`,
  );
}

/** Nobody knows them yet: it says who has to do what, to the letter. */
export function unknownPage(issuer: string, subject: string): string {
  return plainPage(
    'You are not admitted here',
    `<p>The provider knows you, and Quartermaster does not. Send this to an administrator, who runs it on the server
    after making sure that it is you:</p>
    <p><code>quartermaster sign-in admit \\<br>--issuer ${escapeHtml(quoted(issuer))} \\<br>--subject ${escapeHtml(quoted(subject))} \\<br>--name "your name"</code></p>
    <p><a href="/sign-in/oidc?fresh">Sign in as somebody else</a></p>`,
  );
}

export function barredPage(reason: string): string {
  return plainPage('You can not sign in now', `<p>${escapeHtml(reason)}</p>`);
}

export function wentWrongPage(reason?: string): string {
  return plainPage(
    'The sign-in did not work',
    `${reason === undefined ? '' : `<p>${escapeHtml(reason)}</p>`}
    <p>It took too long, was begun in another browser, was used before, or the provider’s answer was not right.
    Nobody was signed in. <a href="/sign-in">Begin again</a></p>
    <p>If that does not help, the server’s log says why.</p>`,
  );
}

export function unansweredPage(provider: string): string {
  return plainPage(
    `${escapeHtml(provider)} does not answer`,
    `<p>Nobody can be signed in through it now. <a href="/sign-in">Try again</a></p>
    <p>If it is urgent, ${HOW_TO_GET_IN}`,
  );
}

/** For a shell, when it needs that. */
function quoted(word: string): string {
  return /^[\w.:/@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
