/** Whether a stream to a caller ended because they went away, or because its time was over: nothing is wrong here. */
export function isDeparture(error: unknown): boolean {
  const { code, name } = error as NodeJS.ErrnoException;
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || name === 'AbortError';
}
