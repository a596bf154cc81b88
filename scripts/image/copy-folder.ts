import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';

/** Copies what a folder holds, as links to the same files where that can be done: none of them is changed later. */
export function copyFolder(source: string, target: string): void {
  mkdirSync(target, { recursive: true });
  const { status } = spawnSync('cp', ['-al', `${source}/.`, target], { stdio: 'ignore' });
  if (status !== 0) cpSync(source, target, { recursive: true, verbatimSymlinks: true });
}
