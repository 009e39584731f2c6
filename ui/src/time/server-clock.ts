/** Milliseconds by which the server's clock is ahead of this browser's. */
let ahead = 0;

/** An answer's Date tells full seconds: less than two of them is no difference. */
const TOO_LITTLE = 2_000;

/** @param date the Date header of an answer */
export function noteServerTime(date: string | null): void {
  const told = Date.parse(date ?? '');
  if (Number.isNaN(told)) return;
  const difference = told - Date.now();
  ahead = Math.abs(difference) < TOO_LITTLE ? 0 : difference;
}

/** Ages are told by the server's clock, since it is the one that wrote the instants down. */
export function serverNow(): number {
  return Date.now() + ahead;
}
