/** Headers count in seconds, so a smaller difference than this may be nothing at all. */
const NOTICEABLE_MS = 2_000;

let offset = 0;

/** Takes the `Date` header of an answer, so that countdowns end on time on a machine whose clock is wrong. */
export function noteServerDate(header: string | null, now: number = Date.now()): void {
  const server = header === null ? Number.NaN : Date.parse(header);
  if (Number.isNaN(server)) return;
  const difference = server + 500 - now;
  offset = Math.abs(difference) < NOTICEABLE_MS ? 0 : difference;
}

/** The instant now as the server sees it, in milliseconds. */
export function serverNow(now: number = Date.now()): number {
  return now + offset;
}
