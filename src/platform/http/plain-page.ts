/** Calm, readable on a phone, in the dark too; inline, so that a page for one moment needs nothing else. */
export const PLAIN_STYLE = `
      :root { color-scheme: light dark; }
      body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem; }
      h1 { font-size: 1.5rem; line-height: 1.25; }
      code { font-size: 1.05em; overflow-wrap: anywhere; user-select: all; }
      h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
      label { display: block; margin: 0 0 1rem; }
      label > input:not([type='radio']), textarea { display: block; box-sizing: border-box; width: 100%; font: inherit; padding: 0.5rem; }
      dt { opacity: 0.75; }
      dd { margin: 0 0 0.75rem; }
      button, .button { font: inherit; padding: 0.6rem 1.25rem; border-radius: 0.375rem; cursor: pointer; }
      .button { display: inline-block; border: 1px solid; text-decoration: none; }
    `;

/**
 * A page of its own for one moment, such as opening a one-time link; search engines are told to leave it alone.
 * @param title HTML
 * @param body HTML
 * @param next an address to which the browser goes on by itself
 */
export function plainPage(title: string, body: string, next?: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="robots" content="noindex">
    <title>${title}</title>${next === undefined ? '' : `\n    <meta http-equiv="refresh" content="0;url=${escapeHtml(next)}">`}
    <style>${PLAIN_STYLE}</style>
  </head>
  <body>
    <h1>${title}</h1>
    ${body}
  </body>
</html>
`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
