import { describe, expect, it } from 'vitest';
import { findUnsafeMigrations } from '../../../scripts/check-migrations.ts';

/** What is found in a migration, by the names of the rules. */
function rules(sql: string, { name = '29990101000000_next', released = '0.4.1' } = {}): string[] {
  const found = findUnsafeMigrations({ path: `prisma/migrations/${name}/migration.sql`, text: sql }, released);
  return found.map(({ message }) => message.split(':')[0] ?? '');
}

const MEETINGS = 'ALTER TABLE "online_meetings"';

describe('a migration beside a running release', () => {
  it.each([
    ['require-concurrent-index-creation', 'CREATE INDEX "i" ON "online_meetings"("tenant_id", "subject");'],
    ['require-concurrent-index-deletion', 'DROP INDEX "i";'],
    ['adding-required-field', `${MEETINGS} ADD COLUMN "a" TEXT NOT NULL;`],
    ['adding-field-with-default', `${MEETINGS} ADD COLUMN "a" UUID NOT NULL DEFAULT gen_random_uuid();`],
    ['adding-not-nullable-field', `${MEETINGS} ALTER COLUMN "description" SET NOT NULL;`],
    ['changing-column-type', `${MEETINGS} ALTER COLUMN "subject" TYPE VARCHAR(100);`],
    ['ban-drop-column', `${MEETINGS} DROP COLUMN "subject";`],
    ['ban-drop-table', 'DROP TABLE "psa_events";'],
    ['renaming-column', `${MEETINGS} RENAME COLUMN "subject" TO "title";`],
    ['renaming-table', `${MEETINGS} RENAME TO "meetings";`],
    ['constraint-missing-not-valid', `${MEETINGS} ADD CONSTRAINT "c" CHECK ("subject" <> '');`],
    ['disallowed-unique-constraint', `${MEETINGS} ADD CONSTRAINT "u" UNIQUE ("tenant_id", "subject");`],
    [
      'adding-foreign-key-constraint',
      `${MEETINGS} ADD CONSTRAINT "f" FOREIGN KEY ("tenant_id") REFERENCES "teams_integrations"("tenant_id");`,
    ],
    [
      'constraint-missing-not-valid',
      `${MEETINGS} ADD CONSTRAINT "c" CHECK ("subject" <> '') NOT VALID;\n${MEETINGS} VALIDATE CONSTRAINT "c";`,
    ],
    [
      'A migration with INDEX CONCURRENTLY may hold nothing else, because it is no transaction. Move this to another one',
      `CREATE INDEX CONCURRENTLY IF NOT EXISTS "i" ON "online_meetings"("tenant_id");\n${MEETINGS} ADD COLUMN "a" TEXT;`,
    ],
    ['prefer-robust-stmts', 'CREATE INDEX CONCURRENTLY "i" ON "online_meetings"("tenant_id");'],
  ])('is refused for %s', (rule, sql) => {
    expect(rules(sql)).toContain(rule);
  });

  it.each([
    [
      'a new table with its indexes and constraints',
      `CREATE TABLE "n" ("tenant_id" TEXT NOT NULL, "k" INTEGER NOT NULL, CONSTRAINT "n_pkey" PRIMARY KEY ("tenant_id"));
CREATE INDEX "n_k" ON "n"("tenant_id", "k");
ALTER TABLE "n" ADD CONSTRAINT "n_meeting" FOREIGN KEY ("tenant_id", "k") REFERENCES "online_meetings"("tenant_id", "id") ON DELETE CASCADE;`,
    ],
    [
      'columns that may be empty or have a constant',
      `${MEETINGS} ADD COLUMN "a" TEXT, ADD COLUMN "b" BOOLEAN NOT NULL DEFAULT false;`,
    ],
    [
      'indexes beside the traffic',
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS "i" ON "online_meetings"("tenant_id");\nDROP INDEX CONCURRENTLY IF EXISTS "j";',
    ],
    ['a check of new rows alone', `${MEETINGS} ADD CONSTRAINT "c" CHECK ("subject" <> '') NOT VALID;`],
    ['its validation in the next one', `${MEETINGS} VALIDATE CONSTRAINT "c";`],
  ])('may have %s', (_, sql) => {
    expect(rules(sql)).toEqual([]);
  });

  it.each(['0.4.1', '0.4.0', '0.3.9'])('may drop what no release has used since %s, where 0.4.1 is out', (since) => {
    const contract = `-- contract: released since ${since}\n`;
    expect(rules(`${contract}${MEETINGS} DROP COLUMN "subject";`)).toEqual([]);
    expect(rules(`${contract}DROP TABLE "psa_events";`)).toEqual([]);
    expect(rules(`${contract}${MEETINGS} RENAME COLUMN "subject" TO "title";`)).toEqual(['renaming-column']);
  });

  it.each(['0.4.2', '0.5.0', '1.0.0', 'the next one'])('may not drop what is used until %s', (since) => {
    expect(rules(`-- contract: released since ${since}\n${MEETINGS} DROP COLUMN "subject";`)).toEqual([
      'ban-drop-column',
    ]);
  });

  it('is not one of before the first release', () => {
    expect(rules(`${MEETINGS} DROP COLUMN "subject";`, { name: '20261125000000_old' })).toEqual([]);
  });
});
