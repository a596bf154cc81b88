/**
 * npm run chaos -- --operations 500 --seed N: random operations by several clients on two subgraph processes, while
 * Microsoft fails in every way and processes are killed. Exit 0 only if nothing was lost, doubled or orphaned.
 */
import { copyFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { armFaults } from './faults.ts';
import { createClient, type Performed } from './operations.ts';
import { FAULTY, judge, settled, type Verdict } from './oracle.ts';
import { type Random, seededRandom } from './random.ts';
import { setUp } from './set-up.ts';
import { type ChaosWorld, startChaosWorld } from './world.ts';

const TENANTS = 4;
const APPOINTMENTS_PER_TENANT = 10;
const CLIENTS = 10;
/** A job backs off by up to half a minute after a handful of failures, and a dead worker's lease is as long. */
const SETTLE_WITHIN_MS = 240_000;

/** Kills a random process every few seconds and starts it again, until told to stop. */
async function killNowAndThen(world: ChaosWorld, random: Random, isOver: () => boolean): Promise<number> {
  for (let kills = 0; ; kills += 1) {
    await setTimeout(2_500 + random.below(3_000));
    if (isOver()) return kills;
    const victim = random.pick(world.replicas);
    victim.kill();
    await setTimeout(random.below(500));
    await victim.start();
  }
}

async function perform(world: ChaosWorld, operations: number, seed: number): Promise<Performed[]> {
  const performed: Performed[] = [];
  let number = 0;
  let left = operations;
  const clients = Array.from({ length: Math.min(CLIENTS, operations) }, (_, index) =>
    createClient(world.replicas, world.tenants, APPOINTMENTS_PER_TENANT, seededRandom(seed * 1_000 + index), () => {
      number += 1;
      return number;
    }),
  );
  await Promise.all(
    clients.map(async (client) => {
      while (left > 0) {
        left -= 1;
        performed.push(await client.perform());
      }
    }),
  );
  return performed;
}

function print(seed: number, verdict: Verdict, facts: Record<string, number>): boolean {
  const isGood = FAULTY.every((name) => verdict[name] === 0);
  console.log(`seed ${seed}`);
  const { operations, accepted, meetings } = verdict;
  for (const [name, value] of Object.entries({ operations, accepted, ...facts, meetings })) {
    console.log(`  ${name.padEnd(14)} ${String(value).padStart(6)}`);
  }
  for (const name of FAULTY) {
    console.log(`${verdict[name] === 0 ? '✔' : '✘'} ${name.padEnd(14)} ${String(verdict[name]).padStart(6)}`);
  }
  for (const finding of verdict.findings.slice(0, 12)) console.log(`  ${finding}`);
  console.log(isGood ? 'Nothing was lost, doubled or orphaned.' : 'The chaos won.');
  return isGood;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      operations: { type: 'string', default: '500' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      'keep-log': { type: 'string' },
    },
  });
  const operations = Number(values.operations);
  const seed = Number(values.seed);
  if (!Number.isInteger(operations) || operations < 1 || !Number.isInteger(seed)) {
    throw new Error('Usage: npm run chaos -- --operations <number> --seed <number>');
  }
  const random = seededRandom(seed);
  const world = await startChaosWorld(TENANTS);
  try {
    await setUp(world, random);
    await armFaults(world.simulator, seed);
    const began = performance.now();
    let isOver = false;
    const killing = killNowAndThen(world, seededRandom(seed + 1), () => isOver);
    const performed = await perform(world, operations, seed);
    isOver = true;
    const kills = await killing;
    const chaosSeconds = Math.round((performance.now() - began) / 1000);
    await world.simulator.clearFaults();
    // With the faults their delays end: what hung comes through now, and is looked for once more, not for minutes.
    await setTimeout(1_000);
    await world.query('UPDATE online_meetings SET late_create_until = now() WHERE late_create_until > now()');
    const settling = performance.now();
    await settled(world, SETTLE_WITHIN_MS);
    const verdict = await judge(world, performed);
    const calls = await world.simulator.requests();
    const failedCalls = calls.filter(({ status }) => status === null || status >= 400).length;
    const resent = performed.filter(({ sent }) => sent > 1).length;
    const settleSeconds = Math.round((performance.now() - settling) / 1000);
    return print(seed, verdict, {
      refused: operations - verdict.accepted,
      resent,
      kills,
      calls: calls.length,
      failedCalls,
      chaosSeconds,
      settleSeconds,
    })
      ? 0
      : 1;
  } finally {
    if (values['keep-log'] !== undefined) await copyFile(world.logFile, values['keep-log']);
    await world.stop();
  }
}

process.exitCode = await main();
// The schema engine leaves a timer of ten seconds behind.
process.exit();
