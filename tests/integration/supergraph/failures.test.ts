import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPsaCore } from '../../../examples/supergraph/psa-core/server.ts';
import { startSupergraph } from '../../../examples/supergraph/start-supergraph.ts';
import { ask } from './ask.ts';
import { startFakeTeamsSubgraph } from './fake-teams-subgraph.ts';
import { createTokenIssuer, type TokenIssuer } from './tokens.ts';

const tina = { sub: 'user-tina', tenant_id: 'tenant-a', kind: 'msp' };
const ports = { gateway: 0, psaCore: 0 };
const hostname = '127.0.0.1';

let issuer: TokenIssuer;
beforeAll(async () => {
  issuer = await createTokenIssuer();
});
afterAll(() => issuer.close());

describe('a Teams subgraph that is not there', () => {
  it('leaves appointments whole, with null fields and errors beside them, and comes back', async () => {
    const first = await startFakeTeamsSubgraph();
    const { port } = new URL(first.url);
    const supergraph = await startSupergraph({ subgraphUrl: first.url, hostname, ports, auth: issuer.auth });
    const text = '{ appointments { id title teamsMeeting { id } recordings { id } } }';
    const token = await issuer.token(tina);
    await first.close();
    try {
      const result = await ask(supergraph.gatewayUrl, text, token);
      const appointments = result.data?.appointments as object[];
      expect(appointments).toHaveLength(6);
      for (const appointment of appointments) {
        expect(appointment).toMatchObject({ title: expect.any(String), teamsMeeting: null, recordings: null });
      }
      expect(result.errors?.length).toBeGreaterThan(0);
      expect(new Set(result.errors?.map(({ extensions }) => extensions?.code))).toEqual(
        new Set(['SUBREQUEST_HTTP_ERROR']),
      );

      const second = await startFakeTeamsSubgraph(Number(port));
      const again = await ask(supergraph.gatewayUrl, text, token);
      await second.close();
      expect(again.errors).toBeUndefined();
    } finally {
      await supergraph.close();
    }
  });

  it('is waited for while it comes up', async () => {
    const placeholder = await startFakeTeamsSubgraph();
    await placeholder.close();
    const starting = startSupergraph({ subgraphUrl: placeholder.url, hostname, ports, auth: issuer.auth });
    const teams = await startFakeTeamsSubgraph(Number(new URL(placeholder.url).port));
    const supergraph = await starting;
    const result = await ask(supergraph.gatewayUrl, '{ appointments { id } }', await issuer.token(tina));
    await supergraph.close();
    await teams.close();
    expect(result.data?.appointments).toHaveLength(6);
  });

  it('is waited for no longer than told, and nothing is left listening', async () => {
    const placeholder = createServer().listen(0, hostname);
    const free = () => (placeholder.address() as AddressInfo).port;
    await new Promise((resolve) => placeholder.once('listening', resolve));
    const gateway = free();
    await new Promise((resolve) => placeholder.close(resolve));

    const subgraphUrl = `http://127.0.0.1:${gateway}/nothing`;
    const options = { hostname, ports: { gateway, psaCore: 0 }, auth: issuer.auth, subgraphUrl, timeoutMs: 10 };
    await expect(startSupergraph(options)).rejects.toThrow('Subgraph teams-meetings');
    await expect(fetch(`http://127.0.0.1:${gateway}/healthcheck`)).rejects.toThrow();
  });
});

describe('the keys of the token issuer', () => {
  it('may lie behind an address', async () => {
    const keys = createServer((_, response) => response.end(readFileSync(issuer.auth.jwksFile)));
    await new Promise<void>((resolve) => keys.listen(0, hostname, resolve));
    const { jwksFile: _, ...claims } = issuer.auth;
    const auth = { ...claims, jwksUrl: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/` };
    const psaCore = await startPsaCore({ hostname, port: 0, auth });
    const result = await ask(psaCore.url, '{ me { id name } }', await issuer.token(tina));
    await psaCore.close();
    keys.closeAllConnections();
    await new Promise((resolve) => keys.close(resolve));
    expect(result).toEqual({ data: { me: { id: 'user-tina', name: 'Tina Technician' } } });
  });
});

describe('subgraphs that do not compose', () => {
  it('are refused with the reason', async () => {
    const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
      type Appointment @key(fields: "id") { id: ID! title: Int! }`;
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ data: { _service: { sdl } } }));
    });
    await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
    const subgraphUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
    await expect(startSupergraph({ subgraphUrl, hostname, ports, auth: issuer.auth })).rejects.toThrow(
      /do not compose:\n.*Appointment\.title/,
    );
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
