import { globSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isForProduction, lockedPackages } from '../shipped.ts';
import { copyFolder } from './copy-folder.ts';

/**
 * Stands for `npm ci` where that would take too long: the same packages, taken from the project's own node_modules.
 *
 * @param folder where package.json and package-lock.json lie
 * @param command what the Dockerfile says
 */
export function installFromProject(project: string, folder: string, command: string): void {
  const modules = join(project, 'node_modules');
  if (!command.includes('--omit=dev')) {
    symlinkSync(modules, join(folder, 'node_modules'), 'dir');
    return;
  }
  const wanted = Object.entries(lockedPackages(folder))
    .filter(([, locked]) => isForProduction(locked))
    .map(([path]) => path);
  for (const path of wanted.filter((one) => !isNested(one))) copyFolder(join(project, path), join(folder, path));
  // Packages inside of a package are entries of their own, and may be for development alone.
  for (const path of globSync('node_modules/**/node_modules/{*,@*/*}', { cwd: folder }))
    if (!path.split('/').at(-1)?.startsWith('@') && !wanted.includes(path))
      rmSync(join(folder, path), { recursive: true });
}

const isNested = (path: string) => path.lastIndexOf('node_modules/') > 0;
