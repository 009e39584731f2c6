/**
 * Does the work with a signal that is aborted with any of the sources, or after the time, and that lets go of them when
 * the work is done. For what is done often: Node keeps each `AbortSignal.any` that somebody listened to, and nothing
 * aborted, until the process ends (nodejs/node#64476).
 *
 * @param ms milliseconds
 */
export async function withSignal<T>(
  sources: readonly AbortSignal[],
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const both = new AbortController();
  const follow = (event: Event): void => both.abort((event.target as AbortSignal).reason);
  const timer = setTimeout(() => both.abort(new DOMException('The time is over.', 'TimeoutError')), ms);
  for (const source of sources) {
    if (source.aborted) both.abort(source.reason);
    source.addEventListener('abort', follow);
  }
  try {
    return await work(both.signal);
  } finally {
    clearTimeout(timer);
    for (const source of sources) source.removeEventListener('abort', follow);
  }
}
