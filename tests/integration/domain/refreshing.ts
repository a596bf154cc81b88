import { afterAll, afterEach, beforeAll } from 'vitest';
import type { MeetingTookPlaceInput, MeetingTookPlaceResult } from '../../../simulator/control-types.ts';
import { activate, type CreatedMeeting, createMeeting, mutate, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, ALWAYS, forgetTokens, mendMicrosoft, WITHOUT_WAITS } from './support.ts';

/** What the tests read of a meeting. */
export const MEETING = `id status recordings { id createdAt endedAt durationSeconds contentType storage }
  transcripts { id createdAt endedAt isSpeakerAttributed text vttUrl recording { id } speakers { name } cues { edges { node { speaker text } } } }
  artifactCapture { state attempts lastAttemptAt nextAttemptAt failure { code message remedy graphRequestId } }`;
const REFRESH = `mutation ($input: RefreshTeamsMeetingArtifactsInput!) { refreshTeamsMeetingArtifacts(input: $input) { newRecordings newTranscripts meeting { ${MEETING} } userErrors { code message path remedy } } }`;

export interface RefreshedMeeting {
  id: string;
  status: string;
  recordings: {
    id: string;
    createdAt: string;
    endedAt: string | null;
    durationSeconds: number | null;
    contentType: string;
    storage: string;
  }[];
  transcripts: {
    id: string;
    createdAt: string;
    isSpeakerAttributed: boolean;
    text: string;
    vttUrl: string;
    recording: { id: string } | null;
    speakers: { name: string }[];
    cues: { edges: { node: { speaker: string | null; text: string } }[] };
  }[];
  artifactCapture: {
    state: string;
    attempts: number;
    lastAttemptAt: string | null;
    nextAttemptAt: string | null;
    failure: { code: string; remedy: string | null; graphRequestId: string | null } | null;
  };
}

export interface RefreshAnswer {
  newRecordings: number;
  newTranscripts: number;
  meeting: RefreshedMeeting | null;
  userErrors: UserErrorAnswer[];
}

export let subgraph: TestSubgraph;
export let admin: string;
let appointments = 0;

export const refresh = (meetingId: string, token = admin) =>
  mutate<RefreshAnswer>(subgraph, token, REFRESH, { meetingId });

/** A meeting of an appointment that no other test has. */
export function newMeeting(over: object = {}): Promise<CreatedMeeting> {
  appointments += 1;
  return createMeeting(subgraph, admin, { appointmentId: `appt-refresh-${appointments}`, ...over });
}

/** Lets a meeting happen; by default with one recording and one transcript. */
export const takesPlace = (
  meeting: CreatedMeeting,
  over: Partial<MeetingTookPlaceInput> = {},
): Promise<MeetingTookPlaceResult> =>
  subgraph.simulator.meetingTookPlace({ directoryId: ACME.directoryId, joinUrl: meeting.joinUrl ?? '', ...over });

/** A meeting that took place with one recording and one transcript, none of them fetched. */
export async function heldMeeting(
  over: Partial<MeetingTookPlaceInput> = {},
): Promise<{ meeting: CreatedMeeting; call: MeetingTookPlaceResult }> {
  const meeting = await newMeeting();
  return { meeting, call: await takesPlace(meeting, over) };
}

/** Makes the calls whose path matches fail until Microsoft is mended. */
export const fail = (path: string, status: number, body?: object) =>
  subgraph.simulator.addFault({
    match: { path },
    status,
    ...(body === undefined ? {} : { body: { error: body } }),
    times: ALWAYS,
  });

/** Starts a subgraph for the file, and gives each test a good Microsoft. */
export function useRefreshing(): void {
  beforeAll(async () => {
    subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS });
    admin = await activate(subgraph);
  });
  afterEach(async () => {
    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
  });
  afterAll(() => subgraph.close());
}
