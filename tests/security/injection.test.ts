import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backgroundViewer } from '../../src/services/viewer.ts';
import { storeMeeting, vttOf } from '../integration/access/rows.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { readCommands } from '../unit/services/power-shell-grammar.ts';
import { attempts } from './attempts.ts';

/** What somebody may be called, or call a meeting. NUL is none of them: nothing stores it. */
const HOSTILE = [
  'x\r\nBCC: evil@x.example\r\n\r\n<script>alert(1)</script>',
  'x\nATTENDEE:MAILTO:evil@x.example\nX-EVIL:1',
  'x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil',
  'x\u2028X-EVIL:1\u2029\u0085X-EVIL:2',
  'x;X-EVIL=1:"mailto:evil@x.example"',
  'x\\nX-EVIL:1\\,\\;',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style></title></textarea><svg/onload=alert(1)>',
  'javascript:alert(1)//{{constructor}}$' + '{7*7}',
  '<!--[if mso]><v:rect href="evil:x"><![endif]-->',
  "x'; Remove-Mailbox *; '",
  'x"; Remove-Mailbox *; "$(Remove-Mailbox *)`n',
  'x\u2019; Remove-Mailbox *; \u2018',
  '\u202Eevil\u202C\u200B\uFEFF',
];
const TENANT = 'tenant-a';
const scope = () => ({ viewer: backgroundViewer(TENANT), db: subgraph.db.forTenant(TENANT) });

let subgraph: TestSubgraph;
let admin: string;
/** What is shown of somebody who is called `Jane`, with which the others are compared. */
let plain: Shown;
beforeAll(async () => {
  subgraph = await startTestSubgraph({ isProduction: true });
  admin = await subgraph.tokens.token('admin');
  plain = await shownOf('Jane');
});
afterAll(() => subgraph.close());

interface Shown {
  ics: string;
  html: string;
  headers: Headers[];
  status: string;
  policy: string | null;
  scripts: string[];
}

const FIELDS =
  'query ($id: ID!) { teamsMeeting(id: $id) { invitation { html ics } } teamsSetupGuide { steps { script } } }';

/** Stores a text wherever somebody can have put one, and reads it wherever it is shown. */
async function shownOf(hostile: string): Promise<Shown> {
  const { id, transcriptIds } = await storeMeeting(subgraph, TENANT, {
    appointmentId: hostile,
    subject: hostile,
    description: hostile,
    organizerDisplayName: hostile,
    cancelReason: hostile,
    transcripts: [vttOf([hostile], 'Jane')],
  });
  await subgraph.database.query(
    "INSERT INTO meeting_attendees (tenant_id, meeting_id, position, kind, email_address, name) VALUES ($1, $2, 0, 'EMAIL', 'jane@acme.example', $3)",
    [TENANT, id, hostile],
  );
  await subgraph.database.query(
    "INSERT INTO teams_integrations (tenant_id, install_status, organizer_upn, organizer_display_name, created_at, updated_at) VALUES ($1, 'INSTALL_PENDING', $2, $2, now(), now()) ON CONFLICT (tenant_id) DO UPDATE SET organizer_upn = $2, organizer_display_name = $2",
    [TENANT, hostile],
  );
  const { data, errors } = await subgraph.send<{
    teamsMeeting: { invitation: { html: string; ics: string } };
    teamsSetupGuide: { steps: { script: string | null }[] };
  }>(admin, FIELDS, { id });
  expect(errors).toEqual([]);
  const links = [
    subgraph.services.links.sign(scope().viewer, 'transcript', transcriptIds[0] ?? '').url,
    subgraph.services.links.sign(scope().viewer, 'transcript-text', transcriptIds[0] ?? '').url,
    subgraph.services.links.sign(scope().viewer, 'invitation', id).url,
  ];
  const files = await Promise.all(links.map((link) => fetch(`${reachable(subgraph, link)}&download`)));
  expect(files.map(({ status }) => status)).toEqual([200, 200, 200]);
  const page = await fetch(`${subgraph.url}/status`, { headers: { authorization: `Bearer ${admin}` } });
  return {
    ics: data?.teamsMeeting.invitation.ics ?? '',
    html: data?.teamsMeeting.invitation.html ?? '',
    headers: files.map(({ headers }) => headers),
    status: await page.text(),
    policy: page.headers.get('content-security-policy'),
    scripts: (data?.teamsSetupGuide.steps ?? []).flatMap(({ script }) => script ?? []),
  };
}

/** The tags of a page with the names of their attributes: what a text must not add to, but for ends of its lines. */
const tagsOf = (html: string) =>
  [...html.matchAll(/<[!/a-z][^>]*>/gi)]
    .map(([tag]) => tag.replace(/="[^"]*"/g, '').replace(/\s+/g, ' '))
    .filter((tag) => tag !== '<br>');

const propertiesOf = (ics: string) =>
  ics
    .replace(/\r\n[ \t]/g, '')
    .split('\r\n')
    .map((line) => /^[A-Z-]+/.exec(line)?.[0] ?? line);

const shapeOf = (script: string) =>
  readCommands(script).map((command) =>
    command.map(({ value, isParameter }, at) => (at === 0 || isParameter ? value : 'value')),
  );

describe.each(HOSTILE)('somebody who is called %j', (hostile) => {
  let shown: Shown;
  beforeAll(async () => {
    shown = await shownOf(hostile);
  });

  attempts('a text that is to become a line of a calendar')('adds no line to the calendar file', () => {
    expect(propertiesOf(shown.ics)).toEqual(propertiesOf(plain.ics));
    expect(shown.ics.replaceAll('\r\n', '')).not.toMatch(/[\r\n\u0085\u2028\u2029]/);
  });
  attempts('a text that is to become HTML')('adds no tag and no attribute to the mail', () => {
    expect(tagsOf(shown.html)).toEqual(tagsOf(plain.html));
  });
  attempts('a text that is to become HTML')(
    'adds no tag and no attribute to the status page, and its policy stands',
    () => {
      expect(tagsOf(shown.status)).toEqual(tagsOf(plain.status));
      expect(shown.policy?.replace(/'sha256-[^']+'/g, '')).toBe(plain.policy?.replace(/'sha256-[^']+'/g, ''));
    },
  );
  attempts('a text that is to become a header')('adds no header to a file, and names no path', () => {
    const names = (headers: Headers) => [...headers.keys()].sort();
    expect(shown.headers.map(names)).toEqual(plain.headers.map(names));
    for (const headers of shown.headers)
      expect(headers.get('content-disposition')).toMatch(/^attachment; filename="[a-z0-9-]+\.(vtt|txt|ics)"$/);
  });
  attempts('a text that is to become a command')('adds no command to the scripts of the setup guide', () => {
    expect(shown.scripts.map(shapeOf)).toEqual(plain.scripts.map(shapeOf));
  });
});

describe('a header that is to become a line of the log', () => {
  const logged = attempts('a text that is to become a line of the log');
  const SECRET = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2VjcmV0LXNpZ25hdHVyZQ';
  for (const [what, path, init] of [
    ['an agent', '/health/live', { headers: { 'user-agent': '{"level":60,"msg":"forged"}' } }],
    ['a request id', '/status', { headers: { 'request-id': 'forged', 'x-request-id': 'forged' } }],
    ['a path', '/%0d%0a{"msg":"forged"}', {}],
    ['a token', '/status', { headers: { authorization: `Bearer ${SECRET}` } }],
    ['a token of a link', `/recordings/x?token=${SECRET}`, {}],
    ['a form', '/status', { method: 'POST', body: new URLSearchParams({ token: SECRET }) }],
    ['a notification', '/webhooks/graph/notifications', { method: 'POST', body: `{"forged":"${SECRET}"}` }],
    [
      'a search',
      '/graphql',
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: `{ searchTranscripts(query: "forged ${SECRET}") { edges { cursor } } }` }),
      },
    ],
  ] as [string, string, RequestInit][])
    logged(`is none, and no secret of it is kept: ${what}`, async () => {
      subgraph.logs.length = 0;
      await fetch(`${subgraph.url}${path}`, init);
      const text = JSON.stringify(subgraph.logs);
      expect(text).not.toContain('forged');
      expect(text).not.toContain(SECRET);
    });

  it('that belongs there is there', async () => {
    subgraph.logs.length = 0;
    await fetch(`${subgraph.url}/status`, { headers: { authorization: 'Bearer x' } });
    expect(JSON.stringify(subgraph.logs)).toContain('operation=status refused');
  });
});
