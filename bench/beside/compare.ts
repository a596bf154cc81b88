/** W1–W5: the servers side by side on the same data, asked the same, in interleaved rounds. */
import type { WorkloadResult } from '../report/result.ts';
import type { Surroundings } from '../support/environment.ts';
import { fill } from './data.ts';
import { type Measured, measure, refuseOtherAnswers, untilQuiet } from './load.ts';
import { behindGateway, FLOOR, OURS, type RunningServer, SERVERS, startServer } from './servers.ts';
import { summarize } from './summary.ts';
import { requestsOf, type Workload } from './workloads.ts';

export interface Comparison {
  workloads: readonly Workload[];
  rounds: number;
  seconds: number;
  /** Names of the servers that take part; all of them when left out. */
  only: readonly string[] | undefined;
  /** The folder that gets a CPU profile of each server. */
  profileInto: string | undefined;
  /** A token for each tenant. */
  tokens: ReadonlyMap<string, string>;
}

const DIFFERENT_REQUESTS = 200;
const COMPARED_REQUESTS = 5;
const LONGEST_WARM_UP_S = 2;
const RUN_UP_S = 1;
/** Whom it is worth putting a gateway before: it adds the same to all. */
const BEHIND_GATEWAY = [FLOOR, OURS, 'mercurius', 'yoga-pg'];

async function compareOn(
  workload: Workload,
  servers: readonly RunningServer[],
  { rounds, seconds, tokens }: Comparison,
): Promise<WorkloadResult> {
  const requests = requestsOf(workload, DIFFERENT_REQUESTS);
  await refuseOtherAnswers(requests.slice(0, COMPARED_REQUESTS), servers, tokens);
  const measured = new Map<string, Measured[]>(servers.map(({ kind }) => [kind.name, []]));
  const turnOf = async (server: RunningServer, duration: number): Promise<Measured> => {
    // Who had to wait for the others' turns finds caches cold, and perhaps memory that the system has put away.
    await measure(server, requests, tokens, RUN_UP_S);
    const turn = await measure(server, requests, tokens, duration);
    await untilQuiet(server);
    return turn;
  };
  for (const server of servers) await turnOf(server, Math.min(seconds, LONGEST_WARM_UP_S));
  for (let round = 0; round < rounds; round += 1) {
    for (const server of servers) measured.get(server.kind.name)?.push(await turnOf(server, seconds));
  }
  return { name: workload.name, title: workload.title, servers: summarize(measured) };
}

/** Fills the database, starts the servers, and yields each workload's result as it is there. */
export async function* compare(surroundings: Surroundings, comparison: Comparison): AsyncGenerator<WorkloadResult> {
  const { workloads, only, profileInto } = comparison;
  await fill(surroundings.databaseUrl);
  const servers: RunningServer[] = [];
  const gateways: RunningServer[] = [];
  try {
    for (const kind of SERVERS) {
      if (only?.includes(kind.name) ?? true) servers.push(await startServer(kind, surroundings, profileInto));
    }
    for (const workload of workloads) {
      if (workload.isThroughGateway && gateways.length === 0) {
        for (const server of servers)
          if (BEHIND_GATEWAY.includes(server.kind.name)) gateways.push(await behindGateway(server));
      }
      const asked = workload.isThroughGateway ? gateways : servers;
      yield await compareOn(
        workload,
        asked.filter(({ kind }) => !workload.without?.includes(kind.name)),
        comparison,
      );
    }
  } finally {
    for (const server of [...gateways, ...servers]) await server.stop();
  }
}
