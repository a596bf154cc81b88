import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRetryAfter, retryDelayMs } from '../../../src/services/psa-events/post-event.ts';
import { readPsaEvent } from '../../../src/services/psa-events/psa-event.ts';

const TYPES = [
  'appointment.rescheduled',
  'appointment.cancelled',
  'appointment.deleted',
  'interaction.updated',
  'interaction.deleted',
];

const id = fc
  .string({ minLength: 1, maxLength: 255, unit: 'grapheme' })
  .filter((text) => text.length <= 255 && !text.includes('\0'));
const time = fc.date({ min: new Date('1971-01-01'), max: new Date('2999-12-31'), noInvalidDate: true });
const good = fc.record({
  type: fc.constantFrom(...TYPES),
  timestamp: time.map((date) => date.toISOString()),
  data: fc
    .record({
      tenantId: id,
      ownerId: id,
      startsAt: time,
      minutes: fc.integer({ min: 1, max: 600 }),
      text: fc.option(id),
    })
    .map(({ tenantId, ownerId, startsAt, minutes, text }) => ({
      tenantId,
      appointmentId: ownerId,
      interactionId: ownerId,
      startsAt: startsAt.toISOString(),
      endsAt: new Date(startsAt.getTime() + minutes * 60_000).toISOString(),
      subject: text,
      comment: text,
    })),
});

describe('reading an event of the PSA', () => {
  it('takes every good one, and reads what it stores as the same event', () => {
    fc.assert(
      fc.property(good, (body) => {
        const read = readPsaEvent(JSON.parse(JSON.stringify(body)));
        if (read.kind !== 'event') throw new Error(JSON.stringify(read));
        const { type, occurredAt, data } = read.event;
        const stored = JSON.parse(JSON.stringify({ type, timestamp: occurredAt, data }));
        expect(readPsaEvent(stored)).toEqual(read);
      }),
    );
  });

  it('never throws, whatever is sent, and gives a reason in one sentence that holds nothing of it', () => {
    const anything = fc.jsonValue();
    const almost = fc
      .tuple(good, fc.constantFrom('type', 'timestamp', 'data'), anything)
      .map(([body, key, value]) => ({ ...body, [key]: value }));
    const nearly = fc
      .tuple(good, fc.constantFrom('tenantId', 'appointmentId', 'startsAt', 'endsAt', 'subject', 'comment'), anything)
      .map(([body, key, value]) => ({ ...body, data: { ...body.data, [key]: value } }));
    fc.assert(
      fc.property(fc.oneof(anything, almost, nearly), (body) => {
        const read = readPsaEvent(body);
        if (read.kind === 'malformed') {
          expect(read.reason).toMatch(
            /^(?:The body|type|timestamp|data(?:\.[A-Za-z]+)?) must be [\w ,:-]+(?: \(.*\))?\.$/,
          );
        }
      }),
    );
  });
});

describe('the wait before the next try', () => {
  it('doubles from 5 s to an hour, less a quarter at the most', () => {
    const seconds = (attempts: number, random: number) => retryDelayMs(attempts, random) / 1000;
    expect([1, 2, 3, 10, 11, 1000].map((attempts) => seconds(attempts, 0))).toEqual([5, 10, 20, 2560, 3600, 3600]);
    expect(seconds(1, 1)).toBe(3.75);
  });

  const now = new Date('2026-11-03T09:00:00Z');
  it.each([
    [null, 0],
    ['', 0],
    ['soon', 0],
    ['-5', 0],
    ['0', 0],
    ['90', 90_000],
    ['99999999999', 86_400_000],
    ['Tue, 03 Nov 2026 09:02:00 GMT', 120_000],
    ['Tue, 03 Nov 2026 08:00:00 GMT', 0],
    ['Fri, 03 Nov 2056 08:00:00 GMT', 86_400_000],
  ])('with Retry-After: %s is at least %i ms', (header, wait) => {
    expect(readRetryAfter(header, now)).toBe(wait);
  });
});
