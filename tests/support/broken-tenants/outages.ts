import { always, type BrokenTenant } from './broken-tenant.ts';

const LATER = { outcome: 'GRAPH_ERROR', warning: [], detail: /temporary error/, remedy: /Try again/ };

/** Microsoft itself being in trouble: nothing that a setting mends. */
export const OUTAGES: BrokenTenant[] = [
  {
    name: 'Graph answering 500 to everything',
    break: always({ match: { path: '^/v1.0/' }, status: 500 }),
    failing: ['organizer'],
    ...LATER,
  },
  {
    name: 'a gateway answering with a page of HTML',
    break: always({ match: { path: '^/v1.0/' }, status: 502, body: '<html><body>Bad gateway</body></html>' }),
    failing: ['organizer'],
    ...LATER,
  },
  {
    name: 'Graph limiting everything',
    break: always({ match: { path: '^/v1.0/' }, status: 429 }),
    failing: ['organizer'],
    ...LATER,
    detail: /limiting how often/,
    remedy: /Wait/,
  },
  {
    name: 'connections to Graph being cut',
    break: always({ match: { path: '^/v1.0/' }, cut: 'before' }),
    failing: ['organizer'],
    ...LATER,
    detail: /could not be reached/,
    remedy: /Check the network/,
  },
  {
    name: 'the calendar answering 503',
    break: always({ match: { path: '/calendar' }, status: 503 }),
    failing: ['mailbox'],
    ...LATER,
  },
  {
    name: 'events answering 500',
    break: always({ match: { path: '/events' }, status: 500 }),
    failing: ['meeting'],
    ...LATER,
  },
  {
    name: 'online meetings answering 500',
    break: always({ match: { path: '/onlineMeetings' }, status: 500 }),
    failing: ['policy'],
    ...LATER,
  },
];
