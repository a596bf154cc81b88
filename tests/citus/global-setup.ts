import type { TestProject } from 'vitest/node';
import startPostgres from '../support/global-setup.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A superuser's connection string of an empty database on the coordinator. */
    citusUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const url = process.env.CITUS_DATABASE_URL;
  if (!url)
    throw new Error(
      'Set CITUS_DATABASE_URL to an empty database on a Citus coordinator, as its superuser. Nothing was tested.',
    );
  project.provide('citusUrl', url);
  return startPostgres(project);
}
