/** Asks before it signs in, so that a preview which opens the link doesn't use it up. */
export function confirmPage(actorName: string): string {
  return page(
    'Sign in to Quartermaster',
    `<p>You are about to sign in as <strong>${escapeHtml(actorName)}</strong>. The link works once.</p>
    <form method="post"><button type="submit" autofocus>Sign in</button></form>`,
  );
}

export function usedUpPage(): string {
  return page(
    'This link does not work any more',
    `<p>It was used, or its 15 minutes are over. Make a new one with <code>quartermaster sign-in-link</code>.</p>`,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${title}</title>
  </head>
  <body>
    <h1>${title}</h1>
    ${body}
  </body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
