import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  activate,
  type CreatedMeeting,
  captureMeeting,
  createMeeting,
  REFRESH,
  succeed,
  UPDATE_SETTINGS,
} from '../../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { storeMeeting, vttOf } from './rows.ts';

const ARTIFACTS = 'recordings { id contentUrl } transcripts { id text vttUrl }';

interface Artifacts {
  recordings: { id: string; contentUrl: string }[];
  transcripts: { id: string; text: string; vttUrl: string }[];
}

/** Every place where artifacts could show; each reads them out of its answer. */
const PLACES: [string, string, (data: Record<string, never>) => Artifacts | undefined][] = [
  [
    'Query.teamsMeeting',
    `query ($id: ID!) { found: teamsMeeting(id: $id) { joinUrl ${ARTIFACTS} } }`,
    (data) => data.found,
  ],
  [
    'the list of meetings',
    `{ teamsMeetings { edges { node { joinUrl ${ARTIFACTS} } } } }`,
    (data) => (data as { teamsMeetings?: { edges: { node: Artifacts }[] } }).teamsMeetings?.edges[0]?.node,
  ],
  ...(['Appointment', 'Interaction'] as const).flatMap(
    (type): [string, string, (data: Record<string, never>) => Artifacts | undefined][] => [
      [
        `the fields of ${type}`,
        `{ _entities(representations: [{ __typename: "${type}", id: "portal-1" }]) { ... on ${type} { ${ARTIFACTS} } } }`,
        (data) => (data as { _entities?: Artifacts[] })._entities?.[0],
      ],
      [
        `the meeting of ${type}`,
        `{ _entities(representations: [{ __typename: "${type}", id: "portal-1" }]) { ... on ${type} { teamsMeeting { joinUrl ${ARTIFACTS} } } } }`,
        (data) => (data as { _entities?: { teamsMeeting: Artifacts }[] })._entities?.[0]?.teamsMeeting,
      ],
    ],
  ),
  [
    'the entity TeamsMeeting',
    `query ($id: ID!) { _entities(representations: [{ __typename: "TeamsMeeting", id: $id }]) { ... on TeamsMeeting { joinUrl ${ARTIFACTS} } } }`,
    (data) => (data as { _entities?: Artifacts[] })._entities?.[0],
  ],
];

let subgraph: TestSubgraph;
let admin: string;
let portal: string;
let meeting: CreatedMeeting;

const setSwitch = (on: boolean) => succeed(subgraph, admin, UPDATE_SETTINGS, { showArtifactsInClientPortal: on });

beforeAll(async () => {
  subgraph = await startTestSubgraph();
  admin = await activate(subgraph);
  portal = await subgraph.tokens.token('client');
  meeting = await createMeeting(subgraph, admin, { appointmentId: 'portal-1' });
  await captureMeeting(subgraph, admin, meeting);
  await captureMeeting(
    subgraph,
    admin,
    await createMeeting(subgraph, admin, { appointmentId: undefined, interactionId: 'portal-1' }),
  );
});
beforeEach(() => setSwitch(false));
afterAll(() => subgraph.close());

async function see(token: string, operation: string): Promise<Record<string, never>> {
  const { data, errors } = await subgraph.send<Record<string, never>>(token, operation, { id: meeting.id });
  expect(errors).toEqual([]);
  return data ?? {};
}

describe('a client user', () => {
  it.each(PLACES)('sees no artifacts at %s until the switch is on', async (_place, operation, artifactsOf) => {
    const hidden = artifactsOf(await see(portal, operation));
    expect(hidden).toMatchObject({ recordings: [], transcripts: [] });
    if (hidden && 'joinUrl' in hidden) expect(hidden.joinUrl).toMatch(/^https:\/\/teams\.microsoft\.com\//);
    await setSwitch(true);
    const shown = artifactsOf(await see(portal, operation));
    expect([shown?.recordings.length, shown?.transcripts.length]).toEqual([1, 1]);
    expect(shown?.transcripts[0]?.text).not.toBe('');
  });

  it.each(PLACES)(
    'is no measure for the technician, who sees them at %s all the time',
    async (_place, operation, artifactsOf) => {
      expect(artifactsOf(await see(await subgraph.tokens.token('technician'), operation))?.recordings).toHaveLength(1);
    },
  );

  it.each(['MeetingRecording', 'MeetingTranscript'])(
    'gets a %s by its id only while the switch is on',
    async (type) => {
      const ids: Artifacts | undefined = PLACES[0]?.[2](await see(admin, PLACES[0]?.[1] ?? ''));
      const id = type === 'MeetingRecording' ? ids?.recordings[0]?.id : ids?.transcripts[0]?.id;
      const ask = () =>
        subgraph.send(
          portal,
          `query ($id: ID!) { _entities(representations: [{ __typename: "${type}", id: $id }]) { ... on ${type} { id meeting { id } } } }`,
          { id },
        );
      expect((await ask()).data).toEqual({ _entities: [null] });
      await setSwitch(true);
      expect((await ask()).data).toEqual({ _entities: [{ id, meeting: { id: meeting.id } }] });
    },
  );

  it('cannot find out by a filter which meetings were recorded', async () => {
    await storeMeeting(subgraph, 'tenant-a', { appointmentId: 'portal-unrecorded', clientId: 'client-acme' });
    const count = async (hasRecordings: boolean) =>
      (await see(portal, `{ teamsMeetings(filter: { hasRecordings: ${hasRecordings} }) { totalCount } }`)) as {
        teamsMeetings?: { totalCount: number };
      };
    const all = (await see(portal, '{ teamsMeetings { totalCount } }')) as { teamsMeetings?: { totalCount: number } };
    expect((await count(true)).teamsMeetings?.totalCount).toBe(0);
    expect(await count(false)).toEqual(all);
    await setSwitch(true);
    expect((await count(true)).teamsMeetings?.totalCount).toBe(2);
    expect((await count(false)).teamsMeetings?.totalCount).toBe(1);
  });

  it('cannot find out by the state of the capture whether there are artifacts', async () => {
    const state = async () =>
      (await see(portal, 'query ($id: ID!) { teamsMeeting(id: $id) { artifactCapture { state } } }')).teamsMeeting;
    expect(await state()).not.toMatchObject({ artifactCapture: { state: 'READY' } });
    await setSwitch(true);
    expect(await state()).toMatchObject({ artifactCapture: { state: 'READY' } });
  });

  it('searches transcripts only while the switch is on', async () => {
    await storeMeeting(subgraph, 'tenant-a', {
      appointmentId: 'portal-said',
      clientId: 'client-acme',
      transcripts: [vttOf(['hello xylophone'])],
    });
    const search = async () =>
      (await see(
        portal,
        '{ searchTranscripts(query: "xylophone") { edges { node { excerpt transcript { id } } } } }',
      )) as { searchTranscripts?: { edges: unknown[] } };
    expect((await search()).searchTranscripts?.edges).toEqual([]);
    await setSwitch(true);
    expect((await search()).searchTranscripts?.edges).toHaveLength(1);
  });

  it.each([false, true])('may not refresh, with the switch %s', async (on) => {
    await setSwitch(on);
    const { errors } = await subgraph.send(portal, REFRESH, { input: { meetingId: meeting.id } });
    expect(errors.map((error) => error.extensions.code)).toEqual(['FORBIDDEN']);
  });

  it('holds links that stop working with the switch and work again with it', async () => {
    await setSwitch(true);
    const shown = PLACES[0]?.[2](await see(portal, PLACES[0]?.[1] ?? ''));
    const links = [shown?.recordings[0]?.contentUrl ?? '', shown?.transcripts[0]?.vttUrl ?? ''].map((link) =>
      reachable(subgraph, link),
    );
    const open = () =>
      Promise.all(
        links.map(async (link) => {
          const response = await fetch(link);
          const body = await response.text();
          return { status: response.status, isEmpty: body === '' };
        }),
      );
    expect(await open()).toEqual([
      { status: 200, isEmpty: false },
      { status: 200, isEmpty: false },
    ]);
    await setSwitch(false);
    expect(await open()).toEqual([
      { status: 403, isEmpty: true },
      { status: 403, isEmpty: true },
    ]);
    await setSwitch(true);
    expect((await open()).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('keeps the calendar file of the invitation with the switch off', async () => {
    const seen = (await see(portal, 'query ($id: ID!) { teamsMeeting(id: $id) { invitation { icsUrl } } }')) as {
      teamsMeeting?: { invitation: { icsUrl: string } };
    };
    const response = await fetch(reachable(subgraph, seen.teamsMeeting?.invitation.icsUrl ?? ''));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('BEGIN:VEVENT');
  });

  it('never sees why something failed at Microsoft', async () => {
    const failure = {
      code: 'POLICY_MISSING',
      message: 'secret inner workings',
      remedy: 'Grant-CsApplicationAccessPolicy',
      occurredAt: '2026-11-01T00:00:00Z',
      graphRequestId: 'request-1',
    };
    const { id } = await storeMeeting(subgraph, 'tenant-a', {
      appointmentId: 'portal-failed',
      clientId: 'client-acme',
      status: 'FAILED',
      joinUrl: null,
      failure,
      captureFailure: failure,
    });
    const ask = async (token: string) =>
      (
        await subgraph.send(
          token,
          'query ($id: ID!) { teamsMeeting(id: $id) { status failure { code message } artifactCapture { failure { code } } } }',
          { id },
        )
      ).data;
    await setSwitch(true);
    expect(await ask(portal)).toEqual({
      teamsMeeting: { status: 'FAILED', failure: null, artifactCapture: { failure: null } },
    });
    expect(await ask(admin)).toMatchObject({
      teamsMeeting: { failure: { code: 'POLICY_MISSING' }, artifactCapture: { failure: { code: 'POLICY_MISSING' } } },
    });
  });
});
