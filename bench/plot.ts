/**
 * Draws the picture of the README from a results file, and keeps the file beside it in the repository.
 *
 * Usage: npm run bench:plot [-- bench/results/<date>.json]   the newest when left out
 */
import { copyFileSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { SERVERS } from './beside/servers.ts';
import { ratioBars } from './report/ratio-bars.ts';
import type { BenchResult } from './report/result.ts';

const PICTURE = 'docs/pictures/bench.svg';
const SHOWN = 'bench/results/shown.json';

const file = process.argv[2] ?? globSync('bench/results/2*.json').toSorted().at(-1);
if (file === undefined) throw new Error('There is no results file yet: npm run bench');
const titles = new Map(SERVERS.map(({ name, title }) => [name, title]));
writeFileSync(PICTURE, ratioBars(JSON.parse(readFileSync(file, 'utf8')) as BenchResult, titles));
if (file !== SHOWN) copyFileSync(file, SHOWN);
console.log(`${PICTURE} from ${file}`);
