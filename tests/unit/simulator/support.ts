import { afterAll, beforeAll, beforeEach } from 'vitest';
import { demoWorld } from '../../../simulator/seed.ts';
import type { Simulator } from '../../../simulator/server.ts';
import { startSimulator } from '../../../simulator/server.ts';

export const DIRECTORY = '11111111-1111-4111-8111-111111111111';
export const CLIENT_ID = 'aaaaaaaa-0000-4000-8000-000000000001';
const SECRET = 'simulator-secret-tenant-a';
export const ORGANIZER = 'aaaaaaaa-0000-4000-8000-00000000000a';
export const ORGANIZER_UPN = 'scheduling@acme.example';
export const OTHER = {
  directory: '22222222-2222-4222-8222-222222222222',
  clientId: 'bbbbbbbb-0000-4000-8000-000000000001',
  secret: 'simulator-secret-tenant-b',
  organizer: 'bbbbbbbb-0000-4000-8000-00000000000b',
};
export const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Members of wire JSON that the tests read; a body has those of its own kind only. */
export interface Wire {
  // Entra
  access_token: string;
  expires_in: number;
  error_codes: number[];
  error_description: string;
  token_endpoint: string;
  jwks_uri: string;
  keys: unknown[];
  // Graph
  error: Wire;
  innerError: Record<string, unknown>;
  code: string;
  message: string;
  value: Wire[];
  '@odata.nextLink'?: string;
  '@odata.count'?: number;
  '@odata.etag': string;
  id: string;
  body: { contentType: string; content: string };
  attendees: { emailAddress: { address: string; name: string }; status: { response: string } }[];
  onlineMeeting: { joinUrl: string | null } | null;
  isOnlineMeeting: boolean;
  subject: string;
  start: { dateTime: string; timeZone: string };
  transactionId: string;
  joinWebUrl: string;
  startDateTime: string;
  expiryDateTime: string;
  contentCorrelationId: string;
  callId: string;
  recordingContentUrl: string;
  transcriptContentUrl: string;
  joinMeetingIdSettings: { joinMeetingId: string };
  allowedOnlineMeetingProviders: string[];
}

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** Empty when the body is not JSON. */
  json: Wire;
}

export interface CallInit {
  body?: unknown;
  /** Sent as it is, instead of `body` as JSON. */
  rawBody?: string;
  headers?: Record<string, string>;
  /** Default: a fresh token of the first demo app. Null: no Authorization header. */
  token?: string | null;
}

/** A simulator with the demo's world for the tests of one file, emptied before each test. */
export function useSimulator() {
  let simulator: Simulator;
  let token: string | null;

  beforeAll(async () => {
    simulator = await startSimulator();
  });
  beforeEach(async () => {
    await simulator.control.reset();
    await simulator.control.load(demoWorld());
    token = null;
  });
  afterAll(() => simulator.close());

  const helper = {
    get url() {
      return simulator.url;
    },
    get control() {
      return simulator.control;
    },

    /** Asks the token endpoint; the form is complete unless overridden (null leaves a field out). */
    async askToken(form: Record<string, string | null> = {}, directory = DIRECTORY): Promise<Reply> {
      const fields = {
        client_id: CLIENT_ID,
        client_secret: SECRET,
        grant_type: 'client_credentials',
        scope: 'https://graph.microsoft.com/.default',
        ...form,
      };
      const body = new URLSearchParams(
        Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
      );
      return reply(await fetch(`${simulator.url}/${directory}/oauth2/v2.0/token`, { method: 'POST', body }));
    },

    async newToken(form: Record<string, string> = {}, directory = DIRECTORY): Promise<string> {
      return (await helper.askToken(form, directory)).json.access_token;
    },

    /** Gives the first demo app only these roles, and returns a token with them. */
    async tokenWithRoles(...roles: string[]): Promise<string> {
      await simulator.control.updateApp(DIRECTORY, CLIENT_ID, { roles });
      return helper.newToken();
    },

    async raw(method: string, path: string, init: CallInit = {}): Promise<Response> {
      if (init.token === undefined) token ??= await helper.newToken();
      const bearer = init.token === undefined ? token : init.token;
      const url = path.startsWith('http') ? path : `${simulator.url}/v1.0${path}`;
      return fetch(url, {
        method,
        headers: {
          ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
          ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...init.headers,
        },
        body: init.rawBody ?? (init.body === undefined ? undefined : JSON.stringify(init.body)),
        redirect: 'manual',
      });
    },

    async call(method: string, path: string, init: CallInit = {}): Promise<Reply> {
      return reply(await helper.raw(method, path, init));
    },

    async createEvent(overrides: Record<string, unknown> = {}, init: CallInit = {}): Promise<Wire> {
      const answer = await helper.call('POST', `/users/${ORGANIZER}/events`, { ...init, body: draft(overrides) });
      if (answer.status !== 201) throw new Error(`event not created: ${answer.status} ${answer.text}`);
      return answer.json;
    },

    /** Creates an event with a Teams meeting and returns the meeting's id with both addresses that lead to it. */
    async createMeeting(overrides: Record<string, unknown> = {}) {
      const event = await helper.createEvent(overrides);
      const [summary] = (await simulator.control.listEvents(DIRECTORY, ORGANIZER)).slice(-1);
      const meetingId = summary?.meetingId ?? '';
      return { event, meetingId, path: `/users/${ORGANIZER}/onlineMeetings/${encodeURIComponent(meetingId)}` };
    },
  };
  return helper;
}

/** A complete create request. */
export function draft(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    subject: 'Quarterly review',
    body: { contentType: 'HTML', content: '<p>Agenda</p>' },
    start: { dateTime: '2030-07-01T09:00:00', timeZone: 'UTC' },
    end: { dateTime: '2030-07-01T10:00:00', timeZone: 'UTC' },
    attendees: [{ type: 'required', emailAddress: { address: 'client@customer.example', name: 'Client' } }],
    isOnlineMeeting: true,
    onlineMeetingProvider: 'teamsForBusiness',
    ...overrides,
  };
}

export async function reply(response: Response): Promise<Reply> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): Wire {
  try {
    return JSON.parse(text);
  } catch {
    return {} as Wire;
  }
}

export function filterByLink(joinUrl: string): string {
  return `$filter=${encodeURIComponent(`JoinWebUrl eq '${joinUrl.replaceAll("'", "''")}'`)}`;
}
