import type { Summary } from '../beside/summary.ts';
import type { BenchResult, WorkloadResult } from './result.ts';
import { drawing, escaped } from './svg.ts';

const WIDTH = 980;
const MARGIN = 16;
const HEAD = 60;
const PANEL_WIDTH = (WIDTH - 3 * MARGIN) / 2;
const PANEL_HEAD = 30;
const BAR_HEIGHT = 16;
const BAR_STEP = 22;
/** Room for the longest name, in the widest of the fonts. */
const LABEL_WIDTH = 190;
/** Room for the numbers behind the longest bar. */
const VALUE_WIDTH = 104;
const BAR_ROOM = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH;

const STYLE = `  .title { font-size: 16px; font-weight: 600; }
  .panel { font-weight: 600; }
  .bar { fill: #8c959f; } .ours { fill: #0969da; } .floor { fill: none; stroke: var(--faint); }
  .one { stroke: var(--faint); stroke-dasharray: 3 3; }
  @media (prefers-color-scheme: dark) { .bar { fill: #656c76; } .ours { fill: #4493f8; } }
  .right { text-anchor: end; }
  .value { paint-order: stroke; stroke: var(--surface); stroke-width: 4px; }`;

const compared = ({ servers }: WorkloadResult): Summary[] =>
  (servers ?? []).filter(({ ofFloor }) => ofFloor !== null && Number.isFinite(ofFloor));

function rate(perSecond: number): string {
  return perSecond.toLocaleString('en', { maximumFractionDigits: perSecond < 100 ? 1 : 0 });
}

/** One workload: a bar a server, the floor's as long as the dashed line is far. */
function panel(workload: WorkloadResult, longest: number, titles: ReadonlyMap<string, string>): string[] {
  const pixels = (ratio: number) => (ratio / longest) * BAR_ROOM;
  const servers = compared(workload);
  const bars = servers.flatMap(({ server, ofFloor, median }, place) => {
    const y = PANEL_HEAD + place * BAR_STEP;
    const baseline = y + BAR_HEIGHT - 4;
    const ratio = ofFloor ?? 0;
    const title = escaped(titles.get(server) ?? server);
    const kind = server === 'ours' || server === 'floor' ? ` ${server}` : '';
    const value = `${ratio.toFixed(2)} × · ${rate(median.requestsPerSecond)} /s`;
    return [
      `<text class="right${server === 'ours' ? ' panel' : ''}" x="${LABEL_WIDTH - 8}" y="${baseline}">${title}</text>`,
      `<rect class="bar${kind}" x="${LABEL_WIDTH}" y="${y}" width="${Math.max(1, pixels(ratio)).toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
      `<text class="value" x="${(LABEL_WIDTH + pixels(ratio) + 6).toFixed(1)}" y="${baseline}">${value}</text>`,
    ];
  });
  const one = (LABEL_WIDTH + pixels(1)).toFixed(1);
  const end = PANEL_HEAD + servers.length * BAR_STEP;
  return [
    `<text class="panel" x="0" y="14">${escaped(workload.name)}</text>`,
    `<text class="faint" x="28" y="14">${escaped(workload.title)}</text>`,
    `<line class="one" x1="${one}" x2="${one}" y1="${PANEL_HEAD - 6}" y2="${end}"/>`,
    ...bars,
  ];
}

/**
 * Draws the rates of all servers as multiples of the floor's, a panel a workload. Workloads without a floor are left
 * out.
 *
 * @param titles what the servers are called, by their names
 * @returns an SVG document
 */
export function ratioBars(result: BenchResult, titles: ReadonlyMap<string, string>): string {
  const workloads = result.workloads.filter((workload) => compared(workload).length > 0);
  const longest = Math.max(1, ...workloads.flatMap((one) => compared(one).map(({ ofFloor }) => ofFloor ?? 0)));
  const heights = workloads.map((one) => PANEL_HEAD + compared(one).length * BAR_STEP + MARGIN);
  const drawn: string[] = [];
  let top = HEAD;
  for (let row = 0; row < workloads.length; row += 2) {
    for (const [column, workload] of workloads.slice(row, row + 2).entries()) {
      const left = MARGIN + column * (PANEL_WIDTH + MARGIN);
      drawn.push(`<g transform="translate(${left} ${top})">`, ...panel(workload, longest, titles), '</g>');
    }
    top += Math.max(...heights.slice(row, row + 2));
  }
  const { machine, rounds, seconds, at } = result;
  const label = 'Requests a second as multiples of the floor: node:http and one SQL statement';
  const facts = `median of ${rounds} rounds of ${seconds} s, ${machine.cores} cores, node ${machine.node}, ${at.slice(0, 10)}; longer is faster`;
  return drawing({ width: WIDTH, height: top + 4, label, style: STYLE }, [
    `<text class="title" x="${MARGIN}" y="26">${label}</text>`,
    `<text class="faint" x="${MARGIN}" y="44">${escaped(facts)}</text>`,
    ...drawn,
  ]);
}
