/**
 * Draws a flame graph of a CPU profile, such as `npm run bench -- --workloads W2 --only ours --profile <folder>` leaves.
 *
 * Usage: npm run bench:flame -- <profile> <picture> [title]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type CpuProfile, flameGraph } from './report/flame-graph.ts';

const [profile, picture, title = 'Processor time by call stack'] = process.argv.slice(2);
if (profile === undefined || picture === undefined) throw new Error('Tell the profile and the picture to write.');
writeFileSync(picture, flameGraph(JSON.parse(readFileSync(profile, 'utf8')) as CpuProfile, title));
