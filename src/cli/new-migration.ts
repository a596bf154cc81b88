/** npm run db:new -- <name>: writes the migration that leads from the last one to prisma/schema.prisma. */
import { mkdir, writeFile } from 'node:fs/promises';
import { missingMigrationSql } from '../db/migrations.ts';
import { withLocalDatabase } from './local-database.ts';
import { runCommand } from './run-command.ts';

await runCommand(async () => {
  const [name] = process.argv.slice(2);
  if (name === undefined || !/^[a-z0-9_]+$/.test(name))
    throw new Error('Usage: npm run db:new -- <name>, with a name of lower-case letters, digits and _.');
  const sql = await withLocalDatabase(({ url }) => missingMigrationSql(url));
  if (sql === '') {
    console.log('The migrations already lead to prisma/schema.prisma; nothing was written.');
  } else {
    const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
    const folder = `prisma/migrations/${stamp}_${name}`;
    await mkdir(folder);
    await writeFile(`${folder}/migration.sql`, `${sql}\n`);
    console.log(
      `Wrote ${folder}/migration.sql.\nA new table also needs its row-security policy and grants: see the first migration.`,
    );
  }
});
