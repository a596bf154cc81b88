import { ask, hold, mutate, simulate, until } from './demo-client.ts';
import { lifecycleSteps } from './demo-lifecycle-steps.ts';
import { setupSteps } from './demo-setup-steps.ts';
import { CLIENT_ID, DIRECTORY_ID, ORGANIZER, SECRET, type Stage, type Step } from './demo-stage.ts';

const APPOINTMENT = 'appt-a-1';

const BOARD = `query { appointments { id title teamsMeeting { id status joinUrl attendees { emailAddress } }
  recordings { id durationSeconds contentUrl } transcripts { id text speakers { name talkSeconds } } } }`;
const SETTINGS =
  'mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { settings { installStatus organizer { objectId } } userErrors { code message } } }';

interface BoardEntry {
  id: string;
  title: string;
  teamsMeeting: { id: string; status: string; joinUrl: string | null; attendees: { emailAddress: string }[] } | null;
  recordings: { id: string; durationSeconds: number; contentUrl: string }[] | null;
  transcripts: { id: string; text: string; speakers: { name: string; talkSeconds: number }[] }[] | null;
}

interface SearchHit {
  excerpt: string;
  cue: { startSeconds: number; speaker: string | null };
  transcript: { meeting: { id: string } };
}

interface SettingsPayload {
  settings: { installStatus: string; organizer: { objectId: string } | null };
  userErrors: { code: string; message: string }[];
}

/** The main job, from an empty tenant to a recording that plays; each step builds on the ones before. */
export function demoSteps(stage: Stage): Step[] {
  const { gatewayUrl, simulatorUrl, tokens } = stage;
  let joinUrl = '';
  let meetingId = '';
  const board = async (token: string) =>
    (await ask<{ appointments: BoardEntry[] }>(gatewayUrl, token, BOARD)).appointments;
  const entry = async (token: string) => {
    const found = (await board(token)).find(({ id }) => id === APPOINTMENT);
    hold(found, `the PSA core does not list ${APPOINTMENT}`);
    return found;
  };
  const updateSettings = (input: object) => mutate<SettingsPayload>(gatewayUrl, tokens.admin, SETTINGS, input);

  return [
    {
      title: 'An admin connects the Microsoft app registration',
      async run() {
        const connect =
          'mutation ($input: ConnectMicrosoftAppInput!) { connectMicrosoftApp(input: $input) { settings { microsoftApp { credentialHint } } userErrors { code message } } }';
        const input = { clientId: CLIENT_ID, directoryId: DIRECTORY_ID, clientSecret: SECRET };
        const { settings } = await mutate<{ settings: { microsoftApp: { credentialHint: string } }; userErrors: [] }>(
          gatewayUrl,
          tokens.admin,
          connect,
          input,
        );
        hold(!JSON.stringify(settings).includes(SECRET), 'the secret came back');
        return `Microsoft gave a token; of the secret only ${settings.microsoftApp.credentialHint} comes back`;
      },
    },
    {
      title: 'The organizer is saved and found in the directory',
      async run() {
        const { settings } = await updateSettings({ organizerUserPrincipalName: ORGANIZER });
        hold(settings.organizer?.objectId, 'the organizer has no object id');
        return `${ORGANIZER} is ${settings.organizer.objectId}`;
      },
    },
    {
      title: 'The integration is activated',
      async run() {
        const { settings } = await updateSettings({ installStatus: 'ACTIVE' });
        hold(settings.installStatus === 'ACTIVE', `the status is ${settings.installStatus}`);
        return settings.installStatus;
      },
    },
    ...setupSteps(stage),
    {
      title: 'A technician creates a Teams meeting for an appointment',
      async run() {
        const create =
          'mutation ($input: CreateTeamsMeetingInput!) { createTeamsMeeting(input: $input) { meeting { id status joinUrl attendees { emailAddress } } userErrors { code message } } }';
        const startsAt = new Date(Math.floor(Date.now() / 1000) * 1000 - 40 * 60_000);
        const input = {
          appointmentId: APPOINTMENT,
          clientId: 'client-acme',
          subject: 'Firewall review',
          startsAt: startsAt.toISOString(),
          endsAt: new Date(startsAt.getTime() + 30 * 60_000).toISOString(),
          attendees: [
            { emailAddress: 'jane@acme.example', name: 'Jane', contactId: 'contact-jane' },
            { emailAddress: 'bob@acme.example' },
          ],
        };
        const { meeting } = await mutate<{
          meeting: { id: string; joinUrl: string; attendees: unknown[] };
          userErrors: [];
        }>(gatewayUrl, tokens.technician, create, input);
        meetingId = meeting.id;
        joinUrl = meeting.joinUrl;
        hold(joinUrl, 'the meeting has no join link');
        hold(meeting.attendees.length === 2, 'the attendees were not stored');
        return joinUrl;
      },
    },
    {
      title: 'The PSA frontend reads its appointments with their meetings',
      async run() {
        const appointments = await board(tokens.technician);
        const withMeeting = appointments.filter(({ teamsMeeting }) => teamsMeeting !== null);
        hold(
          withMeeting.length === 1 && withMeeting[0]?.teamsMeeting?.joinUrl === joinUrl,
          'the meeting is not on the board',
        );
        return `${appointments.length} appointments of the PSA core, 1 with a meeting of ours`;
      },
    },
    {
      title: 'The mobile app reads one join link',
      async run() {
        const { teamsMeeting } = await ask<{ teamsMeeting: { joinUrl: string } }>(
          gatewayUrl,
          tokens.mobile,
          'query ($id: ID!) { teamsMeeting(id: $id) { joinUrl } }',
          { id: meetingId },
        );
        hold(teamsMeeting.joinUrl === joinUrl, 'the join link is another one');
        return 'byte by byte the same link';
      },
    },
    {
      title: 'The meeting takes place; Microsoft tells, and its artifacts arrive by themselves',
      async run() {
        await simulate(simulatorUrl, 'meetingTookPlace', { directoryId: DIRECTORY_ID, joinUrl });
        const began = performance.now();
        await until('no recording and transcript arrived', async () => {
          const { recordings, transcripts } = await entry(tokens.technician);
          return recordings?.length === 1 && transcripts?.length === 1;
        });
        return `1 recording, 1 transcript after ${((performance.now() - began) / 1000).toFixed(1)} s; nobody asked for them`;
      },
    },
    {
      title: 'The recording is fetched by its signed link',
      async run() {
        const recording = (await entry(tokens.technician)).recordings?.[0];
        hold(recording, 'the appointment shows no recording');
        const response = await fetch(recording.contentUrl);
        const bytes = Buffer.from(await response.arrayBuffer());
        hold(
          response.status === 200 && bytes.subarray(4, 8).toString() === 'ftyp',
          `the link answered ${response.status}`,
        );
        const part = await fetch(recording.contentUrl, { headers: { range: 'bytes=0-99' } });
        hold(part.status === 206 && (await part.arrayBuffer()).byteLength === 100, `a range answered ${part.status}`);
        const changed = await fetch(
          `${recording.contentUrl.slice(0, -1)}${recording.contentUrl.endsWith('A') ? 'B' : 'A'}`,
        );
        hold(changed.status === 403, `a changed link answered ${changed.status}`);
        return `${bytes.length} bytes of ${response.headers.get('content-type')}; a range answers 206, a changed link 403`;
      },
    },
    {
      title: 'The transcript is read',
      async run() {
        const transcript = (await entry(tokens.technician)).transcripts?.[0];
        hold(transcript?.text, 'the transcript has no text');
        const speakers = transcript.speakers.map(({ name, talkSeconds }) => `${name} ${talkSeconds} s`);
        return `${speakers.join(', ')}: “${transcript.text.split('\n')[0]}”`;
      },
    },
    {
      title: 'What was said is found again',
      async run() {
        const search =
          'query ($query: String!) { searchTranscripts(query: $query) { edges { node { excerpt cue { startSeconds speaker } transcript { meeting { id } } } } } }';
        const { searchTranscripts } = await ask<{ searchTranscripts: { edges: { node: SearchHit }[] } }>(
          gatewayUrl,
          tokens.technician,
          search,
          { query: 'open tickets' },
        );
        const [hit] = searchTranscripts.edges;
        hold(hit?.node.transcript.meeting.id === meetingId, 'the transcript was not found');
        return `“${hit.node.excerpt}”, ${hit.node.cue.speaker} at ${hit.node.cue.startSeconds} s`;
      },
    },
    {
      title: 'A portal user of the client sees the link but no artifacts',
      async run() {
        const seen = await entry(tokens.client);
        hold(seen.teamsMeeting?.joinUrl === joinUrl, 'the client does not see the join link');
        hold(seen.recordings?.length === 0 && seen.transcripts?.length === 0, 'the client sees artifacts');
        return 'join link, no recordings, no transcripts';
      },
    },
    {
      title: 'The admin turns the portal switch on; the client sees them',
      async run() {
        await updateSettings({ showArtifactsInClientPortal: true });
        const seen = await entry(tokens.client);
        hold(seen.recordings?.length === 1 && seen.transcripts?.length === 1, 'the client still sees no artifacts');
        return '1 recording, 1 transcript';
      },
    },
    {
      title: 'Another client and another tenant see nothing',
      async run() {
        for (const token of [tokens.otherClient, tokens.otherTenant]) {
          const { teamsMeeting } = await ask<{ teamsMeeting: null }>(
            gatewayUrl,
            token,
            'query ($id: ID!) { teamsMeeting(id: $id) { id } }',
            { id: meetingId },
          );
          hold(teamsMeeting === null, 'a foreigner sees the meeting');
          hold(
            (await board(token)).every((foreign) => foreign.teamsMeeting === null && foreign.recordings?.length === 0),
            'a foreigner sees artifacts',
          );
        }
        return 'the same answer as for an unknown id';
      },
    },
    ...lifecycleSteps(stage),
  ];
}
