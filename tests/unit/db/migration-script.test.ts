import { describe, expect, it } from 'vitest';
import { concurrentStatements } from '../../../src/db/migration-script.ts';

const BUILD = 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "a" ON "t"("tenant_id", "b")';
const DROP = 'DROP INDEX CONCURRENTLY IF EXISTS "c"';

describe('the statements of a migration that builds indexes concurrently', () => {
  it('are run one by one, without comments', () => {
    expect(concurrentStatements(`-- CreateIndex: for lists.\n${BUILD};\n\n-- DropIndex\n${DROP}\n;\n`)).toEqual([
      BUILD,
      DROP,
    ]);
  });

  it('may all be run again, whatever is there already', () => {
    const plain = [BUILD, BUILD.replace('CREATE', 'CREATE UNIQUE'), DROP].map((one) =>
      one.replace(/ IF (NOT )?EXISTS/, ''),
    );
    expect(plain.join()).not.toContain('EXISTS');
    expect(concurrentStatements(plain.join(';\n'))).toEqual([BUILD, BUILD.replace('CREATE', 'CREATE UNIQUE'), DROP]);
  });

  it.each([
    'CREATE TABLE "t" ("tenant_id" TEXT);\nCREATE INDEX "a" ON "t"("tenant_id");',
    '-- CREATE INDEX CONCURRENTLY would not be one transaction.\nALTER TABLE "t" ADD COLUMN "b" TEXT;',
    "DO $$ BEGIN\n  RAISE NOTICE 'no CREATE INDEX CONCURRENTLY here';\nEND $$;",
  ])('are not told of any other migration: %s', (script) => {
    expect(concurrentStatements(script)).toBeNull();
  });

  it.each([
    `${BUILD};\nALTER TABLE "t" ADD COLUMN "d" TEXT;`,
    `${BUILD}; UPDATE "t" SET "b" = 'x';`,
    `UPDATE "t" SET "b" = 'x';\n${DROP};`,
  ])('may not stand beside others: %s', (script) => {
    expect(() => concurrentStatements(script)).toThrow(/may hold nothing else/);
  });
});
