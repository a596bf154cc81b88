import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PRISMA_FOLDER } from '../../src/db/migration-names.ts';

/** The prisma folder of a release that does not exist yet. */
export interface NextRelease {
  folder: URL;
  path: string;
  /** Adds a migration; its name must sort behind all others. */
  add(name: string, sql: string): Promise<void>;
  remove(): Promise<void>;
}

/** Copies this release's prisma folder, which a test may then go on from, or spoil. */
export async function nextRelease(migrations: Record<string, string> = {}): Promise<NextRelease> {
  const path = await mkdtemp(join(tmpdir(), 'prisma-folder-'));
  await cp(PRISMA_FOLDER, path, { recursive: true });
  const add = async (name: string, sql: string) => {
    await mkdir(join(path, 'migrations', name));
    await writeFile(join(path, 'migrations', name, 'migration.sql'), sql);
  };
  for (const [name, sql] of Object.entries(migrations)) await add(name, sql);
  return { folder: pathToFileURL(`${path}/`), path, add, remove: () => rm(path, { recursive: true, force: true }) };
}
