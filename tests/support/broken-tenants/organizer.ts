import { always, BROKEN, type BrokenTenant, changeOrganizer, graphBody } from './broken-tenant.ts';

const CALENDAR = '/calendar';
const COLLEAGUE = 'colleague@acme.example';

/** What is wrong with the organizer in the directory. */
export const BROKEN_USERS: BrokenTenant[] = [
  {
    name: 'an organizer who was deleted (Request_ResourceNotFound)',
    break: ({ simulator }) => simulator.deleteUser(BROKEN.directoryId, BROKEN.organizer),
    outcome: 'USER_NOT_FOUND',
    failing: ['organizer'],
    warning: [],
    detail: /does not exist in the directory/,
    remedy: /user principal name/,
  },
  {
    name: 'a directory that refuses users although the permission is there (Authorization_RequestDenied)',
    break: always({
      match: { path: `/users/[^/]+\\?` },
      status: 403,
      body: graphBody('Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'),
    }),
    outcome: 'PERMISSION_MISSING',
    failing: ['organizer'],
    warning: [],
    detail: /although the permission is in the token/,
    remedy: /wait, then run the verification/,
  },
  {
    name: 'an organizer whose account is blocked',
    break: changeOrganizer({ accountEnabled: false }),
    outcome: 'VERIFIED',
    failing: [],
    warning: ['organizer-account'],
    detail: /blocked from signing in/,
    remedy: /enable the account/,
  },
  {
    name: 'an organizer without a Teams licence',
    break: changeOrganizer({ teamsEnabled: false }),
    outcome: 'MAILBOX_UNAVAILABLE',
    failing: ['provider'],
    warning: ['organizer-licence'],
    detail: /does not allow Teams/,
    remedy: /Assign a Teams licence/,
  },
];

/** What is wrong with the organizer's mailbox, or with the app's way into it. */
export const BROKEN_MAILBOXES: BrokenTenant[] = [
  {
    name: 'an organizer without a mailbox (MailboxNotEnabledForRESTAPI)',
    break: changeOrganizer({ hasMailbox: false }),
    outcome: 'MAILBOX_UNAVAILABLE',
    failing: ['mailbox'],
    warning: [],
    detail: /no Exchange Online mailbox/,
    remedy: /licence with Exchange Online/,
  },
  {
    name: 'a mailbox on premises (MailboxNotHostedInExchangeOnline)',
    break: always({
      match: { path: CALENDAR },
      status: 404,
      body: graphBody('MailboxNotHostedInExchangeOnline', 'The mailbox is on premises.'),
    }),
    outcome: 'MAILBOX_UNAVAILABLE',
    failing: ['mailbox'],
    warning: [],
    detail: /no Exchange Online mailbox/,
    remedy: /mailbox is in the cloud/,
  },
  {
    name: 'a user whom Exchange does not have (ErrorInvalidUser)',
    break: always({
      match: { path: CALENDAR },
      status: 404,
      body: graphBody('ErrorInvalidUser', `The requested user '${BROKEN.organizer}' is invalid.`),
    }),
    outcome: 'MAILBOX_UNAVAILABLE',
    failing: ['mailbox'],
    warning: [],
    detail: /in the directory, but Exchange Online does not have/,
    remedy: /wait until the mailbox is made/,
  },
  {
    name: 'Exchange keeping the app out of the mailbox (Access to OData is disabled)',
    break: changeOrganizer({ exchangeScopeAppIds: [] }),
    outcome: 'MAILBOX_SCOPE_DENIED',
    failing: ['exchange-scope'],
    warning: [],
    detail: /does not let this app into the mailbox/,
    remedy: /RBAC for Applications/,
  },
  {
    name: 'Exchange letting the app into other mailboxes too',
    break: ({ simulator }) =>
      simulator.putUser({
        directoryId: BROKEN.directoryId,
        id: 'aaaaaaaa-0000-4000-8000-0000000000c0',
        userPrincipalName: COLLEAGUE,
      }),
    outcome: 'VERIFIED',
    failing: [],
    warning: ['mailbox-outside'],
    detail: /also read a mailbox that should be out of its reach/,
    remedy: /Limit the app to the organizer/,
    outsideMailbox: COLLEAGUE,
  },
  {
    name: 'Teams attaching no meeting to the event',
    break: changeOrganizer({ joinUrlDelayGets: 1000 }),
    outcome: 'MAILBOX_UNAVAILABLE',
    failing: ['meeting'],
    warning: [],
    detail: /no meeting with a join link/,
    remedy: /Teams meeting policy/,
  },
  {
    name: 'Exchange not letting events be made (ErrorAccessDenied on the create alone)',
    break: always({
      match: { method: 'POST', path: '/events' },
      status: 403,
      body: graphBody('ErrorAccessDenied', 'Access is denied. Check credentials and try again.'),
    }),
    outcome: 'PERMISSION_MISSING',
    failing: ['meeting'],
    warning: [],
    detail: /refused the call although the permission is in the token/,
    remedy: /wait, then run the verification/,
  },
];
