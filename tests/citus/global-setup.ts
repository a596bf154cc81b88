import type { TestProject } from 'vitest/node';
import startPostgres from '../support/global-setup.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A superuser's connection string of an empty database on the coordinator. */
    citusUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  project.provide('citusUrl', process.env.CITUS_DATABASE_URL ?? '');
  return startPostgres(project);
}
