import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type Simulator, startSimulator } from '../../../simulator/server.ts';
import { createGraphService } from '../../../src/graph/service.ts';
import type { GraphClient, GraphEventDraft, GraphService, MicrosoftAppRegistration } from '../../../src/graph/types.ts';

export const DIRECTORY = '11111111-1111-4111-8111-111111111111';
export const CLIENT = 'aaaaaaaa-0000-4000-8000-000000000001';
export const ORGANIZER = 'aaaaaaaa-0000-4000-8000-00000000000a';
export const APP: MicrosoftAppRegistration = {
  clientId: CLIENT,
  directoryId: DIRECTORY,
  cloud: 'GLOBAL',
  credential: { kind: 'CLIENT_SECRET', clientSecret: 'secret' },
};
export const ROLES = [
  'Calendars.ReadWrite',
  'OnlineMeetings.Read.All',
  'OnlineMeetingRecording.Read.All',
  'OnlineMeetingTranscript.Read.All',
  'User.Read.All',
];

export interface Parts {
  simulator: Simulator;
  service: GraphService;
  client: GraphClient;
  /** The waits that were slept through, in milliseconds; they take no time. */
  waits: number[];
}

/** One simulator for the tests of a file; each test gets a new world and a client whose waits take no time. */
export function useGraph(assign: (parts: Parts) => void): void {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator();
  });
  afterAll(() => simulator.close());
  beforeEach(async () => {
    await simulator.control.reset();
    await simulator.control.load({
      directories: [
        { id: DIRECTORY, domain: 'acme.example', graphTranscriptAccess: true, attributedTranscripts: true },
      ],
      apps: [{ directoryId: DIRECTORY, clientId: CLIENT, secrets: [{ value: 'secret' }], roles: ROLES }],
      users: [
        {
          directoryId: DIRECTORY,
          id: ORGANIZER,
          userPrincipalName: 'scheduling@acme.example',
          displayName: 'Scheduling',
          teamsPolicyAppIds: [CLIENT],
        },
      ],
    });
    const waits: number[] = [];
    const service = createGraphService({
      graphBaseUrl: simulator.url,
      entraBaseUrl: simulator.url,
      logger: { debug: () => undefined, info: () => undefined, warn: () => undefined },
      sleep: async (milliseconds, signal) => {
        signal?.throwIfAborted();
        waits.push(milliseconds);
      },
    });
    assign({ simulator, service, client: service.forApp(APP), waits });
  });
}

export function draft(change: Partial<GraphEventDraft> = {}): GraphEventDraft {
  return {
    subject: 'Quarterly review',
    startsAt: new Date('2036-12-01T09:00:00Z'),
    endsAt: new Date('2036-12-01T10:00:00Z'),
    bodyHtml: '<p>Agenda</p>',
    attendees: [{ emailAddress: 'ann@client.example', name: 'Ann' }],
    transactionId: 'transaction-1',
    ...change,
  };
}
