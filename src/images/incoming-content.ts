import type { Readable } from 'node:stream';

/** The body of a request as far as it comes: what came before it broke off counts all the same. */
export class IncomingContent {
  /** It holds more than there is room for. */
  tooMuch = false;

  /**
   * @param room bytes that are taken at most
   * @param signal what comes after it fired isn't taken
   */
  constructor(
    private readonly body: Readable,
    private room: number,
    private readonly signal: AbortSignal,
  ) {}

  async *chunks(): AsyncIterable<Buffer> {
    const stopped = new Promise<null>((resolve) => this.signal.addEventListener('abort', () => resolve(null)));
    // Left open when it isn't read to its end: the answer has to get out on the same connection.
    const chunks = this.body.iterator({ destroyOnReturn: false });
    for (;;) {
      const coming = (chunks.next() as Promise<IteratorResult<Buffer, undefined>>).catch(() => null);
      const next = await Promise.race([coming, stopped]);
      if (next === null || next.done || this.signal.aborted) return;
      const taken = next.value.subarray(0, this.room);
      this.tooMuch = taken.length < next.value.length;
      this.room -= taken.length;
      if (taken.length > 0) yield taken;
      if (this.tooMuch) return;
    }
  }
}
