/** Where the browser goes on after a sign-in: a path of ours, whatever was asked for. */
export function returnPath(wanted: string | undefined, publicUrl: string): string {
  if (wanted === undefined || !wanted.startsWith('/')) return START;
  const url = URL.parse(wanted, publicUrl);
  // `//elsewhere` and `/\elsewhere` begin with a slash, and lead away.
  if (!url || url.origin !== new URL(publicUrl).origin) return START;
  return `${url.pathname}${url.search}`;
}

/** The user interface. */
export const START = '/app';
