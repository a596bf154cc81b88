import { describe, expect, it } from 'vitest';
import { type CpuProfile, flameGraph } from '../../../bench/report/flame-graph.ts';
import { ratioBars } from '../../../bench/report/ratio-bars.ts';
import type { BenchResult } from '../../../bench/report/result.ts';

const summary = (server: string, requestsPerSecond: number, ofFloor: number | null) => ({
  server,
  ofFloor,
  median: { requestsPerSecond, p50Ms: 1, p99Ms: 2, cpuMsPerRequest: null, peakMegabytes: null },
  rounds: [],
});

const RESULT: BenchResult = {
  at: '2026-12-01T10:00:00.000Z',
  machine: { cores: 2, model: undefined, node: 'v24' },
  rounds: 5,
  seconds: 3,
  workloads: [
    { name: 'W1', title: 'one <link> & more', servers: [summary('floor', 2000, 1), summary('ours', 1500, 0.75)] },
    { name: 'W2', title: 'a board', servers: [summary('floor', 400, 1), summary('ours', 800, 2)] },
    { name: 'W6', title: 'capture', measures: [{ what: 'wall', value: 1, unit: 's' }] },
  ],
};

const widthsOf = (svg: string, kind: string) =>
  [...svg.matchAll(new RegExp(`class="bar ${kind}"[^>]* width="([\\d.]+)"`, 'g'))].map(([, width]) => Number(width));

describe('ratioBars', () => {
  const svg = ratioBars(RESULT, new Map([['ours', 'this "project"']]));

  it('draws bars as long as the ratios, on one scale for all workloads', () => {
    const [floor = 0, alsoFloor] = widthsOf(svg, 'floor');
    expect(floor).toBe(alsoFloor);
    expect(widthsOf(svg, 'ours').map((width) => width / floor)).toEqual([
      expect.closeTo(0.75, 2),
      expect.closeTo(2, 2),
    ]);
  });

  it('says the numbers with their units, and when and where they were measured', () => {
    expect(svg).toContain('0.75 × · 1,500 /s');
    expect(svg).toContain('median of 5 rounds of 3 s, 2 cores, node v24, 2026-12-01');
  });

  it('leaves out what compares no servers', () => {
    expect(svg).not.toContain('capture');
  });

  it('is text that a browser can read, in both modes', () => {
    expect(svg).toContain('one &lt;link&gt; &amp; more');
    expect(svg).toContain('this &quot;project&quot;');
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  it('draws nothing of a run that compared nothing', () => {
    expect(ratioBars({ ...RESULT, workloads: [] }, new Map())).not.toContain('class="bar');
  });
});

const frame = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  callFrame: { functionName, url },
  children,
});

const PROFILE: CpuProfile = {
  nodes: [
    frame(1, '(root)', '', [2, 3, 6]),
    frame(2, '(idle)', ''),
    frame(3, 'handle', 'file:///home/somebody/project/dist/server/app.js', [4, 5]),
    frame(4, 'execute', 'file:///home/somebody/project/node_modules/graphql/execution/execute.js'),
    frame(5, 'execute', 'file:///home/somebody/project/node_modules/graphql/execution/execute.js'),
    frame(6, 'query', 'file:///home/somebody/project/node_modules/pg/lib/client.js'),
  ],
  samples: [2, 3, 4, 5, 6],
  timeDeltas: [1000, 10, 20, 30, 40],
};

describe('flameGraph', () => {
  const svg = flameGraph(PROFILE, 'W2');

  it('counts a frame with what it called, one stack once, and no idle time', () => {
    expect(svg).toContain('handle dist/server/app.js: 60.0 %');
    expect(svg.match(/execute graphql\/execution\/execute\.js: 50\.0 %/g)).toHaveLength(1);
    expect(svg).not.toContain('idle');
  });

  it('says whose code it was', () => {
    expect(svg).toContain('this project 10 %');
    expect(svg).toContain('graphql 50 %');
    expect(svg).toContain('pg 40 %');
  });

  it('names no folder of the machine', () => {
    expect(svg).not.toContain('somebody');
  });
});
