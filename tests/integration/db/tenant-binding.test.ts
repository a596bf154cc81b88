import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TenantPrisma } from '../../../src/db/database.ts';
import { TenantPool } from '../../../src/db/tenant-pool.ts';
import { backendOf, meetingRow, openTwoTenants, storeMeeting, subjectsSeenBy, type TwoTenants } from './rows.ts';

/** With one connection, whatever one tenant leaves behind would meet the next one. */
let world: TwoTenants;

beforeAll(async () => {
  world = await openTwoTenants(1);
});
afterAll(() => world.close());

const OF_A = ['of tenant-a'];
const OF_B = ['of tenant-b'];

/** Runs work of tenant A that is stuck in the server until `pg_*_backend` is called on it. */
async function interrupted(
  how: 'pg_cancel_backend' | 'pg_terminate_backend',
  start: () => Promise<unknown>,
): Promise<void> {
  const outcome = start().then(
    () => 'finished',
    () => 'failed',
  );
  await vi.waitFor(async () => {
    const hit = await world.database.query(
      `SELECT ${how}(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()`,
    );
    expect(hit).toHaveLength(1);
  });
  expect(await outcome).toBe('failed');
}

const sleep = (prisma: TenantPrisma) => prisma.$queryRaw`SELECT 1 AS one FROM pg_sleep(60)`;

describe('one connection, handed from tenant A to tenant B', () => {
  it('shows each tenant its own rows, by models and by raw queries without WHERE', async () => {
    const models = (tenant: TwoTenants['a']) =>
      tenant.run((prisma) => prisma.onlineMeeting.findMany({ select: { subject: true } }));
    expect(await models(world.a)).toEqual([{ subject: 'of tenant-a' }]);
    expect(await models(world.b)).toEqual([{ subject: 'of tenant-b' }]);
    expect(await subjectsSeenBy(world.a)).toEqual(OF_A);
    expect(await subjectsSeenBy(world.b)).toEqual(OF_B);
    expect(await backendOf(world.a)).toBe(await backendOf(world.b));
  });

  it.each<[string, (prisma: TenantPrisma) => Promise<unknown>]>([
    ['a syntax error', (prisma) => prisma.$queryRaw`SELEC 1`],
    ['an unknown table', (prisma) => prisma.$queryRaw`SELECT * FROM nowhere`],
    [
      'a division by zero while reading rows',
      (prisma) => prisma.$queryRaw`SELECT 1 / (length(subject) - length(subject)) FROM online_meetings`,
    ],
    [
      'a broken constraint',
      (prisma) => prisma.onlineMeeting.create({ data: meetingRow({ interactionId: 'also-an-interaction' }) }),
    ],
    ['a parameter of the wrong type', (prisma) => prisma.$queryRaw`SELECT ${'no number'}::text::int`],
  ])('carries nothing over after %s', async (_, work) => {
    const before = await backendOf(world.a);
    await expect(world.a.run(work)).rejects.toThrow();
    expect(await subjectsSeenBy(world.b)).toEqual(OF_B);
    expect(await subjectsSeenBy(world.a)).toEqual(OF_A);
    expect(await backendOf(world.b), 'the connection is sound and kept').toBe(before);
  });

  it('carries nothing over after a statement was cancelled', async () => {
    const before = await backendOf(world.a);
    await interrupted('pg_cancel_backend', () => world.a.run(sleep));
    expect(await subjectsSeenBy(world.b)).toEqual(OF_B);
    expect(await backendOf(world.b)).toBe(before);
  });

  it('replaces a connection that was killed, and the new one is bound as well', async () => {
    const before = await backendOf(world.a);
    await interrupted('pg_terminate_backend', () => world.a.run(sleep));
    expect(await subjectsSeenBy(world.b)).toEqual(OF_B);
    expect(await subjectsSeenBy(world.a)).toEqual(OF_A);
    expect(await backendOf(world.b)).not.toBe(before);
  });

  it.each(['pg_cancel_backend', 'pg_terminate_backend'] as const)(
    'serves the next tenant after %s inside a transaction, of which nothing stays',
    async (how) => {
      await interrupted(how, () =>
        world.a.transaction(async (prisma) => {
          await prisma.onlineMeeting.create({ data: meetingRow({ subject: 'never' }) });
          await sleep(prisma);
        }),
      );
      expect(await subjectsSeenBy(world.b)).toEqual(OF_B);
      expect(await subjectsSeenBy(world.a)).toEqual(OF_A);
    },
  );
});

describe('transactions', () => {
  it('see only the own tenant inside, and leave nothing behind', async () => {
    const seen = await world.a.transaction(async (prisma) => ({
      models: await prisma.onlineMeeting.count(),
      raw: await prisma.$queryRaw`SELECT subject FROM online_meetings`,
      setting: await prisma.$queryRaw`SELECT current_setting('app.tenant_id') AS tenant`,
    }));
    expect(seen).toEqual({ models: 1, raw: [{ subject: 'of tenant-a' }], setting: [{ tenant: 'tenant-a' }] });
    expect(await subjectsSeenBy(world.b)).toEqual(OF_B);
  });

  it('keep their tenant on a connection that another tenant is waiting for', async () => {
    const order: string[] = [];
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const transaction = world.a.transaction(async (prisma) => {
      await prisma.$queryRaw`SELECT 1 AS one`;
      open();
      await released;
      const rows = await prisma.$queryRaw`SELECT subject FROM online_meetings`;
      order.push('a');
      return rows;
    });
    await opened;
    const waiting = subjectsSeenBy(world.b).finally(() => order.push('b'));
    release();
    expect(await transaction).toEqual([{ subject: 'of tenant-a' }]);
    expect(await waiting).toEqual(OF_B);
    expect(order).toEqual(['a', 'b']);
  });

  it('roll back when the work throws, and the next tenant is served', async () => {
    const work = world.a.transaction(async (prisma) => {
      await prisma.onlineMeeting.create({ data: meetingRow({ subject: 'rolled back' }) });
      throw new Error('changed my mind');
    });
    await expect(work).rejects.toThrow('changed my mind');
    expect(await subjectsSeenBy(world.b)).toEqual(OF_B);
    expect(await subjectsSeenBy(world.a)).toEqual(OF_A);
  });

  it('roll back when a statement in them fails, and the next tenant is served', async () => {
    const work = world.a.transaction(async (prisma) => {
      await prisma.onlineMeeting.create({ data: meetingRow({ subject: 'rolled back' }) });
      await prisma.$queryRaw`SELECT 1 / 0`;
    });
    await expect(work).rejects.toThrow();
    expect(await subjectsSeenBy(world.b)).toEqual(OF_B);
    expect(await subjectsSeenBy(world.a)).toEqual(OF_A);
  });

  it('show nothing to another tenant who gets hold of their client', async () => {
    const { promise: opened, resolve: open } = Promise.withResolvers<TenantPrisma>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const transaction = world.a.transaction(async (prisma) => {
      await prisma.onlineMeeting.count();
      open(prisma);
      await released;
    });
    const stolen = await opened;
    const seen = await world.b.run(() => stolen.onlineMeeting.findMany());
    release();
    await transaction;
    expect(seen).toEqual([]);
  });
});

describe('writes across tenants', () => {
  it('are refused when a row names another tenant', async () => {
    const asModel = world.a.run((prisma) =>
      prisma.onlineMeeting.create({ data: { ...meetingRow(), tenantId: 'tenant-b' } }),
    );
    await expect(asModel).rejects.toThrow(/row-level security/);
    const { id } = meetingRow();
    const raw = world.a.run(
      (prisma) =>
        prisma.$executeRaw`INSERT INTO audit_events (tenant_id, id, actor, operation, outcome, detail, at) VALUES ('tenant-b', ${id}::uuid, 'user', 'create', 'success', '{}', now())`,
    );
    await expect(raw).rejects.toThrow(/row-level security/);
    const moved = world.a.run((prisma) => prisma.$executeRaw`UPDATE online_meetings SET tenant_id = 'tenant-b'`);
    await expect(moved).rejects.toThrow(/row-level security/);
  });

  it('touch no row of another tenant', async () => {
    const [row] = await world.b.run((prisma) => prisma.onlineMeeting.findMany());
    const id = row?.id ?? '';
    const touched = await world.a.run(async (prisma) => ({
      update: await prisma.onlineMeeting.updateMany({ where: { id }, data: { subject: 'taken' } }),
      named: await prisma.onlineMeeting.updateMany({ where: { id, tenantId: 'tenant-b' }, data: { subject: 'taken' } }),
      delete: await prisma.onlineMeeting.deleteMany({ where: { id } }),
      rawUpdate: await prisma.$executeRaw`UPDATE online_meetings SET subject = 'taken' WHERE id = ${id}::uuid`,
      rawDelete: await prisma.$executeRaw`DELETE FROM online_meetings WHERE id = ${id}::uuid`,
    }));
    expect(touched).toEqual({
      update: { count: 0 },
      named: { count: 0 },
      delete: { count: 0 },
      rawUpdate: 0,
      rawDelete: 0,
    });
    await expect(
      world.a.run((prisma) =>
        prisma.onlineMeeting.update({
          where: { tenantId_id: { tenantId: 'tenant-b', id } },
          data: { subject: 'taken' },
        }),
      ),
    ).rejects.toThrow();
    expect(await subjectsSeenBy(world.b)).toEqual(OF_B);
  });
});

describe('a query without a tenant', () => {
  it('is refused for an empty tenant id', () => {
    expect(() => world.db.forTenant('')).toThrow('A tenant id is empty');
  });

  it('throws, as a model query and as a raw one', async () => {
    const { prisma } = await world.a.run(async (own) => ({ prisma: own }));
    await expect(prisma.onlineMeeting.findMany()).rejects.toThrow('A query was made outside a tenant');
    await expect(prisma.$queryRaw`SELECT 1 AS one`).rejects.toThrow('A query was made outside a tenant');
  });

  it('is refused as findUnique, which Prisma would merge with those of other tenants', async () => {
    const work = world.a.run((prisma) =>
      prisma.onlineMeeting.findUnique({ where: { tenantId_id: { tenantId: 'tenant-a', id: meetingRow().id } } }),
    );
    await expect(work).rejects.toThrow('Use findFirst: findUnique is batched across tenants');
  });
});

describe('a pooled connection between two uses', () => {
  it.each<[string, (pool: TenantPool) => Promise<unknown>]>([
    ['a statement', (pool) => pool.query('SELECT 1')],
    ['a statement with parameters', (pool) => pool.query({ text: 'SELECT $1::int', values: [1] })],
    ['a statement that failed', (pool) => pool.query('SELECT 1 / 0').catch(() => undefined)],
    [
      'a transaction that failed',
      async (pool) => {
        const client = (await pool.connect()) as { query(sql: string): Promise<unknown>; release(): void };
        await client.query('BEGIN');
        await client.query('SELECT 1 / 0').catch(() => undefined);
        await client.query('ROLLBACK');
        client.release();
      },
    ],
  ])('holds no tenant after %s, and is not the role that owns the tables', async (_, use) => {
    const pool = new TenantPool({
      connectionString: world.database.url,
      role: 'teams_meetings_app',
      max: 1,
      currentTenant: () => 'tenant-a',
    });
    try {
      await use(pool);
      const client = await (pg.Pool.prototype.connect as () => Promise<pg.PoolClient>).call(pool);
      const { rows } = await client.query(
        `SELECT current_setting('app.tenant_id', true) AS tenant, current_user AS "user", (SELECT count(*)::int FROM online_meetings) AS rows`,
      );
      client.release();
      expect(rows).toEqual([{ tenant: '', user: 'teams_meetings_app', rows: 0 }]);
    } finally {
      await pool.end();
    }
  });

  it('refuses a statement of whoever kept the connection after giving it back', async () => {
    const pool = new TenantPool({
      connectionString: world.database.url,
      role: 'teams_meetings_app',
      max: 1,
      currentTenant: () => 'tenant-a',
    });
    try {
      const client = (await pool.connect()) as { query(sql: string): Promise<unknown>; release(): void };
      client.release();
      expect(() => client.query('SELECT 1')).toThrow('A statement was sent on a connection that no tenant holds');
    } finally {
      await pool.end();
    }
  });
});

describe.each([1, 3])('200 queries of five tenants at once over a pool of %i', (poolSize) => {
  it('show each tenant its own rows and no other', async () => {
    const own = await openTwoTenants(poolSize);
    try {
      const tenants = ['t-1', 't-2', 't-3', 't-4', 't-5'].map((id) => own.db.forTenant(id));
      await Promise.all(tenants.map((tenant) => storeMeeting(tenant)));
      const kinds: ((tenant: TwoTenants['a']) => Promise<unknown>)[] = [
        subjectsSeenBy,
        (tenant) => tenant.run(async (prisma) => (await prisma.onlineMeeting.findMany()).map((row) => row.subject)),
        (tenant) =>
          tenant.transaction(async (prisma) => (await prisma.onlineMeeting.findMany()).map((row) => row.subject)),
        (tenant) => tenant.run((prisma) => prisma.$queryRaw`SELECT 1 / 0`).catch(() => [`of ${tenant.tenantId}`]),
      ];
      const answers = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const tenant = tenants[index % tenants.length] ?? own.a;
          const ask = kinds[Math.floor(index / 7) % kinds.length] ?? subjectsSeenBy;
          return { asked: [`of ${tenant.tenantId}`], seen: await ask(tenant) };
        }),
      );
      expect(answers.filter(({ asked, seen }) => JSON.stringify(asked) !== JSON.stringify(seen))).toEqual([]);
    } finally {
      await own.close();
    }
  });
});

describe('a prepared statement of our own', () => {
  it('is planned once for both tenants, and leaves how all others are planned as it is', async () => {
    const statement = {
      name: 'subjects-by-id',
      text: 'SELECT json_agg(subject) FROM online_meetings WHERE tenant_id = $1 AND (appointment_id = ANY($2)) IS NOT TRUE',
    };
    for (let turn = 0; turn < 8; turn += 1) {
      expect(await world.a.readValue(statement, [['x', 'y']])).toEqual(OF_A);
      expect(await world.b.readValue(statement, [['x']])).toEqual(OF_B);
    }
    const plans = await world.a.run(
      (prisma) =>
        prisma.$queryRaw`SELECT generic_plans::int AS once, custom_plans::int AS anew FROM pg_prepared_statements WHERE name = ${statement.name}`,
    );
    expect(plans).toEqual([{ once: 16, anew: 0 }]);
    expect(await world.a.run((prisma) => prisma.$queryRaw`SHOW plan_cache_mode`)).toEqual([
      { plan_cache_mode: 'auto' },
    ]);
  });

  it('shows no tenant the other one, even when it is told the wrong tenant by its text', async () => {
    const all = {
      name: 'all-subjects',
      text: 'SELECT json_agg(subject) FROM online_meetings WHERE $1::text IS NOT NULL',
    };
    for (let turn = 0; turn < 8; turn += 1) {
      expect(await world.a.readValue(all, [])).toEqual(OF_A);
      expect(await world.b.readValue(all, [])).toEqual(OF_B);
    }
  });
});
