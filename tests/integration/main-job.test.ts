import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activate, captureMeeting, createMeeting, MICROSOFT } from '../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';

const ENTITIES = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    ... on Appointment { id
      teamsMeeting { id status subject joinUrl isCalendarBacked organizer { userPrincipalName objectId } attendees { emailAddress kind contact { id } } artifactCapture { state } }
      recordings { id durationSeconds contentType storage contentUrl contentUrlExpiresAt }
      transcripts { id isSpeakerAttributed text vttUrl speakers { name talkSeconds cueCount } recording { id } cues(first: 2) { totalCount edges { node { index speaker text } } pageInfo { hasNextPage endCursor } } }
    }
  }
}`;

let subgraph: TestSubgraph;
let admin: string;

beforeAll(async () => {
  subgraph = await startTestSubgraph();
  admin = await activate(subgraph);
});
afterAll(() => subgraph.close());

describe('the main job', () => {
  it('makes one calendar-backed meeting, captures it, and serves it to who may see it', async () => {
    const technician = await subgraph.tokens.token('technician');
    const meeting = await createMeeting(subgraph, technician);
    expect(meeting.status).toBe('SCHEDULED');
    const events = await subgraph.simulator.listEvents(
      MICROSOFT['tenant-a'].directoryId,
      MICROSOFT['tenant-a'].organizer,
    );
    expect(events).toHaveLength(1);
    expect(meeting.joinUrl).toBe(events[0]?.joinUrl);

    await captureMeeting(subgraph, technician, meeting);
    const { data, errors } = await subgraph.send<{ _entities: Record<string, never>[] }>(technician, ENTITIES, {
      representations: [{ __typename: 'Appointment', id: 'appt-a-1' }],
    });
    expect(errors).toEqual([]);
    const [appointment] = data?._entities ?? [];
    expect(appointment).toMatchObject({
      id: 'appt-a-1',
      teamsMeeting: {
        status: 'SCHEDULED',
        isCalendarBacked: true,
        artifactCapture: { state: 'READY' },
        attendees: [{ emailAddress: 'jane@acme.example', kind: 'CONTACT', contact: { id: 'contact-jane' } }],
      },
      recordings: [{ contentType: 'video/mp4', storage: 'GRAPH' }],
      transcripts: [{ isSpeakerAttributed: true }],
    });
    const transcript = appointment?.transcripts?.[0] as unknown as {
      text: string;
      vttUrl: string;
      recording: { id: string };
      cues: { totalCount: number };
    };
    const recording = appointment?.recordings?.[0] as unknown as { id: string; contentUrl: string };
    expect(transcript.recording.id).toBe(recording.id);
    expect(transcript.cues.totalCount).toBeGreaterThan(0);

    const content = await fetch(reachable(subgraph, recording.contentUrl));
    expect(content.status).toBe(200);
    expect(content.headers.get('cache-control')).toBe('private, no-store');
    expect(
      Buffer.from(await content.arrayBuffer())
        .subarray(4, 8)
        .toString(),
    ).toBe('ftyp');
    const vtt = await fetch(reachable(subgraph, transcript.vttUrl));
    expect(await vtt.text()).toMatch(/^WEBVTT/);
    expect(admin).toBeTypeOf('string');
  });
});
