import { readdir } from 'node:fs/promises';

/** Where the schema and its migrations lie, beside `src` and beside the compiled `dist` alike. */
export const PRISMA_FOLDER = new URL('../../prisma/', import.meta.url);

/** The names of the migrations of this release, oldest first. */
export async function migrationNames(folder = PRISMA_FOLDER): Promise<string[]> {
  const entries = await readdir(new URL('migrations/', folder), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}
