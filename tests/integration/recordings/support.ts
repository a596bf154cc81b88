import { afterAll, afterEach, beforeAll } from 'vitest';
import type { MeetingTookPlaceInput } from '../../../simulator/control-types.ts';
import { activate, createMeeting, MICROSOFT, REFRESH, succeed, type UserErrorAnswer } from '../../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph, type TestSubgraphOptions } from '../../support/subgraph.ts';
import { forgetTokens, mendMicrosoft, WITHOUT_WAITS } from '../domain/support.ts';

export const MEBIBYTE = 1024 * 1024;
/** The simulator's paths of content: at Graph, and at the host that it redirects to. */
export const CONTENT = { path: '/recordings/.+/content$' };
export const MEDIA = { path: '/content/video' };

export let subgraph: TestSubgraph;
export let admin: string;
let appointments = 0;

export interface Captured {
  id: string;
  meetingId: string;
  /** Microsoft's id. */
  graphId: string;
  url: string;
  /** What a client reads of it. */
  read(): Promise<{
    storage: string;
    isAvailable: boolean;
    sizeBytes: number | null;
    contentUrl: string;
    transcripts: { vttUrl: string }[];
  }>;
}

/** A captured recording of a meeting of its own; by default without a transcript. */
export async function recording(over: Partial<MeetingTookPlaceInput> = {}): Promise<Captured> {
  appointments += 1;
  const meeting = await createMeeting(subgraph, admin, { appointmentId: `appt-recording-${appointments}` });
  const call = await subgraph.simulator.meetingTookPlace({
    directoryId: MICROSOFT['tenant-a'].directoryId,
    joinUrl: meeting.joinUrl ?? '',
    transcripts: 0,
    ...over,
  });
  const answer = await succeed<{
    meeting: { recordings: { id: string; contentUrl: string }[] };
    userErrors: UserErrorAnswer[];
  }>(subgraph, admin, REFRESH, { meetingId: meeting.id });
  const { id = '', contentUrl = '' } = answer.meeting.recordings[0] ?? {};
  return {
    id,
    meetingId: meeting.id,
    graphId: call.recordings[0]?.id ?? '',
    url: reachable(subgraph, contentUrl),
    async read() {
      const { data } = await subgraph.send<{
        teamsMeeting: {
          recordings: (Omit<Awaited<ReturnType<Captured['read']>>, 'transcripts'> & { id: string })[];
          transcripts: { vttUrl: string }[];
        };
      }>(
        await subgraph.tokens.token('technician'),
        'query ($id: ID!) { teamsMeeting(id: $id) { recordings { id storage isAvailable sizeBytes contentUrl } transcripts { vttUrl } } }',
        { id: meeting.id },
      );
      const found = data?.teamsMeeting.recordings.find((one) => one.id === id);
      if (found === undefined) throw new Error('The recording is not there');
      return { ...found, transcripts: data?.teamsMeeting.transcripts ?? [] };
    },
  };
}

export const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

/** The answer's body in one of two outcomes, so that a cut stream is told from a short one. */
export const whole = (response: Response) =>
  response.arrayBuffer().then(
    (bytes) => `${bytes.byteLength} bytes`,
    () => 'broken off',
  );

/** Starts a subgraph for the file, and gives each test a good Microsoft. */
export function useRecordings(
  options: () => Promise<TestSubgraphOptions> = async () => ({}),
  onStart: () => void = () => undefined,
): void {
  beforeAll(async () => {
    const { graph, ...rest } = await options();
    subgraph = await startTestSubgraph({ graph: { ...WITHOUT_WAITS, ...graph }, ...rest });
    onStart();
    admin = await activate(subgraph);
  });
  afterEach(async () => {
    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
  });
  afterAll(() => subgraph.close());
}
