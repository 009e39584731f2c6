/**
 * The work's result, or an error after the time. The work itself isn't stopped: use it for what may be abandoned.
 * @param ms milliseconds
 * @param tooLate what is thrown then
 */
export async function within<T>(
  ms: number,
  work: Promise<T>,
  tooLate = new Error(`not done within ${ms} ms`),
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tooLate), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
