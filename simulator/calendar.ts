import type { UserCall } from './graph-call.ts';
import { contextUrl } from './graph-call.ts';
import { select } from './odata.ts';
import type { Answer } from './serve.ts';

/** `GET /users/{id}/calendar`: the default calendar, whose providers tell whether Teams meetings can be made in it. */
export function getCalendar(call: UserCall): Answer {
  const { user } = call;
  const view = {
    id: `AAMkA${Buffer.from(`calendar of ${user.id}`).toString('base64url')}=`,
    name: 'Calendar',
    color: 'auto',
    hexColor: '',
    isDefaultCalendar: true,
    changeKey: 'nfZyf7VcrEKLNoU37KWlkQAAA0zzTg==',
    canShare: true,
    canViewPrivateItems: true,
    canEdit: true,
    allowedOnlineMeetingProviders: user.teamsEnabled ? ['teamsForBusiness'] : [],
    defaultOnlineMeetingProvider: user.teamsEnabled ? 'teamsForBusiness' : 'unknown',
    isTallyingResponses: true,
    isRemovable: false,
    owner: { name: user.displayName, address: user.mail ?? user.userPrincipalName },
  };
  return {
    status: 200,
    body: {
      '@odata.context': contextUrl(call, `users('${encodeURIComponent(call.params.user ?? '')}')/calendar/$entity`),
      ...select(call, view, 'calendar', ['id']),
    },
  };
}
