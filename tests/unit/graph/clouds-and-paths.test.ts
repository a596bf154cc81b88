import { describe, expect, it } from 'vitest';
import { cloudEndpoints, cloudHosts, isHostOfOtherCloud, isLoopback } from '../../../src/graph/clouds.ts';
import { GraphRequestError } from '../../../src/graph/errors.ts';
import { encodedLiteral, graphPath } from '../../../src/graph/path.ts';
import { createGraphService } from '../../../src/graph/service.ts';
import { parseInstant } from '../../../src/graph/wire.ts';

describe('cloudEndpoints', () => {
  it.each([
    ['GLOBAL', 'https://login.microsoftonline.com', 'https://graph.microsoft.com'],
    ['US_GOV_L4', 'https://login.microsoftonline.us', 'https://graph.microsoft.us'],
    ['US_GOV_L5', 'https://login.microsoftonline.us', 'https://dod-graph.microsoft.us'],
    ['CHINA', 'https://login.partner.microsoftonline.cn', 'https://microsoftgraph.chinacloudapi.cn'],
  ] as const)('%s', (cloud, login, graph) => {
    expect(cloudEndpoints(cloud)).toEqual({
      cloud,
      authorityBaseUrl: login,
      entraBaseUrl: login,
      graphBaseUrl: graph,
      scope: `${graph}/.default`,
    });
  });

  it('replaces the hosts of every cloud and leaves the scope alone', () => {
    const overrides = { graphBaseUrl: 'http://127.0.0.1:4010/v1.0/', entraBaseUrl: 'https://entra.example/' };
    expect(cloudEndpoints('CHINA', overrides)).toMatchObject({
      graphBaseUrl: 'http://127.0.0.1:4010',
      entraBaseUrl: 'https://entra.example',
      scope: 'https://microsoftgraph.chinacloudapi.cn/.default',
    });
  });

  it.each(['http://localhost:1', 'http://127.0.0.1', 'http://127.9.9.9:80', 'http://[::1]:8080'])(
    'accepts plain http on this computer: %s',
    (graphBaseUrl) => {
      expect(isLoopback(new URL(cloudEndpoints('GLOBAL', { graphBaseUrl }).graphBaseUrl))).toBe(true);
    },
  );

  it.each([
    ['http://graph.example', /https:\/\//],
    ['http://127.0.0.1.example', /https:\/\//],
    ['http://10.0.0.1', /https:\/\//],
    ['ftp://localhost', /https:\/\//],
    ['https://user:pass@graph.example', /credentials/],
    ['https://graph.example?x=1', /query/],
    ['graph.example', /absolute URL/],
  ])('refuses %s when the service is made', (graphBaseUrl, message) => {
    const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    expect(() => createGraphService({ logger, graphBaseUrl })).toThrow(message);
    expect(() => createGraphService({ logger, entraBaseUrl: graphBaseUrl })).toThrow(message);
  });
});

describe('the hosts of the clouds', () => {
  it.each([
    ['GLOBAL', 'teams.microsoft.com'],
    ['US_GOV_L4', 'gov.teams.microsoft.us'],
    ['US_GOV_L5', 'dod.teams.microsoft.us'],
    ['CHINA', 'teams.microsoftonline.cn'],
  ] as const)('join links of %s lie on %s', (cloud, host) => {
    expect(cloudHosts(cloud).teams).toBe(host);
  });

  it.each([
    ['graph.microsoft.us', 'GLOBAL', true],
    ['GRAPH.MICROSOFT.US', 'GLOBAL', true],
    ['graph.microsoft.us.', 'GLOBAL', true],
    ['graph.microsoft.com', 'CHINA', true],
    ['dod-graph.microsoft.us', 'US_GOV_L4', true],
    ['login.microsoftonline.us', 'US_GOV_L4', false],
    ['login.microsoftonline.us', 'US_GOV_L5', false],
    ['graph.microsoft.com', 'GLOBAL', false],
    ['contoso.sharepoint.com', 'CHINA', false],
  ] as const)('%s seen from %s is of another one: %s', (host, cloud, isOther) => {
    expect(isHostOfOtherCloud(host, cloud)).toBe(isOther);
  });
});

describe('graphPath', () => {
  it('percent-encodes ids', () => {
    const path = graphPath('/users/{user}/events/{event}', { user: 'a#EXT#@b.example', event: 'AA+/=?' });
    expect(path).toEqual({
      path: '/users/a%23EXT%23%40b.example/events/AA%2B%2F%3D%3F',
      template: '/users/{user}/events/{event}',
    });
  });

  it.each(['', '.', '..'])('refuses %j as an id', (user) => {
    expect(() => graphPath('/users/{user}/events', { user })).toThrow(GraphRequestError);
  });
});

it('encodedLiteral encodes once and doubles quotation marks', () => {
  const link = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%22O'Neil%22%7d";
  const literal = encodedLiteral(link);
  expect(literal).toContain('%253ameeting');
  expect(decodeURIComponent(literal)).toBe(`'${link.replace("'", "''")}'`);
});

describe('parseInstant', () => {
  it.each([
    ['2017-04-15T11:00:00.0000000', '2017-04-15T11:00:00.000Z'],
    ['2017-04-15T11:00:00.1234567Z', '2017-04-15T11:00:00.123Z'],
    ['2017-04-15T11:00:00.1', '2017-04-15T11:00:00.100Z'],
    ['2017-04-15T11:00:00Z', '2017-04-15T11:00:00.000Z'],
    ['2017-04-15T11:00', '2017-04-15T11:00:00.000Z'],
    ['2017-04-15T11:00:00+02:00', '2017-04-15T09:00:00.000Z'],
  ])('%s', (text, iso) => {
    expect(parseInstant(text)?.toISOString()).toBe(iso);
  });

  it.each(['', 'tomorrow', '2017-04-15', '2017-13-45T99:00:00'])('%j is no instant', (text) => {
    expect(parseInstant(text)).toBeNull();
  });
});
