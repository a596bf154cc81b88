import { Prisma } from '../generated/prisma/client.ts';

/** The database, not the request, is the cause: the same request may succeed later. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
}

/** Prisma's codes for a database that cannot be reached or does not answer in time. */
const PRISMA_CODES = new Set(['P1001', 'P1002', 'P1003', 'P1008', 'P1017', 'P2024', 'P2028', 'P2037']);
/** The same, as sockets and Postgres say it. */
const OTHER_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '3D000',
]);
const MESSAGES =
  /timeout exceeded when trying to connect|timeout expired|Connection terminated|Can't reach database server|Server has closed the connection|canceling statement due to statement timeout|Query read timeout/;

/** Whether an error says that the database cannot be reached, or does not answer. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof Prisma.PrismaClientInitializationError || MESSAGES.test(error.message)) return true;
  const { code } = error as Error & { code?: unknown };
  return typeof code === 'string' && (PRISMA_CODES.has(code) || OTHER_CODES.has(code));
}

/** Runs work on the database and tells a database that is away from every other failure. */
export async function tellUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isUnavailable(error) ? new DatabaseUnavailableError('The database does not answer', { cause: error }) : error;
  }
}
