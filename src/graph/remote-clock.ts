/** How our clock stood beside Microsoft's. */
export interface ClockReading {
  /** By how much ours was ahead, in milliseconds; negative: behind. Exact to about a second and half the way there and back. */
  aheadMs: number;
  /** When it was read, by our clock. */
  readAt: Date;
}

/**
 * Reads Microsoft's clock off the `Date` header that every answer carries, in whole seconds (RFC 9110, section 6.6.1),
 * successes and refusals alike.
 */
export class RemoteClock {
  latest: ClockReading | null = null;

  /** @param sentAt when the request went out, by our clock; @param receivedAt when its answer began to come */
  note(headers: Headers, sentAt: Date, receivedAt: Date): void {
    const theirs = Date.parse(headers.get('date') ?? '');
    if (Number.isNaN(theirs)) return;
    const ours = (sentAt.getTime() + receivedAt.getTime()) / 2;
    // Half a second: the header leaves out what is less than one.
    this.latest = { aheadMs: Math.round(ours - (theirs + 500)), readAt: receivedAt };
  }
}
