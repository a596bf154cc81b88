import { readFile } from 'node:fs/promises';

const FOLDER = new URL('../../deploy/citus/', import.meta.url);

/** The SQL that makes a migrated database ready for Citus, and distributes it, as operators run it. */
export const prepareSql = () => readFile(new URL('1-prepare.sql', FOLDER), 'utf8');
export const distributeSql = () => readFile(new URL('2-distribute.sql', FOLDER), 'utf8');

export interface Distribution {
  /** In the order in which they are distributed. */
  tables: { name: string; column: string; colocatedWith: string }[];
  functions: string[];
  /** Tables and schemas that stay on the coordinator, each with the reason. */
  local: Map<string, string>;
}

/** Reads what the SQL distributes and what it leaves where it is. */
export async function readDistribution(): Promise<Distribution> {
  const sql = await distributeSql();
  const tables = sql.matchAll(/^SELECT create_distributed_table\('(\w+)', '(\w+)', colocate_with => '(\w+)'\);$/gm);
  return {
    tables: [...tables].map(([, name = '', column = '', colocatedWith = '']) => ({ name, column, colocatedWith })),
    functions: [...sql.matchAll(/^SELECT create_distributed_function\('(\w+)\(\)'\);$/gm)].map(([, name = '']) => name),
    local: new Map([...sql.matchAll(/^-- local: (\w+): (.+)$/gm)].map(([, name = '', reason = '']) => [name, reason])),
  };
}
