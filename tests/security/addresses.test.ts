import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backgroundViewer } from '../../src/services/viewer.ts';
import { CONNECT, UPDATE_SETTINGS } from '../support/setup.ts';
import { reachable } from '../support/subgraph.ts';
import { attempts } from './attempts.ts';
import { askedOf, entryOf, schemaOf } from './operations.ts';
import { type Stage, setTheStage, tokenOfA } from './stage.ts';

/** Columns whose texts are addresses, or become a part of one. */
const ADDRESSES = ['join_url', 'delta_link', 'public_url'];

let stage: Stage;
let token: string;
/** A server at which nobody has any business: every call to it is one that got through. */
let trap: Server;
let trapUrl: string;
let sprung: string[] = [];

beforeAll(async () => {
  trap = createServer((request, response) => {
    sprung.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
    response.end('{}');
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;
  stage = await setTheStage();
  token = await tokenOfA(stage);
  await stage.subgraph.runJobs();
});
afterAll(async () => {
  await stage.subgraph.close();
  await new Promise((resolve) => trap.close(resolve));
});

/** Where Microsoft was asked since the last time; each has to be one of the addresses that Microsoft documents. */
async function asked(): Promise<string[]> {
  const requests = await stage.subgraph.simulator.requests();
  await stage.subgraph.simulator.clearRequests();
  return requests.map(({ method, path }) => `${method} ${path}`);
}

const GUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const DOCUMENTED = new RegExp(
  String.raw`^\w+ (/v1\.0/(users|subscriptions|\$batch|servicePrincipals|communications)\b|/(${GUID}|[a-z0-9.-]+)/(oauth2/v2\.0/token|v2\.0/\.well-known|discovery)|/media/|/content/)`,
  'i',
);

async function expectNothingCalled(): Promise<void> {
  expect(sprung).toEqual([]);
  for (const one of await asked()) {
    expect(one).toMatch(DOCUMENTED);
    expect(one).not.toMatch(/\.\.|%2e%2e|\/\/|_simulator/i);
  }
}

describe('an address that is stored', () => {
  const stored = attempts('a stored address that leads elsewhere');

  it('is in one of the columns below', async () => {
    const columns = await stage.subgraph.database.query<{ name: string }>(
      "SELECT DISTINCT column_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND column_name ~ '(url|uri|link|address|host|endpoint)' AND column_name <> 'email_address' ORDER BY 1",
    );
    expect(columns.map(({ name }) => name).sort()).toEqual([...ADDRESSES].sort());
  });

  for (const column of ADDRESSES)
    stored(`is never called from here: ${column}`, async () => {
      const tables = await stage.subgraph.database.query<{ name: string }>(
        "SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = $1",
        [column],
      );
      expect(tables).not.toEqual([]);
      for (const { name } of tables)
        await stage.subgraph.database.query(`UPDATE "${name}" SET "${column}" = $1`, [`${trapUrl}/x`]);
      const operations = askedOf(await schemaOf(stage.subgraph.url)).filter(
        ({ name }) => !/connectMicrosoftApp|cancel/.test(name),
      );
      for (const { name, operation } of operations)
        await stage.subgraph.send(token, operation, entryOf({ name }).variables(stage.a));
      await stage.subgraph.runJobs({ early: true });
      const { links } = stage.subgraph.services;
      const viewer = backgroundViewer('tenant-a');
      const playing = await fetch(reachable(stage.subgraph, links.sign(viewer, 'recording', stage.a.recordingId).url));
      await playing.body?.cancel();
      await expectNothingCalled();
    });
});

describe('an address that Microsoft is said to have given', () => {
  const redirected = attempts('a redirect that leads elsewhere');
  for (const path of ['/content', '/recordings', '/calendarView', '/users/'])
    redirected(`is not followed with our token: of ${path}`, async () => {
      const id = await stage.subgraph.simulator.addFault({
        match: { path },
        status: 302,
        headers: { location: `${trapUrl}/x` },
        times: null,
      });
      expect(id).toBeGreaterThan(0);
      await stage.subgraph.send(
        token,
        'mutation ($id: ID!) { refreshTeamsMeetingArtifacts(input: { meetingId: $id }) { userErrors { code } } }',
        { id: stage.a.meetingId },
      );
      await stage.subgraph.simulator.clearFaults();
      expect(sprung.filter((call) => /bearer/i.test(call))).toEqual([]);
      sprung = [];
    });
});

describe('a name that becomes a part of an address', () => {
  const names = attempts('a name that becomes a part of an address');
  const app = { clientId: 'aaaaaaaa-0000-4000-8000-000000000001', clientSecret: 'simulator-secret-tenant-a' };
  for (const directoryId of [
    ...[
      '../_simulator/load',
      '..%2f_simulator%2fload',
      '/evil.example',
      '//evil.example',
      'evil.example/..',
      'evil.example?x=',
      'evil.example#',
    ],
    ...[
      '@evil.example',
      'evil.example\\..',
      '127.0.0.1:1',
      '[::1]',
      'localhost',
      '169.254.169.254',
      'common\r\nhost: evil.example',
      'common/../x',
      '',
    ],
  ])
    names(`is no directory: ${JSON.stringify(directoryId)}`, async () => {
      const { data, status } = await stage.subgraph.send<{
        connectMicrosoftApp: { settings: unknown; userErrors: unknown[] };
      }>(token, CONNECT, { input: { ...app, directoryId } });
      expect(status).toBeLessThan(500);
      expect(data?.connectMicrosoftApp.settings).toBeNull();
      expect(data?.connectMicrosoftApp.userErrors).not.toEqual([]);
      await expectNothingCalled();
    });

  for (const upn of [
    ...[
      '../../me@acme.example',
      '..%2f..%2fme@acme.example',
      'a/b@acme.example',
      'a?$select=*@acme.example',
      'a#@acme.example',
      "a'b@acme.example",
    ],
    ...[
      'a\\..@acme.example',
      'a@acme.example/messages',
      'a@acme.example?$expand=x',
      'a\r\nx: y@acme.example',
      'a\0@acme.example',
      '@',
      'a@b@c',
    ],
  ])
    names(`is no organizer, and leads to no other resource of Graph: ${JSON.stringify(upn)}`, async () => {
      const { data, errors } = await stage.subgraph.send<{
        updateTeamsSettings: { settings: unknown; userErrors: unknown[] };
      }>(token, UPDATE_SETTINGS, { input: { organizerUserPrincipalName: upn } });
      expect(errors).toEqual([]);
      expect(data?.updateTeamsSettings.settings).toBeNull();
      expect(data?.updateTeamsSettings.userErrors).not.toEqual([]);
      for (const one of await asked()) {
        expect(one).toMatch(/^(GET \/v1\.0\/users\/[^/]+(\?[^/]*)?|POST \/[^/]+\/oauth2\/v2\.0\/token)$/);
      }
    });

  for (const outsideMailbox of [
    '../../me@x.example',
    'a/../b@x.example',
    'a?x@x.example',
    'a\r\n@x.example',
    'a\0@x.example',
  ])
    names(`is no mailbox to look into: ${JSON.stringify(outsideMailbox)}`, async () => {
      const { status, errors } = await stage.subgraph.send(
        token,
        'mutation ($m: EmailAddress) { verifyTeamsOrganizer(input: { outsideMailbox: $m }) { verification { outcome } userErrors { code } } }',
        { m: outsideMailbox },
      );
      expect(status).toBeLessThan(500);
      expect(errors.map(({ extensions }) => extensions.code)).not.toContain('INTERNAL_SERVER_ERROR');
      await expectNothingCalled();
    });
});
