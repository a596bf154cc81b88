import { drawing, escaped } from './svg.ts';

/** What node writes with `--cpu-prof`, as far as it is read here. Chrome DevTools Protocol: Profiler.Profile. */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[];
  /** The node that was running, sample by sample. */
  samples: number[];
  /** Microseconds since the sample before. */
  timeDeltas: number[];
}

interface Frame {
  name: string;
  /** Whose code it is. */
  owner: string;
  /** Microseconds, what it called included. */
  total: number;
  children: Map<string, Frame>;
}

/** Owners that have a colour of their own, in the order of the legend. */
const OWNERS: readonly (readonly [owner: string, light: string, dark: string])[] = [
  ['this project', '#0969da', '#1f6feb'],
  ['graphql', '#bc4c00', '#bd561d'],
  ['apollo', '#8250df', '#8957e5'],
  ['prisma', '#1a7f37', '#238636'],
  ['pg', '#9a6700', '#9e6a03'],
  ['fastify', '#bf3989', '#bf4b8a'],
  ['other packages', '#59636e', '#656c76'],
  ['node', '#818b98', '#545d68'],
];

const WIDTH = 1200;
const ROW = 17;
const HEAD = 56;
/** Pixels below which a frame says nothing. */
const NARROWEST = 1;
const CHARACTER = 6.2;
/** V8's own names of time in which no code of anybody ran. */
const NOT_WORK = new Set(['(idle)', '(program)', '(root)']);

function ownerOf(url: string): string {
  const [, scope = '', name = ''] = /.*node_modules\/(?:(@[^/]+)\/)?([^/]+)\//.exec(url) ?? [];
  const packaged = `${scope}/${name}`;
  if (packaged === '/') return url.startsWith('node:') || url === '' ? 'node' : 'this project';
  if (/apollo|as-integrations/.test(packaged)) return 'apollo';
  if (/prisma/.test(packaged)) return 'prisma';
  if (/graphql|dataloader/.test(packaged)) return 'graphql';
  if (/fastify|find-my-way|light-my-request/.test(packaged)) return 'fastify';
  return /^\/pg(-|$)/.test(packaged) ? 'pg' : 'other packages';
}

/** The place of a file without what differs from machine to machine. */
const placeOf = (url: string): string => url.replace(/^.*\/node_modules\//, '').replace(/^.*\/(dist|bench)\//, '$1/');

/** Adds up the samples by call stack. */
function stacksOf(profile: CpuProfile): Frame {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const weights = new Map<number, number>();
  for (const [place, id] of profile.samples.entries())
    weights.set(id, (weights.get(id) ?? 0) + (profile.timeDeltas[place] ?? 0));

  const root: Frame = { name: 'all', owner: 'node', total: 0, children: new Map() };
  for (const [id, weight] of weights) {
    if (NOT_WORK.has(byId.get(id)?.callFrame.functionName ?? '')) continue;
    const stack: CpuProfile['nodes'] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const node = byId.get(at);
      if (node !== undefined && !NOT_WORK.has(node.callFrame.functionName)) stack.push(node);
    }
    let frame = root;
    frame.total += weight;
    for (const { callFrame } of stack.reverse()) {
      const place = placeOf(callFrame.url);
      const name = `${callFrame.functionName || '(anonymous)'}${place === '' ? '' : ` ${place}`}`;
      const child = frame.children.get(name) ?? {
        name,
        owner: ownerOf(callFrame.url),
        total: 0,
        children: new Map(),
      };
      frame.children.set(name, child);
      child.total += weight;
      frame = child;
    }
  }
  return root;
}

/**
 * Draws where processor time went: a frame is as wide as its share, and stands on what called it. Frames too narrow to
 * be seen are left out; a frame's tooltip has its full name and share.
 *
 * @returns an SVG document
 */
export function flameGraph(profile: CpuProfile, title: string): string {
  const root = stacksOf(profile);
  const drawn: string[] = [];
  let deepest = 0;
  const draw = (frame: Frame, left: number, depth: number): void => {
    deepest = Math.max(deepest, depth);
    let at = left;
    for (const child of [...frame.children.values()].toSorted((a, b) => b.total - a.total)) {
      const width = (child.total / root.total) * WIDTH;
      if (width < NARROWEST) continue;
      const y = HEAD + depth * ROW;
      const share = ((child.total / root.total) * 100).toFixed(1);
      const owner = OWNERS.findIndex(([name]) => name === child.owner);
      const short = child.name.split(' ')[0] ?? '';
      const room = Math.floor((width - 4) / CHARACTER);
      const text = room < 3 ? '' : short.length > room ? `${short.slice(0, room - 1)}…` : short;
      drawn.push(
        `<g><title>${escaped(child.name)}: ${share} %</title><rect class="o${owner}" x="${at.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${ROW - 1}"/>${
          text === '' ? '' : `<text class="in" x="${(at + 3).toFixed(1)}" y="${y + 12}">${escaped(text)}</text>`
        }</g>`,
      );
      draw(child, at, depth + 1);
      at += width;
    }
  };
  draw(root, 0, 0);

  const byOwner = new Map<string, number>();
  const addUp = (frame: Frame): void => {
    const inner = [...frame.children.values()];
    const self = frame.total - inner.reduce((sum, { total }) => sum + total, 0);
    if (frame !== root) byOwner.set(frame.owner, (byOwner.get(frame.owner) ?? 0) + self);
    for (const child of inner) addUp(child);
  };
  addUp(root);
  let legendAt = 12;
  const legend = OWNERS.map(([owner], place) => {
    const text = `${owner} ${(((byOwner.get(owner) ?? 0) / root.total) * 100).toFixed(0)} %`;
    const entry = `<rect class="o${place}" x="${legendAt}" y="34" width="10" height="10"/><text x="${legendAt + 14}" y="43">${text}</text>`;
    legendAt += 30 + text.length * 7;
    return entry;
  });
  const colours = (which: 1 | 2) => OWNERS.map((owner, place) => `.o${place} { fill: ${owner[which]}; }`).join(' ');
  const style = `  .in { fill: #ffffff; font-size: 11px; }
  ${colours(1)}
  @media (prefers-color-scheme: dark) { ${colours(2)} }`;
  return drawing({ width: WIDTH, height: HEAD + deepest * ROW + 8, label: title, style }, [
    `<text x="12" y="22" font-weight="600">${escaped(title)}</text>`,
    ...legend,
    ...drawn,
  ]);
}
