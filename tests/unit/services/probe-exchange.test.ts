import { expect, it } from 'vitest';
import { GraphRequestError } from '../../../src/graph/errors.ts';
import type { GraphClient } from '../../../src/graph/types.ts';
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
