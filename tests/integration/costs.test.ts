import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { activate, createMeeting, MICROSOFT, succeed } from '../support/setup.ts';
import { countStatements } from '../support/statements.ts';
import { startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { hotReads } from '../support/traffic.ts';
import { CANCEL, MOVED, RESCHEDULE } from './domain/changing-app.ts';
import { WITHOUT_WAITS } from './domain/support.ts';

const PAGE = new URL('../../docs/scaling.md', import.meta.url);

/** What something takes: statements of Postgres (the queue's own among them), calls of Microsoft Graph, jobs done. */
interface Cost {
  statements: number;
  calls: number;
  jobs: number;
}

let subgraph: TestSubgraph;
const statements = countStatements();
const costs = new Map<string, Cost>();

const jobsDone = () => subgraph.logs.filter(({ msg }) => /^Completed task/.test(String(msg))).length;

async function note<T>(name: string, work: () => Promise<T>): Promise<T> {
  await subgraph.simulator.clearRequests();
  const before = jobsDone();
  statements.reset();
  const result = await work();
  const sent = statements.count();
  const calls = (await subgraph.simulator.requests({ host: 'graph' })).length;
  costs.set(name, { statements: sent, calls, jobs: jobsDone() - before });
  return result;
}

/** Makes a job of the tenant due, and runs it with what follows from it. */
const tick = (name: string, job: string) =>
  note(name, async () => {
    await subgraph.database.query(
      `UPDATE graphile_worker._private_jobs SET run_at = now()
        WHERE task_id = (SELECT id FROM graphile_worker._private_tasks WHERE identifier = $1)`,
      [job],
    );
    await subgraph.runJobs();
  });

beforeAll(async () => {
  subgraph = await startTestSubgraph({ isExecutedOnce: true, graph: WITHOUT_WAITS, poolSize: 1 });
  const token = await activate(subgraph);
  await subgraph.runJobs();
  const end = Math.trunc(Date.now() / 1000) * 1000 - 600_000;
  const times = { startsAt: new Date(end - 3_600_000).toISOString(), endsAt: new Date(end).toISOString() };
  const meeting = await note('create', () =>
    createMeeting(subgraph, token, { appointmentId: 'appt-cost-1', ...times }),
  );
  await subgraph.runJobs();
  const future = await createMeeting(subgraph, token, { appointmentId: 'appt-cost-2' });
  const change = { meetingId: future.id };
  await note('reschedule', () => succeed(subgraph, token, RESCHEDULE, { ...change, ...MOVED }));
  await note('cancel', () => succeed(subgraph, token, CANCEL, change));
  await subgraph.runJobs();
  const { directoryId } = MICROSOFT['tenant-a'];
  await subgraph.simulator.meetingTookPlace({ directoryId, joinUrl: meeting.joinUrl ?? '' });
  await tick('capture that finds a recording and a transcript', 'capture_tenant');
  await tick('capture with nothing to look for', 'capture_tenant');
  await tick('sweep', 'sweep_tenant');
  for (const { name, query, variables } of hotReads({ subjects: ['appt-cost-1'], meetingId: meeting.id })) {
    const technician = await subgraph.tokens.token('technician');
    await note(name, () => subgraph.send(technician, query, variables));
  }
}, 120_000);
afterAll(() => subgraph.close());

it('what things cost is at most what the page says, and each is on the page', async () => {
  const page = await readFile(PAGE, 'utf8');
  const rows = page.matchAll(/^\| ([^|]+?) \| (\d+) \| (\d+) \| (\d+) \|$/gm);
  const written = new Map(
    [...rows].map(([, name = '', sent, calls, jobs]) => [
      name,
      { statements: Number(sent), calls: Number(calls), jobs: Number(jobs) },
    ]),
  );
  expect([...written.keys()].toSorted()).toEqual([...costs.keys()].toSorted());
  const dearer = [...costs].filter(([name, cost]) => {
    const limit = written.get(name);
    return (
      limit === undefined || cost.statements > limit.statements || cost.calls > limit.calls || cost.jobs > limit.jobs
    );
  });
  expect(dearer).toEqual([]);
});
