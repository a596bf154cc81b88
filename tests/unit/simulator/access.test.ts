import { describe, expect, it } from 'vitest';
import {
  CLIENT_ID,
  DIRECTORY,
  draft,
  filterByLink,
  GUID,
  ORGANIZER,
  ORGANIZER_UPN,
  OTHER,
  useSimulator,
} from './support.ts';

const sim = useSimulator();
const UNKNOWN_USER = 'cccccccc-0000-4000-8000-00000000000c';
const LOOKUP = `/users/${ORGANIZER}/onlineMeetings?${filterByLink('https://teams.microsoft.com/l/none')}`;

describe('common conventions', () => {
  it('puts the headers of Graph on successes', async () => {
    const { headers } = await sim.call('GET', `/users/${ORGANIZER}`);
    expect(headers.get('request-id')).toMatch(GUID);
    expect(headers.get('client-request-id')).toBe(headers.get('request-id'));
    expect(JSON.parse(headers.get('x-ms-ags-diagnostic') ?? '')).toHaveProperty('ServerInfo.DataCenter');
    expect(headers.get('strict-transport-security')).toContain('max-age');
    expect(headers.get('cache-control')).toContain('no-store');
    expect(headers.get('odata-version')).toBe('4.0');
    expect(headers.get('content-type')).toContain('odata.metadata=minimal');
  });

  it('echoes the client-request-id and repeats both ids in error bodies', async () => {
    const answer = await sim.call('GET', `/users/${UNKNOWN_USER}`, { headers: { 'client-request-id': 'mine-42' } });
    expect(answer.headers.get('client-request-id')).toBe('mine-42');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.json.error.innerError).toEqual({
      date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
      'request-id': answer.headers.get('request-id'),
      'client-request-id': 'mine-42',
    });
  });

  it('takes Date and innerError.date from the clock', async () => {
    await sim.control.setClock(new Date('2031-01-02T03:04:05Z'));
    const answer = await sim.call('GET', `/users/${UNKNOWN_USER}`);
    expect(answer.headers.get('date')).toMatch(/^Thu, 02 Jan 2031 03:04:/);
    expect(answer.json.error.innerError.date).toMatch(/^2031-01-02T03:04:/);
  });

  it.each([
    ['GET', '/planets', 400, "Resource not found for the segment 'planets'."],
    ['GET', `/users/${ORGANIZER}/horoscope`, 400, "Resource not found for the segment 'horoscope'."],
    ['GET', `/users/${ORGANIZER}/events/x/y`, 400, "Resource not found for the segment 'y'."],
    ['GET', '/me/events', 400, '/me request is only valid with delegated authentication flow.'],
    ['PUT', `/users/${ORGANIZER}/events`, 405, 'Specified HTTP method is not allowed for the request target.'],
  ])('refuses %s %s', async (method, path, status, message) => {
    const answer = await sim.call(method, path);
    expect([answer.status, answer.json.error.code, answer.json.error.message]).toEqual([status, 'BadRequest', message]);
  });

  it('refuses other versions than v1.0', async () => {
    const answer = await sim.call('GET', `${sim.url}/v3.0/users`);
    expect([answer.status, answer.json.error.message]).toEqual([400, 'Invalid version: v3.0']);
  });

  it('takes keys in parentheses and names of segments in any case', async () => {
    expect((await sim.call('GET', `/Users('${ORGANIZER}')`)).json.id).toBe(ORGANIZER);
  });
});

describe('bearer token', () => {
  it.each([
    ['no header', null, 'Access token is empty.'],
    ['garbage', 'garbage', 'CompactToken parsing failed with error code: 80049217'],
    [
      'a foreign signature',
      'eyJhbGciOiJSUzI1NiJ9.eyJ0aWQiOiJ4In0.c2lnbmF0dXJl',
      'CompactToken parsing failed with error code: 80049217',
    ],
  ])('is refused: %s', async (_case, token, message) => {
    const answer = await sim.call('GET', `/users/${ORGANIZER}`, { token });
    expect([answer.status, answer.json.error.code, answer.json.error.message]).toEqual([
      401,
      'InvalidAuthenticationToken',
      message,
    ]);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
  });

  it('is refused when it has expired', async () => {
    const token = await sim.newToken();
    await sim.control.advanceClock(3_600_000);
    const answer = await sim.call('GET', `/users/${ORGANIZER}`, { token });
    expect([answer.status, answer.json.error.message]).toEqual([
      401,
      'Lifetime validation failed, the token is expired.',
    ]);
  });

  it('shows new roles only in a new token', async () => {
    const before = await sim.tokenWithRoles('Calendars.ReadWrite');
    await sim.control.updateApp(DIRECTORY, CLIENT_ID, { roles: ['Calendars.ReadWrite', 'User.Read.All'] });
    expect((await sim.call('GET', `/users/${ORGANIZER}`, { token: before })).status).toBe(403);
    expect((await sim.call('GET', `/users/${ORGANIZER}`)).status).toBe(200);
  });

  it('reaches only its own directory', async () => {
    const token = await sim.newToken({ client_id: OTHER.clientId, client_secret: OTHER.secret }, OTHER.directory);
    expect((await sim.call('GET', `/users/${ORGANIZER}`, { token })).status).toBe(404);
    expect((await sim.call('GET', `/users/${OTHER.organizer}`, { token })).status).toBe(200);
  });
});

describe('app roles', () => {
  it.each([
    ['GET', `/users/${ORGANIZER}`, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'],
    ['GET', `/users/${ORGANIZER}/calendar`, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.'],
    ['POST', `/users/${ORGANIZER}/events`, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.'],
    ['GET', LOOKUP, 'Forbidden', 'Application is missing required permissions'],
    [
      'GET',
      `/users/${ORGANIZER}/onlineMeetings/x/recordings`,
      'Forbidden',
      'Application is missing required permissions',
    ],
    [
      'GET',
      `/users/${ORGANIZER}/onlineMeetings/x/transcripts`,
      'Forbidden',
      'Application is missing required permissions',
    ],
  ])('missing for %s %s', async (method, path, code, message) => {
    const token = await sim.tokenWithRoles('Mail.Read');
    const body = method === 'POST' ? draft() : undefined;
    const answer = await sim.call(method, path, { token, body });
    expect([answer.status, answer.json.error.code]).toEqual([403, code]);
    expect(answer.json.error.message).toContain(message);
  });

  it('Calendars.ReadBasic.All reads events without their bodies and writes nothing', async () => {
    const event = await sim.createEvent();
    const token = await sim.tokenWithRoles('Calendars.ReadBasic.All');
    const read = await sim.call('GET', `/users/${ORGANIZER}/events/${event.id}`, { token });
    expect(read.status).toBe(200);
    expect(read.json).not.toHaveProperty('body');
    expect((await sim.call('DELETE', `/users/${ORGANIZER}/events/${event.id}`, { token })).status).toBe(403);
  });

  it('OnlineMeetings.Read.All looks up but does not create', async () => {
    const token = await sim.tokenWithRoles('OnlineMeetings.Read.All');
    expect((await sim.call('GET', LOOKUP, { token })).status).toBe(200);
    expect((await sim.call('POST', `/users/${ORGANIZER}/onlineMeetings`, { token, body: {} })).status).toBe(403);
  });
});

describe('users', () => {
  it('are found by object id and by userPrincipalName', async () => {
    const answer = await sim.call('GET', `/users/${ORGANIZER_UPN}?$select=id,userPrincipalName,accountEnabled`);
    expect(answer.json).toEqual({
      '@odata.context': expect.stringContaining('$metadata#users'),
      id: ORGANIZER,
      userPrincipalName: ORGANIZER_UPN,
      accountEnabled: true,
    });
  });

  it('show accountEnabled only when selected', async () => {
    expect((await sim.call('GET', `/users/${ORGANIZER}`)).json).not.toHaveProperty('accountEnabled');
  });

  it('refuse to select a property that does not exist', async () => {
    const answer = await sim.call('GET', `/users/${ORGANIZER}?$select=shoeSize`);
    expect([answer.status, answer.json.error.code]).toEqual([400, 'BadRequest']);
    expect(answer.json.error.message).toContain("Could not find a property named 'shoeSize'");
  });

  it.each([
    [`/users/${UNKNOWN_USER}`, 'Request_ResourceNotFound', `Resource '${UNKNOWN_USER}' does not exist or one of its`],
    [`/users/${UNKNOWN_USER}/events`, 'ErrorInvalidUser', `The requested user '${UNKNOWN_USER}' is invalid.`],
    [`/users/${UNKNOWN_USER}/calendar`, 'ErrorInvalidUser', `The requested user '${UNKNOWN_USER}' is invalid.`],
  ])('unknown at %s', async (path, code, message) => {
    const answer = await sim.call('GET', path);
    expect([answer.status, answer.json.error.code]).toEqual([404, code]);
    expect(answer.json.error.message).toContain(message);
  });

  it('vanish between two calls', async () => {
    await sim.control.deleteUser(DIRECTORY, ORGANIZER);
    expect((await sim.call('GET', `/users/${ORGANIZER}/events`)).json.error.code).toBe('ErrorInvalidUser');
    expect((await sim.call('GET', `/users/${ORGANIZER}`)).json.error.code).toBe('Request_ResourceNotFound');
  });
});

describe('mailbox and Exchange scope', () => {
  it('tells the providers of the calendar', async () => {
    const path = `/users/${ORGANIZER}/calendar?$select=id,allowedOnlineMeetingProviders,defaultOnlineMeetingProvider`;
    expect((await sim.call('GET', path)).json).toMatchObject({
      allowedOnlineMeetingProviders: ['teamsForBusiness'],
      defaultOnlineMeetingProvider: 'teamsForBusiness',
    });
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsEnabled: false });
    expect((await sim.call('GET', path)).json.allowedOnlineMeetingProviders).toEqual([]);
  });

  it('refuses a user without mailbox', async () => {
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { hasMailbox: false });
    const answer = await sim.call('GET', `/users/${ORGANIZER}/calendar`);
    expect([answer.status, answer.json.error.code]).toEqual([404, 'MailboxNotEnabledForRESTAPI']);
    expect((await sim.call('GET', LOOKUP)).status).toBe(200);
  });

  it('refuses an app outside the scope before it looks for the mailbox', async () => {
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { exchangeScopeAppIds: [], hasMailbox: false });
    const answer = await sim.call('GET', `/users/${ORGANIZER}/calendar`);
    expect([answer.status, answer.json.error.code]).toEqual([403, 'ErrorAccessDenied']);
    expect(answer.json.error.message).toContain('Access to OData is disabled');
  });
});

describe('Teams application access policy', () => {
  it('refuses an app that the policy does not list, and leaves the calendar alone', async () => {
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    const answer = await sim.call('GET', LOOKUP);
    expect([answer.status, answer.json.error.code, answer.json.error.message]).toEqual([
      403,
      'Forbidden',
      'No application access policy found for this app',
    ]);
    expect((await sim.call('GET', `/users/${ORGANIZER}/events`)).status).toBe(200);
  });

  it('counts the global policy only for users without their own', async () => {
    await sim.control.updateDirectory(DIRECTORY, { globalTeamsPolicyAppIds: [CLIENT_ID] });
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: 'global' });
    expect((await sim.call('GET', LOOKUP)).status).toBe(200);
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    expect((await sim.call('GET', LOOKUP)).status).toBe(403);
  });

  it('takes object ids in the path only', async () => {
    const answer = await sim.call('GET', LOOKUP.replace(ORGANIZER, ORGANIZER_UPN));
    expect([answer.status, answer.json.error.code]).toEqual([404, 'NotFound']);
  });

  it('comes after the role and the user', async () => {
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    expect((await sim.call('GET', LOOKUP.replace(ORGANIZER, UNKNOWN_USER))).status).toBe(404);
    const token = await sim.tokenWithRoles('Mail.Read');
    expect((await sim.call('GET', LOOKUP, { token })).json.error.message).toContain('missing required permissions');
  });
});
