import { z } from 'zod';
import { readPlanner } from './call.ts';
import { GraphRequestError } from './errors.ts';
import { listAll } from './paging.ts';
import { encodedLiteral, graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphClient, GraphOnlineMeeting } from './types.ts';
import { optionalInstant, optionalText } from './wire.ts';

const onlineMeeting: z.ZodType<GraphOnlineMeeting> = z
  .object({
    id: z.string(),
    joinWebUrl: z.string(),
    subject: optionalText,
    startDateTime: optionalInstant,
    endDateTime: optionalInstant,
    expiryDateTime: optionalInstant,
  })
  .transform(({ startDateTime, endDateTime, expiryDateTime, ...rest }) => ({
    ...rest,
    startsAt: startDateTime,
    endsAt: endDateTime,
    expiresAt: expiryDateTime,
  }));

const plan = readPlanner('onlineMeetings', ['OnlineMeetings.Read.All', 'OnlineMeetings.ReadWrite.All']);

/** Online meetings, found by their link or read by id. Microsoft Learn: onlinemeeting-get. */
export function onlineMeetingsClient(requests: GraphRequests): GraphClient['onlineMeetings'] {
  return {
    findByJoinUrl: async (user, joinUrl, options) => {
      const { path, template } = graphPath('/users/{user}/onlineMeetings', { user });
      const filtered = { path: `${path}?$filter=JoinWebUrl%20eq%20${encodedLiteral(joinUrl)}`, template };
      try {
        const [meeting] = await listAll(
          requests,
          plan('onlineMeetings.findByJoinUrl', user, filtered, options),
          onlineMeeting,
        );
        return meeting ?? null;
      } catch (error) {
        if (isMiss(error)) return null;
        throw error;
      }
    },

    get: async (user, meeting, options) => {
      const path = graphPath('/users/{user}/onlineMeetings/{meeting}', { user, meeting });
      return requests.json(plan('onlineMeetings.get', user, path, options), onlineMeeting);
    },
  };
}

/** Graph has been seen to answer both an empty list and a 404 `NotFound` for a link that it does not know. */
function isMiss(error: unknown): boolean {
  return error instanceof GraphRequestError && error.kind === 'NOT_FOUND' && error.code?.toLowerCase() === 'notfound';
}
