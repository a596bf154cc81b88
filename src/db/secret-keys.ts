import pg from 'pg';

/** How many of a tenant's stored secrets need a key. */
export interface SecretKeyUse {
  tenantId: string;
  /** As the ciphertexts name it; the keys themselves are unknown here. */
  keyId: string;
  secrets: number;
}

/**
 * Looks over all tenants, by the one function of the database that may, on a connection of its own.
 *
 * @param role that the connection lowers itself to; undefined keeps the one that logged in
 * @throws when the database does not answer, or its tables were given to another owner (the hint says what to run)
 */
export async function readSecretKeys(connectionString: string, role: string | undefined): Promise<SecretKeyUse[]> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000, query_timeout: 60_000 });
  // One that dies between two statements would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    if (role !== undefined) await client.query(`SET ROLE ${pg.escapeIdentifier(role)}`);
    const { rows } = await client.query<SecretKeyUse>(
      'SELECT tenant_id AS "tenantId", key_id AS "keyId", secrets::int AS secrets FROM secret_keys_in_use()',
    );
    return rows;
  } finally {
    await client.end();
  }
}
