/** Milliseconds between two lines. */
const INTERVAL = 2_000;

/** Tells now and then how far something long has come. @returns to be told how many bytes are done */
export function showProgress(note: (line: string) => void, what: string, total: number): (done: number) => void {
  const started = performance.now();
  let told = started;
  let first: number | null = null;
  return (done) => {
    first ??= done;
    const now = performance.now();
    if (now - told < INTERVAL) return;
    told = now;
    const perSecond = ((done - first) / (now - started)) * 1_000;
    const left = perSecond > 0 ? `, about ${Math.ceil((total - done) / perSecond)} s left` : '';
    note(`${what}: ${Math.floor((100 * done) / total)} %, ${(perSecond / 1e6).toFixed(0)} MB/s${left}`);
  };
}
