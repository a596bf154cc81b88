import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FakeTeamsSubgraph, startFakeTeamsSubgraph } from './fake-teams-subgraph.ts';
import { createTokenIssuer, type TokenIssuer } from './tokens.ts';

const main = fileURLToPath(new URL('../../../examples/supergraph/main.ts', import.meta.url));

interface Run {
  child: ChildProcess;
  /** All that was printed, once it has ended. */
  output: Promise<{ stdout: string; stderr: string; code: number | null }>;
}

let issuer: TokenIssuer;
let teams: FakeTeamsSubgraph;
const runs: Run[] = [];

beforeAll(async () => {
  issuer = await createTokenIssuer();
  teams = await startFakeTeamsSubgraph();
});
afterEach(async () => {
  for (const { child, output } of runs.splice(0)) {
    child.kill('SIGKILL');
    await output;
  }
});
afterAll(async () => {
  await teams.close();
  issuer.close();
});

function start(environment: Record<string, string>): Run {
  const child = fork(main, {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { PATH: process.env.PATH, GATEWAY_PORT: '0', PSA_CORE_PORT: '0', ...environment },
  });
  const ended = once(child, 'exit');
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('no pipes');
  const output = Promise.all([text(stdout), text(stderr), ended]).then(([out, err, [code]]) => ({
    stdout: out,
    stderr: err,
    code: code as number | null,
  }));
  const run = { child, output };
  runs.push(run);
  return run;
}

function usable(): Record<string, string> {
  const { jwksFile, issuer: iss, audience } = issuer.auth;
  return { AUTH_JWKS_FILE: jwksFile, AUTH_ISSUER: iss, AUTH_AUDIENCE: audience, TEAMS_SUBGRAPH_URL: teams.url };
}

async function ready({ child, output }: Run): Promise<{ type: string; gatewayUrl: string; psaCoreUrl: string }> {
  const result = await Promise.race([once(child, 'message'), output]);
  if (!Array.isArray(result)) throw new Error(`ended: ${result.stderr}`);
  return result[0];
}

describe('the supergraph as a process', { timeout: 60_000 }, () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('tells its addresses and stops on %s', async (signal) => {
    const run = start(usable());
    const message = await ready(run);
    expect(message).toEqual({
      type: 'ready',
      gatewayUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:[1-9]\d*\/graphql$/),
      psaCoreUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:[1-9]\d*\/graphql$/),
    });
    expect((await fetch(new URL('/healthcheck', message.gatewayUrl))).status).toBe(200);
    run.child.kill(signal);
    expect(await run.output).toEqual({
      stdout: `PSA core  ${message.psaCoreUrl}\ngateway   ${message.gatewayUrl}\n`,
      stderr: '',
      code: 0,
    });
  });

  it('stops when its parent is gone', async () => {
    const run = start(usable());
    await ready(run);
    run.child.disconnect();
    expect((await run.output).code).toBe(0);
  });

  it('stops quietly while it still waits for the Teams subgraph', async () => {
    const asked = createServer((_, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
    await once(asked, 'listening');
    const url = `http://127.0.0.1:${(asked.address() as AddressInfo).port}/`;
    const run = start({ ...usable(), TEAMS_SUBGRAPH_URL: url });
    await once(asked, 'request');
    run.child.kill('SIGTERM');
    expect(await run.output).toEqual({ stdout: '', stderr: '', code: 0 });
    asked.closeAllConnections();
    asked.close();
  });

  describe('with a taken port', () => {
    let taken: Server;
    beforeAll(async () => {
      taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
    });
    afterAll(() => taken.close());

    it.each(['GATEWAY_PORT', 'PSA_CORE_PORT'])('says so in one line and fails (%s)', async (name) => {
      const { port } = taken.address() as AddressInfo;
      expect(await start({ ...usable(), [name]: String(port) }).output).toEqual({
        stdout: '',
        stderr: `supergraph: port ${port} of 127.0.0.1 is taken; set GATEWAY_PORT or PSA_CORE_PORT.\n`,
        code: 1,
      });
    });
  });

  it('refuses an unusable environment in one line', async () => {
    const refusals: [Record<string, string>, RegExp][] = [
      [{ AUTH_ISSUER: '' }, /AUTH_ISSUER/],
      [{ AUTH_JWKS_URL: 'http://127.0.0.1:1/' }, /AUTH_JWKS_URL: set this or AUTH_JWKS_FILE/],
      [{ GATEWAY_PORT: 'x' }, /GATEWAY_PORT/],
      [{ AUTH_JWKS_FILE: '/nowhere/jwks.json' }, /\/nowhere\/jwks\.json/],
    ];
    await Promise.all(
      refusals.map(async ([change, reason]) => {
        const { stdout, stderr, code } = await start({ ...usable(), ...change }).output;
        expect(stderr).toMatch(reason);
        expect({ stdout, lines: stderr.split('\n').length, code }).toEqual({ stdout: '', lines: 2, code: 1 });
      }),
    );
  });
});
