import { z } from 'zod';
import { readBatched } from './batch.ts';
import { listAllBatched } from './batched-lists.ts';
import { type CallPlan, readPlanner } from './call.ts';
import { GraphRequestError } from './errors.ts';
import { listAll } from './paging.ts';
import { encodedLiteral, type GraphPath, graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphOnlineMeeting, GraphOnlineMeetings, Outcome } from './types.ts';
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

const MEETING = '/users/{user}/onlineMeetings/{meeting}';

const WRITE_ROLE = 'OnlineMeetings.ReadWrite.All';

const plan = readPlanner('onlineMeetings', ['OnlineMeetings.Read.All', WRITE_ROLE]);

/** Online meetings, found by their link or read by id. Microsoft Learn: onlinemeeting-get, onlinemeeting-update. */
export function onlineMeetingsClient(requests: GraphRequests): GraphOnlineMeetings {
  return {
    findByJoinUrl: async (user, joinUrl, options) => {
      const byLink = plan('onlineMeetings.findByJoinUrl', user, pathByLink(user, joinUrl), options);
      try {
        const [meeting] = await listAll(requests, byLink, onlineMeeting);
        return meeting ?? null;
      } catch (error) {
        if (isMiss(error)) return null;
        throw error;
      }
    },

    get: async (user, meeting, options) => {
      const path = graphPath(MEETING, { user, meeting });
      return requests.json(plan('onlineMeetings.get', user, path, options), onlineMeeting);
    },

    update: async (user, meeting, { lobbyBypassScope, ...rest }, options) => {
      const path = graphPath(MEETING, { user, meeting });
      const planned: CallPlan = {
        ...plan('onlineMeetings.update', user, path, options),
        method: 'PATCH',
        roles: [WRITE_ROLE],
        body: { ...rest, ...(lobbyBypassScope && { lobbyBypassSettings: { scope: lobbyBypassScope } }) },
      };
      return requests.json(planned, onlineMeeting);
    },

    findManyByJoinUrl: async (user, joinUrls, options) => {
      const links = [...new Set(joinUrls)];
      const operation = 'onlineMeetings.findManyByJoinUrl';
      const plans = links.map((link) => () => plan(operation, user, pathByLink(user, link), options));
      const lists = await listAllBatched(requests, { operation, user, options }, plans, onlineMeeting);
      return keyed(links, lists.map(firstOrMiss));
    },

    getMany: async (user, meetingIds, options) => {
      const ids = [...new Set(meetingIds)];
      const operation = 'onlineMeetings.getMany';
      const plans = ids.map((meeting) => () => plan(operation, user, graphPath(MEETING, { user, meeting }), options));
      return keyed(ids, await readBatched(requests, { operation, user, options }, plans, onlineMeeting));
    },
  };
}

function pathByLink(user: string, joinUrl: string): GraphPath {
  const { path, template } = graphPath('/users/{user}/onlineMeetings', { user });
  return { path: `${path}?$filter=JoinWebUrl%20eq%20${encodedLiteral(joinUrl)}`, template };
}

function firstOrMiss({ value, error }: Outcome<GraphOnlineMeeting[]>): Outcome<GraphOnlineMeeting | null> {
  if (error === undefined) return { value: value[0] ?? null };
  return isMiss(error) ? { value: null } : { error };
}

function keyed<T>(keys: string[], values: T[]): Map<string, T> {
  return new Map(keys.flatMap((key, place) => (values[place] === undefined ? [] : [[key, values[place]]])));
}

/** Graph has been seen to answer both an empty list and a 404 `NotFound` for a link that it does not know. */
function isMiss(error: unknown): boolean {
  return error instanceof GraphRequestError && error.kind === 'NOT_FOUND' && error.code?.toLowerCase() === 'notfound';
}
