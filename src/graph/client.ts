import { untilAborted } from './abort.ts';
import { artifactsClient } from './artifacts.ts';
import { attendanceClient } from './attendance.ts';
import { eventsClient } from './events.ts';
import { onlineMeetingsClient } from './online-meetings.ts';
import { recordingsClient } from './recordings.ts';
import type { RemoteClock } from './remote-clock.ts';
import { createRequests, type RequestsOptions } from './requests.ts';
import { withRetries } from './retry.ts';
import { subscriptionsClient } from './subscriptions.ts';
import { transcriptsClient } from './transcripts.ts';
import type { CallOptions, GraphClient } from './types.ts';
import { usersClient } from './users.ts';

/** The client of one app registration, made of one part for each resource. */
export function createGraphClient(options: RequestsOptions & { remoteClock?: RemoteClock }): GraphClient {
  const { tokens, limits, logger } = options;
  const requests = createRequests(options);
  const token = (call: CallOptions | undefined) =>
    withRetries(
      limits,
      {
        signal: call?.signal,
        isIdempotent: true,
        maxTries: call?.maxTries,
        onRetry: ({ kind, status, requestId }, waitMs, nextTry) =>
          logger.warn(
            { operation: 'entra.token', kind, status, requestId, waitMs, nextTry },
            'Microsoft Entra call is tried again',
          ),
      },
      (signal) => untilAborted(tokens.token(), signal),
    );
  return {
    cloud: options.cloud,
    grantedRoles: async (call) => (await token(call)).roles,
    directoryId: async (call) => (await token(call)).directoryId,
    clockReading: () => options.remoteClock?.latest ?? null,
    servicePrincipalId: async (call) => (await token(call)).objectId,
    users: usersClient(requests),
    events: eventsClient(requests),
    onlineMeetings: onlineMeetingsClient(requests),
    artifacts: artifactsClient(requests),
    attendance: attendanceClient(requests),
    recordings: recordingsClient(requests),
    transcripts: transcriptsClient(requests),
    subscriptions: subscriptionsClient(requests),
  };
}
