import { describe, expect, it, vi } from 'vitest';
import { GraphRequestError } from '../../../src/graph/errors.ts';
import type { CallOptions, GraphClient } from '../../../src/graph/types.ts';
import type { ServiceTools } from '../../../src/services/scope.ts';
import { Checklist } from '../../../src/services/verification/checklist.ts';
import { describeFailure } from '../../../src/services/verification/describe-failure.ts';
import { probeExchange } from '../../../src/services/verification/probe-exchange.ts';

function failure(fields: {
  kind: 'TIMEOUT' | 'FORBIDDEN' | 'UNAVAILABLE';
  status: number | null;
  mayHaveWorked: boolean;
}) {
  const rest = { message: 'failed', code: null, innermostCode: null, requestId: null, retryAfterMs: null };
  return new GraphRequestError({ ...rest, ...fields });
}

/** Which transaction ids were said to have no event, when the create ends with the failure. */
async function endedAfter(error: GraphRequestError): Promise<string[]> {
  const ended: string[] = [];
  const events = {
    defaultCalendar: async () => ({
      id: 'calendar',
      allowedOnlineMeetingProviders: ['teamsForBusiness'],
      defaultOnlineMeetingProvider: 'teamsForBusiness',
    }),
    create: () => Promise.reject(error),
  };
  const list = new Checklist(() => new Date(0), describeFailure);
  const context = {
    graph: { events } as unknown as GraphClient,
    tools: { clock: () => new Date(0) } as ServiceTools,
    userId: 'user',
    isFound: true,
    granted: new Set<string>(),
    missingRoles: new Set<string>(),
  };
  const roundTrip = {
    begin: async () => ({ markers: { tenantId: 'tenant', meetingId: 'event' }, transactionId: 'event' }),
    end: async (id: string) => void ended.push(id),
  };
  await probeExchange(context, list, { outsideMailbox: null, roundTrip });
  expect(list.checks.at(-1)).toMatchObject({ name: 'meeting', status: 'FAIL' });
  return ended;
}

it.each([
  ['time ran out, perhaps while the join link was waited for', { kind: 'TIMEOUT', status: null, mayHaveWorked: false }],
  ['the answer was a gateway’s', { kind: 'UNAVAILABLE', status: 504, mayHaveWorked: true }],
] as const)('the removal of the event stays planned when %s', async (_name, fields) => {
  expect(await endedAfter(failure(fields))).toEqual([]);
});

it('the removal of the event is taken back when Microsoft refused to make it', async () => {
  expect(await endedAfter(failure({ kind: 'FORBIDDEN', status: 403, mayHaveWorked: false }))).toEqual(['event']);
});

describe('an event that was made, but', () => {
  /** The check of a round trip whose create answers with the event; what `remove` says to the delete is its own affair. */
  async function meetingAfter(
    event: { isOnlineMeeting: boolean; joinUrl: string | null },
    remove: (call: CallOptions) => Promise<void>,
  ) {
    const ended: string[] = [];
    const events = {
      defaultCalendar: async () => ({ id: 'calendar', allowedOnlineMeetingProviders: ['teamsForBusiness'] }),
      create: async () => {
        if (vi.isFakeTimers()) vi.advanceTimersByTime(20_001);
        return { id: 'made', ...event };
      },
      delete: (_user: string, _event: string, call: CallOptions) => remove(call),
    };
    const list = new Checklist(() => new Date(0), describeFailure);
    const context = {
      graph: { events } as unknown as GraphClient,
      tools: { clock: () => new Date(0) } as ServiceTools,
      userId: 'user',
      isFound: true,
      granted: new Set<string>(),
      missingRoles: new Set<string>(),
    };
    const roundTrip = {
      begin: async () => ({ markers: { tenantId: 'tenant', meetingId: 'event' }, transactionId: 'event' }),
      end: async (id: string) => void ended.push(id),
    };
    await probeExchange(context, list, { outsideMailbox: null, roundTrip });
    return { meeting: list.checks.at(-1), outcome: list.outcome(), ended };
  }
  const unavailable = () => Promise.reject(failure({ kind: 'UNAVAILABLE', status: 503, mayHaveWorked: true }));

  it.each([
    ['is no Teams meeting', { isOnlineMeeting: false, joinUrl: null }, /Teams as online meeting provider/],
    ['got no join link', { isOnlineMeeting: true, joinUrl: null }, /attached no meeting with a join link/],
  ])('%s, fails although it could not be removed either', async (_name, event, detail) => {
    const { meeting, outcome, ended } = await meetingAfter(event, unavailable);
    expect(meeting).toMatchObject({ name: 'meeting', status: 'FAIL', detail: expect.stringMatching(detail) });
    expect(meeting?.detail).toContain('could not be removed');
    expect(outcome).toBe('MAILBOX_UNAVAILABLE');
    expect(ended).toEqual([]);
  });

  it('took all the time there was, is removed all the same', async () => {
    vi.useFakeTimers();
    try {
      const { meeting, ended } = await meetingAfter({ isOnlineMeeting: true, joinUrl: null }, async ({ signal }) =>
        signal?.throwIfAborted(),
      );
      expect(meeting).toMatchObject({ status: 'FAIL', detail: expect.not.stringContaining('removed') });
      expect(ended).toEqual(['event']);
    } finally {
      vi.useRealTimers();
    }
  });
});
