import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/database.ts';
import { DatabaseUnavailableError } from '../../../src/db/unavailable.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let target: TestDatabase;
let proxy: Server;
let db: Database;
const sockets = new Set<Socket>();
/** Takes connections and says nothing on them, as a server under too much load. */
let isSilent = false;

/** Cuts every connection at once, as a failover or a router that restarts does. */
function cut(how: 'reset' | 'close'): void {
  for (const socket of sockets) {
    if (how === 'reset') socket.resetAndDestroy();
    else socket.destroy();
  }
  sockets.clear();
}

beforeAll(async () => {
  target = await createTestDatabase();
  const url = new URL(target.url);
  const postgres = { port: Number(url.port), host: url.hostname };
  proxy = createServer((client) => {
    sockets.add(client);
    if (isSilent) return;
    const server = connect(postgres);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  url.port = String(address !== null && typeof address === 'object' ? address.port : 0);
  db = await openDatabase({ connectionString: url.href, poolSize: 2 });
});
afterAll(async () => {
  await db.close();
  cut('close');
  await new Promise((resolve) => proxy.close(resolve));
  await target.drop();
});

const isSleeping = async () => {
  const rows = await target.query(
    "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()",
  );
  expect(rows).toHaveLength(1);
};

describe.each(['reset', 'close'] as const)('a connection that is lost by a %s under a statement', (how) => {
  it.each(['run', 'transaction'] as const)(
    'fails that %s, not the process, and the next one gets a new connection',
    async (way) => {
      const asleep = db.forTenant('tenant-a')[way]((prisma) => prisma.$queryRaw`SELECT pg_sleep(10)`);
      const failed = expect(asleep).rejects.toThrow(DatabaseUnavailableError);
      await vi.waitFor(isSleeping, { timeout: 5_000 });
      cut(how);
      await failed;
      await vi.waitFor(() => db.ping());
      expect(await db.forTenant('tenant-a').run((prisma) => prisma.onlineMeeting.count())).toBe(0);
      await target.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
      );
    },
  );
});

describe('the facts of a database', () => {
  it('that refuses connections are unavailable', async () => {
    const address = proxy.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const closed = new Promise((resolve) => proxy.close(resolve));
    cut('close');
    await closed;
    await expect(db.facts()).rejects.toThrow(DatabaseUnavailableError);
    await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve));
    expect((await db.facts()).serverVersion).toBeGreaterThanOrEqual(150_000);
  });

  it('that takes a connection and stays silent are unavailable', async () => {
    isSilent = true;
    await expect(db.facts()).rejects.toThrow(DatabaseUnavailableError);
    isSilent = false;
    expect((await db.facts()).serverVersion).toBeGreaterThanOrEqual(150_000);
  });
});
