/**
 * npm run db:migrate: applies the migrations that the database lacks. After one failed half-way and somebody looked:
 * `-- --rolled-back NAME` or `-- --applied NAME` says what is true of it.
 */
import { parseArgs } from 'node:util';
import { loadMigrationUrl } from '../config.ts';
import { migrate, resolveMigration } from '../db/migrations.ts';
import { withLocalDatabase } from './local-database.ts';
import { runCommand } from './run-command.ts';

async function apply(url: string): Promise<void> {
  const applied = await migrate(url, { tell: (line) => console.log(line) });
  console.log(
    applied.length === 0
      ? 'The database is up to date.'
      : `Applied ${applied.length}:\n${applied.map((name) => `  ${name}`).join('\n')}`,
  );
}

await runCommand(async () => {
  const { values } = parseArgs({ options: { 'rolled-back': { type: 'string' }, applied: { type: 'string' } } });
  const [outcome, name] = Object.entries(values)[0] ?? [];
  const run = async (url: string) => {
    if (name === undefined) return apply(url);
    await resolveMigration(url, name, outcome === 'applied' ? 'applied' : 'rolled-back');
    console.log(`Noted: ${name} is ${outcome}.`);
  };
  const url = loadMigrationUrl();
  if (url !== undefined) await run(url);
  else await withLocalDatabase(run);
});
