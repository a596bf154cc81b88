import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { vi } from 'vitest';
import { freePort } from '../../src/db/free-port.ts';

const PROMETHEUS = process.env.PROMETHEUS_PATH ?? '/usr/bin/prometheus';

/** @throws Error that says what to install when there is no Prometheus */
function programs(): { prometheus: string; promtool: string } {
  const promtool = join(dirname(PROMETHEUS), 'promtool');
  if (!existsSync(PROMETHEUS) || !existsSync(promtool)) {
    throw new Error(
      `There is no Prometheus with promtool at ${dirname(PROMETHEUS)}. Install it (Debian: apt-get install prometheus) or set PROMETHEUS_PATH.`,
    );
  }
  return { prometheus: PROMETHEUS, promtool };
}

/** Runs promtool; resolves with its exit code and all that it said. */
export function promtool(args: string[], input?: string): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(programs().promtool, args, { encoding: 'utf8', input });
  return { code: status, output: `${stdout}${stderr}` };
}

export interface QueriedSeries {
  metric: Record<string, string>;
  value: [number, string];
}

export interface Prometheus {
  /** Evaluates an expression now. @throws Error with what Prometheus says of one that it cannot read */
  query(expression: string): Promise<QueriedSeries[]>;
  /** What it stands by at this moment: the targets it scrapes, the alerts of its rules. */
  get<T>(path: string): Promise<T>;
  stop(): Promise<void>;
}

/** Starts a real Prometheus that scrapes an address every second under the job `teams-meetings`. */
export async function startPrometheus(target: string, rules: string): Promise<Prometheus> {
  const { prometheus } = programs();
  const directory = await mkdtemp(join(tmpdir(), 'prometheus-test-'));
  const configFile = join(directory, 'prometheus.yml');
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    scrape_configs: [{ job_name: 'teams-meetings', static_configs: [{ targets: [target] }] }],
  };
  // JSON is YAML as well.
  await writeFile(configFile, JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const child: ChildProcess = spawn(
    prometheus,
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const said = child.stderr === null ? Promise.resolve('') : text(child.stderr);
  const ended = once(child, 'exit');

  async function get<T>(path: string): Promise<T> {
    const response = await fetch(`http://${address}/api/v1/${path}`);
    const body = (await response.json()) as { status: string; error?: string; data: T };
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`);
    return body.data;
  }
  async function stop(): Promise<void> {
    child.kill('SIGTERM');
    await ended;
    await rm(directory, { recursive: true, force: true });
  }

  const isReady = () =>
    vi.waitFor(
      async () => {
        if (child.exitCode !== null) return;
        if (!(await fetch(`http://${address}/-/ready`)).ok) throw new Error('Prometheus is not ready');
      },
      { timeout: 30_000, interval: 100 },
    );
  await isReady();
  if (child.exitCode !== null) throw new Error(`Prometheus ended: ${await said}`);
  return {
    get,
    query: async (expression) =>
      (await get<{ result: QueriedSeries[] }>(`query?query=${encodeURIComponent(expression)}`)).result,
    stop,
  };
}
