import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  activate,
  type CreatedMeeting,
  captureMeeting,
  createMeeting,
  succeed,
  UPDATE_SETTINGS,
} from '../../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

/** By which ways somebody comes to see what a meeting left. */
interface Sight {
  field: boolean;
  entity: boolean;
  search: boolean;
  /** A link that they are given now. */
  link: boolean;
  /** A link that they were given while the switch was on, used now. */
  earlierLink: boolean;
}

interface Links {
  recording: string | null;
  transcript: string | null;
}

const EVERYTHING: Sight = { field: true, entity: true, search: true, link: true, earlierLink: true };
const NOTHING: Sight = { field: false, entity: false, search: false, link: false, earlierLink: false };

/** Who looks; what they see while the portal switch is on, and while it is off. */
const VIEWERS: Record<string, { token: () => Promise<string | null>; on: Sight; off: Sight }> = {
  'MSP with the permission': {
    token: () => subgraph.tokens.token('technician'),
    on: EVERYTHING,
    off: EVERYTHING,
  },
  'MSP without the permission': {
    token: () => subgraph.tokens.token('technician', { permissions: ['teams_meeting:read', 'teams_meeting:write'] }),
    on: NOTHING,
    off: NOTHING,
  },
  'client, own meeting': { token: () => subgraph.tokens.token('client'), on: EVERYTHING, off: NOTHING },
  'client, another’s meeting': {
    token: () => subgraph.tokens.token('client', { client_id: 'client-initech' }),
    on: NOTHING,
    off: NOTHING,
  },
  'another tenant': {
    token: () => subgraph.tokens.token('admin', { tenant_id: 'tenant-b' }),
    on: NOTHING,
    off: NOTHING,
  },
  service: { token: () => subgraph.tokens.token('service'), on: NOTHING, off: NOTHING },
  nobody: { token: async () => null, on: NOTHING, off: NOTHING },
};

let subgraph: TestSubgraph;
let admin: string;
let meeting: CreatedMeeting;
let ids: { recording: string; transcript: string };
const earlier = new Map<string, Links>();

interface Artifacts {
  recordings: { id: string; contentUrl: string }[];
  transcripts: { id: string; vttUrl: string }[];
}

const setSwitch = (on: boolean) => succeed(subgraph, admin, UPDATE_SETTINGS, { showArtifactsInClientPortal: on });

async function artifactsSeenBy(token: string | null): Promise<Artifacts> {
  const { data } = await subgraph.send<{ teamsMeeting: Artifacts | null }>(
    token,
    'query ($id: ID!) { teamsMeeting(id: $id) { recordings { id contentUrl } transcripts { id vttUrl } } }',
    { id: meeting.id },
  );
  return data?.teamsMeeting ?? { recordings: [], transcripts: [] };
}

const linksOf = ({ recordings, transcripts }: Artifacts): Links => ({
  recording: recordings[0]?.contentUrl ?? null,
  transcript: transcripts[0]?.vttUrl ?? null,
});

/** Whether both can be opened; one alone would be a fault of its own. */
async function opens({ recording, transcript }: Links): Promise<boolean> {
  const open = async (link: string | null) =>
    link !== null && (await fetch(reachable(subgraph, link), { method: 'HEAD' })).status === 200;
  const opened = [await open(recording), await open(transcript)];
  expect(new Set(opened).size).toBe(1);
  return opened[0] === true;
}

async function entitiesSeenBy(token: string | null): Promise<boolean> {
  const seen = await Promise.all(
    [
      ['MeetingRecording', ids.recording],
      ['MeetingTranscript', ids.transcript],
    ].map(async ([type, id]) => {
      const query = `query ($id: ID!) { _entities(representations: [{ __typename: "${type}", id: $id }]) { ... on ${type} { id } } }`;
      const { data } = await subgraph.send<{ _entities: ({ id: string } | null)[] }>(token, query, { id });
      return data?._entities[0]?.id === id;
    }),
  );
  expect(new Set(seen).size).toBe(1);
  return seen[0] === true;
}

async function sightOf(name: string, token: string | null): Promise<Sight> {
  const artifacts = await artifactsSeenBy(token);
  expect(artifacts.recordings.length).toBe(artifacts.transcripts.length);
  const { data } = await subgraph.send<{ searchTranscripts: { edges: unknown[] } }>(
    token,
    '{ searchTranscripts(query: "open tickets") { edges { node { excerpt } } } }',
  );
  return {
    field: artifacts.recordings.length > 0,
    entity: await entitiesSeenBy(token),
    search: (data?.searchTranscripts.edges.length ?? 0) > 0,
    link: await opens(linksOf(artifacts)),
    earlierLink: await opens(earlier.get(name) ?? { recording: null, transcript: null }),
  };
}

beforeAll(async () => {
  subgraph = await startTestSubgraph();
  admin = await activate(subgraph);
  await activate(subgraph, 'tenant-b');
  meeting = await createMeeting(subgraph, admin, { appointmentId: 'matrix-1' });
  await captureMeeting(subgraph, admin, meeting);
  const { recordings, transcripts } = await artifactsSeenBy(admin);
  ids = { recording: recordings[0]?.id ?? '', transcript: transcripts[0]?.id ?? '' };
  await setSwitch(true);
  for (const [name, { token }] of Object.entries(VIEWERS))
    earlier.set(name, linksOf(await artifactsSeenBy(await token())));
});
afterAll(() => subgraph.close());

describe.each(['on', 'off', 'on again'] as const)('with the portal switch %s', (position) => {
  const isOn = position !== 'off';
  beforeAll(() => setSwitch(isOn));

  it.each(Object.entries(VIEWERS))('%s', async (name, { token, on, off }) => {
    expect(await sightOf(name, await token())).toEqual(isOn ? on : off);
  });
});
