/**
 * npm run upgrade:rehearse -- --from v0.1.0 [--as-owner]: builds an earlier state of this project and puts this one in its
 * place as docs/upgrading.md says, and back again, while boards, phones, lists and searches are asked for and meetings are
 * made, moved and cancelled. Exit 0 only if no request failed and every server ended by itself. With --as-owner the earlier
 * one logs into the database as the owner of the tables, as it had to before there was another login.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { demoWorld } from '../../simulator/seed.ts';
import { startSimulator } from '../../simulator/server.ts';
import { developmentSecrets } from '../../src/cli/development-secrets.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { activate, createMeeting } from '../support/setup.ts';
import { sendTo, type TestSubgraph } from '../support/subgraph.ts';
import { AUDIENCE, createTokenMaker, ISSUER, type TokenMaker } from '../support/tokens.ts';
import { hotReads, startTraffic, type Traffic } from '../support/traffic.ts';
import { type Release, type RunningServer, releaseOf, thisRelease } from './release.ts';

const DATABASE = 'upgrade';
const SUBJECTS = ['appt-upgrade-0', 'appt-upgrade-1', 'appt-upgrade-2'];
/** Each state is asked this often before the next step. */
const ASKED = 300;
const LOOK_EVERY_MS = 50;

interface Surroundings {
  /** What servers and migrations of both releases need. */
  env: Record<string, string>;
  ownerUrl: string;
  tokens: TokenMaker;
  close(): Promise<void>;
}

async function openSurroundings(): Promise<Surroundings> {
  const directory = await mkdtemp(join(tmpdir(), 'teams-meetings-upgrade-'));
  const { encryptionKeys, linkSigningKeys } = await developmentSecrets(directory);
  const tokens = await createTokenMaker();
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(tokens.jwks));
  const cluster = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), persistent: false });
  await cluster.ensureDatabase(DATABASE);
  const simulator = await startSimulator();
  await simulator.control.load(demoWorld());
  return {
    env: {
      NODE_ENV: 'development',
      PATH: process.env.PATH ?? '',
      DATABASE_URL: cluster.applicationUrl(DATABASE),
      MIGRATION_DATABASE_URL: cluster.url(DATABASE),
      HOST: '127.0.0.1',
      AUTH_JWKS_FILE: jwksFile,
      AUTH_ISSUER: ISSUER,
      AUTH_AUDIENCE: AUDIENCE,
      ENCRYPTION_KEYS: encryptionKeys,
      LINK_SIGNING_KEYS: linkSigningKeys,
      GRAPH_BASE_URL: simulator.url,
      ENTRA_BASE_URL: simulator.url,
      EXPLORER: 'off',
      LOG_LEVEL: 'fatal',
      VIEWER_REQUESTS_PER_MINUTE: '0',
      TENANT_REQUESTS_PER_MINUTE: '0',
    },
    ownerUrl: cluster.url(DATABASE),
    tokens,
    async close() {
      await simulator.close();
      await cluster.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Servers behind what stands for a load balancer: each request goes to the next one. */
function createPool() {
  const servers: RunningServer[] = [];
  let turn = 0;
  return {
    servers,
    send: <Data = Record<string, unknown>>(...[token, query, variables]: Parameters<TestSubgraph['send']>) => {
      turn += 1;
      return sendTo(servers[turn % servers.length]?.url ?? '')<Data>(token, query, variables);
    },
    /** Starts one, then takes the oldest out and ends it. @returns its exit code */
    async replace(start: () => Promise<RunningServer>): Promise<number | null> {
      servers.push(await start());
      return (await servers.shift()?.stop()) ?? null;
    },
  };
}

async function answeredMore(traffic: Traffic): Promise<void> {
  for (const enough = traffic.answered + ASKED; traffic.answered < enough; ) await setTimeout(LOOK_EVERY_MS);
}

/** @returns whether everything held */
async function rehearse(former: Release, now: Release, around: Surroundings, asOwner: boolean): Promise<boolean> {
  const { env, ownerUrl, tokens } = around;
  const formerEnv = asOwner ? { ...env, DATABASE_URL: ownerUrl } : env;
  const say = (step: string, told: string) => console.log(`${step}: ${told}`);
  say('the former release migrates', await former.migrate(formerEnv));
  const pool = createPool();
  pool.servers.push(await former.start(formerEnv), await former.start(formerEnv));
  try {
    const token = await activate({ send: pool.send, tokens });
    const meetings = [];
    for (const appointmentId of SUBJECTS)
      meetings.push(await createMeeting({ send: pool.send, tokens }, token, { appointmentId }));
    const links = async () => {
      const { data } = await pool.send<object>(
        token,
        'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Appointment { teamsMeeting { joinUrl } } } }',
        {
          r: SUBJECTS.map((id) => ({ __typename: 'Appointment', id })),
        },
      );
      return JSON.stringify(data);
    };
    const linksBefore = await links();

    const reads = hotReads({ subjects: SUBJECTS, meetingId: meetings[0]?.id ?? '' });
    const traffic = startTraffic({ send: (query, variables) => pool.send(token, query, variables), reads });
    const codes: (number | null)[] = [];
    const step = async (name: string, work: () => Promise<string>) => {
      const before = traffic.answered;
      const told = await work();
      await answeredMore(traffic);
      say(name, `${told} ${traffic.answered - before} requests answered, ${traffic.failures.length} failed so far`);
    };
    try {
      await step('the former release serves', async () => '');
      await step('this one migrates', () => now.migrate(env));
      await step('this one takes its place', async () => {
        codes.push(await pool.replace(() => now.start(env)));
        await answeredMore(traffic);
        codes.push(await pool.replace(() => now.start(env)));
        return '';
      });
      await step('the former one comes back', async () => {
        codes.push(
          await pool.replace(() => former.start(formerEnv)),
          await pool.replace(() => former.start(formerEnv)),
        );
        return '';
      });
    } finally {
      await traffic.stop();
    }
    const areLinksTheSame = (await links()) === linksBefore;
    for (const failure of traffic.failures.slice(0, 10)) console.log(`failed: ${failure}`);
    say('servers ended with', codes.join(', '));
    say('join links', areLinksTheSame ? 'the same as before' : 'CHANGED');
    return traffic.failures.length === 0 && areLinksTheSame && codes.every((code) => code === 0);
  } finally {
    await Promise.all(pool.servers.map((server) => server.stop()));
  }
}

await runCommand(async () => {
  const { values } = parseArgs({
    options: { from: { type: 'string' }, 'as-owner': { type: 'boolean', default: false } },
  });
  if (values.from === undefined)
    throw new Error('Usage: npm run upgrade:rehearse -- --from <tag or commit> [--as-owner]');
  const former = await releaseOf(values.from);
  try {
    const around = await openSurroundings();
    try {
      const ok = await rehearse(former, thisRelease(), around, values['as-owner']);
      console.log(ok ? '\nNo request failed.' : '\nIt did not hold.');
      return ok ? 0 : 1;
    } finally {
      await around.close();
    }
  } finally {
    await former.remove();
  }
});
